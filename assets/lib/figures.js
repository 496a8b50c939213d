// Figures (layouts/figures/frame.py): loads plotly.js once the numbers are on the page, draws in the colours of the theme,
// and adds the keys.
//
// dcc.Graph waits for `window.Plotly`, which is a promise until the script has arrived, and does not load Dash's own file.
//
//   .ff-figure[data-bundle]   the address of plotly.js
//   .ff-figure[data-dark]     {light colour: dark colour}
//   .ff-figure[data-title]    the name of downloaded pictures
//   [data-resets=id]          a button that shows the whole of that figure
(function () {
  "use strict";
  const PAN_DEGREES = 30, COLOUR = /color/i;
  const LOCALE = "reader";  // the name under which plotly.js finds its words in the reader's language
  const UNREAD = ".ff-skels:not(dialog .ff-skels)";  // in place of numbers and lists that are to come
  const HOVER_MS = 60;  // plotly draws a hover label at most every 50 ms
  /** @type {WeakMap<any, {figure: any, config: any, chosen: any, saying?: any}>} */
  const drawn = new WeakMap();  // by graph element: the figure in light colours, and the point chosen by keys
  let script = null, arrived = null;

  window.Plotly = new Promise((resolve) => { arrived = resolve; });

  // ───────── the bundle ─────────

  // An observer of its own, from the first figure on the page until its numbers are there: the words are text, which
  // footfall.watch does not see.
  const words = new MutationObserver(loadWhenRead);
  let isComing = false;

  function awaitWords() {
    if (isComing) return undefined;
    words.observe(document, {childList: true, characterData: true, subtree: true});
    loadWhenRead();
    return () => { if (!frames().length) words.disconnect(); };
  }

  function loadWhenRead() {
    const first = /** @type {any} */ (document.querySelector(".ff-figure [id$=-words]:not(:empty)"));
    if (!first || document.querySelector(UNREAD)) return;
    isComing = true;
    words.disconnect();
    requestAnimationFrame(() => setTimeout(() => load(first.closest(".ff-figure").dataset.bundle)));  // after their paint
  }

  function load(address) {
    script = document.createElement("script");
    script.src = address;
    script.addEventListener("load", () => {
      adopt(window.Plotly);
      arrived();
    });
    script.addEventListener("error", () => {
      for (const frame of frames()) setFailed(frame, true);
    });
    document.body.append(script);
  }

  function reload() {
    for (const frame of frames()) setFailed(frame, false);
    const graphs = [...frames()].map(graphOf).filter((graph) => drawn.has(graph));
    if (graphs.length) return graphs.forEach(redraw);  // the outlines of the map were missing, not the script
    script.remove();
    load(script.src);
  }

  const frames = () => document.querySelectorAll(".ff-figure");
  const graphOf = (frame) => frame.querySelector(".js-plotly-plot");

  function setFailed(frame, failed) {
    frame.classList.toggle("is-failed", failed);
    const wait = frame.querySelector(".ff-figure-wait");
    wait.toggleAttribute("aria-hidden", !failed);
    wait.textContent = failed ? `${footfall.say("The figure could not be loaded.")} ` : footfall.say("Loading the figure …");
    if (!failed) return;
    const again = document.createElement("button");
    again.type = "button";
    again.className = "ff-link ff-figure-again";
    again.textContent = footfall.say("Try again");
    wait.append(again);
  }

  // ───────── drawing ─────────

  function adopt(plotly) {
    plotly.register({moduleType: "locale", name: LOCALE, dictionary: titles(), format: {}});
    const react = plotly.react;
    plotly.react = async (graph, figure) => {
      const frame = graph.closest(".ff-figure"), known = drawn.get(graph);
      if (!frame || !figure.data) return react(graph, figure);
      if (known && isOnShow(graph, known.figure, figure)) return graph;
      // one config for good: with another one plotly would start again and forget the reader's view
      const config = known ? known.config : withSvg(frame, figure.config);
      drawn.set(graph, {figure, config, chosen: known ? known.chosen : null});
      try {
        await react(graph, dressed(frame, drawn.get(graph)));
      } catch (error) {
        setFailed(frame, true);
        throw error;
      }
      frame.classList.add("is-drawn");
      if (!known) graph.on("plotly_relayout", () => letFingersMove(graph));
      letFingersMove(graph);
      if (drawn.get(graph).chosen != null) choose(graph, drawn.get(graph).chosen);
      return graph;
    };
    plotly.undressed = react;
  }

  // The words of plotly's own that readers meet.
  function titles() {
    return {
      "Zoom in": footfall.say("Zoom in"), "Zoom out": footfall.say("Zoom out"), "Reset axes": footfall.say("Reset"), Reset: footfall.say("Reset"),
      "Download plot as a PNG": footfall.say("Download as PNG"),
      "Preparing image - this may take a few seconds": footfall.say("Making the picture …"),
      "Image download succeeded": footfall.say("Downloaded"),
      "Sorry, there was a problem downloading your image!": footfall.say("The picture could not be made."),
    };
  }

  // The same figure again. After each zoom dcc.Graph passes the reader's view back as if it were the figure's own, which
  // would end what `uirevision` keeps.
  function isOnShow(graph, known, {data, layout}) {
    const same = (one, other) => JSON.stringify(one) === JSON.stringify(other);
    const isKnown = (key) => same(layout[key], known.layout[key]) || same(layout[key], graph.layout[key]);
    return same(data, known.data) && Object.keys(layout).every(isKnown);
  }

  function redraw(graph) {
    const known = drawn.get(graph);
    if (known) return window.Plotly.undressed(graph, dressed(graph.closest(".ff-figure"), known));
  }

  // The figure in the colours of the theme.
  function dressed(frame, {figure: {data, layout}, config}) {
    const isDark = document.documentElement.dataset.bsTheme === "dark", colours = isDark ? JSON.parse(frame.dataset.dark) : {};
    const themed = recoloured(layout, "", colours);
    if (isTouched() && !frame.classList.contains("is-enlarged")) themed.dragmode = false;
    return {data: recoloured(data, "", colours), layout: themed, config};
  }

  const isTouched = () => matchMedia("(pointer: coarse)").matches;

  // A finger on a figure scrolls the page; on a map that the reader has enlarged it moves the map.
  async function letFingersMove(graph) {
    const {geo} = graph._fullLayout, frame = graph.closest(".ff-figure");
    if (!geo || !frame || !isTouched()) return;
    const own = drawn.get(graph).figure.layout.geo.projection.scale || 1, isEnlarged = geo.projection.scale > own;
    if (frame.classList.contains("is-enlarged") === isEnlarged) return;
    frame.classList.toggle("is-enlarged", isEnlarged);
    await redraw(graph);
    if (!isEnlarged) geo._subplot.bgRect.on(".zoom", null);  // plotly itself leaves the listeners there
  }

  function recoloured(value, key, colours) {
    if (typeof value === "string") return COLOUR.test(key) ? colours[value] || value : value;
    if (Array.isArray(value)) return typeof value[0] === "number" && !COLOUR.test(key) ? value : value.map((each) => recoloured(each, key, colours));
    if (!value || typeof value !== "object") return value;
    const entries = Object.entries(value);
    return Object.fromEntries(entries.map(([name, each]) => [name, recoloured(each, COLOUR.test(key) ? key : name, colours)]));
  }

  function withSvg(frame, config) {
    const svg = {
      name: "svg", title: footfall.say("Download as SVG"), icon: window.Plotly.Icons.disk,
      click: (graph) => window.Plotly.downloadImage(graph, {format: "svg", filename: frame.dataset.title}),
    };
    return {...config, locale: LOCALE, modeBarButtons: config.modeBarButtons.map((group) => [...group, svg])};
  }

  // ───────── keys ─────────

  function onKey(event) {
    const graph = event.target.matches(".ff-figure-plot") && event.target.querySelector(".js-plotly-plot");
    if (!graph || !drawn.has(graph) || event.ctrlKey || event.metaKey || event.altKey) return;
    const isMap = Boolean(graph._fullLayout.geo), key = event.key === "=" ? "+" : event.key;
    const named = {"+": "[data-attr=zoom][data-val=in]", "-": "[data-attr=zoom][data-val=out]", 0: "[data-attr=reset], [data-val=reset]"}[key];
    const button = named && graph.querySelector(`.modebar-btn:is(${named})`);  // none where the axes are fixed
    if (button) button.click();
    else if (key === "Escape") leave(graph);
    else if (key in APPLIES && changesOf(graph)) go(graph, event.shiftKey);
    else if (isMap && key in PANS) pan(graph, ...PANS[key]);
    else if (steps(graph)[key]) step(graph, steps(graph)[key]);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  const APPLIES = {Enter: true};
  const PANS = {ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1]};
  const STEPS = {ArrowLeft: -1, ArrowRight: 1, PageUp: -1, PageDown: 1};

  // In a heat map also from row to row.
  function steps(graph) {
    const trace = graph._fullData.find(({type}) => type === "heatmap");
    return trace ? {...STEPS, ArrowUp: -trace.x.length, ArrowDown: trace.x.length} : STEPS;
  }

  function pan(graph, east, north) {
    const {center, projection} = graph._fullLayout.geo, degrees = PAN_DEGREES / projection.scale;
    const lon = (projection.rotation.lon + east * degrees + 540) % 360 - 180;
    const lat = Math.max(-80, Math.min(80, center.lat + north * degrees));
    graph._fullLayout._guiEditing = true;  // an edit of the reader, as a drag is: `uirevision` keeps it, the button resets it
    window.Plotly.relayout(graph, {"geo.projection.rotation.lon": lon, "geo.center.lon": lon, "geo.center.lat": lat});
    graph._fullLayout._guiEditing = false;
  }

  // The points that keys go through: those of the last line whose points can be hovered, within the visible range.
  function points(graph) {
    const trace = [...graph._fullData].reverse().find(({hoverinfo, visible}) => visible === true && hoverinfo !== "skip");
    if (!trace) return [];
    if (trace.type === "heatmap") return [...trace.y].flatMap((_, row) => [...trace.x].map((at, column) => ({name: `${row} ${column}`, subplot: "xy", hover: {xval: at, yval: row}})));
    if (graph._fullLayout.geo) return geoPoints(graph);
    const axis = graph._fullLayout.xaxis, [from, until] = axis.range.map((end) => axis.r2l(end)).sort((a, b) => a - b);
    return [...trace.x].flatMap((value, nth) => {
      const xval = axis.d2l(value);
      return trace.y[nth] == null || xval < from || xval > until ? [] : [{name: String(value), subplot: "xy", hover: {xval}, isLine: true}];
    });
  }

  // Dots by their place in the figure, countries by a point within their outlines.
  function geoPoints(graph) {
    return graph._fullData.filter(({hoverinfo, visible}) => visible === true && hoverinfo !== "skip").flatMap((trace) => {
      const changes = trace.customdata || [];
      return trace.type === "choropleth"
        ? graph.calcdata[trace.index].flatMap(({ct, loc}, nth) => (ct ? [{name: loc, subplot: "geo", hover: {xval: ct[0], yval: ct[1]}, changes: changes[nth]}] : []))
        : [...trace.lon].map((_, nth) => ({name: trace.ids[nth], subplot: "geo", hover: [{curveNumber: trace.index, pointNumber: nth}], changes: changes[nth]}));
    });
  }

  function step(graph, by) {
    const all = points(graph), known = drawn.get(graph), at = all.findIndex(({name}) => name === known.chosen);
    if (!all.length) return;
    const first = Boolean(all[0].isLine) === by > 0 ? all.length - 1 : 0;
    const next = Math.abs(by) > 1 && !all[at + by] ? at : Math.max(0, Math.min(all.length - 1, at + by));
    choose(graph, all[at < 0 ? first : next].name);
  }

  // Shows the hover label of a point, and says it.
  function choose(graph, name) {
    const found = points(graph).find((point) => point.name === name);
    const known = drawn.get(graph);
    known.chosen = found ? name : null;
    if (!found) return window.Plotly.Fx.unhover(graph);
    window.Plotly.Fx.hover(graph, found.hover, found.subplot);
    clearTimeout(known.saying);
    known.saying = setTimeout(() => say(graph), HOVER_MS);
  }

  function say(graph) {
    const lines = [...graph.querySelectorAll(".hoverlayer text")].map((text) => text.textContent.trim()).filter(Boolean);
    const said = graph.closest(".ff-figure-plot").querySelector("[role=status]");
    if (said.textContent !== lines.join(", ")) said.textContent = lines.join(", ");
  }

  /** The changes of the address by which the chosen country or region filters and is excluded, if it has any. */
  function changesOf(graph) {
    const found = graph._fullLayout.geo && points(graph).find(({name}) => name === drawn.get(graph).chosen);
    return found && found.changes;
  }

  function go(graph, isOut) {
    const [change, out] = changesOf(graph);
    leave(graph);
    window.footfall_components.address.go(isOut ? out : change);
  }

  function leave(graph) {
    drawn.get(graph).chosen = null;
    window.Plotly.Fx.unhover(graph);
  }

  // ───────── events ─────────

  document.addEventListener("keydown", onKey);
  document.addEventListener("click", ({target}) => {
    if (target.closest(".ff-figure-again")) reload();
    const reset = target.closest("[data-resets]");
    if (reset) document.querySelector(`#${reset.dataset.resets} [data-val=reset]`).click();
  });
  document.addEventListener("focusout", ({target}) => {
    const graph = /** @type {any} */ (target).matches(".ff-figure-plot") && graphOf(target);
    if (graph && drawn.has(graph)) leave(graph);
  });
  window.footfall.watch("html", () => [...frames()].map(graphOf).filter(Boolean).forEach(redraw), "data-bs-theme");
  window.footfall.watch(".ff-figure", awaitWords);
})();
