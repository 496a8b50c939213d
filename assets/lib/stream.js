// A stream of messages that stays open: it comes back after a loss (exponential back-off, full jitter), notices silence,
// and sleeps while the tab is hidden. The Live page uses it by way of shared.js, and the card, which has this file inlined.
//
//   const stream = footfallStream({
//     address: "/api/live/stream?site=example.com",
//     message(type, data, id) {},  // what the server says, parsed; its id, none for figures that were asked for
//     state(name) {},            // "connecting", "live", "polled" (no stream, but fresh figures), "down" (two tries failed)
//     refused(status) {},        // 401, 403 or 404: it has given up
//     lastId: "",                // the id to go on after
//     poll: true,                // while there is no stream, ask the address without "/stream" every 10 s
//   });
//   stream.now()      try at once
//   stream.polled()   figures have come by another way
//   stream.close()
(function () {
  "use strict";
  // silent: twice the time in which the server says something, a comment at least (collector/live/hub.py)
  const times = Object.assign(
    {first: 1000, longest: 30000, steady: 5000, silent: 20000, hidden: 30000, poll: 10000},
    window.footfallTimes,
  );

  window.footfallStream = function (options) {
    const listeners = new AbortController();
    let source = null, heard = false, opened = 0, lastId = options.lastId || "", tries = 0, polledAt = -Infinity, told = "";
    let over = false, resting = false, retry, watchdog, sleep, fade, check, poll = 0, request = null, figuresWanted = false;

    function state() {
      if (source && heard) return "live";
      if (Date.now() - polledAt < times.silent) return "polled";
      return tries < 2 ? "connecting" : "down";
    }

    function tell() {
      const name = state();
      if (!over && name !== told) options.state(told = name);
    }

    function shut() {
      clearTimeout(retry);
      clearTimeout(watchdog);
      if (source) source.close();
      source = null;
    }

    function open() {
      shut();
      resting = heard = false;
      opened = Date.now();
      // a new EventSource cannot send the Last-Event-ID header, so the address carries it
      source = new EventSource(options.address + (lastId && "&last_event_id=" + encodeURIComponent(lastId)));
      source.onmessage = hear;
      source.onerror = lost;
      watchdog = setTimeout(lost, times.silent);
      tell();
    }

    function hear(event) {
      let message;
      try { message = JSON.parse(event.data); } catch { return; }
      lastId = event.lastEventId || lastId;
      heard = true;
      askNever();
      clearTimeout(watchdog);
      watchdog = setTimeout(lost, times.silent);
      options.message(message.type, message.data, lastId);
      tell();
    }

    function lost() {
      const refused = !heard && source.readyState === EventSource.CLOSED;
      tries = heard && Date.now() - opened > times.steady ? 0 : tries + 1;
      // figures polled before the break prove nothing after it: the pill would say Live for 20 s more
      if (heard) polledAt = -Infinity;
      shut();
      if (refused) {
        ask().then(openLater);  // it may tell us to stop
      } else {
        openLater();
        if (options.poll && !heard) ask();
        else askLater();
        if (heard) check = setTimeout(ask, (Math.random() * times.first) / 8, "whether it was forbidden");
      }
      tell();
    }

    function openLater() {
      if (source || over || resting) return;
      clearTimeout(retry);
      retry = setTimeout(open, Math.random() * Math.min(times.longest, times.first * 2 ** tries));
    }

    function askLater() {
      if (options.poll && !poll && !over && !resting) poll = setTimeout(ask, times.poll);
    }

    function askNever() {
      clearTimeout(poll);
      clearTimeout(check);
      poll = 0;
    }

    // EventSource hides the status of a refusal; a plain request shows it. `only` that is asked, else figures too.
    // One request is in flight at a time: its answer is for all who ask meanwhile.
    function ask(only) {
      askNever();
      if (!only) figuresWanted = true;
      return request ||= fetchLive().finally(() => request = null);
    }

    async function fetchLive() {
      try {
        const answer = await fetch(options.address.replace("/stream?", "?"), {signal: AbortSignal.timeout(times.poll)});
        if (over) return;
        if ([401, 403, 404].includes(answer.status)) return refuse(answer.status);
        const figures = options.poll && figuresWanted && answer.ok ? await answer.json() : null;
        figuresWanted = false;
        if (figures && !over && told !== "live") {
          polled();
          options.message("stats", figures);
        }
      } catch { /* no network: the next try will tell */ }
      if (told !== "live") askLater();
    }

    function polled() {
      polledAt = Date.now();
      clearTimeout(fade);
      fade = setTimeout(tell, times.silent + 10);
      tell();
    }

    function refuse(status) {
      close();
      options.refused(status);
    }

    function rest() {
      shut();
      resting = true;
      askNever();
      tell();
    }

    function wake() {
      clearTimeout(sleep);
      if (document.hidden) sleep = setTimeout(rest, times.hidden);
      else if (!source) open();
    }

    function close() {
      over = true;
      shut();
      askNever();
      clearTimeout(sleep);
      clearTimeout(fade);
      listeners.abort();
    }

    document.addEventListener("visibilitychange", wake, {signal: listeners.signal});
    window.addEventListener("online", wake, {signal: listeners.signal});
    window.addEventListener("offline", () => source && lost(), {signal: listeners.signal});  // it may hang for long
    open();
    wake();
    return {now: open, polled, close};
  };
})();
