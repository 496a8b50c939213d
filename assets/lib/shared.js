// One stream for all tabs of this browser that show the same site: the interface of `footfall.stream`, one connection.
//
// The tab that has the Web Lock is the leader. It opens the stream and forwards each message to the other tabs (followers)
// over a BroadcastChannel. Visible tabs queue for the lock. A leader that is closed, hidden or stuck loses the lock, and
// the next leader resumes after the last id that it received: no message is lost, and the feed drops duplicates by id. A tab
// that begins with a `lastId` gets the notifications since then, from the server or from the leader.
// Hidden tabs receive messages but do not queue.
//
// Locks rather than a SharedWorker: the browser itself releases the lock when a tab dies, and Chrome on Android has no
// SharedWorker. Locks need https or localhost; elsewhere each tab opens its own stream.
//
// Over HTTP/1.1 a browser has six connections to a server for all of its windows, and the pages themselves need two. The
// notifications have one stream, and so have the windows of three sites: from the fourth site on a window has no stream
// until another is closed, and its own questions every 10 s keep its figures fresh.
(function () {
  "use strict";
  const times = Object.assign({silent: 20000, hidden: 30000, heartbeat: 8000, handover: 1500}, window.footfallTimes);
  const MAX_EVENTS = 100;  // events that a new follower receives: as many as the feed shows
  const MAX_NOTICES = 20;
  const PREFIX = "footfall ", MAX_STREAMS = 4;

  // Whether windows of other sites have all the streams that leave room for pages.
  async function isFull(name) {
    const [page] = /** @type {PerformanceNavigationTiming[]} */ (performance.getEntriesByType("navigation"));
    if (page.nextHopProtocol !== "http/1.1") return false;
    const names = new Set((await navigator.locks.query()).held.map((lock) => lock.name).filter((each) => each.startsWith(PREFIX)));
    return !names.has(name) && names.size >= MAX_STREAMS;
  }

  function sharedStream(options) {
    if (!navigator.locks || !window.BroadcastChannel) return window.footfall.stream(options);
    const name = `${PREFIX}${options.address}${options.poll ? " polled" : ""}`;
    const channel = new BroadcastChannel(name), listeners = new AbortController();
    let ownStream = null, queueAbort = null, releaseLock = null, shownState = "", closed = false;
    let silenceTimer, hiddenTimer, heartbeatTimer, handoverTimer, waitTimer = 0, polledTimer, polledAt = 0;
    let lastId = options.lastId || "", connectedData = {}, events = [], notices = [], stats = null;

    // ───────── messages and states, in every tab ─────────

    function deliver(type, data, id) {
      lastId = id || lastId;
      if (type === "stats") stats = data;
      if (type === "connected") [connectedData, events] = [data, newest(data.recentEvents || [])];
      if (type === "new_event") events = newest([data]);
      if (type === "notification") notices = [...notices, {data, id}].slice(-MAX_NOTICES);
      options.message(type, data, id);
    }

    function newest(arrived) {
      const ids = new Set(arrived.map(({id}) => id)), olderEvents = events.filter(({id}) => !ids.has(id));
      return [...arrived, ...olderEvents].sort((a, b) => b.timestamp - a.timestamp).slice(0, MAX_EVENTS);
    }

    function showState(state) {
      if (!closed && state !== shownState) options.state(shownState = state);
    }

    function refuse(status) {
      close();
      options.refused(status);
    }

    // ───────── following ─────────

    function onMessage({data: received}) {
      if (ownStream) return answerFollower(received);
      if (received.asks) return;
      watchLeader();
      if (received.message) deliver(...received.message);
      if (received.state) showState(received.state);
      if (received.refused) refuse(received.refused);
    }

    // A leader that posts nothing for `times.silent` is stuck: a visible tab steals the lock.
    function watchLeader() {
      clearTimeout(silenceTimer);
      silenceTimer = setTimeout(() => {
        if (ownStream || closed || document.hidden) return;
        showState("connecting");
        queue({steal: true});
      }, times.silent);
    }

    async function queue(lockOptions) {
      if (ownStream || closed) return;
      withdraw();
      if (await isFull(name)) return waitForRoom();
      if (ownStream || closed || document.hidden) return;
      queueAbort = new AbortController();
      navigator.locks.request(name, lockOptions || {signal: queueAbort.signal}, lead).catch((why) => why === "withdrawn" || onLockStolen());
      post({asks: "figures", after: lastId});
      watchLeader();
    }

    function waitForRoom() {
      clearTimeout(silenceTimer);
      clearTimeout(waitTimer);
      waitTimer = setTimeout(() => {
        waitTimer = 0;
        if (!document.hidden) queue();
      }, times.heartbeat);
      showPolled();
    }

    // Figures that came without a stream count as long as they are fresh.
    function showPolled() {
      const fresh = polledAt + times.silent - Date.now();
      if (!waitTimer || fresh <= 0) return;
      showState("polled");
      clearTimeout(polledTimer);
      polledTimer = setTimeout(() => { if (waitTimer) showState("down"); }, fresh);
    }

    function polled() {
      polledAt = Date.now();
      if (ownStream) ownStream.polled();
      else showPolled();
    }

    function withdraw() {
      if (queueAbort) queueAbort.abort("withdrawn");
      queueAbort = null;
    }

    function onLockStolen() {
      stepDown();
      if (!document.hidden) queue();
    }

    // ───────── leading ─────────

    function lead() {
      if (closed || document.hidden) return null;
      // a short change of leaders does not show as "connecting"
      const quietUntil = shownState === "live" ? Date.now() + times.handover : 0;
      ownStream = window.footfall.stream({
        ...options, lastId,
        message(...message) { deliver(...message); post({message}); },
        state(state) {
          if (state === "connecting" && Date.now() < quietUntil) handoverTimer = setTimeout(broadcastState, times.handover, state);
          else broadcastState(state);
        },
        refused(status) { post({refused: status}); refuse(status); },
      });
      heartbeatTimer = setInterval(() => post({state: shownState}), times.heartbeat);
      return new Promise((done) => { releaseLock = done; });
    }

    function broadcastState(state) {
      clearTimeout(handoverTimer);
      showState(state);
      post({state});
    }

    function post(data) {
      if (!closed) channel.postMessage(data);
    }

    function answerFollower({asks, after}) {
      if (asks === "now") ownStream.now();
      if (asks !== "figures") return;
      post({message: ["connected", {...connectedData, recentEvents: events}, lastId]});
      for (const {data, id} of after ? notices : []) if (Number(id) > Number(after)) post({message: ["notification", data, id]});
      if (stats) post({message: ["stats", stats, lastId]});
      post({state: shownState});
      if (document.hidden) stepDown();
    }

    function stepDown() {
      if (!ownStream) return;
      clearTimeout(handoverTimer);
      clearInterval(heartbeatTimer);
      ownStream.close();
      ownStream = null;
      releaseLock();
    }

    // ───────── visible and hidden tabs ─────────

    async function onVisibility() {
      clearTimeout(hiddenTimer);
      if (!document.hidden) return queue();
      if (!ownStream) return withdraw();
      hiddenTimer = setTimeout(() => { broadcastState("connecting"); stepDown(); }, times.hidden);
      const {pending} = await navigator.locks.query();
      if (document.hidden && pending.some((one) => one.name === name)) stepDown();
    }

    function close() {
      closed = true;
      for (const timer of [silenceTimer, hiddenTimer, handoverTimer, waitTimer, polledTimer]) clearTimeout(timer);
      stepDown();
      withdraw();
      listeners.abort();
      channel.close();
    }

    document.addEventListener("visibilitychange", onVisibility, {signal: listeners.signal});
    channel.addEventListener("message", onMessage, {signal: listeners.signal});
    window.addEventListener("footfall-leaving", close, {signal: listeners.signal});  // shell.js
    if (!document.hidden) queue();
    return {
      now() { ownStream ? ownStream.now() : post({asks: "now"}); },
      polled,
      close,
    };
  }

  window.footfall = {...window.footfall, sharedStream};
})();
