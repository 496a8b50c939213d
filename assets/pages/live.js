// The Live page between two redraws: the stream (shared.js, stream.js), numbers, status pill, clock and title.
//
// It starts when `#live` (or `#first-visit`) appears and stops when that is removed. Values that Dash also draws are written
// twice: into the document at once, and by set_props, so that React's next redraw starts from the same value.
(function () {
  "use strict";
  const times = Object.assign({nudge: 2000, answer: 20000, announce: 60000}, window.footfallTimes);
  /** @type {Record<string, [string, () => string]>} */
  const APPEARANCES = {
    connecting: ["is-connecting", () => footfall.say("Connecting…")],
    live: ["is-live", () => footfall.say("Live")],
    polled: ["is-live", () => footfall.say("Live")],
    down: ["is-down", () => footfall.say("Disconnected")],
    offline: ["is-down", () => footfall.say("Offline")],  // this device, not the server
    rewound: ["is-rewound", () => footfall.say("Rewound to {time}", {time: inZone(rewoundTo() * 1000).time})],
  };
  const BUSY_RETRY_MS = 100;  // until the next try while a request is in flight
  const OLD_S = 3;  // from which age on lists of another moment than the number say so
  const ANSWER_MS = 400;  // from the end of a callback until its answer has arrived, if it has one
  const {watch} = window.footfall;
  const byId = (id) => document.getElementById(id);

  let root = null, address = "", stream = null, state = "connecting", refusalText = "", receivedAt = 0;
  let stats = null, polledStats = null, skew = 0, announcedAt = 0, redrawRequestedAt = 0, redrawTimer = 0, frame = 0;
  let title = "", ownTitle = "", requestedAt = 0, drawnAt = 0;
  // the second to show, 0 for now; the second of the last answer; that answer, null for now
  let wantedAt = 0, answeredAt = 0, past = null;
  let addressAt = 0;  // the second that was last read in the address, 0 for none
  let answeredFilters = "";  // those of the last answer, as the address has them
  let had = {}, events = [];  // digests of the last answer's parts, which the next leaves out where they are the same; its events
  let listed = null;  // the figures of the moment of the lists and the map, null for those of the past and with filters
  let queued = nothing();

  function nothing() {
    return {stats: null, events: [], known: [], more: 0, gauges: null};
  }

  // ───────── start and stop ─────────

  function begin(node) {
    if (node !== root || node.dataset.stream !== address) {
      if (stream) stop();
      start(node);
    }
    return () => { if (node === root) stop(); };
  }

  function start(node) {
    [root, address, receivedAt, state, refusalText, drawnAt] = [node, node.dataset.stream, Date.now(), "connecting", "", 0];
    [had, events] = [{}, []];
    wantedAt = addressAt = secondOfAddress();
    title = document.querySelector("[data-page-title]")?.dataset.pageTitle || document.title;
    stream = window.footfall.sharedStream({
      address, message: receive, refused: onRefused, poll: node.id === "first-visit",
      state: onState,
    });
    redraws.observe(root, {childList: true, characterData: true, subtree: true});
    showPill();
    tick();
  }

  function stop() {
    stream.close();
    redraws.disconnect();
    cancelAnimationFrame(frame);
    clearTimeout(redrawTimer);
    if (ownTitle && document.title === ownTitle) document.title = title;
    if (window.footfall.feed) window.footfall.feed.clear();
    if (window.footfall.activity) window.footfall.activity.clear();
    [root, address, stream, stats, polledStats, frame, redrawTimer] = [null, "", null, null, null, 0, 0];
    [wantedAt, answeredAt, addressAt, past, listed, ownTitle, answeredFilters] = [0, 0, 0, null, null, "", ""];
    queued = nothing();
    showPill();
  }

  function showPill() {
    if (byId("status")) byId("status").hidden = !root;
    if (!root) delete document.documentElement.dataset.streamState;
  }

  // Before the browser paints the older number of a slow redraw.
  const redraws = new MutationObserver(() => { if (state === "live" && stats) paint(); });

  function onState(name) {
    const isReconnected = name === "live" && Boolean(stats);
    state = name;
    tick();
    if (!isReconnected) return;
    abandonRequest();
    if (!wantedAt) redrawSoon();
  }

  function onRefused(status) {
    if (status === 401) {
      const base = address.slice(0, address.indexOf("/api/live/"));
      location.assign(`${base}/sign-in?next=${encodeURIComponent(location.pathname + location.search)}`);
    }
    refusalText = {401: footfall.say("Signed out"), 403: footfall.say("No access"), 404: footfall.say("No such site")}[status];
    showState();
  }

  // ───────── messages, at most one redraw per frame ─────────

  function receive(type, data) {
    if (type === "stats") queued.stats = data;
    if (type === "new_event") queued.events.push(data);
    if (type === "connected") queued.known.push(...(data.recentEvents || []));
    if (type === "gauges") queued.gauges = data;
    if (type === "more") queued.more += data.events;
    if (queued.events.length > 200 && queued.events.shift()) queued.more += 1;
    if (document.hidden) flush();
    else if (!frame) frame = requestAnimationFrame(flush);
  }

  function flush() {
    const {stats: newStats, events, known, more, gauges} = queued;
    frame = 0;
    queued = nothing();
    if (!root) return;
    const before = stats || polledStats;
    const isChange = events.length || (newStats && before && differs(newStats, before));  // the first figures are drawn anyway
    if (newStats) applyStats(newStats);
    if (window.footfall.feed && !isFiltered()) {
      window.footfall.feed.add(known, {skew});
      window.footfall.feed.add(events, {skew, flash: true});
      if (more) window.footfall.feed.more(more);
    }
    if (window.footfall.activity) window.footfall.activity.add([...known, ...events]);  // cards count everybody
    if (window.footfall.activity && gauges) window.footfall.activity.gauges(gauges);
    if (root.id === "first-visit") window.footfall.check.take({events, known, stats});
    if (isChange && state === "live" && !wantedAt) redrawSoon();
  }

  function differs(newStats, old) {
    return JSON.stringify({...newStats, as_of: 0}) !== JSON.stringify({...old, as_of: 0});
  }

  function applyStats(newStats) {
    stats = newStats;
    receivedAt = Date.now();
    const ahead = newStats.as_of * 1000 - receivedAt;
    if (Math.abs(ahead - skew) > 2000) skew = ahead;
    paint();
    tick();
  }

  // ───────── numbers, status and clock ─────────

  function setProps(id, props) {
    const dash = window.dash_clientside;
    if (!dash || !dash.set_props) return;
    try { dash.set_props(id, props); } catch { /* Dash throws for an id that is not on the page */ }
  }

  function setText(id, text) {
    const node = byId(id);
    if (!node || node.textContent === text) return;
    node.textContent = text;
    setProps(id, {children: text});
  }

  function setBar(id, people) {
    const node = byId(id);
    if (!node || node.style.flexGrow === String(people)) return;
    node.style.flex = people;
    setProps(id, {style: {flex: people}});
  }

  // The same text as layouts/components/figures.py writes; halves are rounded to even.
  function percent(part, whole) {
    const exact = 100 * part / whole, up = Math.round(exact), rounded = exact % 1 === 0.5 ? up - up % 2 : up;
    if (!whole) return "";
    if (part && !rounded) return "<" + footfall.write.percent(1);
    return rounded === 100 && part < whole ? ">" + footfall.write.percent(99) : footfall.write.percent(rounded);
  }

  function setTitle(figure) {
    ownTitle = `${figure} · ${title}`;
    if (document.title !== ownTitle) document.title = ownTitle;
  }

  // The second of the past that the document shows, 0 where it is live. The callback writes it together with its figures.
  function rewoundTo() {
    const node = byId("rewind");
    return Number(node && node.dataset.at) || 0;
  }

  // As the server reads them: the last that is not empty.
  const wantedFilters = () => new URLSearchParams(location.search).getAll("filters").filter(Boolean).pop() || "";

  // The stream counts everybody: while filters are in the address or on the page, it only makes the callback run.
  const isFiltered = () => Boolean(wantedFilters() || root.dataset.filters);

  function paint() {
    const {active_sessions: all, authenticated_users: signedIn, anonymous_sessions: anonymous} = stats;
    if (root.id !== "live" || rewoundTo() || isFiltered() || (wantedAt && !drawnAt)) return;
    setText("active-now", footfall.write.count(all));
    setText("signed-in", footfall.write.count(signedIn));
    setText("anonymous", footfall.write.count(anonymous));
    setText("signed-in-share", percent(signedIn, all));
    setText("anonymous-share", percent(anonymous, all));
    setBar("split-signed-in", signedIn);
    setBar("split-anonymous", anonymous);
    announce(all);
  }

  function announce(all) {
    setTitle(footfall.write.count(all));
    if (Date.now() - announcedAt < times.announce) return;
    announcedAt = Date.now();
    if (byId("active-said")) byId("active-said").textContent = footfall.say.plural("{n} person active", "{n} people active", all);
  }

  function appearance() {
    if (refusalText) return ["is-down", refusalText];
    const [className, said] = APPEARANCES[rewoundTo() ? "rewound" : state !== "live" && !navigator.onLine ? "offline" : state];
    return [className, said()];
  }

  function showState() {
    const pill = byId("status"), notice = byId("notice");
    const [className, label] = appearance();
    const isDown = className === "is-down";
    document.documentElement.dataset.streamState = className;
    if (pill) {
      for (const [each] of Object.values(APPEARANCES)) pill.classList.toggle(each, each === className);
      pill.title = rewoundTo() ? inZone(rewoundTo() * 1000).whole : state === "polled" ? footfall.say("Refreshed every 10 s")
        : state === "live" ? footfall.say("Last figures {seconds} s ago", {seconds: Math.round((Date.now() - receivedAt) / 1000)}) : "";
      const text = byId("status-text");
      if (text && text.textContent !== label) text.replaceChildren(...words(label));
    }
    showAge(isDown || (className === "is-connecting" && Boolean(stats)));
    if (notice && notice.hidden === isDown) notice.hidden = !isDown;
    if (notice && isDown && byId("notice-since")) byId("notice-since").textContent = inZone(receivedAt + skew).time;
  }

  // Of `Rewound to 14:05:10` a phone shows the time.
  function words(label) {
    const time = rewoundTo() ? inZone(rewoundTo() * 1000).time : "", around = time ? label.split(time) : [];
    if (around.length !== 2) return [label];
    const [before, after] = around.map((textContent) => Object.assign(document.createElement("span"), {className: "ff-words", textContent}));
    return [before, time, after];
  }

  // Figures that are no longer of now are grey, and say how old they are.
  function showAge(isOld) {
    root.classList.toggle("is-stale", isOld);
    if (isOld && ownTitle && document.title === ownTitle) document.title = title;
    const label = root.querySelector(".ff-label [data-then]"), age = footfall.write.age(Date.now() - receivedAt);
    if (!label || rewoundTo()) return;
    label.dataset.now = label.dataset.now || label.textContent;
    if (byId("activity-age")) byId("activity-age").textContent = isOld && stats ? footfall.say("{age} ago", {age}) : "";
    const words = isOld && stats ? footfall.say("Active {age} ago", {age}) : label.dataset.now;
    if (label.textContent !== words) label.textContent = words;
  }

  // Lists that count other people than the number above them say of when they are.
  function showListAge() {
    const age = listed && stats ? Math.round(now() / 1000 - listed.as_of) : 0, all = listed ? listed.active_sessions : 0;
    const isOld = age > OLD_S && !rewoundTo() && stats.active_sessions !== all;
    const text = isOld ? footfall.say.plural("{n} person {age} s ago", "{n} people {age} s ago", all, {age}) : "";
    for (const node of root.querySelectorAll(".ff-age")) if (node.textContent !== text) node.textContent = text;
  }

  function inZone(ms) {
    const zone = root.dataset.timezone || "UTC", time = footfall.write.time(ms, zone, true);
    return {time, whole: `${footfall.write.day(ms, zone)}, ${time} · ${zone}`};
  }

  const isCurrent = () => !refusalText && (state === "live" || state === "polled");

  // The server's time; without a connection the moment of the last figures.
  const now = () => (isCurrent() ? Date.now() : receivedAt) + skew;

  function tick() {
    if (!root) return;
    const clock = byId("clock");
    if (clock && rewoundTo()) clock.textContent = inZone(rewoundTo() * 1000).whole;
    else if (clock && (isCurrent() || stats)) clock.textContent = inZone(now()).whole;
    if (requestedAt && Date.now() - requestedAt > times.answer) abandonRequest();
    if (!isAnswered() && !requestedAt) redrawSoon();  // the answer was lost
    showState();
    showListAge();
  }

  // ───────── Dash ─────────

  // All requests to the callback start here: the tick's, Refresh and redraws. At most one is in flight. Dash itself would
  // start a second call during the first and drop the first answer, so on a slow connection nothing would ever be drawn;
  // and it reports that a callback runs only some turns of the event loop after the request, which is too late.
  function request() {
    const by = window.dash_clientside.callback_context.triggered_id, isFirst = !by || !drawnAt;  // a new page
    followAddress();
    if (!isFirst && requestedAt) {
      if (by !== "tick" && by !== "url") redrawSoon(0);  // the answer is compared with the address
      return window.dash_clientside.no_update;
    }
    if ((by === "tick" || by === "url") && wantedAt && isAnswered()) return window.dash_clientside.no_update;  // the past does not change
    return newRequest(isFirst);
  }

  // As the server reads it (callbacks/pages/live_question.py), which says what is wrong with it.
  const secondOfAddress = () => Number(/^\d{1,12}$/.exec(new URLSearchParams(location.search).getAll("at").filter(Boolean).pop() || "")) || 0;

  // Back, Forward and links lead to other seconds. What rewind.js writes into the address is shown already.
  function followAddress() {
    const at = secondOfAddress();
    if (at === addressAt) return;
    addressAt = at;
    if (at === wantedAt) return;
    wantedAt = at;
    if (window.footfall.rewind) window.footfall.rewind.moved();
  }

  function newRequest(isFirst = !drawnAt) {
    const isOther = isFirst || !isAnswered(), fresh = !drawnAt || Boolean(past) || answeredFilters !== wantedFilters();
    return {asked: requestedAt = Date.now(), at: wantedAt, search: location.search, fresh, had: isOther ? {} : had};
  }

  const isAnswered = () => wantedAt === answeredAt && (!drawnAt || answeredFilters === wantedFilters());

  function onCallbackRunning(isAtWork) {
    if (isAtWork === false) requestedAt = 0;  // undefined: a new page, no call so far
  }

  // Redraws after a change, at most once every `times.nudge`; the last change is always drawn.
  function redrawSoon(wait = Math.max(0, redrawRequestedAt + times.nudge - Date.now())) {
    if (redrawTimer || document.hidden) return;
    redrawTimer = setTimeout(() => {
      redrawTimer = 0;
      if (requestedAt) return redrawSoon(BUSY_RETRY_MS);
      setProps("nudge", {data: newRequest()});
      redrawRequestedAt = requestedAt;
    }, wait);
  }

  // The callback has ended. If no figures follow, the lists on the page are still those of `drawnAt`.
  function onCallbackEnd() {
    const before = drawnAt;
    setTimeout(() => { if (root && before === drawnAt) showUnread(true); }, ANSWER_MS);
  }

  function showUnread(failed) {
    const notice = byId("unread");
    if (!notice || notice.hidden !== failed) return;
    notice.hidden = !failed;
    byId("unread-since").textContent = drawnAt ? `${footfall.say("They are from {time}.", {time: inZone(drawnAt + skew).time})} ` : "";
  }

  // If the server dies or the connection is lost, Dash never reports the end of its callback.
  function abandonRequest() {
    requestedAt = 0;
    setProps("refresh", {"aria-busy": "false"});
    setProps("tick", {disabled: false});
  }

  // The callback's answer to each request. Its figures are used only while there is no stream.
  function polled(answer) {
    if (!root || !answer) return;
    [had, events] = [answer.parts, answer.events || events];
    const data = {...answer, events};
    if (!polledStats && stats && !data.at && differs(stats, data.stats)) redrawSoon();  // newer messages are not in this answer
    const filters = data.filters || "", isNew = !drawnAt || filters !== answeredFilters;
    drawnAt = Date.now();
    polledStats = data.stats;
    listed = data.at || filters ? null : data.stats;
    showListAge();
    showUnread(false);
    if (data.at || past) applyPast(data);
    else if (isNew || filters) applyFilters(data, isNew);
    [answeredAt, answeredFilters] = [data.asked || 0, filters];
    if (!isAnswered()) redrawSoon(0);
    else if (!data.at) answeredAt = wantedAt = 0;  // a second in the future means now
    if (data.at || refusalText || state === "live") return;
    stream.polled();
    if (!stats) receive("connected", {recentEvents: data.events});
    else for (const event of data.events) receive("new_event", event);
    receive("stats", data.stats);
  }

  // ───────── the past (rewind.js) ─────────

  // Shows the page as it was at that second; 0 is now. Figures and feed change when the answer arrives.
  function rewind(at) {
    if (!root || wantedAt === at) return;
    wantedAt = at;
    clearTimeout(redrawTimer);
    redrawTimer = 0;
    redrawSoon(0);
  }

  function applyPast(data) {
    past = data.at ? data : null;
    if (past) setTitle(footfall.say("{n} at {time}", {n: footfall.write.count(past.active), time: inZone(past.at * 1000).time}));
    if (window.footfall.feed && past) window.footfall.feed.show(past.events, past.at);
    if (window.footfall.feed && !past) {
      window.footfall.feed.clear();
      window.footfall.feed.add(data.events, {skew});
    }
    if (window.footfall.rewind) window.footfall.rewind.shown(past ? past.at : 0);
    if (!past && data.filters) announce(data.active);
    else if (!past && stats) paint();
  }

  // Numbers and lists of filters are drawn by the callback; the feed and the title are not.
  function applyFilters(data, isNew) {
    if (window.footfall.feed && (data.filters || answeredFilters)) {
      if (isNew) window.footfall.feed.clear();
      window.footfall.feed.add(data.events, {skew, flash: !isNew});
    }
    if (data.filters) announce(data.active);
    else if (stats) paint();
  }

  function updateLabels() {
    for (const node of root.querySelectorAll("[data-then]")) {
      node.dataset.now = node.dataset.now || node.textContent;
      node.textContent = rewoundTo() ? node.dataset.then : node.dataset.now;
    }
    root.classList.toggle("is-rewound", Boolean(rewoundTo()));
    tick();
  }

  document.addEventListener("click", (event) => {
    if (stream && !refusalText && event.target.closest("#try-now")) stream.now();
    if (root && event.target.closest(".ff-retry")) redrawSoon(0);
  });
  document.addEventListener("visibilitychange", () => {
    if (!root) return;
    flush();
    if (document.hidden) return;
    tick();
    if (!wantedAt) redrawSoon();
  });
  setInterval(tick, 1000);

  watch("#live, #first-visit", begin, "data-stream");
  watch("#status", showPill);
  watch("#rewind", () => { if (root) updateLabels(); }, "data-at");
  watch("#refresh", ({ariaBusy}) => { if (root && ariaBusy === "false") onCallbackEnd(); }, "aria-busy");

  window.footfall = {...window.footfall, live: {
    ask: request, drawing: onCallbackRunning, polled, rewind, now, again() { redrawSoon(0); },
    settled: () => wantedAt === answeredAt, wanted: () => wantedAt, filters: wantedFilters, state: () => state,
  }};
})();
