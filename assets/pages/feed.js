// The activity feed: what visitors do, newest first, at most 100 rows. Everything a visitor may have made up is written
// with textContent, and no link is made of it. A paused or hovered list does not move: arrivals wait in `#feed-waiting`.
//
//   footfallFeed.add(events, {flash, skew})   in any order; an id is shown once; skew: ms that the server's clock is ahead
//   footfallFeed.show(events, at)             the feed as it was at that second, until it is cleared
//   footfallFeed.clear()
(function () {
  "use strict";
  const CAP = 100, REMEMBERED = 1000, FLASH_MS = 2600;
  const byId = (id) => document.getElementById(id);
  const WANTED = {
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
  let show = "all", paused = false, skew = 0, frozenAt = 0, drawnIn = null, pointer = "";

  // ───────── what is kept ─────────

  function add(arrived, options = {}) {
    skew = options.skew || skew;
    if (frozenAt) return;
    const fresh = arrived.filter(({id}) => !seen.has(id) && seen.add(id));
    seen = seen.size > REMEMBERED ? new Set([...seen].slice(-REMEMBERED / 2)) : seen;
    const at = Date.now();
    waiting = newest([...fresh.map((event) => ({event, flash: options.flash, at})), ...waiting]);
    settle();
  }

  function newest(list) {
    return list.sort((a, b) => b.event.timestamp - a.event.timestamp).slice(0, CAP);
  }

  function held() {
    const list = byId("feed");
    return paused || Boolean(events.length && list && pointer === "mouse" && list.matches(":hover"));
  }

  function settle() {
    if (waiting.length && !held()) release();
    say();
    if (byId("feed") !== drawnIn) draw();
  }

  function release() {
    const now = Date.now();
    for (const entry of waiting) entry.at = now;
    events = newest([...waiting, ...events]);
    waiting = [];
    draw();
    say();
  }

  function showPast(past, at) {
    const known = new Map(events.map((entry) => [entry.event.id, entry]));
    [frozenAt, waiting] = [at, []];
    events = newest(past.map((event) => known.get(event.id) || {event, at: 0}));
    draw();
    say();
  }

  function clear() {
    [events, waiting, rows, frozenAt] = [[], [], new Map(), 0];
    seen.clear();
    draw();
    say();
  }

  // ───────── what is shown ─────────

  function draw() {
    const list = drawnIn = byId("feed");
    if (!list) return;
    const kept = new Map(events.filter(({event}) => WANTED[show](event)).map((entry) => [entry, rows.get(entry) || row(entry)]));
    const nodes = [...kept.values()];
    rows = kept;
    for (const old of [...list.children]) if (!nodes.includes(old)) old.remove();
    nodes.forEach((node, i) => { if (list.children[i] !== node) list.insertBefore(node, list.children[i] || null); });
    if (byId("feed-empty")) byId("feed-empty").hidden = nodes.length > 0;
    age();
  }

  function say() {
    const chip = byId("feed-waiting");
    if (!chip) return;
    const arrivals = waiting.filter(({event}) => WANTED[show](event)).length;
    const text = arrivals ? `${arrivals === CAP ? CAP + "+" : arrivals} new` : "";
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
    const picture = isEvent ? (ICONS.find(([pattern]) => pattern.test(event.name)) || [/./, "zap"])[1] : "eye";
    const kind = make("span", "ff-ev-i", icon(picture), make("span", "ff-vh", isEvent ? "Event" : "Pageview"));
    const middle = make("div", "", headline(event, isEvent), details(event));
    const time = make("time", "ff-time");
    const node = make("li", "ff-ev" + (isEvent ? " is-event" : ""), kind, middle, time);
    middle.style.minWidth = "0";
    time.dateTime = new Date(event.timestamp * 1000).toISOString();
    const left = at + FLASH_MS - Date.now();
    if (flash && left > 0) {
      node.classList.add("is-new");
      setTimeout(() => node.classList.remove("is-new"), left);
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

  function age() {
    for (const [{event}, node] of rows) {
      const words = ago((frozenAt || (Date.now() + skew) / 1000) - event.timestamp), time = node.lastChild;
      if (time.textContent !== words) time.textContent = words;
    }
  }

  function ago(seconds) {
    if (seconds < 2) return "now";
    if (seconds < 60) return `${Math.floor(seconds)} s`;
    if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
    return seconds < 86400 ? `${Math.floor(seconds / 3600)} h` : `${Math.floor(seconds / 86400)} d`;
  }

  // ───────── what the reader does ─────────

  function choose(button) {
    show = button.dataset.show;
    for (const each of byId("feed-chips").querySelectorAll("[data-show]")) each.setAttribute("aria-pressed", String(each === button));
    draw();
    say();
  }

  function pause(button) {
    paused = !paused;
    button.setAttribute("aria-pressed", paused);
    const picture = button.querySelector(".ff-i");
    if (picture) ["pause", "play"].forEach((name) => picture.classList.toggle(`ff-i-${name}`, (name === "play") === paused));
    settle();
  }

  document.addEventListener("click", ({target}) => {
    const chip = target.closest("#feed-chips [data-show]"), button = target.closest("#feed-pause");
    if (chip) choose(chip);
    if (button) pause(button);
    if (target.closest("#feed-waiting")) release();
  });
  // a finger leaves :hover behind on what it touched, so only a mouse holds the list
  document.addEventListener("pointerover", (event) => {
    pointer = event.pointerType;
    if (waiting.length) settle();
  });
  setInterval(() => { settle(); age(); }, 2000);

  window.footfallFeed = {add, show: showPast, clear};
})();
