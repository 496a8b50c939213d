// Draws the line of active people as SVG: footfallSpark.draw(node, points, options).
//
//   points    [[epoch in seconds, people], …], oldest first; null people, or two minutes without a point, are a gap
//   options   now: people at this moment; at: its epoch; last: its label, "now" by default; zone: IANA name; minutes: 30;
//             bare: true leaves out the grid, the axes and the tip (for the card, which inlines this file)
//
// language.js formats numbers and times.
(function () {
  "use strict";
  const GAP_S = 110, NOW_GAP_S = 200;  // the latest minutes are stored with a delay

  // A scale of two equal, round steps that contains all values. It starts at 0 unless the values are far above 0.
  function scale(values) {
    const low = Math.min(...values), high = Math.max(...values);
    for (let power = 1; ; power *= 10) {
      for (const step of [1, 2, 2.5, 4, 5].map((n) => n * power).filter(Number.isInteger)) {
        const base = high > 10 && low > high / 2 && step * 5 >= high ? Math.floor(low / step) * step : 0;
        if (base + 2 * step >= high) return {base, step};
      }
    }
  }

  // A scale for a line without labels: it fills the box, but spans at least half of the highest value, so that a small
  // change looks small.
  function fit(values) {
    const low = Math.min(...values), high = Math.max(...values);
    const span = Math.max(1.2 * (high - low), high / 2, 2);
    return {base: Math.max(0, low - (span - (high - low)) / 2), step: span / 2};
  }

  function make(name, attributes) {
    const node = document.createElementNS("http://www.w3.org/2000/svg", name);
    for (const key in attributes) node.setAttribute(key, attributes[key]);
    return node;
  }

  function span(className, text, left, top) {
    const node = document.createElement("span");
    node.className = className;
    node.textContent = text;
    if (left != null) node.style.left = left + "%";
    if (top != null) node.style.top = top + "%";
    return node;
  }

  function visiblePoints(points, options) {
    const finite = points.filter(([, people]) => Number.isFinite(people));
    const at = options.at || (finite.length ? finite[finite.length - 1][0] : 0);
    const from = at - (options.minutes || 30) * 60;
    const visible = finite.filter(([epoch]) => epoch >= from && epoch <= at);
    if (options.now != null) {
      if (visible.length && visible[visible.length - 1][0] >= at) visible.pop();
      visible.push([at, options.now]);
    }
    return {from, at, seen: visible};
  }

  function draw(node, points, options = {}) {
    const {from, at, seen} = visiblePoints(points, options);
    node.setAttribute("role", "img");
    if (!seen.length) {
      node.setAttribute("aria-label", "Active people per minute: nothing known yet");
      node.replaceChildren(span("ff-window", options.bare ? "" : "Nothing known of the last 30 minutes yet"));
      return;
    }
    const {base, step} = (options.bare ? fit : scale)(seen.map(([, people]) => people));
    const spots = seen.map(([epoch, people]) => ({
      epoch, people,
      x: 100 * (epoch - from) / (at - from),
      y: 100 - 50 * (people - base) / step,
    }));
    const last = spots[spots.length - 1], clock = (epoch) => footfallWrite.time(epoch * 1000, options.zone || "UTC");
    const svg = make("svg", {viewBox: "0 0 1000 100", preserveAspectRatio: "none", "aria-hidden": "true"});
    const parts = [svg];
    if (!options.bare) {
      for (const y of [0, 50, 100]) {
        svg.append(make("line", {class: "ff-gl", x1: 0, x2: 1000, y1: y, y2: y}));
        parts.push(span("ff-ax ff-ax-y", footfallWrite.count(base + step * (2 - y / 50)), null, y));
      }
      for (const third of [0, 1, 2]) {
        const left = third * 100 / 3, label = clock(from + (at - from) * third / 3);
        parts.push(span("ff-ax ff-ax-x" + (third ? "" : " is-first"), label, left));
      }
      parts.push(span("ff-ax ff-ax-x is-last", options.last || "now", 100));
    }
    const gap = (spot) => (spot === last && options.now != null ? NOW_GAP_S : GAP_S);
    const path = spots.map((spot, i) =>
      (i && spot.epoch - spots[i - 1].epoch <= gap(spot) ? "L" : "M") + (spot.x * 10).toFixed(1) + " " + spot.y.toFixed(1) + "h0");
    svg.append(make("path", {class: "ff-ln", d: path.join("")}));
    parts.push(span("ff-now-dot", "", last.x, last.y));
    node.setAttribute("aria-label", `Active people per minute over the last ${options.minutes || 30} minutes: ` +
      `from ${footfallWrite.count(spots[0].people)} to ${footfallWrite.count(last.people)}`);
    node.replaceChildren(...parts);
    if (!options.bare && window.footfallTip) window.footfallTip(node, spots.map((spot) => ({
      ...spot, text: `${clock(spot.epoch)} · ${footfallWrite.count(spot.people)} active`,
    })));
  }

  window.footfallSpark = {draw, scale, make, span};
})();
