// The frame around every page: the theme button, menus that close, buttons that copy, a page that could not be had.
(function () {
  "use strict";
  const KEY = "footfall-theme", html = document.documentElement;

  // ───────── theme: `#theme` switches between light and dark, `[data-theme]` in `#themes` chooses one or the system's.
  // The choice is kept in this browser and followed by its other tabs.

  const system = matchMedia("(prefers-color-scheme: dark)");
  let choice = "system";

  function stored() {
    try {
      const kept = localStorage.getItem(KEY);
      return ["light", "dark"].includes(kept) ? kept : "system";
    } catch { return choice; }  // storage is closed: the choice holds for this page
  }

  function applyTheme() {
    html.dataset.bsTheme = choice !== "system" ? choice : system.matches ? "dark" : "light";
    markTheme();
  }

  function markTheme() {
    for (const each of document.querySelectorAll("#themes [data-theme]"))
      each.setAttribute("aria-pressed", String(each.dataset.theme === choice));
  }

  function choose(theme) {
    choice = theme;
    applyTheme();
    try { localStorage.setItem(KEY, theme); } catch { /* as above */ }
  }

  function follow() {
    choice = stored();
    applyTheme();
  }

  follow();
  system.addEventListener("change", applyTheme);
  window.addEventListener("storage", ({key}) => { if (key === KEY) follow(); });
  new MutationObserver(() => { markTheme(); showSection(); }).observe(document, {childList: true, subtree: true});  // they may have come

  // ───────── the list of settings, a row to scroll on a phone: the current section is in sight ─────────

  function showSection() {
    const current = document.querySelector(".ff-side [aria-current]:not([data-shown])");
    if (!current) return;
    current.dataset.shown = "";
    const row = current.parentElement;
    row.scrollLeft += current.getBoundingClientRect().right - row.getBoundingClientRect().right + 24;
  }

  // ───────── menus: one open at a time; Escape, a click outside or a chosen link closes ─────────

  function closeMenus(except) {
    for (const menu of /** @type {NodeListOf<HTMLDetailsElement>} */ (document.querySelectorAll("details.ff-menu[open]"))) if (menu !== except) menu.open = false;
  }

  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    const menu = document.querySelector("details.ff-menu[open]");
    closeMenus();
    if (menu && menu.contains(document.activeElement)) menu.querySelector("summary").focus();
  });

  // ───────── copy: `data-copy="text"`, or `data-copy="#id"` for what that element shows ─────────

  async function copy(button) {
    const wanted = button.dataset.copy;
    const source = wanted.startsWith("#") ? document.querySelector(wanted) : null;
    const text = source ? source.value || source.textContent : wanted;
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      copyBySelection(text);  // the clipboard needs https or localhost
    }
    said(button);
  }

  function copyBySelection(text) {
    const field = document.createElement("textarea");
    field.value = text;
    field.style.cssText = "position:fixed;opacity:0";
    document.body.append(field);
    field.select();
    document.execCommand("copy");
    field.remove();
  }

  function said(button) {
    const label = document.createTreeWalker(button, NodeFilter.SHOW_TEXT).nextNode();
    if (!label || button.classList.contains("is-copied")) return;
    const before = label.nodeValue;
    label.nodeValue = "Copied";
    button.classList.add("is-copied");
    setTimeout(() => {
      label.nodeValue = before;
      button.classList.remove("is-copied");
    }, 2000);
  }

  document.addEventListener("click", (event) => {
    const menu = event.target.closest("details.ff-menu");
    closeMenus(event.target.closest("details.ff-menu a") ? null : menu);
    const button = event.target.closest("[data-copy]");
    if (button) copy(button);
    const theme = event.target.closest("#themes [data-theme]");
    if (theme) choose(theme.dataset.theme);
    if (event.target.closest("#theme")) choose(html.dataset.bsTheme === "dark" ? "light" : "dark");
    if (event.target.closest(".ff-reload")) location.reload();
  });

  // ───────── a page that could not be had: it is due, and `#root` is still empty ─────────

  const times = Object.assign({page: 10000}, window.footfallTimes);
  const DRAWING_MS = 400;  // from the end of the page's callback until what it brought is drawn
  const FAILED = `<main class="ff-main" id="failed"><section class="ff-void" role="alert">
    <span class="ff-i ff-i-alert" aria-hidden="true"></span><h1>Page not loaded</h1>
    <p>The server did not answer, or its database did not. What it has stored is safe.</p>
    <button class="ff-btn ff-btn-primary ff-reload" type="button"><span class="ff-i ff-i-refresh" aria-hidden="true"></span>Try again</button>
    </section></main>`;
  let due = false;

  function look() {
    const page = document.getElementById("root"), shown = document.getElementById("failed");
    const failed = due && page && !page.childElementCount;
    if (failed && !shown) document.body.insertAdjacentHTML("afterbegin", FAILED);
    if (!failed && shown) shown.remove();
  }

  function late() {
    due = true;
    look();
  }

  /** @param {any} target */
  const isDone = ({id, ariaBusy}) => id === "root" && ariaBusy === "false";

  // Where the line drops Dash never ends its callback, so there is a time for it too.
  setTimeout(late, times.page);
  new MutationObserver((changes) => {
    if (changes.some(({target}) => isDone(target))) setTimeout(late, DRAWING_MS);
    look();
  }).observe(document, {childList: true, subtree: true, attributeFilter: ["aria-busy"]});
})();
