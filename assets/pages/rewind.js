// The bar that rewinds the Live page (layouts/components/rewind.py): a slider over the last 24 hours with the line of active
// people, a button back to live, and playback. live.js loads the chosen second and calls `shown` when it is on the page. The
// address has the second as `at`: one entry in the history each time that the slider is released, or that now is left or
// reached; the keys and playback replace it.
//
//   footfall.rewind.shown(at)    the page now shows that second (epoch); 0 is live
//   footfall.rewind.moved()      the address leads to another second
(function () {
  "use strict";
  const MINUTE = 60, HOUR = 3600, STEP_MS = 250;
  const PAUSE_MS = 400;  // after the last step the address has the second
  const SPEEDS = [1, 10, 60, 300];
  const KEY_STEPS = {
    ArrowLeft: -MINUTE, ArrowDown: -MINUTE, ArrowRight: MINUTE, ArrowUp: MINUTE, PageDown: -HOUR, PageUp: HOUR,
    Home: -Infinity, End: Infinity,
  };
  const byId = (id) => document.getElementById(id);
  const now = () => Math.floor(window.footfall.live.now() / 1000);

  let track = null, drawnLine = "", line = null;  // the element, its data as JSON, and parsed
  let shownAt = 0, writing = 0;  // the second of the figures, 0 is now; the timer until the address has that of the reader
  let speed = 10, playing = null;  // {from, since}: the second at which playback started, and when it started, in ms

  // ───────── position ─────────

  function rewindTo(at) {
    const target = Math.round(Math.max(line.since, at)), isPast = target < now();
    if (!isPast) playing = null;
    window.footfall.live.rewind(isPast ? target : 0);
    updateText();
  }

  /** The second that the reader chose, 0 for now. */
  const wanted = () => window.footfall.live.wanted();

  function write(isEntry) {
    clearTimeout(writing);
    if (!track || !track.isConnected) return;
    const isNow = !wanted(), wasNow = !window.footfall_components.address.value("at");
    window.footfall_components.address.go(`at=${wanted() || ""}`, !isEntry && isNow === wasNow);
  }

  function writeSoon() {
    clearTimeout(writing);
    writing = setTimeout(write, PAUSE_MS, false);
  }

  function onMoved() {
    clearTimeout(writing);
    playing = null;
    updateText();
  }

  function onShown(at) {
    shownAt = at;
    updateText();
  }

  function updateText() {
    const input = /** @type {HTMLInputElement} */ (byId("rewind-slider"));
    if (!input) return;
    const at = wanted() || now(), secondsAgo = now() - at, zone = byId("live").dataset.timezone;
    input.max = String(now());
    if (Number(input.value) !== at) input.value = String(at);
    const clock = footfall.write.time(at * 1000, zone, true);
    input.style.setProperty("--p", `${100 * (at - Number(input.min)) / Math.max(1, Number(input.max) - Number(input.min))}%`);
    input.setAttribute("aria-valuetext", wanted() ? `${clock}, ${agoText(secondsAgo)}` : footfall.say("Live"));
    text("rewind-at", clock);
    text("rewind-ago", wanted() ? agoText(secondsAgo) : footfall.say("drag to rewind"));
    controls(Boolean(wanted() || shownAt));
  }

  function controls(isRewound) {
    const live = byId("rewind-live"), playIcon = byId("rewind-play").firstChild;
    live.setAttribute("aria-pressed", String(!isRewound));
    live.lastChild.textContent = isRewound ? footfall.say("Back to live") : footfall.say("Live");
    live.firstChild.hidden = isRewound;
    byId("rewind-controls").hidden = !isRewound;
    playIcon.className = `ff-i ff-i-${playing ? "pause" : "play"}`;
    byId("rewind-play").setAttribute("aria-label", playing ? footfall.say("Pause") : footfall.say("Play"));
    if (byId("status")) byId("status").setAttribute("aria-live", playing ? "off" : "polite");  // during playback the text changes each second
  }

  function text(id, content) {
    const node = byId(id);
    if (node.textContent !== content) node.textContent = content;
  }

  function agoText(seconds) {
    const hours = Math.floor(seconds / HOUR), minutes = Math.floor(seconds % HOUR / MINUTE);
    if (hours) return minutes ? footfall.say("{hours} h {minutes} min ago", {hours, minutes}) : footfall.say("{hours} h ago", {hours});
    return minutes ? footfall.say("{minutes} min ago", {minutes}) : footfall.say("{seconds} s ago", {seconds});
  }

  // ───────── playback ─────────

  function startPlaying() {
    playing = {from: wanted() || shownAt, since: Date.now()};
    updateText();
  }

  function stopPlaying() {
    if (playing) writeSoon();
    playing = null;
  }

  function advance() {
    if (!track || !track.isConnected) return;
    if (!playing) return updateText();
    if (!window.footfall.live.settled()) return;  // the figures of the last step have not arrived
    const at = Math.floor(playing.from + speed * (Date.now() - playing.since) / 1000);
    if (at !== wanted()) rewindTo(at);
    if (!wanted()) write(false);
  }

  function nextSpeed() {
    speed = SPEEDS[(SPEEDS.indexOf(speed) + 1) % SPEEDS.length];
    if (playing) startPlaying();
    const button = byId("rewind-speed");
    button.textContent = `${speed}×`;
    button.setAttribute("aria-label", footfall.say("Speed: {n} times", {n: speed}));
  }

  // ───────── drawing ─────────

  function draw() {
    const node = byId("rewind-track");
    if (!node) return;
    if (track !== node) [track, drawnLine, line, shownAt, playing] = [node, "", null, 0, null];
    if (!track.dataset.line || drawnLine === track.dataset.line) return;
    drawnLine = track.dataset.line;
    const wasComplete = Boolean(line && line.isComplete);
    line = JSON.parse(drawnLine);
    if (line.isComplete && !wasComplete && wanted()) window.footfall.live.again();  // the peak until then is known by its minutes
    const input = /** @type {HTMLInputElement} */ (byId("rewind-slider") || slider()), old = track.querySelectorAll("svg, .ff-ticks");
    for (const node of old) node.remove();
    input.min = line.since;
    input.disabled = line.since >= now() - 1;
    track.prepend(curve());
    track.append(ticks());
    if (!input.isConnected) track.insertBefore(input, track.lastChild);
    updateText();
  }

  function slider() {
    const input = document.createElement("input");
    Object.assign(input, {type: "range", id: "rewind-slider", step: 1});
    input.setAttribute("aria-label", footfall.say("Rewind the page"));
    input.addEventListener("input", () => { stopPlaying(); clearTimeout(writing); rewindTo(Number(input.value)); });
    input.addEventListener("change", () => write(true));  // released
    input.addEventListener("keydown", (event) => {
      const keyStep = KEY_STEPS[event.key];
      if (event.key === " ") toggle();
      else if (keyStep === undefined || event.altKey || event.ctrlKey || event.metaKey) return;
      else step(event.shiftKey && Math.abs(keyStep) === MINUTE ? keyStep / MINUTE : keyStep);
      event.preventDefault();
    });
    return input;
  }

  function step(seconds) {
    stopPlaying();
    rewindTo(Math.min(now(), (wanted() || now()) + seconds));
    writeSoon();
  }

  function toggle() {
    if (playing) stopPlaying();
    else if (wanted()) startPlaying();
    updateText();
  }

  function curve() {
    const {make} = window.footfall.spark, until = now(), span = Math.max(1, until - line.since);
    const maxPeople = Math.max(...line.people, 1), secondsPerPoint = 300;
    const points = line.people.map((people, nth) => [line.begin + nth * secondsPerPoint, people])
      .filter(([at, people]) => people >= 0 && at >= line.since)
      .map(([at, people]) => `${(1000 * (at - line.since) / span).toFixed(1)} ${(96 - 86 * people / maxPeople).toFixed(1)}`);
    const svg = make("svg", {viewBox: "0 0 1000 100", preserveAspectRatio: "none", "aria-hidden": "true"});
    if (!points.length) return svg;
    const path = points.join("L"), [first] = points[0].split(" "), [last] = points[points.length - 1].split(" ");
    svg.append(make("path", {class: "ff-fillarea", d: `M${path}L${last} 100L${first} 100Z`}));
    svg.append(make("path", {class: "ff-fillline", d: `M${path}`}));
    return svg;
  }

  function ticks() {
    const {span} = window.footfall.spark, node = span("ff-ticks", ""), zone = byId("live").dataset.timezone;
    const until = now(), length = until - line.since;
    node.setAttribute("aria-hidden", "true");
    node.append(span("", length > HOUR ? footfall.say("{hours} h ago", {hours: Math.round(length / HOUR)}) : footfall.say("first visitor"), 0));
    for (const part of length > HOUR ? [0.25, 0.5, 0.75] : []) {
      const label = footfall.write.time((line.since + part * length) * 1000, zone);
      node.append(span(part === 0.5 ? "" : "ff-hide-sm", label, 100 * part));
    }
    node.append(span("", footfall.say("now"), 100));
    return node;
  }

  document.addEventListener("click", ({target}) => {
    if (!line || !track) return;
    if (target.closest("#rewind-live")) {
      rewindTo(Infinity);
      write(true);
    }
    if (target.closest("#rewind-play")) toggle();
    if (target.closest("#rewind-speed")) nextSpeed();
  });
  document.addEventListener("visibilitychange", () => { if (document.hidden) stopPlaying(); });
  setInterval(advance, STEP_MS);
  window.footfall.watch("#rewind-track", draw, "data-line");

  window.footfall = {...window.footfall, rewind: {shown: onShown, moved: onMoved}};
})();
