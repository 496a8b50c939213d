// The bar that takes the Live page back in time (layouts/components/rewind.py): a slider over the last 24 hours with the line of
// how many were there, the way back, and play. live.js asks for the moment and says when it is shown.
//
//   footfallRewind.shown(at)    the page shows that second (epoch) now, 0: it is live
(function () {
  "use strict";
  const MINUTE = 60, HOUR = 3600, STEP_MS = 250;
  const SPEEDS = [1, 10, 60, 300];
  const MOVES = {
    ArrowLeft: -MINUTE, ArrowDown: -MINUTE, ArrowRight: MINUTE, ArrowUp: MINUTE, PageDown: -HOUR, PageUp: HOUR,
    Home: -Infinity, End: Infinity,
  };
  const byId = (id) => document.getElementById(id);
  const now = () => Math.floor(window.footfallLive.now() / 1000);

  let bar = null, drawn = "", line = null;  // what the bar was drawn from
  let aim = 0, shownAt = 0;  // the second that the reader wants, and that of the figures; 0 is now
  let speed = 10, playing = null;  // {from, since}: the second and the moment at which playing began

  // ───────── where it is ─────────

  function go(at) {
    const target = Math.round(Math.max(line.since, at));
    aim = target >= now() ? 0 : target;
    if (!aim) stop();
    window.footfallLive.rewind(aim);
    say();
  }

  function shown(at) {
    shownAt = at;
    say();
  }

  function say() {
    const input = /** @type {HTMLInputElement} */ (byId("rewind-slider"));
    if (!input) return;
    const at = aim || now(), away = now() - at, zone = byId("live").dataset.timezone;
    input.max = String(now());
    if (Number(input.value) !== at) input.value = String(at);
    const clock = footfallWrite.time(at * 1000, zone, true);
    input.style.setProperty("--p", `${100 * (at - Number(input.min)) / Math.max(1, Number(input.max) - Number(input.min))}%`);
    input.setAttribute("aria-valuetext", aim ? `${clock}, ${ago(away)}` : "Live");
    text("rewind-at", clock);
    text("rewind-ago", aim ? ago(away) : "drag to rewind");
    controls(Boolean(aim || shownAt));
  }

  function controls(isRewound) {
    const live = byId("rewind-live"), play = byId("rewind-play").firstChild;
    live.setAttribute("aria-pressed", String(!isRewound));
    live.lastChild.textContent = isRewound ? "Back to live" : "Live";
    live.firstChild.hidden = isRewound;
    byId("rewind-controls").hidden = !isRewound;
    play.className = `ff-i ff-i-${playing ? "pause" : "play"}`;
    byId("rewind-play").setAttribute("aria-label", playing ? "Pause" : "Play");
    if (byId("status")) byId("status").setAttribute("aria-live", playing ? "off" : "polite");  // not each second
  }

  function text(id, words) {
    const node = byId(id);
    if (node.textContent !== words) node.textContent = words;
  }

  function ago(seconds) {
    const hours = Math.floor(seconds / HOUR), minutes = Math.floor(seconds % HOUR / MINUTE);
    if (hours) return minutes ? `${hours} h ${minutes} min ago` : `${hours} h ago`;
    return minutes ? `${minutes} min ago` : `${seconds} s ago`;
  }

  // ───────── playing forward ─────────

  function play() {
    playing = {from: aim || shownAt, since: Date.now()};
    say();
  }

  function stop() {
    playing = null;
  }

  function turn() {
    if (!bar || !bar.isConnected) return;
    if (!playing) return say();
    if (!window.footfallLive.settled()) return;  // the figures of the last step are still to come
    const at = Math.floor(playing.from + speed * (Date.now() - playing.since) / 1000);
    if (at !== aim) go(at);
  }

  function quicker() {
    speed = SPEEDS[(SPEEDS.indexOf(speed) + 1) % SPEEDS.length];
    if (playing) play();
    const button = byId("rewind-speed");
    button.textContent = `${speed}×`;
    button.setAttribute("aria-label", `Speed: ${speed} times`);
  }

  // ───────── what is drawn ─────────

  function adopt() {
    const track = byId("rewind-track");
    if (!track || document.readyState === "loading" || !window.footfallSpark) return;
    if (bar !== track) [bar, drawn, aim, shownAt, playing] = [track, "", 0, 0, null];
    if (!track.dataset.line || drawn === track.dataset.line) return;
    drawn = track.dataset.line;
    line = JSON.parse(drawn);
    const input = /** @type {HTMLInputElement} */ (byId("rewind-slider") || slider()), old = track.querySelectorAll("svg, .ff-ticks");
    for (const node of old) node.remove();
    input.min = line.since;
    input.disabled = line.since >= now() - 1;
    track.prepend(curve());
    track.append(ticks());
    if (!input.isConnected) track.insertBefore(input, track.lastChild);
    say();
  }

  function slider() {
    const input = document.createElement("input");
    Object.assign(input, {type: "range", id: "rewind-slider", step: 1});
    input.setAttribute("aria-label", "Rewind the page");
    input.addEventListener("input", () => { stop(); go(Number(input.value)); });
    input.addEventListener("keydown", (event) => {
      const move = MOVES[event.key];
      if (event.key === " ") toggle();
      else if (move === undefined || event.altKey || event.ctrlKey || event.metaKey) return;
      else step(event.shiftKey && Math.abs(move) === MINUTE ? move / MINUTE : move);
      event.preventDefault();
    });
    return input;
  }

  function step(seconds) {
    stop();
    go(Math.min(now(), (aim || now()) + seconds));
  }

  function toggle() {
    if (playing) stop();
    else if (aim) play();
    say();
  }

  function curve() {
    const {make} = window.footfallSpark, until = now(), span = Math.max(1, until - line.since);
    const most = Math.max(...line.people, 1), each = 300;
    const points = line.people.map((people, nth) => [line.begin + nth * each, people])
      .filter(([at, people]) => people >= 0 && at >= line.since)
      .map(([at, people]) => `${(1000 * (at - line.since) / span).toFixed(1)} ${(96 - 86 * people / most).toFixed(1)}`);
    const svg = make("svg", {viewBox: "0 0 1000 100", preserveAspectRatio: "none", "aria-hidden": "true"});
    if (!points.length) return svg;
    const path = points.join("L"), [first] = points[0].split(" "), [last] = points[points.length - 1].split(" ");
    svg.append(make("path", {class: "ff-fillarea", d: `M${path}L${last} 100L${first} 100Z`}));
    svg.append(make("path", {class: "ff-fillline", d: `M${path}`}));
    return svg;
  }

  function ticks() {
    const {span} = window.footfallSpark, node = span("ff-ticks", ""), zone = byId("live").dataset.timezone;
    const until = now(), length = until - line.since;
    node.setAttribute("aria-hidden", "true");
    node.append(span("", length > HOUR ? `${Math.round(length / HOUR)} h ago` : "first visitor", 0));
    for (const part of length > HOUR ? [0.25, 0.5, 0.75] : []) {
      const label = footfallWrite.time((line.since + part * length) * 1000, zone);
      node.append(span(part === 0.5 ? "" : "ff-hide-sm", label, 100 * part));
    }
    node.append(span("", "now", 100));
    return node;
  }

  document.addEventListener("click", ({target}) => {
    if (!line || !bar) return;
    if (target.closest("#rewind-live")) go(Infinity);
    if (target.closest("#rewind-play")) toggle();
    if (target.closest("#rewind-speed")) quicker();
  });
  document.addEventListener("visibilitychange", () => { if (document.hidden) stop(); });
  setInterval(turn, STEP_MS);
  new MutationObserver(adopt).observe(document, {childList: true, subtree: true, attributeFilter: ["data-line"]});

  window.footfallRewind = {shown};
})();
