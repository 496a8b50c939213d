// SiteList: the sites of a person with search, order and pages; its props are in layouts/footfall_components/site_list.py.
window.footfall_components = window.footfall_components || {};
(function () {
  "use strict";
  const {address, drawing} = window.footfall_components, {h, icon} = drawing;
  const TYPING_PAUSE_MS = 150;

  function SiteList({id, title, total, columns, page, wrong, children}) {
    const whole = React.useRef(null);
    return h("main", {className: "ff-main", id, ref: whole, "data-answered": page.at, onKeyDown: (event) => moveFocus(event, whole.current)},
      h("div", {className: "ff-toolbar"},
        h("h1", {}, title), h("span", {id: `${id}-total`, className: "ff-sub", role: "status"}, total), h("span", {className: "ff-window ff-age"}),
        h("div", {className: "ff-end"}, h(Search, {id: `${id}-words`}), children),
        h("div", {className: "ff-wrong-address"}, wrong && drawing.wrong(wrong))),
      h("section", {className: "ff-card", "aria-label": footfall.say("All sites")},
        page.rows.length ? table(columns, page) : nobody(), page.rows.length ? pager(page) : null));
  }

  const Search = ({id}) => h("div", {className: "ff-field ff-search"},
    h("label", {className: "ff-vh", htmlFor: id}, footfall.say("Find a site")),
    h("input", {...drawing.useTyped("search", TYPING_PAUSE_MS), id, placeholder: footfall.say("Find a site"), maxLength: 120}));

  function moveFocus(event, whole) {
    const step = {ArrowDown: 1, ArrowUp: -1}[event.key];
    if (!step || event.ctrlKey || event.metaKey || event.altKey) return;
    const targets = [...whole.querySelectorAll("[type=search], tbody a")], next = targets[targets.indexOf(event.target) + step];
    if (!targets.includes(event.target) || !next) return;
    event.preventDefault();
    next.focus();
  }

  const nobody = () => h("div", {className: "ff-none"}, h("div", {className: "ff-void"},
    icon("globe"), h("b", {}, footfall.say("No such site")), h("p", {}, footfall.say("No domain and no name has that in it."))));

  // ───────── the table ─────────

  const table = (columns, {rows, sort}) => h("table", {className: "ff-table ff-sites"},
    h("thead", {}, h("tr", {}, columns.map((column) => heading(column, sort)))),
    h("tbody", {}, rows.map(row)));

  const isDown = (order) => order.startsWith("-"), bare = (order) => order.replace("-", "");
  const turned = (order) => isDown(order) ? bare(order) : `-${order}`;

  function heading({sort, label, window, numeric}, current) {
    const words = h("span", {}, label, window && h("small", {}, window)), side = numeric ? "ff-num" : undefined;
    if (!sort) return h("th", {key: label + window, scope: "col", className: side}, words);
    const isCurrent = bare(sort) === bare(current), order = !isCurrent ? "none" : isDown(current) ? "descending" : "ascending";
    return h("th", {key: label + window, scope: "col", className: side, "aria-sort": order},
      h("button", {type: "button", "data-sort": bare(sort), ...address.way(`sort=${isCurrent ? turned(current) : sort}&page=`)}, words, icon("down", 14)));
  }

  function row({domain, name, href, badge, trend: [shape, said], cells}) {
    const [active, ...figures] = cells.map(([text, label], at) =>
      h("td", {key: label, className: "ff-num", "data-label": label}, at ? text : h("b", {}, text)));
    return h("tr", {key: domain},
      h("td", {},
        h("a", {href, title: domain}, h("bdi", {className: "ff-trunc"}, domain), name && h("small", {className: "ff-trunc"}, name)),
        badge && h("span", {className: "ff-badge"}, badge)),
      active,
      h("td", {}, h("span", {className: "ff-trend", role: "img", title: said, "aria-label": said}, h("i", {style: {clipPath: shape}}))),
      figures);
  }

  function pager({words, to}) {
    const turn = (page) => { address.go(`page=${page > 1 ? page : ""}`); scrollTo({top: 0}); };
    const ways = to[0] || to[1] ? [footfall.say("Previous"), footfall.say("Next")] : [];
    return h("nav", {className: "ff-turn", "aria-label": footfall.say("Pages of sites")}, h("span", {}, words),
      ways.map((label, at) => h("button", {
        key: label, type: "button", className: "ff-btn", disabled: !to[at], "data-page": to[at], onClick: () => turn(to[at]),
      }, label)));
  }

  Object.assign(window.footfall_components, {SiteList});
})();
