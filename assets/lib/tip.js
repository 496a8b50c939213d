// The tooltip of a plot: call footfallTip(node, spots, fill) after each redraw. It follows the pointer, or the arrow keys
// while the plot has the focus; Escape hides it.
//
//   spots    [{epoch, x, y, text}], oldest first; x and y in percent of the node
//   fill     (box, spot) fills the box of the tooltip; by default the box shows the spot's text
(function () {
  "use strict";
  const states = new WeakMap();

  function show(node, state) {
    const old = node.querySelector(".ff-hit");
    if (old) old.remove();
    if (state.chosen == null) return;
    const distance = (each) => Math.abs(each.epoch - state.chosen);
    const spot = state.spots.reduce((best, each) => (distance(each) < distance(best) ? each : best));
    const hit = document.createElement("span"), box = document.createElement("span");
    hit.className = "ff-hit";
    box.className = "ff-tip";
    Object.assign(hit.style, {
      position: "absolute", left: spot.x + "%", top: 0, bottom: 0, zIndex: 4, pointerEvents: "none",
      borderLeft: "1px solid var(--line-strong)",
    });
    Object.assign(box.style, {position: "absolute", top: "8px", whiteSpace: "nowrap", [spot.x > 50 ? "right" : "left"]: "10px"});
    if (state.fill) state.fill(box, spot);
    else box.textContent = spot.text;
    hit.style.setProperty("--y", spot.y + "%");
    hit.append(box);
    node.append(hit);
  }

  function listen(node, state) {
    const choose = (epoch) => { state.chosen = epoch; show(node, state); };
    node.tabIndex = 0;
    node.addEventListener("pointermove", (event) => {
      const box = node.getBoundingClientRect(), percent = 100 * (event.clientX - box.left) / box.width;
      const distance = (spot) => Math.abs(spot.x - percent);
      choose(state.spots.reduce((best, each) => (distance(each) < distance(best) ? each : best)).epoch);
    });
    for (const name of ["pointerleave", "blur"]) node.addEventListener(name, () => choose(null));
    node.addEventListener("keydown", (event) => {
      const move = {ArrowLeft: -1, ArrowRight: 1}[event.key], spots = state.spots;
      if (event.key === "Escape") choose(null);
      if (!move) return;
      event.preventDefault();
      const found = spots.findIndex((spot) => spot.epoch >= state.chosen);
      const from = state.chosen == null ? spots.length : found < 0 ? spots.length - 1 : found;
      choose(spots[Math.max(0, Math.min(spots.length - 1, from + move))].epoch);
    });
  }

  window.footfallTip = function (node, spots, fill) {
    let state = states.get(node);
    if (!state) {
      states.set(node, state = {chosen: null, spots, fill});
      listen(node, state);
    }
    state.spots = spots;
    show(node, state);
  };
})();
