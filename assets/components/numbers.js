// Stats: numbers, of which one is drawn, or which are links. Choices: buttons of which one is pressed. DayBars: a bar a day.
window.footfall_components = window.footfall_components || {};
(function () {
  "use strict";
  const {address, drawing} = window.footfall_components, {h} = drawing;

  function Stats({id, label, stats, empty}) {
    if (empty) return h("div", {id}, drawing.nothing(empty));
    return h("div", {id, className: "ff-stats", role: "group", "aria-label": label},
      stats ? stats.map(stat) : drawing.skeleton(2));
  }

  const stat = ({key, label, value, definition, change, chosen, href, compared}) =>
    h(href ? "a" : "button", {key, className: "ff-stat", title: definition, "data-key": key, ...(href ? {href} : {type: "button", "aria-pressed": String(chosen), ...address.way(change)})},
      h("span", {className: "ff-k"}, label), h("span", {className: "ff-v"}, value),
      h("span", {className: "ff-d"}, compared && comparison(compared)));

  const comparison = ({look, seen, said, since, within}) => h(React.Fragment, {},
    seen && h("span", {className: `ff-delta ${look}`}, h("span", {"aria-hidden": "true"}, seen), h("span", {className: "ff-vh"}, said)),
    " ", h("span", {}, since), within && h("span", {className: "ff-vh"}, ` ${within}`));

  const Choices = ({id, label, look, choices = [], each}) =>
    h("span", {id, className: look, role: "group", "aria-label": label}, drawing.choices(choices, each));

  function DayBars({id, said, most, days, kinds, ends, empty}) {
    if (empty) return h("div", {id}, drawing.nothing(empty));
    if (!days) return h("div", {id}, drawing.skeleton(4));
    return h("div", {id, className: "ff-bars-box"},
      h("span", {className: "ff-bars-most", "aria-hidden": "true"}, most),
      h("div", {className: "ff-bars", role: "img", "aria-label": said}, days.map(({day, title, height, parts}) =>
        h("span", {key: day, title, style: height > 0 ? bar(height, parts, kinds) : undefined}))),
      h("div", {className: "ff-bars-x"}, ends.map((end, place) => h("span", {key: place}, end))));
  }

  // A bar is the background of its day: a year of them is 365 elements.
  function bar(height, parts, kinds) {
    const all = parts.reduce((sum, many) => sum + many, 0);
    let from = 0;
    const stripes = parts.map((many, place) => `var(--${kinds[place]}) ${from}% ${from += 100 * many / all}%`);
    return {backgroundImage: `linear-gradient(0deg, ${stripes.join(", ")})`, backgroundSize: `100% ${height}%`};
  }

  Object.assign(window.footfall_components, {Stats, Choices, DayBars});
})();
