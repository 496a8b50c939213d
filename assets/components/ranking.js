// Ranking: a list of labels with a bar and a number in each row; its props are in layouts/footfall_components/ranking.py.
window.footfall_components = window.footfall_components || {};
(function () {
  "use strict";
  const {address, drawing} = window.footfall_components, {h, icon} = drawing;
  const ROWS = 9;  // of the skeleton
  const STEPS = {ArrowLeft: -1, ArrowRight: 1};

  function Ranking({id, label, rows, heading, naming, measure = footfall.say("Visitors"), tabs, empty, details, file, more, pictured, children, clicked, setProps}) {
    const whole = React.useRef(null);
    address.useSearch();
    drawing.useKeptFocus(whole);
    const click = (key, out) => setProps && setProps({clicked: {key, out, times: (clicked ? clicked.times : 0) + 1}});
    const inner = pictured ? null
      : !rows ? drawing.skeleton(ROWS)
      : rows.length || !empty ? table({rows, heading, naming, measure, click}) : drawing.nothing(empty);
    const shown = tabs && tabs.find((tab) => tab.chosen);
    return h("div", {id, ref: whole, tabIndex: -1, className: "ff-ranking"},
      h(Head, {label, tabs, details, file}),
      h("div", {className: "ff-panel-body", ...(shown && {role: "tabpanel", "aria-label": shown.label})},
        inner, more && second(more, measure, click), h("div", {hidden: !pictured, className: "ff-pictured"}, children)));
  }

  // ───────── the head ─────────

  function Head({label, tabs, details, file}) {
    const ends = [
      details && h("a", {key: "details", className: "ff-details", "aria-label": details.label, "data-key": details.key, ...address.link(details.change)}, footfall.say("Details"), icon("right", 14)),
      file && h(React.Fragment, {key: "file"}, drawing.file(file)),
    ];
    const title = tabs ? h(Tabs, {label, tabs}) : label && h("h2", {}, label);
    if (!title && !details && !file) return null;
    return h("header", {className: "ff-card-head"}, title, h("div", {className: "ff-end"}, ends));
  }

  // Tabs that do not fit scroll sideways: the chosen one comes into sight.
  function Tabs({label, tabs}) {
    const row = React.useRef(null), chosen = tabs.findIndex((tab) => tab.chosen);
    React.useLayoutEffect(() => { if (row.current && chosen >= 0) centre(row.current, row.current.children[chosen]); }, [chosen]);
    const onKeyDown = (event) => {
      if (!(event.key in STEPS)) return;
      event.preventDefault();
      const next = (tabs.findIndex(({key}) => key === event.target.dataset.key) + STEPS[event.key] + tabs.length) % tabs.length;
      row.current.children[next].focus();
      address.go(tabs[next].change);
    };
    return h("div", {role: "tablist", className: "ff-ptabs", "aria-label": label, ref: row, onKeyDown},
      tabs.map((tab) => h("button", {
        key: tab.key, role: "tab", type: "button", tabIndex: tab.chosen ? 0 : -1,
        "aria-selected": String(tab.chosen), "data-key": tab.key, ...address.way(tab.change),
      }, tab.label)));
  }

  function centre(row, tab) {
    const [tabBox, rowBox] = [tab, row].map((node) => node.getBoundingClientRect());
    row.scrollLeft += tabBox.left + tabBox.width / 2 - rowBox.left - rowBox.width / 2;
  }

  // ───────── the rows ─────────

  function table({rows, heading, naming, measure, click}) {
    const outs = rows.some((row) => row.out);
    return h("table", {className: "ff-table ff-barred"},
      h("thead", {}, h("tr", {},
        h("th", {scope: "col"}, h("bdi", {}, heading), naming && drawing.choices([naming], "ff-naming")), h("th", {scope: "col", className: "ff-num ff-val"}, measure), outs && h("td", {className: "ff-outs"}))),
      h("tbody", {}, rows.map((row) => h("tr", {key: row.key},
        h("td", {title: titleOf(row)}, h("span", {className: "ff-fill", style: {"--w": row.bar}}), label(row, click)),
        h("td", {className: "ff-num"}, row.share != null && h("span", {className: "ff-pct"}, row.share), " ", h("b", {}, row.number)),
        outs && h("td", {className: "ff-outs"}, row.out && away(row, click))))));
  }

  /** The label of a row: a link that filters, a link to another page, or text. */
  function label(row, click) {
    const path = row.about && h("small", {className: "ff-window"}, drawing.name(row.about));
    const inner = path ? h("span", {className: "ff-titled"}, drawing.name(row.label), " ", path) : drawing.name(row.label), props = {className: "ff-lbl", "data-key": row.key};
    if (row.change) return h("a", {...props, ...address.link(row.change, row.out, (out) => click(row.key, out))}, inner);
    return row.href ? h("a", {...props, href: row.href}, inner) : h("span", props, inner);
  }

  const titleOf = ({label: shown, about}) => (about ? `${shown}\n${about}` : shown);

  /** The button that excludes a row, for touch screens and keyboards. */
  function away(row, click) {
    const said = footfall.say("Exclude {value}", {value: row.label});
    return h("button", {type: "button", className: "ff-out", title: said, "aria-label": said, ...address.way(row.out, "", () => click(row.key, true))}, icon("x", 12));
  }

  function second({note, title, choices, file, heading, rows}, measure, click) {
    if (note) return h("p", {className: "ff-rest"}, note);
    return h(React.Fragment, {},
      h("div", {className: "ff-properties"}, h("h3", {}, title), drawing.file(file),
        h("div", {className: "ff-chips", role: "group", "aria-label": footfall.say("Property")}, drawing.choices(choices, "ff-chip"))),
      table({rows, heading, naming: null, measure, click}));
  }

  Object.assign(window.footfall_components, {Ranking});
  Object.assign(window.footfall_components.drawing, {label, away, titleOf});
})();
