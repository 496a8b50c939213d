// The Overview: the query string of the address is its only state. A change of the address reloads the parts that depend on
// the changed names, and no others.
//
// `data-change` of a link or button is a change of the query string ("period=7d&interval="; an empty value removes a name,
// "*" removes all); `data-out` is the change with Shift. `data-csv` names a CSV file of the same query. A part depends on
// period, comparison, filters and its own `data-names`; "*" is every name (layouts/overview/page.py).
(function () {
  "use strict";
  const SHARED_NAMES = ["period", "compare", "filters"], FAST_PARTS = ["toolbar", "top", "details", "rows"], TYPING_PAUSE_MS = 200;
  let page = null, searchTimer = 0, announcedText = "";

  const byId = (id) => document.getElementById(id);
  const parts = () => [...page.querySelectorAll("[data-part]")];
  const sentence = (text) => text.replace(/\s+/g, " ").trim();

  // ───────── the address ─────────

  function queryAfter(change) {
    if (change === "*") return "";
    const now = new URLSearchParams(location.search), to = [...new URLSearchParams(change)];
    for (const [name] of to) now.delete(name);
    for (const [name, value] of to) if (value) now.append(name, value);
    return String(now);
  }

  const address = (query) => location.pathname + (query ? `?${query}` : "");

  function go(change, replace) {
    const to = address(withFirstPeriod(queryAfter(change)));
    if (to !== location.pathname + location.search) history[replace ? "replaceState" : "pushState"](history.state, "", to);
    refresh();
  }

  // Every link has its full address, so that it can be opened in a new tab.
  function updateLinks() {
    for (const link of page.querySelectorAll("a[data-change]")) link.href = address(queryAfter(link.dataset.change));
    for (const link of page.querySelectorAll("a[data-csv]")) {
      link.href = `${page.dataset.address}/${link.dataset.csv}.csv${location.search}`;
    }
  }

  // ───────── loading ─────────

  function keyOf(part) {
    const names = part.dataset.names.split(" "), all = names.includes("*");
    const params = [...new URLSearchParams(location.search)].filter(([name]) => all || SHARED_NAMES.includes(name) || names.includes(name));
    return String(new URLSearchParams(params));
  }

  function isWanted(part) {
    return !part.closest("dialog") || new URLSearchParams(location.search).get("details");
  }

  // On its first day a site opens with the period "today" (`data-opens`), which is added to the address.
  function withFirstPeriod(query) {
    const params = new URLSearchParams(query), {opens} = page.dataset;
    if (!opens || params.has("period")) return query;
    params.append("period", opens);
    return String(params);
  }

  function refresh() {
    const query = location.search.slice(1);
    if (withFirstPeriod(query) !== query) history.replaceState(history.state, "", address(withFirstPeriod(query)));
    updateLinks();
    const due = parts().filter((part) => isWanted(part) && part.dataset.key !== keyOf(part));
    const [fast, slow] = [true, false].map((is) => due.filter((part) => FAST_PARTS.includes(part.dataset.part) === is));
    for (const group of [fast, slow]) if (group.length) loadParts(group);
    showDialog();
  }

  async function loadParts(group) {
    for (const part of group) {
      part.dataset.key = keyOf(part);
      part.setAttribute("aria-busy", "true");
    }
    const keys = group.map((part) => part.dataset.key), query = new URLSearchParams(location.search);
    for (const part of group) query.append("part", part.dataset.part);
    const answer = await fetchParts(`${page.dataset.address}/parts?${query}`);
    group.forEach((part, at) => {
      if (part.dataset.key !== keys[at] || !part.isConnected) return;  // a newer request replaced this one
      part.setAttribute("aria-busy", "false");
      if (answer) draw(part, answer[part.dataset.part]);
      else showFailure(part);
    });
    if (page) updateLinks();
    showDialog();
  }

  async function fetchParts(url) {
    try {
      const answer = await fetch(url);
      if (answer.status === 401) location.reload();  // the session has expired: the server redirects to the sign-in page
      return answer.ok ? await answer.json() : null;
    } catch {
      return null;
    }
  }

  // ───────── drawing ─────────

  function draw(part, html) {
    const before = focusState(part);
    part.innerHTML = html;
    part.hidden = !html;
    for (const tab of part.querySelectorAll("[role=tab][aria-selected=true]")) bringIntoSight(tab);
    if (before) restore(part, before);
    for (const node of part.querySelectorAll("[data-spots]")) addTip(node);
    if (part.dataset.part === "top") announce(part);
  }

  // Tabs that do not fit scroll sideways: centres the selected one.
  function bringIntoSight(tab) {
    const row = tab.parentNode, [tabBox, rowBox] = [tab, row].map((node) => node.getBoundingClientRect());
    row.scrollLeft += tabBox.left + tabBox.width / 2 - rowBox.left - rowBox.width / 2;
  }

  // The toolbar stays as it is, so that the reader can choose something else.
  function showFailure(part) {
    delete part.dataset.key;
    if (part.dataset.part === "toolbar") return;
    const message = /** @type {HTMLElement} */ (byId("overview-failed").firstElementChild.cloneNode(true)), named = part.getAttribute("aria-label");
    if (named) message.querySelector("b").textContent = `${named} could not be read`;
    if (!navigator.onLine) message.querySelector("p").textContent = "This device is offline.";
    part.replaceChildren(message);
  }

  function focusState(part) {
    const active = /** @type {HTMLInputElement} */ (document.activeElement), open = part.querySelector("details[open] > summary");
    if (open || !part.contains(active)) return open && {open: open.dataset.keep, id: "", keep: open.dataset.keep, value: "", caret: 0};
    return {keep: active.dataset.keep, id: active.id, value: active.value, caret: active.selectionStart, open: ""};
  }

  function restore(part, {keep, id, value, caret, open}) {
    const menu = open && part.querySelector(`[data-keep="${open}"]`);
    if (menu) menu.parentNode.open = true;
    const target = id ? byId(id) : keep && [...part.querySelectorAll("[data-keep]")].find((node) => node.dataset.keep === keep);
    if (!target) {
      part.tabIndex = -1;
      return part.focus({preventScroll: true});
    }
    target.focus({preventScroll: true});
    if (target.matches("input")) {
      target.value = value;
      target.setSelectionRange(caret, caret);
    }
  }

  function announce(part) {
    const stat = part.querySelector("[aria-pressed=true], .ff-void b");
    const text = stat ? sentence([...stat.childNodes].map((node) => node.textContent).join(" ")) : "";
    if (text !== announcedText) byId("overview-said").textContent = announcedText = text;
  }

  // Adds the tooltip of the chart, and its text for screen readers when the arrow keys move it.
  function addTip(node) {
    const output = node.parentNode.appendChild(document.createElement("p"));
    output.className = "ff-vh";
    output.setAttribute("role", "status");
    const spots = JSON.parse(node.dataset.spots).map(([epoch, x, y, title, value, then, before]) => {
      const lines = [["ff-key", node.dataset.metric, value]];
      if (then) lines.push(["ff-key ff-key-prev", then, before]);
      return {epoch, x, y, title, lines};
    });
    window.footfallTip(node, spots, (box, {title, lines}) => {
      box.append(element("b", title), element("dl", ...lines.flatMap(line)));
      if (document.activeElement === node) output.textContent = `${title}: ${lines.map(([, name, value]) => `${name} ${value}`).join(", ")}`;
    });
  }

  function line([kind, name, value]) {
    const key = element("dt");
    key.className = kind;
    return [key, element("dt", name), element("dd", value)];
  }

  function element(tag, ...inner) {
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
    if (!wanted) clearTimeout(searchTimer);
    if (!wanted) for (const part of dialog.querySelectorAll("[data-part]")) empty(part);
  }

  function empty(part) {
    part.replaceChildren();
    delete part.dataset.key;
  }

  const CLOSE_DETAILS = "details=&search=&sort=&page=";

  // ───────── events of the reader ─────────

  document.addEventListener("click", (event) => {
    if (!page || event.defaultPrevented || event.button || event.ctrlKey || event.metaKey || event.altKey) return;
    const {target} = event;
    if (target.closest("#overview .ff-retry")) {
      delete target.closest("[data-part]").dataset.key;
      return refresh();
    }
    if (target.id === "overview-details") return go(CLOSE_DETAILS);  // a click outside the dialog
    const link = /** @type {HTMLButtonElement} */ (target.closest("#overview [data-change]"));
    if (!link || link.disabled) return;
    event.preventDefault();
    go(event.shiftKey && link.dataset.out ? link.dataset.out : link.dataset.change);
  });

  document.addEventListener("cancel", (event) => {
    if (/** @type {Element} */ (event.target).id !== "overview-details") return;
    event.preventDefault();
    go(CLOSE_DETAILS);
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
    clearTimeout(searchTimer);
    searchTimer = setTimeout(() => go(String(new URLSearchParams({search: event.target.value, page: ""})), true), TYPING_PAUSE_MS);
  });

  document.addEventListener("submit", (event) => {
    const form = /** @type {HTMLFormElement} */ (event.target.closest("#overview [data-asks]"));
    if (!form) return;
    event.preventDefault();
    const fields = Object.fromEntries(new FormData(form)), name = form.dataset.asks;
    form.closest("details").open = false;
    if (name === "filter") return go(String(new URLSearchParams({filters: withFilter(fields)})));
    const dates = [fields[`${name}-first`], fields[`${name}-last`]].sort().join(",");
    go(String(new URLSearchParams(name === "period" ? {period: dates, interval: ""} : {compare: dates})));
  });

  function withFilter(fields) {
    let filters = [];
    try { filters = JSON.parse(new URLSearchParams(location.search).get("filters") || "[]"); } catch { /* invalid filters are replaced */ }
    return JSON.stringify([...filters, [fields["filter-how"], fields["filter-by"], [fields["filter-value"]]]]);
  }

  for (const name of ["popstate", "online"]) window.addEventListener(name, () => { if (page) refresh(); });

  // A segment or a note was saved or removed: the toolbar and the numbers have menus of these, so both are reloaded.
  function onFormAnswer(channel) {
    const {wrong, message} = JSON.parse(channel.dataset.answer);
    if (wrong) return;
    byId("overview-said").textContent = message;
    for (const part of page.querySelectorAll("[data-part=toolbar], [data-part=top]")) delete part.dataset.key;
    refresh();
  }

  new MutationObserver((changes) => {
    const found = byId("overview");
    if (found !== page) {
      page = found;
      if (page) refresh();
    }
    for (const {target: node, attributeName} of changes) {
      const target = /** @type {HTMLElement} */ (node);
      if (attributeName && page && page.contains(target) && target.dataset.answer) onFormAnswer(target);
    }
  }).observe(document, {childList: true, subtree: true, attributeFilter: ["data-answer"]});
})();
