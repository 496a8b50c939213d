// An EventSource that stays open: it reconnects after a loss (exponential back-off, full jitter), treats silence as a loss,
// and disconnects while the tab is hidden. The Live page uses it through shared.js; the card inlines this file.
//
//   const stream = footfall.stream({
//     address: "/api/live/stream?site=example.com",
//     message(type, data, id) {},  // a parsed message of the server and its id; polled figures have no id
//     state(name) {},              // "connecting", "live", "polled" (no stream, but fresh figures), "down" (two tries failed)
//     refused(status) {},          // the server answered 401, 403 or 404; the stream is closed for good
//     lastId: "",                  // resume after this id
//     poll: true,                  // without a stream, poll the address without "/stream" every 10 s
//   });
//   stream.now()      connects at once
//   stream.polled()   the caller received figures in another way
//   stream.close()
(function () {
  "use strict";
  // silent: twice the longest pause of the server, which sends at least a comment (collector/live/hub.py)
  const times = Object.assign(
    {first: 1000, longest: 30000, steady: 5000, silent: 20000, hidden: 30000, poll: 10000},
    window.footfallTimes,
  );

  function stream(options) {
    const listeners = new AbortController();
    let source = null, hasMessage = false, openedAt = 0, lastId = options.lastId || "", tries = 0, polledAt = -Infinity;
    let shownState = "", closed = false, asleep = false, retryTimer, watchdog, sleepTimer, polledTimer, checkTimer;
    let pollTimer = 0, pendingPoll = null, statsWanted = false;

    function state() {
      if (source && hasMessage) return "live";
      if (Date.now() - polledAt < times.silent) return "polled";
      return tries < 2 ? "connecting" : "down";
    }

    function showState() {
      const name = state();
      if (!closed && name !== shownState) options.state(shownState = name);
    }

    function disconnect() {
      clearTimeout(retryTimer);
      clearTimeout(watchdog);
      if (source) source.close();
      source = null;
    }

    function open() {
      disconnect();
      asleep = hasMessage = false;
      openedAt = Date.now();
      // a new EventSource cannot send the Last-Event-ID header, so the address carries it
      source = new EventSource(options.address + (lastId && "&last_event_id=" + encodeURIComponent(lastId)));
      source.onmessage = onMessage;
      source.onerror = onLoss;
      watchdog = setTimeout(onLoss, times.silent);
      showState();
    }

    function onMessage(event) {
      let message;
      try { message = JSON.parse(event.data); } catch { return; }
      lastId = event.lastEventId || lastId;
      hasMessage = true;
      cancelPolls();
      clearTimeout(watchdog);
      watchdog = setTimeout(onLoss, times.silent);
      options.message(message.type, message.data, lastId);
      showState();
    }

    function onLoss() {
      const refused = !hasMessage && source.readyState === EventSource.CLOSED;
      tries = hasMessage && Date.now() - openedAt > times.steady ? 0 : tries + 1;
      // figures polled before the loss do not count after it: the pill would show Live for 20 s more
      if (hasMessage) polledAt = -Infinity;
      disconnect();
      if (refused) {
        pollNow().then(retryLater);  // its status may be final
      } else {
        retryLater();
        if (options.poll && !hasMessage) pollNow();
        else pollLater();
        if (hasMessage) checkTimer = setTimeout(pollNow, (Math.random() * times.first) / 8, "status only");
      }
      showState();
    }

    function retryLater() {
      if (source || closed || asleep) return;
      clearTimeout(retryTimer);
      retryTimer = setTimeout(open, Math.random() * Math.min(times.longest, times.first * 2 ** tries));
    }

    function pollLater() {
      if (options.poll && !pollTimer && !closed && !asleep) pollTimer = setTimeout(pollNow, times.poll);
    }

    function cancelPolls() {
      clearTimeout(pollTimer);
      clearTimeout(checkTimer);
      pollTimer = 0;
    }

    // Gets the status, which EventSource hides, and the figures unless `statusOnly`. At most one request is in flight; calls
    // in the meantime share it.
    function pollNow(statusOnly) {
      cancelPolls();
      if (!statusOnly) statsWanted = true;
      return pendingPoll ||= fetchLive().finally(() => pendingPoll = null);
    }

    async function fetchLive() {
      try {
        const answer = await fetch(options.address.replace("/stream?", "?"), {signal: AbortSignal.timeout(times.poll)});
        if (closed) return;
        if ([401, 403, 404].includes(answer.status)) return refuse(answer.status);
        const stats = options.poll && statsWanted && answer.ok ? await answer.json() : null;
        statsWanted = false;
        if (stats && !closed && shownState !== "live") {
          polled();
          options.message("stats", stats);
        }
      } catch { /* no network: the next poll tries again */ }
      if (shownState !== "live") pollLater();
    }

    function polled() {
      polledAt = Date.now();
      clearTimeout(polledTimer);
      polledTimer = setTimeout(showState, times.silent + 10);
      showState();
    }

    function refuse(status) {
      close();
      options.refused(status);
    }

    function goToSleep() {
      disconnect();
      asleep = true;
      cancelPolls();
      showState();
    }

    function onVisibility() {
      clearTimeout(sleepTimer);
      if (document.hidden) sleepTimer = setTimeout(goToSleep, times.hidden);
      else if (!source) open();
    }

    function close() {
      closed = true;
      disconnect();
      cancelPolls();
      clearTimeout(sleepTimer);
      clearTimeout(polledTimer);
      listeners.abort();
    }

    document.addEventListener("visibilitychange", onVisibility, {signal: listeners.signal});
    window.addEventListener("online", onVisibility, {signal: listeners.signal});
    window.addEventListener("offline", () => source && onLoss(), {signal: listeners.signal});  // a lost connection may hang for a long time
    open();
    onVisibility();
    return {now: open, polled, close};
  }

  window.footfall = {...window.footfall, stream};
})();
