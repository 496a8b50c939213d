// SiteList: the sites of a person with search, order and pages; its props are in layouts/footfall_components/site_list.py.
window.footfall_components = window.footfall_components || {};
(function () {
  "use strict";
  const {drawing} = window.footfall_components, {h, icon} = drawing;
  const TYPING_PAUSE_MS = 150;
  const FIRST = {words: "", sort: "active", backwards: false, page: 1};

  function SiteList({id, title, total, columns, page, request, children, setProps}) {
    const whole = React.useRef(null), wanted = {...FIRST, ...request};
    const ask = (change) => setProps({request: {...wanted, ...change}});
    return h("main", {className: "ff-main", id, ref: whole, "data-answered": page.at, onKeyDown: (event) => moveFocus(event, whole.current)},
      h("div", {className: "ff-toolbar"},
        h("h1", {}, title), h("span", {id: `${id}-total`, className: "ff-sub", role: "status"}, total), h("span", {className: "ff-window ff-age"}),
        h("div", {className: "ff-end"}, h(Search, {id: `${id}-words`, found: (words) => ask({words, page: 1})}), children)),
      h("section", {className: "ff-card", "aria-label": footfall.say("All sites")},
        page.rows.length ? table(columns, page, wanted, ask) : nobody(), page.rows.length ? pager(page, ask) : null));
  }

  // The field keeps its own text: dcc.Input writes it back during the typing, and has put letters in another order.
  function Search({id, found}) {
    const timer = React.useRef(0), latest = React.useRef(found);
    latest.current = found;
    React.useEffect(() => () => clearTimeout(timer.current), []);
    const onInput = ({target}) => {
      clearTimeout(timer.current);
      timer.current = setTimeout(() => latest.current(target.value), TYPING_PAUSE_MS);
    };
    return h("div", {className: "ff-field ff-search"},
      h("label", {className: "ff-vh", htmlFor: id}, footfall.say("Find a site")),
      h("input", {id, type: "search", className: "ff-input", placeholder: footfall.say("Find a site"), autoComplete: "off", maxLength: 120, onInput}));
  }

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

  function table(columns, {rows, sort, upwards}, wanted, ask) {
    const by = (name) => ask({sort: name, backwards: name === wanted.sort && !wanted.backwards, page: 1});
    return h("table", {className: "ff-table ff-sites"},
      h("thead", {}, h("tr", {}, columns.map((column) => heading(column, column.sort === sort && (upwards ? "ascending" : "descending"), by)))),
      h("tbody", {}, rows.map(row)));
  }

  function heading({sort, label, window, numeric}, order, by) {
    const words = h("span", {}, label, window && h("small", {}, window)), side = numeric ? "ff-num" : undefined;
    if (!sort) return h("th", {key: label + window, scope: "col", className: side}, words);
    return h("th", {key: label + window, scope: "col", className: side, "aria-sort": order || "none"},
      h("button", {type: "button", "data-sort": sort, onClick: () => by(sort)}, words, icon("down", 14)));
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

  function pager({words, to}, ask) {
    const turn = (page) => { ask({page}); scrollTo({top: 0}); };
    const ways = to[0] || to[1] ? [footfall.say("Previous"), footfall.say("Next")] : [];
    return h("nav", {className: "ff-turn", "aria-label": footfall.say("Pages of sites")}, h("span", {}, words),
      ways.map((label, at) => h("button", {
        key: label, type: "button", className: "ff-btn", disabled: !to[at], "data-page": to[at], onClick: () => turn(to[at]),
      }, label)));
  }

  Object.assign(window.footfall_components, {SiteList});
})();
