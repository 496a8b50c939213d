// Draws the line of active people as SVG: footfall.spark.draw(node, points, options). For the card, which inlines this
// file and has no room for plotly.js; the Live page's line is a figure.
//
//   points    [[epoch in seconds, people], …], oldest first; null people, or two minutes without a point, are a gap
//   options   now: people at this moment; at: its epoch; minutes: 30
//
// language.js formats numbers.
(function () {
  "use strict";
  const GAP_S = 110, NOW_GAP_S = 200;  // the latest minutes are stored with a delay

  // A scale for a line without labels: it fills the box, but spans at least half of the highest value, so that a small
  // change looks small.
  function scale(values) {
    const low = Math.min(...values), high = Math.max(...values);
    const span = Math.max(1.2 * (high - low), high / 2, 2);
    return {base: Math.max(0, low - (span - (high - low)) / 2), span};
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
      node.setAttribute("aria-label", footfall.say("Active people per minute: nothing known yet"));
      node.replaceChildren();
      return;
    }
    const {base, span: height} = scale(seen.map(([, people]) => people));
    const spots = seen.map(([epoch, people]) => ({
      epoch, people,
      x: 100 * (epoch - from) / (at - from),
      y: 100 - 100 * (people - base) / height,
    }));
    const last = spots[spots.length - 1];
    const svg = make("svg", {viewBox: "0 0 1000 100", preserveAspectRatio: "none", "aria-hidden": "true"});
    const gap = (spot) => (spot === last && options.now != null ? NOW_GAP_S : GAP_S);
    const path = spots.map((spot, i) =>
      (i && spot.epoch - spots[i - 1].epoch <= gap(spot) ? "L" : "M") + (spot.x * 10).toFixed(1) + " " + spot.y.toFixed(1) + "h0");
    svg.append(make("path", {class: "ff-ln", d: path.join("")}));
    node.setAttribute("aria-label", footfall.say("Active people per minute over the last {minutes} minutes: from {first} to {last}", {
      minutes: options.minutes || 30, first: footfall.write.count(spots[0].people), last: footfall.write.count(last.people),
    }));
    node.replaceChildren(svg, span("ff-now-dot", "", last.x, last.y));
  }

  window.footfall = {...window.footfall, spark: {draw, make, span}};
})();
