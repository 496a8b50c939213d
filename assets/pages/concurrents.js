// Draws the line of a day (layouts/pages/concurrents.py): active people per minute, and a dashed line for the week before.
// Unknown stretches are hatched; the future is empty. Also the field that chooses another day.
//
//   #day-plot[data-line]    {begin, people, before, ticks}: begin in epoch seconds; people and before have one number per
//                           minute, -1 is unknown; ticks [[minute, label], …]
//   #day-field[data-day]    the day shown; data-last: the latest day that can be chosen
(function () {
  "use strict";
  const UNKNOWN = -1, MINUTE = 60;
  const byId = (id) => document.getElementById(id);
  let drawnLine = null;

  function draw() {
    const node = byId("day-plot");
    if (!node || !window.footfallSpark || (drawnLine === node.dataset.line && node.firstChild)) return;
    drawnLine = node.dataset.line;
    const line = JSON.parse(drawnLine), {people, before} = line;
    const {scale, make, span} = window.footfallSpark;
    const {base, step} = scale([...people, ...before, 0].filter((n) => n !== UNKNOWN));
    const x = (minute) => 100 * minute / (people.length - 1), y = (n) => 100 - 50 * (n - base) / step;
    const svg = make("svg", {viewBox: "0 0 1000 100", preserveAspectRatio: "none", "aria-hidden": "true"});
    /** @type {Element[]} */
    const parts = [svg];
    for (const at of [0, 50, 100]) {
      svg.append(make("line", {class: "ff-gl", x1: 0, x2: 1000, y1: at, y2: at}));
      const label = span("ff-ax ff-ax-y", footfallWrite.count(base + step * (2 - at / 50)), null, at);
      parts.push(label);
    }
    line.ticks.forEach(([minute, label], nth) => {
      const mark = span("ff-ax ff-ax-x" + (nth ? "" : " is-first"), label, x(minute));
      parts.push(mark);
    });
    parts.push(...unknown(line).map(([from, until]) => band(span, x(from), x(until))));
    const path = (numbers) => strokes(numbers, (minute) => 10 * x(minute), y);
    svg.append(make("path", {class: "ff-ln is-before", d: path(before)}), make("path", {class: "ff-ln", d: path(people)}));
    const most = Math.max(...people), peak = people.indexOf(most);
    parts.push(span("ff-now-dot", "", x(peak), y(most)));
    node.replaceChildren(...parts);
    tip(node, line, x, y);
  }

  // The path: one stroke for each stretch of known minutes; a single minute is a dot.
  function strokes(numbers, x, y) {
    return numbers.map((n, minute) => {
      if (n === UNKNOWN) return "";
      const follows = minute && numbers[minute - 1] !== UNKNOWN;
      return `${follows ? "L" : "M"}${x(minute).toFixed(1)} ${y(n).toFixed(1)}${follows ? "" : "h0"}`;
    }).join("");
  }

  // The unknown stretches before the last known minute, as [first, end) in minutes.
  function unknown({people}) {
    const last = people.findLastIndex((n) => n !== UNKNOWN), found = [];
    for (let minute = 0; minute < last; minute++) {
      if (people[minute] !== UNKNOWN) continue;
      const from = minute;
      while (people[minute] === UNKNOWN) minute++;
      found.push([from, minute]);
    }
    return found;
  }

  function band(span, from, until) {
    const node = span("ff-day-unknown", "", from);
    node.style.width = `${until - from}%`;
    return node;
  }

  function tip(node, {begin, people, before}, x, y) {
    if (!window.footfallTip) return;
    const zone = byId("concurrents").dataset.timezone, count = footfallWrite.count;
    window.footfallTip(node, people.flatMap((n, minute) => {
      if (n === UNKNOWN) return [];
      const epoch = begin + minute * MINUTE, weekBefore = before[minute] === UNKNOWN ? "" : ` · ${count(before[minute])} a week before`;
      return [{epoch, x: x(minute), y: y(n), text: `${footfallWrite.time(epoch * 1000, zone)} · ${count(n)} active${weekBefore}`}];
    }));
  }

  function drawField() {
    const container = byId("day-field");
    if (!container) return;
    if (!container.firstChild) {
      const input = document.createElement("input");
      Object.assign(input, {type: "date", className: "ff-input ff-day-input", min: "1971-01-01"});
      input.setAttribute("aria-label", "Day");
      input.addEventListener("change", () => { if (input.value && input.validity.valid) go(input.value); });
      container.append(input);
    }
    const input = container.querySelector("input");
    if (input.dataset.day === container.dataset.day) return;
    input.dataset.day = input.value = container.dataset.day;
    input.max = container.dataset.last;
  }

  function go(day) {
    window.dash_clientside.set_props("url", {search: `?day=${day}`});
  }

  new MutationObserver(() => { draw(); drawField(); })
    .observe(document, {childList: true, subtree: true, attributeFilter: ["data-line", "data-day"]});
})();
