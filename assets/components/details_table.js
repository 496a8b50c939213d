// DetailsTable: one whole list, with search, sorting, pages and its file; its state is the address. PlainTable: texts.
window.footfall_components = window.footfall_components || {};
(function () {
  "use strict";
  const {address, drawing} = window.footfall_components, {h, icon} = drawing;
  const TURNED = {none: "none", up: "ascending", down: "descending"};

  function DetailsTable({id, closes, of, title, noun, searchable, naming, columns, rows, count, before, after, file, empty, longest, wrong}) {
    const search = address.useSearch(), wanted = address.value("details", search);
    const isWrong = wrong && wrong.search === search, isShown = !isWrong && wanted === of;
    if (!wanted) return h("div", {id});
    const close = h("button", {type: "button", className: "ff-icon", "aria-label": footfall.say("Close"), ...address.way(closes)}, icon("x"));
    return h("div", {id},
      h("header", {className: "ff-card-head"}, h("h2", {}, isWrong ? wrong.title : isShown ? title : ""),
        h("div", {className: "ff-end"}, isShown && searchable && h(Search, {key: of, noun, longest}), close)),
      isWrong ? h("div", {className: "ff-wrong-details"}, drawing.wrong(wrong)) : !isShown ? drawing.skeleton(12) : rows.length ? table(columns, rows, naming) : drawing.nothing(empty),
      isShown && h("footer", {className: "ff-turn"}, h("span", {}, count),
        before != null && turn("previous", footfall.say("Previous"), before), after != null && turn("next", footfall.say("Next"), after),
        h("a", {href: file + location.search, className: "ff-btn", "data-csv": ""}, icon("download", 14), "CSV")));
  }

  function Search({noun, longest}) {
    const typed = drawing.useTyped("search");
    React.useEffect(() => typed.ref.current.focus(), []);
    return h("input", {...typed, id: "details-search", placeholder: footfall.say("Search"), "aria-label": footfall.say("Search {rows}", {rows: noun}), maxLength: longest});
  }

  const table = (columns, rows, naming) => h("div", {className: "ff-scroll", tabIndex: 0},
    h("table", {className: "ff-table ff-whole", style: {"--columns": columns.length - 1}},
      h("thead", {}, h("tr", {}, columns.map(({key, label, change, order}, place) =>
        h("th", {key, scope: "col", className: place ? "ff-num" : "", "aria-sort": TURNED[order]},
          h("button", {type: "button", "data-key": `sort-${key}`, ...address.way(change)}, label, icon("down", 12)), !place && naming && drawing.choices([naming], "ff-naming"))))),
      h("tbody", {}, rows.map((row) => h("tr", {key: row.key},
        h("td", {title: drawing.titleOf(row)}, row.change
          ? h("div", {className: "ff-named"}, drawing.label(row, () => {}), row.out && drawing.away(row, () => {}))
          : drawing.name(row.label)),
        row.cells.map((cell, place) => h("td", {key: place, className: "ff-num"}, row.share && !place
          ? h(React.Fragment, {}, h("span", {className: "ff-pct is-shown"}, row.share), " ", h("b", {}, cell)) : cell)))))));

  const turn = (key, label, change) => h("button", {type: "button", className: "ff-btn", "data-key": key, disabled: !change, ...address.way(change)}, label);

  const PlainTable = ({id, columns, rows}) => h("table", {id, className: "ff-table"},
    h("thead", {}, h("tr", {}, columns.map((label, place) => h("th", {key: place, scope: "col", className: place ? "ff-num" : ""}, label)))),
    h("tbody", {}, rows.map((cells, line) => h("tr", {key: line},
      cells.map((cell, place) => h(place ? "td" : "th", {key: place, ...(place ? {className: "ff-num"} : {scope: "row"})}, cell))))));

  Object.assign(window.footfall_components, {DetailsTable, PlainTable});
})();
