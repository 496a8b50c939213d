// Feed: the activity of a site, newest first, at most 100 rows, of all or of one kind or event; its props are in layouts/footfall_components/feed.py.
// A paused or hovered list does not move: a button counts what waits. No text of a visitor becomes a link; an event from a database table leads to its row.
//
//   footfall.feed.add(events, {flash, skew})   in any order; each id is shown once; skew: ms that the server's clock is ahead
//   footfall.feed.more(number)                 so many happened besides, which the stream left out
//   footfall.feed.show(events, at)             shows the feed as it was at that second, until `clear`
//   footfall.feed.clear()
window.footfall_components = window.footfall_components || {};
(function () {
  "use strict";
  const {drawing} = window.footfall_components, {h, icon} = drawing;
  const MAX_ROWS = 100, MAX_SEEN = 1000, MAX_NAMES = 50, MAX_FLASHES = 5, FLASH_MS = 2600, TICK_MS = 2000;

  // ───────── the events: `shown` are the rows, `waiting` what came since a pause; `at` is when an entry came ─────────

  const EMPTY = {shown: [], waiting: [], rewoundTo: 0, left: 0};  // `left`: how many others came, which are kept no longer or never were
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

  /** The newest 100, and among the others the newest 100 events: so an event is found behind a thousand pageviews. */
  function newest(list) {
    let events = 0;
    return list.sort((a, b) => b.event.timestamp - a.event.timestamp)
      .filter(({event}, place) => (event.type === "event" && (events += 1) <= MAX_ROWS) || place < MAX_ROWS);
  }

  function add(arrived, options = {}) {
    skew = options.skew || skew;
    if (state.rewoundTo) return;
    const unseen = arrived.filter(({id}) => !seen.has(id) && seen.add(id));
    seen = seen.size > MAX_SEEN ? new Set([...seen].slice(-MAX_SEEN / 2)) : seen;
    if (unseen.length) keep("waiting", [...unseen.map((event) => ({event, flash: options.flash})), ...state.waiting]);
  }

  function keep(name, list, changed = {}) {
    const many = list.length, kept = newest(list);
    change({...changed, [name]: kept, left: state.left + many - kept.length});
  }

  const more = (number) => { if (!state.rewoundTo) change({left: state.left + number}); };

  function showWaiting() {
    const at = Date.now(), isCalm = state.waiting.length <= MAX_FLASHES;  // on a busy site every row would flash all the time
    keep("shown", [...state.waiting.map((entry) => ({...entry, at, flash: entry.flash && isCalm})), ...state.shown], {waiting: []});
  }

  const showPast = (past, at) => change({shown: newest(past.map((event) => ({event, at: 0}))), waiting: [], rewoundTo: at, left: 0});

  function clear() {
    seen = new Set();
    change(EMPTY);
  }

  window.footfall = {...window.footfall, feed: {add, more, show: showPast, clear}};

  // ───────── the card ─────────

  /** @type {{name: string, text: () => string, wanted: (event: any) => boolean}[]} */
  const FILTERS = [
    {name: "all", text: () => footfall.say("All"), wanted: () => true},
    {name: "pageview", text: () => footfall.say("Pageviews"), wanted: ({type}) => type === "pageview"},
    {name: "event", text: () => footfall.say("Events"), wanted: ({type}) => type === "event"},
    {name: "signed-in", text: () => footfall.say("Signed in"), wanted: ({user_id}) => user_id != null},
  ];

  const OF_EVENT = "event:";  // in front of the name of the event that is shown alone

  function wantedBy(filter) {
    const name = filter.slice(OF_EVENT.length);
    if (filter.startsWith(OF_EVENT)) return (event) => event.type === "event" && event.name === name;
    return FILTERS.find((one) => one.name === filter).wanted;
  }

  /** The names of the events in the feed; the same list until they change, so that the menu is not drawn again. */
  function useNames(shown) {
    const before = React.useRef([]);
    const names = [...new Set([...before.current, ...shown.filter(({event}) => event.type === "event").map(({event}) => event.name)])].sort().slice(0, MAX_NAMES);
    if (names.join("\n") !== before.current.join("\n")) before.current = names;
    return before.current;
  }

  const NameMenu = React.memo(({names, chosen, choose}) => names.length > 0 && h("select", {
    className: `ff-chip ff-chip-menu${chosen ? " is-chosen" : ""}`, "aria-label": footfall.say("Show one kind of event"), value: chosen, onChange: ({target}) => choose(target.value || "all"),
  }, h("option", {value: ""}, footfall.say("One event")), names.map((name) => h("option", {key: name, value: OF_EVENT + name}, name))));

  function Feed({id, label}) {
    const {shown, waiting, rewoundTo, left} = React.useSyncExternalStore(subscribe, () => state);
    const [filter, choose] = React.useState("all"), [isPaused, pause] = React.useState(false), [isHovered, hover] = React.useState(false);
    const now = useClock(), isOnHold = isPaused || (isHovered && shown.length > 0);
    React.useLayoutEffect(() => { if (waiting.length && !isOnHold) showWaiting(); });
    const names = useNames(shown), wanted = wantedBy(filter), isOfEvents = filter.startsWith("event");
    const among = (list) => (isOfEvents ? list : list.slice(0, MAX_ROWS)).filter(({event}) => wanted(event));
    const rows = among(shown), arrivals = among(waiting).length;
    const others = filter === "all" && !rewoundTo ? left + shown.length - rows.length : 0;
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
      }, text())), h(NameMenu, {names, chosen: filter.startsWith(OF_EVENT) ? filter : "", choose})),
      rows.length === 0 && h("div", {id: `${id}-empty`}, h("div", {className: "ff-void"},
        icon("mouse"), h("b", {}, footfall.say("Nothing here yet")), h("p", {}, footfall.say("Pageviews and events appear as they come in.")))),
      h("ol", {
        id, tabIndex: 0, "aria-live": "off", "aria-label": footfall.say("{list}, newest first", {list: label}),
        // after a touch the pointer seems to stay on the list, so only a mouse puts it on hold
        onPointerOver: ({pointerType}) => hover(pointerType === "mouse"), onPointerLeave: () => hover(false),
      }, rows.map((entry) => h(Row, {key: entry.event.id, ...entry, age: drawing.ago((rewoundTo || (now + skew) / 1000) - entry.event.timestamp)}))),
      others > 0 && h("p", {id: `${id}-more`, className: "ff-feed-more"}, footfall.say.plural("+{n} more", "+{n} more", others)));
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
  const NOBODY = "6e6f207669736974"; // of events that no visitor sent: they came from nowhere
  /** @type {Record<string, [string, () => string]>} */
  const DEVICES = {
    Desktop: ["monitor", () => footfall.say("Desktop")], Mobile: ["phone", () => footfall.say("Mobile")], Tablet: ["tablet", () => footfall.say("Tablet")],
  };

  const Row = React.memo(({event, flash, at, age}) => {
    const isEvent = event.type === "event", isNew = useFlash(flash && at);
    return h("li", {className: `ff-ev${isEvent ? " is-event" : ""}${isNew ? " is-new" : ""}`},
      h("span", {className: "ff-ev-i"}, icon(isEvent ? iconOf(event.name) : "eye"), h("span", {className: "ff-vh"}, isEvent ? footfall.say("Event") : footfall.say("Pageview"))),
      h("div", {style: {minWidth: 0}}, headline(event, isEvent), details(event)),
      h("time", {className: "ff-time", dateTime: new Date(event.timestamp * 1000).toISOString()}, age));
  });

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
      linked(event, drawing.name(first)), parts.map((part, nth) => h(React.Fragment, {key: nth}, " ", text("b", "", part))));
  }

  /** The server lets links through to http, https and paths of this host alone. */
  const linked = ({link}, content) => (link
    ? h("a", {className: "ff-link", href: link, rel: "noreferrer", ...(link.startsWith("/") ? {} : {target: "_blank"})}, content) : content);

  function money({value, currency}) {
    if (value == null) return "";
    try {
      return footfall.write.money(value, currency);
    } catch {
      return `${value} ${currency}`;
    }
  }

  function details({visitor_id, country, city, source, device, browser, user_id, user_name}) {
    const place = footfall.write.country(country || ""), [sign, kind] = DEVICES[device] || [], who = user_name || user_id;
    return h("span", {className: "ff-ev-m"},
      place && h("span", {title: city ? `${city}, ${place}` : place, dir: "auto"}, place),
      visitor_id !== NOBODY && drawing.name(source || footfall.say("Direct"), "span", {dir: "auto"}),
      (sign || browser) && h("span", {}, sign && [h(React.Fragment, {key: "i"}, icon(sign, 12)), " "], browser || kind()),
      who && drawing.name(who, "span", {className: "ff-who", dir: "auto"}));
  }

  Object.assign(window.footfall_components, {Feed});
})();
