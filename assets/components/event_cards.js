// EventCards: counters, stats and tickers of custom events, and gauges; their props are in layouts/footfall_components/event_cards.py.
// The figures are of events before `until`; later ones of the stream are added to them here, so that a number is never late.
// Numbers count up where motion is allowed; screen readers read them, and are not interrupted by each change.
//
//   footfall.activity.add(events)      in any order; each id counts once
//   footfall.activity.gauges(gauges)   as the stream sends them: what they are now
//   footfall.activity.clear()
window.footfall_components = window.footfall_components || {};
(function () {
  "use strict";
  const {drawing} = window.footfall_components, {h} = drawing;
  const MAX_EVENTS = 1000, COUNTING_MS = 500, CALM_MS = 1000;
  const calm = matchMedia("(prefers-reduced-motion: reduce)");

  // ───────── the events that came, oldest first ─────────

  const drawn = new Set();
  let events = [], seen = new Set(), read = new Map();  // gauges by their number

  function change(found) {
    events = found;
    seen = new Set(found.map(({id}) => id));
    for (const draw of drawn) draw();
  }

  function subscribe(draw) {
    drawn.add(draw);
    return () => drawn.delete(draw);
  }

  function add(arrived) {
    const unseen = arrived.filter(({id, type}) => type === "event" && !seen.has(id));
    if (unseen.length) change([...events, ...unseen].sort((a, b) => a.timestamp - b.timestamp).slice(-MAX_EVENTS));
  }

  function gauges(found) {
    read = new Map(found.map((gauge) => [gauge.id, gauge]));
    for (const draw of drawn) draw();
  }

  function clear() {
    read = new Map();
    change([]);
  }

  window.footfall = {...window.footfall, activity: {add, gauges, clear}};

  // ───────── the cards ─────────

  function EventCards({id, label, figures: present, past, empty}) {
    const arrived = React.useSyncExternalStore(subscribe, () => events), current = React.useSyncExternalStore(subscribe, () => read);
    const [isPlaced, place] = React.useState(false);  // only in the document the language is known
    React.useLayoutEffect(() => place(true), []);
    const figures = past || present;
    if (empty) return h("div", {id}, drawing.nothing(empty));
    if (!figures || !isPlaced) return h("div", {id}, drawing.skeleton(2));
    if (figures.note) return h("div", {id}, h("p", {className: "ff-soft"}, figures.note));
    const later = past ? [] : arrived.filter(({timestamp}) => timestamp >= figures.until);
    return h("ul", {id, className: "ff-activity-cards", "aria-label": label, "data-until": figures.until, "data-past": past ? "" : undefined}, figures.cards.map((card) =>
      h(card.kind === "ticker" ? Ticker : Numbers, {key: card.key, card, figures, gauge: past ? undefined : current.get(card.gauge), later: later.filter(({name}) => !card.event || name === card.event)})));
  }

  /** The number of now: today's begins again at midnight. */
  function valueOf({kind, span, value, currency, changed_at: changedAt}, {ends}, later, gauge) {
    if (kind === "gauge") return gauge && gauge.timestamp >= changedAt ? gauge.value : value;  // no event changes it
    const isOver = span === "today" && later.some(({timestamp}) => timestamp >= ends);
    const counted = isOver ? later.filter(({timestamp}) => timestamp >= ends) : later;
    const amounts = currency ? counted.filter((event) => event.currency === currency).map((event) => event.value || 0) : counted.map(() => 1);
    return amounts.reduce((sum, amount) => sum + amount, isOver ? 0 : value);
  }

  const Numbers = React.memo(({card, figures, later, gauge}) => h("li", {className: "ff-stat", "data-key": card.key, "data-kind": card.kind},
    h("span", {className: "ff-k"}, h("bdi", {}, card.label), " ", h("span", {className: "ff-window"}, card.window)),
    h("span", {className: "ff-activity-now"}, h(CountingUp, {value: valueOf(card, figures, later, gauge), currency: card.currency}), spark(card)),
    card.changes && h("span", {className: "ff-d"}, card.changes.map(changed))), isSame);

  /** A card is drawn again for other figures, and when an event of its own came, or its gauge. */
  function isSame(before, now) {
    return before.card === now.card && before.figures === now.figures && before.later.length === now.later.length && before.gauge === now.gauge;
  }

  const changed = ({look, seen, said, since, title}) => h("span", {key: since, title},
    h("span", {className: `ff-delta ${look}`}, h("span", {"aria-hidden": "true"}, seen), h("span", {className: "ff-vh"}, said)), " ", since);

  const spark = ({spark: points, spark_said: said}) => points && h("svg", {className: "ff-activity-line", viewBox: "0 0 100 24", preserveAspectRatio: "none", role: "img", "aria-label": said},
    h("polyline", {points}));

  const write = (value, currency) => value === null ? "–" : currency ? footfall.write.money(value, currency) : footfall.write.count(Math.round(value));

  /** The number counts up from what it was, but one that changes all the time does not. */
  function CountingUp({value, currency}) {
    const node = React.useRef(null), shown = React.useRef(null);
    React.useLayoutEffect(() => {
      const from = shown.current, at = Date.now(), since = at - Number(node.current.dataset.at || 0);
      shown.current = value;
      node.current.dataset.at = at;
      const isAtOnce = from === null || value === null || from === value || calm.matches || document.hidden || since < CALM_MS;
      node.current.textContent = write(isAtOnce ? value : from, currency);
      return isAtOnce ? undefined : countUp(node.current, from, value, currency);
    }, [value, currency]);
    return h("span", {ref: node, className: "ff-v"});
  }

  function countUp(node, from, to, currency) {
    const began = performance.now();
    let frame = requestAnimationFrame(step);
    function step(now) {
      const part = Math.min(1, Math.max(0, (now - began) / COUNTING_MS));
      node.textContent = write(from + (to - from) * (1 - (1 - part) ** 3), currency);
      if (part < 1) frame = requestAnimationFrame(step);
    }
    return () => cancelAnimationFrame(frame);
  }

  // ───────── tickers ─────────

  const Ticker = React.memo(({card, figures, later}) => {
    const arrived = later.map(asRow).reverse(), ids = new Set(arrived.map(({id}) => id));
    const rows = [...arrived, ...card.rows.filter(({id}) => !ids.has(id))].slice(0, 3);
    return h("li", {className: "ff-stat ff-ticker", "data-key": card.key, "data-kind": card.kind},
      h("span", {className: "ff-k"}, h("bdi", {}, card.label)),
      rows.length ? h("ol", {}, rows.map((row) => h(TickerRow, {key: row.id, row, isNamed: !card.event, zone: figures.timezone})))
        : h("p", {className: "ff-soft"}, footfall.say("None in the last 30 days")));
  }, isSame);

  const asRow = ({id, timestamp, name, description, user_name, value, currency}) =>
    ({id, at: timestamp, name, description: description || "", who: user_name || "", value: value ?? null, currency: currency || ""});

  function TickerRow({row: {at, name, description, who, value, currency}, isNamed, zone}) {
    const parts = [isNamed && h("b", {}, name), description, value != null && h("b", {}, footfall.write.money(value, currency)), who && h("span", {className: "ff-who"}, who)];
    const kept = parts.filter(Boolean), said = kept.length ? kept : [h("b", {}, name)];
    return h("li", {}, h("span", {className: "ff-trunc", dir: "auto"}, said.map((part, nth) => h(React.Fragment, {key: nth}, nth > 0 && " · ", h("bdi", {}, part)))),
      h("time", {className: "ff-time", dateTime: new Date(at * 1000).toISOString()}, timeOf(at, zone)));
  }

  const timeOf = (at, zone) => Date.now() - at * 1000 < 72e6 ? footfall.write.time(at * 1000, zone) : footfall.write.day(at * 1000, zone);

  Object.assign(window.footfall_components, {EventCards});
})();
