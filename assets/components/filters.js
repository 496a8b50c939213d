// Chips: the filters of a page. FilterForm: adds one, or changes one. The address has them.
window.footfall_components = window.footfall_components || {};
(function () {
  "use strict";
  const {address, drawing} = window.footfall_components, {h, icon} = drawing;
  const MAX_SHOWN = 100, TYPED_MS = 200;  // after the last letter the server is asked
  const AS_TEXT = ["contains", "contains_not", "matches", "matches_not"];  // what is typed comes first

  // Chips have their places as keys: when one is removed, the focus is on the next.
  function Chips({id, form, chips = []}) {
    const whole = React.useRef(null);
    drawing.useKeptFocus(whole);
    // once the click has closed the menus; a new object opens it again
    const open = (draft) => setTimeout(() => window.dash_clientside.set_props(form, {draft: {...draft}}));
    return h("span", {id, ref: whole, tabIndex: -1, className: "ff-filters"}, chips.map(({about, value, change, draft}, place) => {
      const words = [h("span", {key: "about"}, about), " ", h("bdi", {key: "value"}, h("b", {}, value))], said = `${about} ${value}`;
      return h("span", {key: place, className: "ff-chip ff-filter"},
        draft ? h("button", {type: "button", className: "ff-trunc", title: said, "aria-label": footfall.say("Change the filter {filter}", {filter: said}), onClick: () => open(draft)}, words)
          : h("span", {className: "ff-trunc", title: said}, words),
        h("button", {type: "button", className: "ff-x", "aria-label": footfall.say("Remove the filter {filter}", {filter: said}), ...address.way(change)}, icon("x", 14)));
    }));
  }

  function FilterForm({id, dimensions, exact, operators, note, suggestions, draft, setProps}) {
    const blank = {by: Object.keys(dimensions)[0], how: "is", values: []};
    const [filter, set] = React.useState(blank), [text, type] = React.useState(""), form = React.useRef(null), input = React.useRef(null);
    const [isOpen, opened] = React.useState(false);
    const {by, how, values, place} = filter, several = Number(values.length + Number(Boolean(text.trim())) > 1);
    const found = suggestions && suggestions.by === by ? suggestions : null;
    const isKnown = found && found.whole && text.includes(found.text);
    const offered = offer(found ? found.values : [], values, text, AS_TEXT.includes(how));

    React.useEffect(() => {
      const menu = form.current.closest("details");
      const toggle = () => {
        opened(menu.open);
        if (menu.open) return;
        set(blank);
        type("");
      };
      menu.addEventListener("toggle", toggle);
      return () => menu.removeEventListener("toggle", toggle);
    }, []);
    React.useEffect(() => {
      if (!draft) return;
      set(draft);
      type("");
      form.current.closest("details").open = true;
      input.current.focus();
    }, [draft]);
    const ask = () => setProps({asked: {by, text, search: address.changed(written(filtersNow().filter((_, nth) => nth !== place)))}});
    React.useEffect(() => { if (isOpen) ask(); }, [isOpen, by, place]);
    React.useEffect(() => {
      if (!isOpen || isKnown || (found && found.text === text)) return undefined;
      const timer = setTimeout(ask, TYPED_MS);
      return () => clearTimeout(timer);
    }, [text]);

    const add = (value) => {
      set({...filter, values: [...values, value]});
      type("");
      input.current.focus();
    };
    const remove = (removed) => {
      set({...filter, values: values.filter((_, nth) => nth !== removed)});
      input.current.focus();
    };
    const submit = (event) => {
      event.preventDefault();
      const all = text.trim() ? [...values, asTyped(offered, text)] : values, filters = filtersNow();
      if (!all.length) return;
      filters.splice(place ?? filters.length, 1, [how, by, [...new Set(all.map(({value}) => value))]]);
      form.current.closest("details").open = false;
      address.go(written(filters));
    };
    const offeredOperators = Object.entries(operators).filter(([name]) => !exact.includes(by) || !AS_TEXT.includes(name));
    return h("form", {id, ref: form, className: "ff-asked", onSubmit: submit},
      select("by", footfall.say("Filter by"), by, Object.entries(dimensions), (chosen) => {
        set({...filter, by: chosen, how: exact.includes(chosen) && AS_TEXT.includes(how) ? "is" : how, values: []});
        type("");
      }),
      select("how", footfall.say("How"), how, offeredOperators.map(([name, labels]) => [name, labels[several]]), (chosen) => set({...filter, how: chosen})),
      h(Values, {id, input, values, text, type, offered, add, remove, isBusy: !found}),
      h("p", {className: "ff-field-note"}, note),
      h("button", {type: "submit", className: "ff-btn ff-btn-primary"}, place == null ? footfall.say("Add filter") : footfall.say("Change filter")));
  }

  // A combobox whose list is always there. The first suggestion is at hand once something is typed; Enter in an empty field
  // sends the form.
  function Values({id, input, values, text, type, offered, add, remove, isBusy}) {
    const [moved, move] = React.useState(-1), isTyped = Boolean(text.trim()), list = `${id}-values`;
    const at = Math.min(moved < 0 && isTyped ? 0 : moved, offered.length - 1), option = (nth) => `${list}-${nth}`;
    React.useEffect(() => move(-1), [text, values]);
    React.useEffect(() => {
      const node = document.getElementById(option(at));
      if (node) node.scrollIntoView({block: "nearest"});
    }, [at]);
    const keys = {
      ArrowDown: offered.length > 0 && (() => move((at + 1) % offered.length)),
      ArrowUp: offered.length > 0 && (() => move((at <= 0 ? offered.length : at) - 1)),
      Enter: at >= 0 && (() => add(offered[at])),
      Escape: (isTyped || moved >= 0) && (() => { type(""); move(-1); }),
      Backspace: !text && values.length > 0 && (() => remove(values.length - 1)),
    };
    const onKeyDown = (event) => {
      const act = !event.nativeEvent.isComposing && offered.length + values.length > 0 && keys[event.key];
      if (!act) return;
      event.preventDefault();
      event.nativeEvent.stopImmediatePropagation();  // Escape would close the menu too
      act();
    };
    return h("div", {className: "ff-field ff-values"},
      h("label", {htmlFor: `${id}-value`}, h("span", {}, footfall.say("Values"))),
      values.length > 0 && h("ul", {"aria-label": footfall.say("Chosen values")}, values.map(({value, label}, nth) => h("li", {key: value, className: "ff-chip ff-filter"},
        h("bdi", {className: "ff-trunc", title: label}, label),
        h("button", {type: "button", className: "ff-x", "aria-label": footfall.say("Remove {name}", {name: label}), onClick: () => remove(nth)}, icon("x", 14))))),
      h("input", {
        id: `${id}-value`, ref: input, className: "ff-input", type: "text", name: "value", role: "combobox", autoComplete: "off", maxLength: 300,
        required: !values.length, value: text, "aria-expanded": "true", "aria-autocomplete": "list", "aria-controls": list,
        "aria-activedescendant": at < 0 ? undefined : option(at), onChange: ({target}) => type(target.value), onKeyDown,
      }),
      h("ul", {id: list, role: "listbox", "aria-label": footfall.say("Suggested values"), "aria-busy": String(isBusy)}, offered.map((each, nth) => h("li", {
        key: each.value + nth, id: option(nth), role: "option", "aria-selected": String(nth === at), title: each.label,
        onMouseDown: (event) => event.preventDefault(),  // the focus stays in the field
        onClick: () => add(each),
      }, each.isText ? h("span", {className: "ff-trunc"}, footfall.say("As typed:"), " ", h("bdi", {}, h("b", {}, each.label))) : drawing.name(each.label, "bdi", {className: "ff-trunc"}),
      h("span", {className: "ff-num"}, each.number)))),
      h("p", {className: "ff-vh", role: "status"}, isTyped ? footfall.say.plural("{n} suggested", "{n} suggested", offered.length) : ""));
  }

  const lower = (text) => text.trim().toLowerCase();

  /** How well a suggestion suits what is typed: 0 the same, 1 begins so, 2 contains it, 3 not. */
  function rank({value, label}, wanted) {
    const both = [lower(label), lower(value)];
    return both.includes(wanted) ? 0 : both.some((each) => each.startsWith(wanted)) ? 1 : both.some((each) => each.includes(wanted)) ? 2 : 3;
  }

  /** What is offered, with what is typed as a value of its own unless a suggestion is the same. */
  function offer(known, chosen, text, isText) {
    const wanted = lower(text), ranked = known.filter(({value}) => !chosen.some((each) => each.value === value))
      .map((each) => ({each, nth: wanted ? rank(each, wanted) : 0})).filter(({nth}) => nth < 3).sort((one, other) => one.nth - other.nth);
    const shown = ranked.slice(0, MAX_SHOWN).map(({each}) => each), typed = {value: text.trim(), label: text.trim(), number: "", isText: true};
    if (!wanted || (ranked.length && ranked[0].nth === 0 && !isText)) return shown;
    return isText ? [typed, ...shown] : [...shown, typed];
  }

  /** The suggestion that is the same as what is typed, by name or by value; else the text. */
  const asTyped = (offered, text) => offered.find((each) => !each.isText && rank(each, lower(text)) === 0) || {value: text.trim()};

  function filtersNow() {
    try {
      const found = JSON.parse(address.value("filters") || "[]");
      return Array.isArray(found) ? found : [];
    } catch {
      return [];  // invalid filters are replaced
    }
  }

  const written = (filters) => String(new URLSearchParams({filters: filters.length ? JSON.stringify(filters) : ""}));

  const select = (name, label, value, options, choose) => h("label", {className: "ff-field"}, h("span", {}, label),
    h("span", {className: "ff-input-wrap"},
      h("select", {className: "ff-input", name, value, onChange: ({target}) => choose(target.value)},
        options.map(([each, said]) => h("option", {key: each, value: each}, said))),
      icon("updown", 14)));

  Object.assign(window.footfall_components, {Chips, FilterForm});
})();
