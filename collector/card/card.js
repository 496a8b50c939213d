// The card inside a frame: keeps its numbers, pages and line fresh. language.js, stream.js and spark.js stand before it.
(function () {
  "use strict";
  const given = JSON.parse(document.getElementById("given").textContent);
  window.footfall.words = given.words;
  const byId = (id) => document.getElementById(id);
  const HOUR_S = 3600, NEAR_S = 90, KEPT = 130, FEW = 10, MANY_TIMES = 10, SMALLEST_JUDGED = 0.01;

  const SILENT_MS = (window.footfallTimes || {}).silent || 20000;  // as in stream.js

  let live = given.live, points = given.points, state = "connecting", frame = 0, heard = Date.now(), hasHeard = false;

  function receive(type, data) {
    if (type !== "stats") return;
    [heard, hasHeard] = [Date.now(), true];
    live = data;
    const minute = live.as_of - live.as_of % 60, last = points[points.length - 1];
    if (!last || last[0] < minute) points = [...points, [minute, live.active_sessions]].slice(-KEPT);
    if (!frame) frame = requestAnimationFrame(paint);
  }

  function paint() {
    frame = 0;
    byId("active").textContent = footfall.write.count(live.active_sessions);
    byId("signed-in").textContent = footfall.write.count(live.authenticated_users);
    byId("anonymous").textContent = footfall.write.count(live.anonymous_sessions);
    byId("pages").replaceChildren(...live.top_pages.map(row));
    footfall.spark.draw(byId("spark"), points, {now: live.active_sessions, at: live.as_of});
    change();
    clock();
  }

  function row({path, count: people}) {
    const line = document.createElement("li"), name = document.createElement("span"), number = document.createElement("b");
    name.title = path;
    name.dir = "auto";
    name.append(...footfall.write.halves(path).map((half) => Object.assign(document.createElement("i"), {textContent: half})));
    number.textContent = footfall.write.count(people);
    line.append(name, number);
    return line;
  }

  // Against the stored minute an hour before the figures; nothing where that minute is not known. Less than 1% and what
  // is from few people is not judged, many times a few is not written: as in layouts/components/figures.py.
  function change() {
    const then = live.as_of - HOUR_S, away = ([epoch]) => Math.abs(epoch - then);
    const near = points.filter((point) => away(point) <= NEAR_S).sort((a, b) => away(a) - away(b))[0];
    const before = near ? near[1] : 0, people = live.active_sessions, ratio = before ? people / before - 1 : 0;
    const isFew = before < FEW, isKnown = before && !(isFew && people >= MANY_TIMES * before);
    const node = byId("change"), percent = Math.round(100 * ratio);
    const changed = `${percent > 0 ? "↑ " : percent < 0 ? "↓ " : ""}${footfall.write.percent(Math.abs(percent))}`;
    node.className = isFew || Math.abs(ratio) < SMALLEST_JUDGED ? "ff-flat" : ratio > 0 ? "ff-up" : "ff-worse";
    node.textContent = isKnown ? footfall.say("{change} vs 1 h ago", {change: changed}) : "";
    node.title = isKnown ? footfall.say("{n} an hour ago", {n: footfall.write.count(before)}) : "";
  }

  function clock() {
    const age = Date.now() - heard, isFirst = state === "connecting" && !hasHeard && age < SILENT_MS;
    const stale = !isFirst && state !== "live" && state !== "polled";
    document.body.classList.toggle("is-stale", stale);
    byId("at").textContent = stale ? footfall.say("{age} ago, not connected", {age: footfall.write.age(age)})
      : footfall.write.time(live.as_of * 1000, given.zone, true);
  }

  function refused() {
    const words = document.createElement("p");
    words.className = "ff-off";
    words.setAttribute("role", "status");
    words.textContent = footfall.say("This card is switched off");
    cancelAnimationFrame(frame);
    clearInterval(ticking);
    document.querySelector("main").replaceChildren(words);
  }

  paint();
  const ticking = setInterval(clock, 1000);
  footfall.stream({address: given.stream, message: receive, refused, poll: true, state(name) { state = name; clock(); }});
})();
