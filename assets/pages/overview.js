// The Overview's callbacks that run in the browser: a stretch that is dragged on the chart becomes the period, a click on a
// country a filter.
window.dash_clientside = window.dash_clientside || {};
(function () {
  "use strict";
  let isShifted = false;  // at the last click: plotly does not tell
  document.addEventListener("pointerdown", ({shiftKey}) => { isShifted = shiftKey; }, true);

  /** The days of the buckets between two places of the axis; null for what nobody can drag, and for all of them. */
  function daysBetween(from, to, days) {
    const first = Math.max(0, Math.ceil(from - 0.5)), last = Math.min(days.length - 1, Math.floor(to + 0.5));
    if (!Number.isFinite(from) || !Number.isFinite(to) || !(from < to) || first > last) return null;
    const chosen = [days[first][0], days[last][1]], isAll = chosen[0] === days[0][0] && chosen[1] === days[days.length - 1][1];
    return isAll ? null : chosen;
  }

  const go = (names) => window.footfall_components.address.go(String(new URLSearchParams(names)));

  Object.assign(window.dash_clientside, {overview: {
    choose(relayout, figure) {
      const ends = relayout && (relayout["xaxis.range"] || [relayout["xaxis.range[0]"], relayout["xaxis.range[1]"]]);
      const days = figure && ends && daysBetween(...ends, figure.layout.meta);
      if (days) {
        window.Plotly.Fx.unhover(document.querySelector("#overview-chart .js-plotly-plot"));  // else plotly looks for a point under the pointer in each redraw
        go({period: days.join(","), interval: ""});
      }
      return window.dash_clientside.no_update;
    },

    filter(click) {
      const point = click && click.points && click.points[0];
      if (point && Array.isArray(point.customdata)) window.footfall_components.address.go(point.customdata[isShifted ? 1 : 0]);
      return null;  // so that a click on the same country counts again
    },
  }});
})();
