// Feed: the activity of a site, newest first, at most 100 rows; its props are in layouts/footfall_components/feed.py.
// A paused or hovered list does not move: a button counts what waits. No text of a visitor becomes a link.
//
//   footfall.feed.add(events, {flash, skew})   in any order; each id is shown once; skew: ms that the server's clock is ahead
//   footfall.feed.show(events, at)             shows the feed as it was at that second, until `clear`
//   footfall.feed.clear()
window.footfall_components = window.footfall_components || {};
(function () {
  "use strict";
  const {drawing} = window.footfall_components, {h, icon} = drawing;
  const MAX_ROWS = 100, MAX_SEEN = 1000, FLASH_MS = 2600, TICK_MS = 2000;

  // ───────── the events: `shown` are the rows, `waiting` what came since a pause; `at` is when an entry came ─────────

  const EMPTY = {shown: [], waiting: [], rewoundTo: 0};
  const drawn = new Set();
  let state = EMPTY, seen = new Set(), skew = 0;

  function change(changed) {
    state = {...state, ...changed};
    for (const draw of drawn) draw();
  }

  function subscribe(draw) {
    drawn.add(draw);
    return () => drawn.delete(draw);
  }

  const newest = (list) => list.sort((a, b) => b.event.timestamp - a.event.timestamp).slice(0, MAX_ROWS);

  function add(arrived, options = {}) {
    skew = options.skew || skew;
    if (state.rewoundTo) return;
    const unseen = arrived.filter(({id}) => !seen.has(id) && seen.add(id));
    seen = seen.size > MAX_SEEN ? new Set([...seen].slice(-MAX_SEEN / 2)) : seen;
    if (unseen.length) change({waiting: newest([...unseen.map((event) => ({event, flash: options.flash})), ...state.waiting])});
  }

  function showWaiting() {
    const at = Date.now();
    change({shown: newest([...state.waiting.map((entry) => ({...entry, at})), ...state.shown]), waiting: []});
  }

  const showPast = (past, at) => change({shown: newest(past.map((event) => ({event, at: 0}))), waiting: [], rewoundTo: at});

  function clear() {
    seen = new Set();
    change(EMPTY);
  }

  window.footfall = {...window.footfall, feed: {add, show: showPast, clear}};

  // ───────── the card ─────────

  /** @type {{name: string, text: () => string, wanted: (event: any) => boolean}[]} */
  const FILTERS = [
    {name: "all", text: () => footfall.say("All"), wanted: () => true},
    {name: "pageview", text: () => footfall.say("Pageviews"), wanted: ({type}) => type === "pageview"},
    {name: "event", text: () => footfall.say("Events"), wanted: ({type}) => type === "event"},
    {name: "signed-in", text: () => footfall.say("Signed in"), wanted: ({user_id}) => user_id != null},
  ];

  function Feed({id, label}) {
    const {shown, waiting, rewoundTo} = React.useSyncExternalStore(subscribe, () => state);
    const [filter, choose] = React.useState("all"), [isPaused, pause] = React.useState(false), [isHovered, hover] = React.useState(false);
    const now = useClock(), isOnHold = isPaused || (isHovered && shown.length > 0);
    React.useLayoutEffect(() => { if (waiting.length && !isOnHold) showWaiting(); });
    const {wanted} = FILTERS.find(({name}) => name === filter);
    const rows = shown.filter(({event}) => wanted(event)), arrivals = waiting.filter(({event}) => wanted(event)).length;
    return h("section", {className: "ff-card ff-feed", "aria-labelledby": `${id}-title`},
      h("header", {className: "ff-card-head"},
        h("h2", {id: `${id}-title`}, label),
        arrivals > 0 && isOnHold && h("button", {id: `${id}-waiting`, type: "button", className: "ff-badge is-ok", onClick: showWaiting},
          footfall.say.plural("{n} new", "{n} new", arrivals, {n: arrivals === MAX_ROWS ? `${MAX_ROWS}+` : arrivals})),
        h("span", {className: "ff-end"}, h("button", {
          id: `${id}-pause`, type: "button", className: "ff-btn ff-btn-plain", "aria-pressed": String(isPaused), onClick: () => pause(!isPaused),
        }, icon(isPaused ? "play" : "pause"), footfall.say("Pause")))),
      h("div", {id: `${id}-chips`, className: "ff-chips", role: "group", "aria-label": footfall.say("Show")}, FILTERS.map(({name, text}) => h("button", {
        key: name, type: "button", className: "ff-chip", "data-show": name, "aria-pressed": String(name === filter), onClick: () => choose(name),
      }, text()))),
      rows.length === 0 && h("div", {id: `${id}-empty`}, h("div", {className: "ff-void"},
        icon("mouse"), h("b", {}, footfall.say("Nothing here yet")), h("p", {}, footfall.say("Pageviews and events appear as they come in.")))),
      h("ol", {
        id, tabIndex: 0, "aria-live": "off", "aria-label": footfall.say("{list}, newest first", {list: label}),
        // after a touch the pointer seems to stay on the list, so only a mouse puts it on hold
        onPointerOver: ({pointerType}) => hover(pointerType === "mouse"), onPointerLeave: () => hover(false),
      }, rows.map((entry) => h(Row, {key: entry.event.id, ...entry, now: rewoundTo || (now + skew) / 1000}))));
  }

  /** The time, in ms, which moves on every two seconds. */
  function useClock() {
    const [now, move] = React.useState(Date.now());
    React.useEffect(() => {
      const timer = setInterval(() => move(Date.now()), TICK_MS);
      return () => clearInterval(timer);
    }, []);
    return Math.max(now, ...state.shown.slice(0, 1).map(({at}) => at || 0));
  }

  // ───────── a row ─────────

  /** @type {[RegExp, string][]} */
  const ICONS = [
    [/^outbound/i, "out"], [/download/i, "download"], [/pay|purchase|order|checkout|subscri/i, "card"],
    [/sign.?up|regist|invite/i, "userplus"], [/log.?in|sign.?in/i, "login"], [/mail|newsletter/i, "mail"],
    [/share/i, "share"], [/click|submit|form/i, "mouse"],
  ];
  /** @type {Record<string, [string, () => string]>} */
  const DEVICES = {
    Desktop: ["monitor", () => footfall.say("Desktop")], Mobile: ["phone", () => footfall.say("Mobile")], Tablet: ["tablet", () => footfall.say("Tablet")],
  };

  function Row({event, flash, at, now}) {
    const isEvent = event.type === "event", isNew = useFlash(flash && at);
    return h("li", {className: `ff-ev${isEvent ? " is-event" : ""}${isNew ? " is-new" : ""}`},
      h("span", {className: "ff-ev-i"}, icon(isEvent ? iconOf(event.name) : "eye"), h("span", {className: "ff-vh"}, isEvent ? footfall.say("Event") : footfall.say("Pageview"))),
      h("div", {style: {minWidth: 0}}, headline(event, isEvent), details(event)),
      h("time", {className: "ff-time", dateTime: new Date(event.timestamp * 1000).toISOString()}, ago(now - event.timestamp)));
  }

  function useFlash(since) {
    const [isOver, end] = React.useState(!since || since + FLASH_MS < Date.now());
    React.useEffect(() => {
      if (isOver) return undefined;
      const timer = setTimeout(() => end(true), since + FLASH_MS - Date.now());
      return () => clearTimeout(timer);
    }, []);
    return !isOver;
  }

  const iconOf = (name) => (ICONS.find(([pattern]) => pattern.test(name)) || [null, "zap"])[1];
  const text = (tag, className, content) => h(tag, {className, dir: "auto"}, content);

  function headline(event, isEvent) {
    const parts = isEvent ? [event.description, money(event)].filter(Boolean) : [];
    const first = (isEvent ? event.name : event.path) || "", said = [first, ...parts].join(" ");
    const about = isEvent ? event.path : event.title;
    return h("span", {className: "ff-ev-t", dir: "auto", title: about ? `${said}\n${about}` : said},
      drawing.name(first), parts.map((part, nth) => h(React.Fragment, {key: nth}, " ", text("b", "", part))));
  }

  function money({value, currency}) {
    if (value == null) return "";
    try {
      return footfall.write.money(value, currency);
    } catch {
      return `${value} ${currency}`;
    }
  }

  function details({country, city, source, device, browser, user_id, user_name}) {
    const place = footfall.write.country(country || ""), [sign, kind] = DEVICES[device] || [];
    return h("span", {className: "ff-ev-m"},
      place && h("span", {title: city ? `${city}, ${place}` : place, dir: "auto"}, place),
      drawing.name(source || footfall.say("Direct"), "span", {dir: "auto"}),
      (sign || browser) && h("span", {}, sign && [h(React.Fragment, {key: "i"}, icon(sign, 12)), " "], browser || kind()),
      user_id != null && drawing.name(user_name || user_id, "span", {className: "ff-who", dir: "auto"}));
  }

  function ago(seconds) {
    if (seconds < 2) return footfall.say("now");
    if (seconds < 60) return footfall.say("{n} s", {n: Math.floor(seconds)});
    if (seconds < 3600) return footfall.say("{n} min", {n: Math.floor(seconds / 60)});
    return seconds < 86400 ? footfall.say("{n} h", {n: Math.floor(seconds / 3600)}) : footfall.say("{n} d", {n: Math.floor(seconds / 86400)});
  }

  Object.assign(window.footfall_components, {Feed});
})();
