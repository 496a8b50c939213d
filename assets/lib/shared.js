// One stream for all tabs of this browser that show the same site: what `footfallStream` gives, one connection for many.
//
// Whoever holds the lock leads: it has the stream, and tells the others over a channel what comes. Tabs that are seen queue
// for the lock; a leader that is closed, hidden or stuck gives way, and the next goes on after the last id that it has
// heard. So nothing is left out, and what comes twice the feed knows by its id. Hidden tabs listen without a connection.
//
// Locks rather than a SharedWorker: the browser itself passes a lock on when a tab dies, and Chrome on Android has no
// such workers. Locks need https or localhost; elsewhere each tab has a stream of its own.
(function () {
  "use strict";
  const times = Object.assign({silent: 20000, hidden: 30000, word: 8000, turn: 1500}, window.footfallTimes);
  const KEPT = 100;  // events that are told to a tab that joins: as many as the feed shows

  window.footfallSharedStream = function (options) {
    if (!navigator.locks || !window.BroadcastChannel) return window.footfallStream(options);
    const name = `footfall ${options.address}${options.poll ? " polled" : ""}`;
    const channel = new BroadcastChannel(name), listeners = new AbortController();
    let own = null, place = null, giveWay = null, told = "", over = false, silence, sleep, word, turn;
    let lastId = "", known = {}, events = [], stats = null;

    // ───────── what is said, in every tab ─────────

    function take(type, data, id) {
      lastId = id || lastId;
      if (type === "stats") stats = data;
      if (type === "connected") [known, events] = [data, newest(data.recentEvents || [])];
      if (type === "new_event") events = newest([data]);
      options.message(type, data, id);
    }

    function newest(arrived) {
      const ids = new Set(arrived.map(({id}) => id)), others = events.filter(({id}) => !ids.has(id));
      return [...arrived, ...others].sort((a, b) => b.timestamp - a.timestamp).slice(0, KEPT);
    }

    function tell(state) {
      if (!over && state !== told) options.state(told = state);
    }

    function refuse(status) {
      close();
      options.refused(status);
    }

    // ───────── following ─────────

    function hear({data: said}) {
      if (own) return answer(said);
      if (said.asks) return;
      watch();
      if (said.message) take(...said.message);
      if (said.state) tell(said.state);
      if (said.refused) refuse(said.refused);
    }

    // A leader that says nothing at all is stuck: it is not believed any more, and whoever is seen takes its place.
    function watch() {
      clearTimeout(silence);
      silence = setTimeout(() => {
        if (own || over || document.hidden) return;
        tell("connecting");
        queue({steal: true});
      }, times.silent);
    }

    function queue(how) {
      if (own || over) return;
      withdraw();
      place = new AbortController();
      navigator.locks.request(name, how || {signal: place.signal}, lead).catch((why) => why === "withdrawn" || robbed());
      say({asks: "figures"});
      watch();
    }

    function withdraw() {
      if (place) place.abort("withdrawn");
      place = null;
    }

    function robbed() {
      stepDown();
      if (!document.hidden) queue();
    }

    // ───────── leading ─────────

    function lead() {
      if (over || document.hidden) return null;
      const calm = told === "live" ? Date.now() + times.turn : 0;  // a change of leaders is no news for a moment
      own = window.footfallStream({
        ...options, lastId,
        message(...message) { take(...message); say({message}); },
        state(state) {
          if (state === "connecting" && Date.now() < calm) turn = setTimeout(spread, times.turn, state);
          else spread(state);
        },
        refused(status) { say({refused: status}); refuse(status); },
      });
      word = setInterval(() => say({state: told}), times.word);
      return new Promise((done) => { giveWay = done; });
    }

    function spread(state) {
      clearTimeout(turn);
      tell(state);
      say({state});
    }

    function say(words) {
      if (!over) channel.postMessage(words);
    }

    function answer({asks}) {
      if (asks === "now") own.now();
      if (asks !== "figures") return;
      say({message: ["connected", {...known, recentEvents: events}, lastId]});
      if (stats) say({message: ["stats", stats, lastId]});
      say({state: told});
      if (document.hidden) stepDown();
    }

    function stepDown() {
      if (!own) return;
      clearTimeout(turn);
      clearInterval(word);
      own.close();
      own = null;
      giveWay();
    }

    // ───────── seen and hidden ─────────

    async function turned() {
      clearTimeout(sleep);
      if (!document.hidden) return queue();
      if (!own) return withdraw();
      sleep = setTimeout(() => { spread("connecting"); stepDown(); }, times.hidden);
      const {pending} = await navigator.locks.query();
      if (document.hidden && pending.some((one) => one.name === name)) stepDown();
    }

    function close() {
      over = true;
      for (const timer of [silence, sleep, turn]) clearTimeout(timer);
      stepDown();
      withdraw();
      listeners.abort();
      channel.close();
    }

    document.addEventListener("visibilitychange", turned, {signal: listeners.signal});
    channel.addEventListener("message", hear, {signal: listeners.signal});
    if (!document.hidden) queue();
    return {
      now() { own ? own.now() : say({asks: "now"}); },
      polled() { if (own) own.polled(); },
      close,
    };
  };
})();
