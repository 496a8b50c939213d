// The activity feed: pageviews and events, newest first, at most 100 rows. All texts of visitors are written with
// textContent, and never become links. A paused or hovered list does not move: `#feed-waiting` counts the new events.
//
//   footfallFeed.add(events, {flash, skew})   in any order; each id is shown once; skew: ms that the server's clock is ahead
//   footfallFeed.show(events, at)             shows the feed as it was at that second, until `clear`
//   footfallFeed.clear()
(function () {
  "use strict";
  const MAX_ROWS = 100, MAX_SEEN = 1000, FLASH_MS = 2600;
  const byId = (id) => document.getElementById(id);
  const FILTERS = {
    all: () => true,
    pageview: (event) => event.type === "pageview",
    event: (event) => event.type === "event",
    "signed-in": (event) => event.user_id != null,
  };
  /** @type {[RegExp, string][]} */
  const ICONS = [
    [/^outbound/i, "out"], [/download/i, "download"], [/pay|purchase|order|checkout|subscri/i, "card"],
    [/sign.?up|regist|invite/i, "userplus"], [/log.?in|sign.?in/i, "login"], [/mail|newsletter/i, "mail"],
    [/share/i, "share"], [/click|submit|form/i, "mouse"],
  ];
  const DEVICES = {Desktop: "monitor", Mobile: "phone", Tablet: "tablet"};

  let events = [], waiting = [], seen = new Set(), rows = new Map();
  let filter = "all", isPaused = false, skew = 0, rewoundTo = 0, drawnIn = null, pointerType = "";

  // ───────── the events ─────────

  function add(arrived, options = {}) {
    skew = options.skew || skew;
    if (rewoundTo) return;
    const unseen = arrived.filter(({id}) => !seen.has(id) && seen.add(id));
    seen = seen.size > MAX_SEEN ? new Set([...seen].slice(-MAX_SEEN / 2)) : seen;
    const at = Date.now();
    waiting = newest([...unseen.map((event) => ({event, flash: options.flash, at})), ...waiting]);
    update();
  }

  function newest(list) {
    return list.sort((a, b) => b.event.timestamp - a.event.timestamp).slice(0, MAX_ROWS);
  }

  function isOnHold() {
    const list = byId("feed");
    return isPaused || Boolean(events.length && list && pointerType === "mouse" && list.matches(":hover"));
  }

  function update() {
    if (waiting.length && !isOnHold()) showWaiting();
    showWaitingCount();
    if (byId("feed") !== drawnIn) draw();
  }

  function showWaiting() {
    const now = Date.now();
    for (const entry of waiting) entry.at = now;
    events = newest([...waiting, ...events]);
    waiting = [];
    draw();
    showWaitingCount();
  }

  function showPast(past, at) {
    const known = new Map(events.map((entry) => [entry.event.id, entry]));
    [rewoundTo, waiting] = [at, []];
    events = newest(past.map((event) => known.get(event.id) || {event, at: 0}));
    draw();
    showWaitingCount();
  }

  function clear() {
    [events, waiting, rows, rewoundTo] = [[], [], new Map(), 0];
    seen.clear();
    draw();
    showWaitingCount();
  }

  // ───────── the rows ─────────

  function draw() {
    const list = drawnIn = byId("feed");
    if (!list) return;
    const wantedRows = new Map(events.filter(({event}) => FILTERS[filter](event)).map((entry) => [entry, rows.get(entry) || row(entry)]));
    const nodes = [...wantedRows.values()];
    rows = wantedRows;
    for (const old of [...list.children]) if (!nodes.includes(old)) old.remove();
    nodes.forEach((node, i) => { if (list.children[i] !== node) list.insertBefore(node, list.children[i] || null); });
    if (byId("feed-empty")) byId("feed-empty").hidden = nodes.length > 0;
    updateAges();
  }

  function showWaitingCount() {
    const chip = byId("feed-waiting");
    if (!chip) return;
    const arrivals = waiting.filter(({event}) => FILTERS[filter](event)).length;
    const text = arrivals ? `${arrivals === MAX_ROWS ? MAX_ROWS + "+" : arrivals} new` : "";
    if (chip.textContent !== text) chip.textContent = text;
    chip.hidden = !arrivals;
  }

  function make(name, className, ...children) {
    const node = document.createElement(name);
    node.className = className;
    node.append(...children);
    return node;
  }

  function icon(name, size) {
    const node = make("span", `ff-i ff-i-${name}${size || ""}`);
    node.setAttribute("aria-hidden", "true");
    return node;
  }

  function text(name, className, content) {
    const node = make(name, className, content);
    node.dir = "auto";
    return node;
  }

  function row({event, flash, at}) {
    const isEvent = event.type === "event";
    const iconName = isEvent ? (ICONS.find(([pattern]) => pattern.test(event.name)) || [/./, "zap"])[1] : "eye";
    const kind = make("span", "ff-ev-i", icon(iconName), make("span", "ff-vh", isEvent ? "Event" : "Pageview"));
    const middle = make("div", "", headline(event, isEvent), details(event));
    const time = make("time", "ff-time");
    const node = make("li", "ff-ev" + (isEvent ? " is-event" : ""), kind, middle, time);
    middle.style.minWidth = "0";
    time.dateTime = new Date(event.timestamp * 1000).toISOString();
    const remainingMs = at + FLASH_MS - Date.now();
    if (flash && remainingMs > 0) {
      node.classList.add("is-new");
      setTimeout(() => node.classList.remove("is-new"), remainingMs);
    }
    return node;
  }

  function headline(event, isEvent) {
    const line = text("span", "ff-ev-t ff-trunc", isEvent ? event.name || "" : event.path || "");
    line.title = [isEvent ? event.path : event.title, line.textContent].filter(Boolean).reverse().join("\n");
    for (const part of isEvent ? [event.description, money(event)] : []) if (part) line.append(" ", text("b", "", part));
    return line;
  }

  function money({value, currency}) {
    if (value == null) return "";
    try {
      return footfallWrite.money(value, currency);
    } catch {
      return `${value} ${currency}`;
    }
  }

  function details(event) {
    const line = make("span", "ff-ev-m");
    if (event.country) {
      line.append(make("span", "ff-cc", event.country));
      line.lastChild.title = event.city ? `${event.city}, ${event.country}` : "Country";
    }
    line.append(text("span", "", event.source || "Direct"));
    if (DEVICES[event.device] || event.browser) {
      const device = DEVICES[event.device] ? [icon(DEVICES[event.device], " ff-i-12"), " "] : [];
      line.append(make("span", "", ...device, event.browser || event.device));
    }
    if (event.user_id != null) line.append(text("span", "ff-who ff-trunc", event.user_name || event.user_id));
    return line;
  }

  function updateAges() {
    for (const [{event}, node] of rows) {
      const age = ago((rewoundTo || (Date.now() + skew) / 1000) - event.timestamp), time = node.lastChild;
      if (time.textContent !== age) time.textContent = age;
    }
  }

  function ago(seconds) {
    if (seconds < 2) return "now";
    if (seconds < 60) return `${Math.floor(seconds)} s`;
    if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
    return seconds < 86400 ? `${Math.floor(seconds / 3600)} h` : `${Math.floor(seconds / 86400)} d`;
  }

  // ───────── events of the reader ─────────

  function choose(button) {
    filter = button.dataset.show;
    for (const chip of byId("feed-chips").querySelectorAll("[data-show]")) chip.setAttribute("aria-pressed", String(chip === button));
    draw();
    showWaitingCount();
  }

  function pause(button) {
    isPaused = !isPaused;
    button.setAttribute("aria-pressed", isPaused);
    const node = button.querySelector(".ff-i");
    if (node) ["pause", "play"].forEach((name) => node.classList.toggle(`ff-i-${name}`, (name === "play") === isPaused));
    update();
  }

  document.addEventListener("click", ({target}) => {
    const chip = target.closest("#feed-chips [data-show]"), button = target.closest("#feed-pause");
    if (chip) choose(chip);
    if (button) pause(button);
    if (target.closest("#feed-waiting")) showWaiting();
  });
  // after a touch :hover stays on the touched element, so only a mouse puts the list on hold
  document.addEventListener("pointerover", (event) => {
    pointerType = event.pointerType;
    if (waiting.length) update();
  });
  setInterval(() => { update(); updateAges(); }, 2000);

  window.footfallFeed = {add, show: showPast, clear};
})();
