// PeriodMenu: a choice of periods, or dates of one's own.
window.footfall_components = window.footfall_components || {};
(function () {
  "use strict";
  const {address, drawing} = window.footfall_components, {h, icon} = drawing;
  const FIRST_DAY = "1971-01-01", LAST_DAY = "2099-12-31";

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
          field(footfall.say("From"), {name: `${name}-first`, defaultValue: first, key: `first=${first}`, ...limits}),
          field(footfall.say("To"), {name: `${name}-last`, defaultValue: last, key: `last=${last}`, ...limits}),
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

  Object.assign(window.footfall_components, {PeriodMenu});
})();
