// Bell and NoticeList: notifications as toasts, as a number, and as a list; their props are in
// layouts/footfall_components/notices.py. Both draw one state, which the stream and the server's answers change.
//
// All tabs of a browser share one stream (shared.js). A tab that is hidden shows no toast, so that one notification in five
// tabs is one; what is read in one tab is read in all, as soon as the server has answered. A tab takes its toasts, and what
// the server has not answered, along to the next page, whose stream begins after the last message of this one.
window.footfall_components = window.footfall_components || {};
(function () {
  "use strict";
  const {drawing, notice: {sign, words, PRIORITIES, TYPES}} = window.footfall_components, {h, icon} = drawing;
  const times = Object.assign({toast: 8000, look: 30000, pace: 2000, away: 30000, part: 10000}, window.footfallTimes);
  const MAX_UNREAD = 10, MAX_TOASTS = 3, MAX_ROWS = 100, MAX_COUNTED = 1000, MAX_AGE_S = 120, HIDDEN_MS = 200;
  const KEPT = "footfall-toasts", MAX_KEPT = 50, LEAST_MS = 3000;

  // ───────── the state of this tab ─────────

  /** @type {{unread: number, rows: any[], isLive: boolean, isKnown: boolean, more: boolean, toasts: any[], extra: number, failure: {text: string, asked: object} | null, filter: {priority: string, type: string}}} */
  const EMPTY = {unread: 0, rows: [], isLive: false, isKnown: false, more: false, toasts: [], extra: 0, failure: null, filter: {priority: "", type: ""}};
  // the counts of notifications that the number has, and of those that came by the stream: an answer may overtake it
  const counted = new Map(), streamed = new Map();
  const drawn = new Set(), followed = new Set(), tabs = window.BroadcastChannel ? new BroadcastChannel("footfall-read") : null;
  let state = EMPTY, arrived = new Map(), frame = 0, timer = 0, basePath = "";
  let lastId = "";  // of the stream: its last message
  let countedTo = 0;  // the newest that the server had counted when it said the number

  function change(changed) {
    state = {...state, ...changed};
    for (const draw of drawn) draw();
  }

  const useNotices = () => React.useSyncExternalStore((draw) => { drawn.add(draw); return () => drawn.delete(draw); }, () => state);
  const isWanted = ({priority, type}) => (!state.filter.priority || priority === state.filter.priority) && (!state.filter.type || type === state.filter.type);
  const byNewest = (rows) => rows.sort((one, other) => Number(other.id) - Number(one.id));

  // ───────── what is asked of the server: one action at a time, since Dash drops an answer that the next question overtakes ─────────

  const CHANGES = ["read", "read_all", "clear"];
  /** @type {{action: string, id?: string, before?: string}[]} */
  let waiting = [];
  /** @type {{action: string, id?: string, before?: string}} */
  let sent = {action: ""};  // the last one
  /** @type {((asked: object) => void) | null} */
  let send = null;  // through the bell's prop; null before there is a bell
  let isAnswered = true, isUntold = false, sentAt = 0, patience = 0;  // untold: other tabs do not know of a change

  function ask(asked) {
    if (asked.action === "look" && waiting.some(({action}) => action === "look")) return;
    waiting.push(asked);
    sendNext();
  }

  function sendNext() {
    if (!send || !isAnswered || !waiting.length) return;
    [sent, isAnswered, sentAt] = [waiting.shift(), false, Math.max(sentAt + 1, Date.now())];
    isUntold = isUntold || CHANGES.includes(sent.action);
    patience = setTimeout(fail, times.part);
    send({...state.filter, ...sent, at: sentAt});
  }

  // Only now: another tab that reads earlier reads what was before the change.
  function take({rows, more, unread, last_id, added}) {
    note(counted, rows);
    countedTo = Math.max(countedTo, last_id);
    change({rows: added ? [...state.rows, ...rows] : rows, isKnown: true, more, unread, failure: null});
    if (isUntold && tabs) tabs.postMessage("changed");
    isUntold = false;
    goOn();
  }

  function fail() {
    if (isAnswered) return;
    const text = CHANGES.includes(sent.action) ? footfall.say("No answer. Reload the page to see whether it was saved.") : footfall.say("This could not be read");
    change({failure: {text, asked: sent}});
    goOn();
  }

  function goOn() {
    clearTimeout(patience);
    isAnswered = true;
    sendNext();
  }

  // Looks that no person asks for: at most one in `times.pace`, however many notifications stream, and the first one after a random
  // moment, so that the tabs of all readers do not ask at once. A hidden tab looks when it is shown again.
  let lookedAt = 0, pace = 0, isLookDue = false;

  function lookSoon() {
    isLookDue = true;
    if (document.hidden || pace) return;
    pace = setTimeout(look, Math.max(Math.random() * times.pace / 2, lookedAt + times.pace - Date.now()));
  }

  function look() {
    pace = 0;
    if (document.hidden) return;
    [isLookDue, lookedAt] = [false, Date.now()];
    ask({action: "look"});
  }

  document.addEventListener("visibilitychange", () => { if (isLookDue) lookSoon(); });
  if (tabs) tabs.onmessage = lookSoon;
  window.addEventListener("footfall-unanswered", fail);  // part.js; an answer that comes all the same is taken

  // ───────── from page to page: toasts that are neither dismissed nor over, for `times.away` at most ─────────

  function keep() {
    const toasts = state.toasts.filter(({id, until}) => until > Date.now() && !followed.has(id));
    const known = [...streamed].sort(([one], [other]) => Number(other) - Number(one)).slice(0, MAX_KEPT);
    const extra = toasts.length ? state.extra : 0, unanswered = [...(isAnswered ? [] : [sent]), ...waiting].filter(({action}) => action === "read");
    try { sessionStorage.setItem(KEPT, JSON.stringify({at: Date.now(), lastId, known, toasts, extra, unanswered, isUntold})); } catch { /* storage is full or denied: they are in the list */ }
  }

  function restore() {
    try {
      const {at, lastId: last, known, toasts, extra, unanswered = [], isUntold: wasUntold = false} = JSON.parse(sessionStorage.getItem(KEPT) || "{}");
      sessionStorage.removeItem(KEPT);
      // a link that is followed may end its own request: marking as read again changes nothing
      [waiting, isUntold] = [[...unanswered, ...(wasUntold && !unanswered.length ? [{action: "look"}] : [])], wasUntold];
      const age = Date.now() - at;
      if (!(age >= 0 && age < times.away)) return {};  // also where the device's clock was set back meanwhile
      for (const noted of [counted, streamed]) note(noted, known.map(([id, count]) => ({id, count})));
      lastId = last;
      const least = Date.now() + LEAST_MS;  // also where the page took long to load
      return {extra, toasts: toasts.map((toast) => ({...toast, until: toast.until === null ? Infinity : Math.max(least, toast.until)}))};
    } catch {
      return {};  // no storage, or what another version has kept
    }
  }

  state = {...EMPTY, ...restore()};
  window.addEventListener("pagehide", keep);
  window.addEventListener("pageshow", ({persisted}) => {
    if (!persisted) return;
    change(restore());
    goOn();
  });

  // What arrives until the next frame is drawn with it. A hidden tab has no frames.
  function arrive(notice) {
    arrived.set(notice.id, notice);
    frame = frame || requestAnimationFrame(drawArrived);
    timer = timer || setTimeout(drawArrived, HIDDEN_MS);
  }

  function drawArrived() {
    const all = [...arrived.values()];
    cancelAnimationFrame(frame);
    clearTimeout(timer);
    [arrived, frame, timer] = [new Map(), 0, 0];
    const newTo = (noted) => new Map(all.filter(({id, count}) => !(noted.get(id) >= count)).map((notice) => [notice.id, notice]));
    const unseen = all.filter(({id}) => Number(id) > countedTo && !counted.has(id)), changed = newTo(counted), arrivals = newTo(streamed);
    for (const noted of [counted, streamed]) note(noted, all);
    if (!changed.size && !arrivals.size) return;
    const rows = state.rows.map((row) => changed.has(row.id) ? {...changed.get(row.id), read: row.read} : row);
    const known = new Set(rows.map(({id}) => id));
    change({
      unread: Math.min(MAX_UNREAD, state.unread + unseen.length),
      rows: byNewest([...unseen.filter((row) => !known.has(row.id) && isWanted(row)), ...rows]).slice(0, Math.max(MAX_ROWS, state.rows.length)),
      ...toasted(arrivals),
    });
    // the strip of open alerts follows the answer, and what comes before an answer may not be in that
    if (!isAnswered || unseen.some(({alert}) => alert)) lookSoon();
  }

  /** Notes the counts of these notifications, and forgets those that were noted first. */
  function note(noted, notices) {
    for (const {id, count} of notices) {
      noted.delete(id);
      noted.set(id, count);
    }
    for (const id of [...noted.keys()].slice(0, -MAX_COUNTED)) noted.delete(id);
  }

  function toasted(changed) {
    if (document.hidden) return {};
    const isRecent = ({sent_at, last}) => sent_at - last < MAX_AGE_S;  // after a long sleep there are no toasts of yesterday; by the server's clock
    const kept = state.toasts.map((toast) => changed.has(toast.id) ? {...changed.get(toast.id), until: toast.until} : toast);
    const shown = new Set(kept.map(({id}) => id));
    const unseen = [...changed.values()].filter((notice) => !shown.has(notice.id) && isRecent(notice));
    const all = byNewest([...unseen.map((notice) => ({...notice, until: notice.priority === "urgent" ? Infinity : Date.now() + times.toast})), ...kept]);
    const rank = ({priority}) => Object.keys(PRIORITIES).indexOf(priority), byPriority = [...all].sort((one, other) => rank(other) - rank(one));
    return {toasts: byNewest(byPriority.slice(0, MAX_TOASTS)), extra: all.length > MAX_TOASTS ? state.extra + all.length - MAX_TOASTS : state.extra};
  }

  function dismiss(ids) {
    const toasts = state.toasts.filter(({id}) => !ids.includes(id));
    change({toasts, extra: toasts.length ? state.extra : 0});
  }

  const markRead = (id) => ask({action: "read", id});

  function follow(id) {
    followed.add(id);
    markRead(id);
  }

  // ───────── the bell ─────────

  function Bell({id, stream, unread, last_id, controls, base_path, answered, setProps}) {
    const {unread: now, toasts, extra, isLive} = useNotices();
    basePath = base_path;
    React.useEffect(() => { change({...EMPTY, unread, toasts: state.toasts, extra: state.extra}); }, [unread]);
    React.useEffect(() => {
      send = (asked) => setProps({asked});
      sendNext();
      countedTo = Math.max(countedTo, Number(last_id));
      lastId = lastId || last_id;  // what came since the page was made is neither in its number nor on a stream of its own
      return listen(stream);
    }, [stream]);
    React.useEffect(() => { if (answered && answered.to === sentAt) take(answered); }, [answered]);  // none of before
    const label = now ? footfall.say.plural("{n} unread notification", "{n} unread notifications", now, {n: shortened(now)}) : footfall.say("Notifications");
    return h(React.Fragment, {},
      h("button", {
        id, type: "button", className: "ff-icon ff-bell", "aria-label": label, title: label, "aria-haspopup": "dialog", "data-live": String(isLive),
        onClick: () => window.dash_clientside.set_props(controls, {is_open: true}),
      }, icon("bell"), now > 0 && h("span", {className: "ff-unread", "aria-hidden": "true"}, shortened(now))),
      h("div", {className: "ff-toasts", role: "region", "aria-label": footfall.say("New notifications")},
        h("div", {"aria-live": "polite", "aria-relevant": "additions"}, toasts.filter(({priority}) => priority !== "urgent").map((notice) => h(Toast, {key: notice.id, notice}))),
        h("div", {"aria-live": "assertive", "aria-relevant": "additions"}, toasts.filter(({priority}) => priority === "urgent").map((notice) => h(Toast, {key: notice.id, notice}))),
        extra > 0 && h("button", {type: "button", className: "ff-btn", onClick: () => { change({toasts: [], extra: 0}); window.dash_clientside.set_props(controls, {is_open: true}); }},
          footfall.say.plural("+{n} more", "+{n} more", extra))));
  }

  const shortened = (number) => number >= MAX_UNREAD ? `${footfall.write.count(MAX_UNREAD - 1)}+` : footfall.write.count(number);

  function listen(address) {
    if (!address) return undefined;
    let wasLive = false;
    const stream = window.footfall.sharedStream({
      address, lastId,
      message(type, data, id) {
        if (type === "notification") arrive(data);
        lastId = id || lastId;
      },
      state(name) {
        const isLive = name === "live";
        if (isLive && !state.isLive && (wasLive || document.getElementById("alert-strip"))) lookSoon();
        wasLive = wasLive || isLive;
        change({isLive});
      },
      refused() {},
    });
    const looking = setInterval(() => { if (!state.isLive) lookSoon(); }, times.look);
    return () => {
      clearInterval(looking);
      stream.close();
    };
  }

  function Toast({notice}) {
    const [isHeld, hold] = React.useState(false);
    React.useEffect(() => {
      if (isHeld || notice.until === Infinity) return undefined;
      const timer = setTimeout(() => dismiss([notice.id]), Math.max(1000, notice.until - Date.now()));
      return () => clearTimeout(timer);
    }, [isHeld, notice.until]);
    return h("div", {
      className: `toast show ff-toast is-${notice.priority}`, "data-notice": notice.id,
      onPointerEnter: () => hold(true), onPointerLeave: () => hold(false), onFocus: () => hold(true), onBlur: () => hold(false),
    },
      h("div", {className: "ff-toast-in"}, sign(notice), h("div", {className: "ff-notice-text"}, words(notice, basePath, follow)),
        h("button", {type: "button", className: "ff-icon", "aria-label": footfall.say("Close"), onClick: () => { dismiss([notice.id]); markRead(notice.id); }}, icon("x", 14))));
  }

  // ───────── the list ─────────

  function NoticeList({id, whole, all_at}) {
    const {rows, more, filter, unread, isKnown, failure} = useNotices(), here = React.useRef(null), now = drawing.useMinute();
    drawing.useKeptFocus(here);
    React.useEffect(() => ask({action: "look"}), []);
    const isFiltered = Boolean(filter.type || filter.priority);
    const choose = (changed) => { change({filter: {...filter, ...changed}}); ask({action: "look"}); };
    return h("div", {id, className: "ff-notices", ref: here, tabIndex: -1, "data-now": now},
      h("div", {className: "ff-notices-bar"},
        select("type", footfall.say("Type"), footfall.say("All types"), TYPES, filter.type, (type) => choose({type})),
        select("priority", footfall.say("Priority"), footfall.say("All priorities"), PRIORITIES, filter.priority, (priority) => choose({priority})),
        h("span", {className: "ff-end"},
          h("button", {type: "button", className: "ff-btn", disabled: !unread, onClick: () => ask({action: "read_all"}), "data-act": "read_all"}, isFiltered ? footfall.say("Mark these as read") : footfall.say("Mark all as read")),
          h(Clear, {isFiltered, isEmpty: !rows.length}))),
      failure && h("div", {className: "ff-alert is-warn", role: "alert"}, icon("alert"), h("span", {}, failure.text),
        h("button", {type: "button", className: "ff-btn", onClick: () => ask(failure.asked)}, footfall.say("Try again"))),
      !isKnown ? !failure && drawing.skeleton(4) : rows.length ? h("ol", {"aria-label": footfall.say("Notifications, newest first")}, rows.map((row) => h(Row, {key: row.id, row}))) : empty(filter),
      whole && more && h("button", {type: "button", className: "ff-btn", onClick: () => ask({action: "more", before: rows.at(-1).id})}, footfall.say("Show more")),
      !whole && all_at && h("p", {className: "ff-notices-all"}, h("a", {className: "ff-link", href: all_at}, footfall.say("All notifications"))));
  }

  // Clears all, after a second press: nothing brings them back. Not where a filter hides some.
  function Clear({isFiltered, isEmpty}) {
    const [isAsked, question] = React.useState(false);
    const press = () => { question(!isAsked); if (isAsked) ask({action: "clear"}); };
    return h("button", {
      type: "button", className: isAsked ? "ff-btn ff-btn-danger" : "ff-btn", disabled: isFiltered || isEmpty, onClick: press, onBlur: () => question(false), "data-act": "clear",
      title: isFiltered ? footfall.say("Clears all types and priorities: show them first") : "",
    }, isAsked ? footfall.say("Clear all of them?") : footfall.say("Clear"));
  }

  const empty = ({type, priority}) => drawing.nothing(type || priority
    ? {title: footfall.say("No such notification"), hint: footfall.say("None has this type and priority.")}
    : {title: footfall.say("Nothing to tell"), hint: footfall.say("What rules find stands here, and rings the bell.")});

  const select = (name, label, all, of, value, chosen) => h("label", {}, h("span", {className: "ff-vh"}, label),
    h("select", {className: "form-select form-select-sm", name, value, onChange: ({target}) => chosen(target.value)},
      h("option", {value: ""}, all), Object.entries(of).map(([key, text]) => h("option", {key, value: key}, text()))));

  const Row = ({row}) => h("li", {className: `ff-notice${row.read ? "" : " is-unread"}`, "data-notice": row.id},
    sign(row), h("div", {className: "ff-notice-text"}, words(row, basePath, follow)),
    !row.read && h("button", {type: "button", className: "ff-icon", title: footfall.say("Mark as read"), "aria-label": footfall.say("Mark as read"), onClick: () => markRead(row.id)}, icon("check", 14)));

  Object.assign(window.footfall_components, {Bell, NoticeList});
})();
