// The Overview: keeps the whole question in the address, asks for the parts that it changes, and puts them in place.
//
// Links and buttons carry a change of the address in `data-change` ("period=7d&interval="; an empty value takes a name
// out, "*" takes out all); `data-out` is the one with Shift. `data-csv` names a file of the same question. A part depends
// on period, comparison, filters and its own `data-names`; "*" is every name (layouts/overview/page.py).
(function () {
  "use strict";
  const COMMON = ["period", "compare", "filters"], QUICK = ["toolbar", "top", "details", "rows"], TYPED_MS = 200;
  let page = null, typing = 0, announced = "";

  const byId = (id) => document.getElementById(id);
  const parts = () => [...page.querySelectorAll("[data-part]")];
  const sentence = (words) => words.replace(/\s+/g, " ").trim();

  // ───────── the address ─────────

  function changed(change) {
    if (change === "*") return "";
    const now = new URLSearchParams(location.search), to = [...new URLSearchParams(change)];
    for (const [name] of to) now.delete(name);
    for (const [name, value] of to) if (value) now.append(name, value);
    return String(now);
  }

  const address = (query) => location.pathname + (query ? `?${query}` : "");

  function go(change, quietly) {
    const to = address(opened(changed(change)));
    if (to !== location.pathname + location.search) history[quietly ? "replaceState" : "pushState"](history.state, "", to);
    look();
  }

  // Every link leads where it would lead now, so that it can be opened elsewhere.
  function complete() {
    for (const link of page.querySelectorAll("a[data-change]")) link.href = address(changed(link.dataset.change));
    for (const link of page.querySelectorAll("a[data-csv]")) {
      link.href = `${page.dataset.address}/${link.dataset.csv}.csv${location.search}`;
    }
  }

  // ───────── asking ─────────

  function keyOf(part) {
    const names = part.dataset.names.split(" "), all = names.includes("*");
    const own = [...new URLSearchParams(location.search)].filter(([name]) => all || COMMON.includes(name) || names.includes(name));
    return String(new URLSearchParams(own));
  }

  function isWanted(part) {
    return !part.closest("dialog") || new URLSearchParams(location.search).get("details");
  }

  // A site's first day opens with today. The address says so, and keeps it.
  function opened(query) {
    const asked = new URLSearchParams(query), {opens} = page.dataset;
    if (!opens || asked.has("period")) return query;
    asked.append("period", opens);
    return String(asked);
  }

  function look() {
    const query = location.search.slice(1);
    if (opened(query) !== query) history.replaceState(history.state, "", address(opened(query)));
    complete();
    const due = parts().filter((part) => isWanted(part) && part.dataset.key !== keyOf(part));
    const [quick, others] = [true, false].map((is) => due.filter((part) => QUICK.includes(part.dataset.part) === is));
    for (const group of [quick, others]) if (group.length) ask(group);
    showDialog();
  }

  async function ask(group) {
    for (const part of group) {
      part.dataset.key = keyOf(part);
      part.setAttribute("aria-busy", "true");
    }
    const keys = group.map((part) => part.dataset.key), query = new URLSearchParams(location.search);
    for (const part of group) query.append("part", part.dataset.part);
    const answer = await answered(`${page.dataset.address}/parts?${query}`);
    group.forEach((part, at) => {
      if (part.dataset.key !== keys[at] || !part.isConnected) return;  // something else was asked meanwhile
      part.setAttribute("aria-busy", "false");
      if (answer) draw(part, answer[part.dataset.part]);
      else fail(part);
    });
    if (page) complete();
    showDialog();
  }

  async function answered(url) {
    try {
      const answer = await fetch(url);
      if (answer.status === 401) location.reload();  // the login is over: the gate leads to it and back
      return answer.ok ? await answer.json() : null;
    } catch {
      return null;
    }
  }

  // ───────── drawing ─────────

  function draw(part, html) {
    const kept = remembered(part);
    part.innerHTML = html;
    part.hidden = !html;
    for (const tab of part.querySelectorAll("[role=tab][aria-selected=true]")) bringIntoSight(tab);
    if (kept) restore(part, kept);
    for (const node of part.querySelectorAll("[data-spots]")) readOut(node);
    if (part.dataset.part === "top") announce(part);
  }

  // Tabs that do not fit are scrolled sideways: the open one to the middle.
  function bringIntoSight(tab) {
    const row = tab.parentNode, [own, whole] = [tab, row].map((node) => node.getBoundingClientRect());
    row.scrollLeft += own.left + own.width / 2 - whole.left - whole.width / 2;
  }

  // The bar stays as it is: by it people get away from here.
  function fail(part) {
    delete part.dataset.key;
    if (part.dataset.part === "toolbar") return;
    const said = /** @type {HTMLElement} */ (byId("overview-failed").firstElementChild.cloneNode(true)), named = part.getAttribute("aria-label");
    if (named) said.querySelector("b").textContent = `${named} could not be read`;
    if (!navigator.onLine) said.querySelector("p").textContent = "This device is offline.";
    part.replaceChildren(said);
  }

  function remembered(part) {
    const active = /** @type {HTMLInputElement} */ (document.activeElement), open = part.querySelector("details[open] > summary");
    if (open || !part.contains(active)) return open && {open: open.dataset.keep, id: "", keep: open.dataset.keep, value: "", caret: 0};
    return {keep: active.dataset.keep, id: active.id, value: active.value, caret: active.selectionStart, open: ""};
  }

  function restore(part, {keep, id, value, caret, open}) {
    const menu = open && part.querySelector(`[data-keep="${open}"]`);
    if (menu) menu.parentNode.open = true;
    const again = id ? byId(id) : keep && [...part.querySelectorAll("[data-keep]")].find((node) => node.dataset.keep === keep);
    if (!again) {
      part.tabIndex = -1;
      return part.focus({preventScroll: true});
    }
    again.focus({preventScroll: true});
    if (again.matches("input")) {
      again.value = value;
      again.setSelectionRange(caret, caret);
    }
  }

  function announce(part) {
    const stat = part.querySelector("[aria-pressed=true], .ff-void b");
    const words = stat ? sentence([...stat.childNodes].map((node) => node.textContent).join(" ")) : "";
    if (words !== announced) byId("overview-said").textContent = announced = words;
  }

  // The tip of the chart, and for who moves it by the arrow keys the same in words.
  function readOut(node) {
    const said = node.parentNode.appendChild(document.createElement("p"));
    said.className = "ff-vh";
    said.setAttribute("role", "status");
    const spots = JSON.parse(node.dataset.spots).map(([epoch, x, y, title, value, then, before]) => {
      const lines = [["ff-key", node.dataset.metric, value]];
      if (then) lines.push(["ff-key ff-key-prev", then, before]);
      return {epoch, x, y, title, lines};
    });
    window.footfallTip(node, spots, (box, {title, lines}) => {
      box.append(made("b", title), made("dl", ...lines.flatMap(line)));
      if (document.activeElement === node) said.textContent = `${title}: ${lines.map(([, name, value]) => `${name} ${value}`).join(", ")}`;
    });
  }

  function line([kind, name, value]) {
    const key = made("dt");
    key.className = kind;
    return [key, made("dt", name), made("dd", value)];
  }

  function made(tag, ...inner) {
    const node = document.createElement(tag);
    node.append(...inner);
    return node;
  }

  // ───────── the dialog ─────────

  function showDialog() {
    const dialog = /** @type {HTMLDialogElement} */ (page && byId("overview-details"));
    if (!dialog) return;
    const wanted = new URLSearchParams(location.search).get("details"), drawn = dialog.querySelector("h2, [role=alert]");
    if (wanted && drawn && !dialog.open) dialog.showModal();
    if (!wanted && dialog.open) dialog.close();
    if (!wanted) clearTimeout(typing);
    if (!wanted) for (const part of dialog.querySelectorAll("[data-part]")) forget(part);
  }

  function forget(part) {
    part.replaceChildren();
    delete part.dataset.key;
  }

  const CLOSED = "details=&search=&sort=&page=";

  // ───────── what people do ─────────

  document.addEventListener("click", (event) => {
    if (!page || event.defaultPrevented || event.button || event.ctrlKey || event.metaKey || event.altKey) return;
    const {target} = event;
    if (target.closest("#overview .ff-retry")) {
      delete target.closest("[data-part]").dataset.key;
      return look();
    }
    if (target.id === "overview-details") return go(CLOSED);  // beside the dialog
    const link = /** @type {HTMLButtonElement} */ (target.closest("#overview [data-change]"));
    if (!link || link.disabled) return;
    event.preventDefault();
    go(event.shiftKey && link.dataset.out ? link.dataset.out : link.dataset.change);
  });

  document.addEventListener("cancel", (event) => {
    if (/** @type {Element} */ (event.target).id !== "overview-details") return;
    event.preventDefault();
    go(CLOSED);
  }, true);

  document.addEventListener("keydown", (event) => {
    const tab = event.target.closest && event.target.closest("#overview [role=tab]"), move = {ArrowLeft: -1, ArrowRight: 1}[event.key];
    if (!tab || !move) return;
    event.preventDefault();
    const tabs = /** @type {HTMLElement[]} */ ([...tab.parentNode.children]), next = tabs[(tabs.indexOf(tab) + move + tabs.length) % tabs.length];
    next.focus();
    next.click();
  });

  document.addEventListener("input", (event) => {
    if (event.target.id !== "details-search" || event.isComposing) return;
    clearTimeout(typing);
    typing = setTimeout(() => go(String(new URLSearchParams({search: event.target.value, page: ""})), true), TYPED_MS);
  });

  document.addEventListener("submit", (event) => {
    const form = /** @type {HTMLFormElement} */ (event.target.closest("#overview [data-asks]"));
    if (!form) return;
    event.preventDefault();
    const given = Object.fromEntries(new FormData(form)), name = form.dataset.asks;
    form.closest("details").open = false;
    if (name === "filter") return go(String(new URLSearchParams({filters: withFilter(given)})));
    const dates = [given[`${name}-first`], given[`${name}-last`]].sort().join(",");
    go(String(new URLSearchParams(name === "period" ? {period: dates, interval: ""} : {compare: dates})));
  });

  function withFilter(given) {
    let filters = [];
    try { filters = JSON.parse(new URLSearchParams(location.search).get("filters") || "[]"); } catch { /* begins anew */ }
    return JSON.stringify([...filters, [given["filter-how"], given["filter-by"], [given["filter-value"]]]]);
  }

  for (const name of ["popstate", "online"]) window.addEventListener(name, () => { if (page) look(); });

  // A segment or a note was saved or removed: the bar and the numbers have their menus.
  function answeredForm(channel) {
    const {wrong, message} = JSON.parse(channel.dataset.answer);
    if (wrong) return;
    byId("overview-said").textContent = message;
    for (const part of page.querySelectorAll("[data-part=toolbar], [data-part=top]")) delete part.dataset.key;
    look();
  }

  new MutationObserver((changes) => {
    const found = byId("overview");
    if (found !== page) {
      page = found;
      if (page) look();
    }
    for (const {target: node, attributeName} of changes) {
      const target = /** @type {HTMLElement} */ (node);
      if (attributeName && page && page.contains(target) && target.dataset.answer) answeredForm(target);
    }
  }).observe(document, {childList: true, subtree: true, attributeFilter: ["data-answer"]});
})();
