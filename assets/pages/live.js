// The Live page between two redraws: one stream a browser (shared.js, stream.js), the numbers, the status pill, the clock, the title.
// Starts when `#live` (or `#first-visit`) appears and stops when it goes. What Dash draws is written twice: into the
// document at once, and by set_props, so that React's next redraw starts from the same value.
(function () {
  "use strict";
  const times = Object.assign({nudge: 2000, answer: 20000, said: 60000, greeting: 1500}, window.footfallTimes);
  const LOOKS = {
    connecting: ["is-connecting", "Connecting…"],
    live: ["is-live", "Live"],
    polled: ["is-live", "Live"],
    down: ["is-down", "Disconnected"],
    offline: ["is-down", "Offline"],  // this device, not the server
    rewound: ["is-rewound", ""],
  };
  const DOOR_MS = 100;  // until the next look at a door that is closed
  const ANSWERED_MS = 400;  // from a callback's end until its answer, where it has one, is here
  const byId = (id) => document.getElementById(id);

  let root = null, address = "", stream = null, state = "connecting", refusal = "", since = 0;
  let stats = null, figures = null, skew = 0, said = 0, nudged = 0, nudging = 0, drawn = null, frame = 0, title = "", entitled = "";
  let askedAt = 0, drawnAt = 0;
  let wanted = 0, answered = 0, then = null;  // the second that is asked for, 0 for now; that of the last answer; what that told
  let waiting = {stats: null, events: [], known: []};

  // ───────── the stream's life ─────────

  function adopt() {
    if (document.readyState === "loading") return;  // the files that load after this one are not there yet
    const node = byId("live") || byId("first-visit");
    const wanted = node ? node.dataset.stream : "";
    if (byId("status")) byId("status").hidden = !node;
    if (node === root && wanted === address) return;
    if (stream) stop();
    if (node) start(node, wanted);
  }

  function start(node, wanted) {
    [root, address, since, state, refusal, drawnAt] = [node, wanted, Date.now(), "connecting", "", 0];
    title = document.title;
    stream = window.footfallSharedStream({
      address, message: receive, refused, poll: node.id === "first-visit",
      state: changed,
    });
    tick();
    drawSpark();
  }

  function stop() {
    stream.close();
    cancelAnimationFrame(frame);
    clearTimeout(nudging);
    if (entitled && document.title === entitled) document.title = title;
    if (window.footfallFeed) window.footfallFeed.clear();
    [root, address, stream, stats, figures, frame, nudging, drawn] = [null, "", null, null, null, 0, 0, null];
    [wanted, answered, then, entitled] = [0, 0, null, ""];
    waiting = {stats: null, events: [], known: []};
  }

  function changed(name) {
    const isBack = name === "live" && Boolean(stats);
    state = name;
    tick();
    if (!isBack) return;
    endLostCall();
    if (!wanted) nudge();
  }

  function refused(status) {
    if (status === 401) {
      const base = address.slice(0, address.indexOf("/api/live/"));
      location.assign(`${base}/sign-in?next=${encodeURIComponent(location.pathname + location.search)}`);
    }
    refusal = {401: "Signed out", 403: "No access", 404: "No such site"}[status];
    showState();
  }

  // ───────── messages, at most one redraw a frame ─────────

  function receive(type, data) {
    if (type === "stats") waiting.stats = data;
    if (type === "new_event") waiting.events.push(data);
    if (type === "connected") waiting.known.push(...(data.recentEvents || []));
    if (waiting.events.length > 200) waiting.events.shift();
    if (document.hidden) flush();
    else if (!frame) frame = requestAnimationFrame(flush);
  }

  function flush() {
    const {stats: fresh, events, known} = waiting;
    frame = 0;
    waiting = {stats: null, events: [], known: []};
    if (!root) return;
    const before = stats || figures;
    const isNews = events.length || (fresh && before && unlike(fresh, before));  // the first are drawn anyway
    if (fresh) take(fresh);
    if (window.footfallFeed) {
      window.footfallFeed.add(known, {skew});
      window.footfallFeed.add(events, {skew, flash: true});
    }
    if (root.id === "first-visit") window.footfallCheck.take({events, known, stats});
    if (isNews && state === "live" && !wanted) nudge();
  }

  function unlike(fresh, old) {
    return JSON.stringify({...fresh, as_of: 0}) !== JSON.stringify({...old, as_of: 0});
  }

  function take(fresh) {
    stats = fresh;
    since = Date.now();
    const ahead = fresh.as_of * 1000 - since;
    if (Math.abs(ahead - skew) > 2000) skew = ahead;
    paint();
    drawSpark();
    tick();
  }

  // ───────── what is shown ─────────

  function toDash(id, props) {
    const dash = window.dash_clientside;
    if (!dash || !dash.set_props) return;
    try { dash.set_props(id, props); } catch { /* Dash throws for an id that it does not know (yet) */ }
  }

  function put(id, text) {
    const node = byId(id);
    if (!node || node.textContent === text) return;
    node.textContent = text;
    toDash(id, {children: text});
  }

  function bar(id, people) {
    const node = byId(id);
    if (!node || node.style.flexGrow === String(people)) return;
    node.style.flex = people;
    toDash(id, {style: {flex: people}});
  }

  // As layouts/components/figures.py writes it, halves to even.
  function percent(part, whole) {
    const exact = 100 * part / whole, up = Math.round(exact), rounded = exact % 1 === 0.5 ? up - up % 2 : up;
    if (!whole) return "";
    if (part && !rounded) return "<" + footfallWrite.percent(1);
    return rounded === 100 && part < whole ? ">" + footfallWrite.percent(99) : footfallWrite.percent(rounded);
  }

  function entitle(figure) {
    entitled = `${figure} · ${root.dataset.name} · Footfall`;
    if (document.title !== entitled) document.title = entitled;
  }

  // The second of the past that stands in the document, 0 where it is live: the callback writes it with its figures.
  function shown() {
    const bar = byId("rewind");
    return Number(bar && bar.dataset.at) || 0;
  }

  function paint() {
    const {active_sessions: all, authenticated_users: signedIn, anonymous_sessions: anonymous} = stats;
    if (root.id !== "live" || shown()) return;
    put("active-now", footfallWrite.count(all));
    put("signed-in", footfallWrite.count(signedIn));
    put("anonymous", footfallWrite.count(anonymous));
    put("signed-in-share", percent(signedIn, all));
    put("anonymous-share", percent(anonymous, all));
    bar("split-signed-in", signedIn);
    bar("split-anonymous", anonymous);
    entitle(footfallWrite.count(all));
    if (Date.now() - said < times.said) return;
    said = Date.now();
    if (byId("active-said")) byId("active-said").textContent = `${footfallWrite.count(all)} ${all === 1 ? "person" : "people"} active`;
  }

  function drawSpark() {
    const node = byId("spark");
    drawn = node;
    if (!node || document.hidden || !window.footfallSpark) return;
    const points = JSON.parse(node.dataset.points || "[]");
    const live = stats ? {now: stats.active_sessions, at: stats.as_of} : {};
    const now = then && shown() ? {now: then.active, at: then.at, last: inZone(then.at * 1000).time} : live;
    window.footfallSpark.draw(node, points, {...now, zone: root && root.dataset.timezone});
  }

  function appearance() {
    if (refusal) return ["is-down", refusal];
    if (shown()) return [LOOKS.rewound[0], `Rewound to ${inZone(shown() * 1000).time}`];
    return LOOKS[state !== "live" && !navigator.onLine ? "offline" : state];
  }

  function showState() {
    const pill = byId("status"), notice = byId("notice");
    const [look, word] = appearance();
    const lost = look === "is-down";
    if (pill) {
      for (const [each] of Object.values(LOOKS)) pill.classList.toggle(each, each === look);
      pill.title = shown() ? inZone(shown() * 1000).whole : state === "polled" ? "Refreshed every 10 s"
        : state === "live" ? `Last figures ${Math.round((Date.now() - since) / 1000)} s ago` : "";
      const text = byId("status-text");
      if (text && text.textContent !== word) text.textContent = word;
    }
    root.classList.toggle("is-stale", lost);
    if (notice && notice.hidden === lost) notice.hidden = !lost;
    if (notice && lost && byId("notice-since")) byId("notice-since").textContent = inZone(since + skew).time;
  }

  function inZone(ms) {
    const zone = root.dataset.timezone || "UTC", time = footfallWrite.time(ms, zone, true);
    return {time, whole: `${footfallWrite.day(ms, zone)}, ${time} · ${zone}`};
  }

  function tick() {
    if (!root) return;
    const running = !refusal && (state === "live" || state === "polled");
    const clock = byId("clock");
    if (clock && shown()) clock.textContent = inZone(shown() * 1000).whole;
    else if (clock && (running || stats)) clock.textContent = inZone((running ? Date.now() : since) + skew).whole;
    if (askedAt && Date.now() - askedAt > times.answer) endLostCall();
    if (wanted !== answered && !askedAt) nudge();  // an answer that was lost
    showState();
  }

  // ───────── Dash ─────────

  // One door to the callback, for the tick, Refresh and the nudges: it opens again when the answer has come. Dash alone
  // lets a second call begin beside the first and drops the first one's answer (on a slow line nothing would ever be
  // drawn), and it says that a callback runs only some turns after it was asked for: too late for whoever comes then.
  function ask(ticks, clicks) {
    const isFirst = !ticks && !clicks;  // a page that has just been laid out
    if (!isFirst && askedAt) {
      if (window.dash_clientside.callback_context.triggered_id === "refresh") nudge(0);
      return window.dash_clientside.no_update;
    }
    if (ticks && wanted && wanted === answered) return window.dash_clientside.no_update;  // the past stays as it is
    return question();
  }

  function question() {
    return {asked: askedAt = Date.now(), at: wanted};
  }

  function drawing(isAtWork) {
    if (isAtWork === false) askedAt = 0;  // nothing yet: a page that has just been laid out
  }

  // A redraw after a change, at most every two seconds, the last change included.
  function nudge(wait = Math.max(0, nudged + times.nudge - Date.now())) {
    if (nudging || document.hidden) return;
    nudging = setTimeout(() => {
      nudging = 0;
      if (askedAt) return nudge(DOOR_MS);
      toDash("nudge", {data: question()});
      nudged = askedAt;
    }, wait);
  }

  // The callback has ended; where no figures came with it, the lists are still those of `drawnAt`.
  function ended() {
    const then = drawnAt;
    setTimeout(() => { if (root && then === drawnAt) unread(true); }, ANSWERED_MS);
  }

  function unread(failed) {
    const said = byId("unread");
    if (!said || said.hidden !== failed) return;
    said.hidden = !failed;
    byId("unread-since").textContent = drawnAt ? `They are from ${inZone(drawnAt + skew).time}. ` : "";
  }

  // Where no answer comes at all (a server that dies, a line that drops) Dash never says that its callback has ended.
  function endLostCall() {
    askedAt = 0;
    toDash("refresh", {"aria-busy": "false"});
  }

  // The callback's figures on each tick; they count only while there is no stream.
  function polled(data) {
    if (!root || !data) return;
    if (!figures && stats && !data.at && unlike(stats, data.stats)) nudge();  // what came meanwhile is not in it
    drawnAt = Date.now();
    figures = data.stats;
    unread(false);
    if (data.at || then) turn(data);
    answered = data.asked || 0;
    if (answered !== wanted) nudge(0);
    else if (!data.at) answered = wanted = 0;  // a second that is still to come is now
    if (data.at || refusal || state === "live") return;
    stream.polled();
    if (!stats) receive("connected", {recentEvents: data.events});
    else for (const event of data.events) receive("new_event", event);
    receive("stats", data.stats);
  }

  // ───────── the past (rewind.js) ─────────

  // Shows the page as it was at that second; 0 is now. Figures and feed come with the next answer, not before.
  function rewind(at) {
    if (!root || wanted === at) return;
    wanted = at;
    clearTimeout(nudging);
    nudging = 0;
    nudge(0);
  }

  function turn(data) {
    then = data.at ? data : null;
    if (then) entitle(`${footfallWrite.count(then.active)} at ${inZone(then.at * 1000).time}`);
    if (window.footfallFeed && then) window.footfallFeed.show(then.events, then.at);
    if (window.footfallFeed && !then) {
      window.footfallFeed.clear();
      window.footfallFeed.add(data.events, {skew});
    }
    drawSpark();
    if (window.footfallRewind) window.footfallRewind.shown(then ? then.at : 0);
    if (!then && stats) paint();
  }

  function turnWords() {
    for (const node of root.querySelectorAll("[data-then]")) {
      node.dataset.now = node.dataset.now || node.textContent;
      node.textContent = shown() ? node.dataset.then : node.dataset.now;
    }
    root.classList.toggle("is-rewound", Boolean(shown()));
    tick();
  }

  document.addEventListener("click", (event) => {
    if (stream && !refusal && event.target.closest("#try-now")) stream.now();
    if (root && event.target.closest(".ff-retry")) nudge(0);
  });
  document.addEventListener("visibilitychange", () => {
    if (!root) return;
    flush();
    if (document.hidden) return;
    [drawSpark, tick].forEach((each) => each());
    if (!wanted) nudge();
  });
  setInterval(tick, 1000);

  /** @param {any} target */
  const isDone = ({id, ariaBusy}) => id === "refresh" && ariaBusy === "false";

  new MutationObserver((changes) => {
    adopt();
    const redrawn = changes.some((change) => change.attributeName === "data-points");
    if (root && changes.some(({target}) => isDone(target))) ended();
    if (root && (redrawn || byId("spark") !== drawn)) drawSpark();
    if (root && changes.some((change) => change.attributeName === "data-at")) turnWords();
    if (state === "live" && stats) paint();  // before the eye sees the older number of a slow redraw
  }).observe(document, {
    childList: true, characterData: true, subtree: true, attributeFilter: ["data-stream", "data-points", "data-at", "aria-busy"],
  });
  document.addEventListener("DOMContentLoaded", adopt);

  window.footfallLive = {
    ask, drawing, polled, rewind, now: () => Date.now() + skew, settled: () => wanted === answered, state: () => state,
  };
})();
