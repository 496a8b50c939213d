// The question of a page. Chips: its filters. FilterForm: adds one. PeriodMenu: a choice of periods, or dates of one's own.
window.footfall_components = window.footfall_components || {};
(function () {
  "use strict";
  const {address, drawing} = window.footfall_components, {h, icon} = drawing;
  const FIRST_DAY = "1971-01-01", LAST_DAY = "2099-12-31";

  // Chips have their places as keys: when one is removed, the focus is on the next.
  function Chips({id, chips = []}) {
    const whole = React.useRef(null);
    drawing.useKeptFocus(whole);
    return h("span", {id, ref: whole, tabIndex: -1, className: "ff-filters"}, chips.map(({about, value, change}, place) =>
      h("span", {key: place, className: "ff-chip ff-filter"},
        h("span", {className: "ff-trunc", title: `${about} ${value}`}, h("span", {}, about), " ", h("bdi", {}, h("b", {}, value))),
        h("button", {type: "button", "aria-label": `Remove the filter ${about} ${value}`, ...address.way(change)}, icon("x", 14)))));
  }

  function FilterForm({id, dimensions, operators, note, suggestions, setProps}) {
    const [by, setBy] = React.useState(Object.keys(dimensions)[0]);
    const values = suggestions && suggestions.by === by ? suggestions.values : [];
    const ask = (of) => setProps({asked: {by: of, search: location.search}});
    const submit = (event) => {
      event.preventDefault();
      const form = event.target, {how, value} = Object.fromEntries(new FormData(form));
      const known = values.find(({label}) => label.toLowerCase() === String(value).trim().toLowerCase());
      close(form);
      form.reset();
      setBy(Object.keys(dimensions)[0]);
      address.go(String(new URLSearchParams({filters: withFilter([how, by, [known ? known.value : value]])})));
    };
    return h("form", {id, className: "ff-asked", onSubmit: submit},
      select("by", "Filter by", dimensions, ({target}) => {
        setBy(target.value);
        ask(target.value);
      }),
      select("how", "How", operators),
      field("Value", {
        name: "value", type: "text", required: true, maxLength: 300, autoComplete: "off", list: `${id}-values`,
        onFocus: () => ask(by),
      }),
      h("datalist", {id: `${id}-values`}, values.map(({value, label, number}) => h("option", {key: value, value: label}, number))),
      h("p", {className: "ff-field-note"}, note),
      h("button", {type: "submit", className: "ff-btn ff-btn-primary"}, "Add filter"));
  }

  function withFilter(added) {
    let filters = [];
    try { filters = JSON.parse(new URLSearchParams(location.search).get("filters") || "[]"); } catch { /* invalid filters are replaced */ }
    return JSON.stringify([...filters, added]);
  }

  function PeriodMenu({id, name, verb, clears = [], look, shown}) {
    if (!shown) return null;
    const {label, rest, said, choices, first, last} = shown;
    const submit = (event) => {
      event.preventDefault();
      const dates = [...new FormData(event.target).values()].sort().join(",");
      close(event.target);
      address.go(String(new URLSearchParams([[name, dates], ...clears.map((each) => [each, ""])])));
    };
    const limits = {type: "date", required: true, min: FIRST_DAY, max: LAST_DAY};
    return h("details", {id, className: "ff-menu"},
      h("summary", {className: look, "aria-label": said, "data-key": name},
        h("span", {}, label), rest && h("span", {className: "ff-soft ff-hide-sm"}, rest), icon("down", 14)),
      h("div", {className: "ff-pop ff-pop-end ff-range"},
        h("ul", {}, choices.map((choice) => h(Choice, {key: choice.change, ...choice}))),
        h("form", {className: "ff-asked", onSubmit: submit},
          field("From", {name: `${name}-first`, defaultValue: first, key: `from ${first}`, ...limits}),
          field("To", {name: `${name}-last`, defaultValue: last, key: `to ${last}`, ...limits}),
          h("button", {type: "submit", className: "ff-btn ff-btn-primary"}, verb))));
  }

  const Choice = ({twin, ...choice}) => h("li", {}, h(Way, {...choice, key: "way"}), twin && h(Way, {...twin, key: "twin", look: "ff-twin"}));

  function Way({label, change, chosen, covers, said, look}) {
    address.useSearch();
    return h("a", {className: look, title: said, "aria-label": said, "aria-current": chosen ? "true" : undefined, "data-change": change, ...address.link(change)},
      h("span", {}, label), covers != null && h("span", {className: "ff-soft"}, covers));
  }

  const close = (form) => { form.closest("details").open = false; };

  const field = (label, props) => h("label", {className: "ff-field"}, h("span", {}, label), h("input", {className: "ff-input", ...props}));

  const select = (name, label, options, onChange) => h("label", {className: "ff-field"}, h("span", {}, label),
    h("span", {className: "ff-input-wrap"},
      h("select", {className: "ff-input", name, onChange}, Object.entries(options).map(([value, said]) => h("option", {key: value, value}, said))),
      icon("updown", 14)));

  Object.assign(window.footfall_components, {Chips, FilterForm, PeriodMenu});
})();
