// The frame around every page: theme, menus, copy buttons, and an error where the page could not be loaded.
(function () {
  "use strict";
  const KEY = "footfall-theme", html = document.documentElement;

  // ───────── theme: `#theme` toggles light and dark; `[data-theme]` in `#themes` chooses light, dark or the system's.
  // localStorage stores the choice; other tabs follow it.

  const system = matchMedia("(prefers-color-scheme: dark)");
  let choice = "system";

  function stored() {
    try {
      const theme = localStorage.getItem(KEY);
      return ["light", "dark"].includes(theme) ? theme : "system";
    } catch { return choice; }  // no access to storage: the choice lasts as long as this page
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
  new MutationObserver(() => { markTheme(); showSection(); }).observe(document, {childList: true, subtree: true});  // new elements of both

  // ───────── the list of settings: on a phone a row that scrolls; the current section is scrolled into view ─────────

  function showSection() {
    const current = document.querySelector(".ff-side [aria-current]:not([data-shown])");
    if (!current) return;
    current.dataset.shown = "";
    const row = current.parentElement;
    row.scrollLeft += current.getBoundingClientRect().right - row.getBoundingClientRect().right + 24;
  }

  // ───────── menus: at most one is open; Escape, a click outside or a chosen link closes it ─────────

  function closeMenus(except) {
    for (const menu of /** @type {NodeListOf<HTMLDetailsElement>} */ (document.querySelectorAll("details.ff-menu[open]"))) if (menu !== except) menu.open = false;
  }

  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    const menu = document.querySelector("details.ff-menu[open]");
    closeMenus();
    if (menu && menu.contains(document.activeElement)) menu.querySelector("summary").focus();
  });

  // ───────── copy: `data-copy="text"`, or `data-copy="#id"` for the text or value of that element ─────────

  async function copy(button) {
    const target = button.dataset.copy;
    const source = target.startsWith("#") ? document.querySelector(target) : null;
    const text = source ? source.value || source.textContent : target;
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      copyBySelection(text);  // the clipboard needs https or localhost
    }
    showCopied(button);
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

  function showCopied(button) {
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

  // ───────── a page that could not be loaded: its time is up, and `#root` is still empty ─────────

  const times = Object.assign({page: 10000}, window.footfallTimes);
  const RENDER_MS = 400;  // from the end of the page's callback until React has rendered the result
  const FAILED = `<main class="ff-main" id="failed"><section class="ff-void" role="alert">
    <span class="ff-i ff-i-alert" aria-hidden="true"></span><h1>Page not loaded</h1>
    <p>The server did not answer, or its database did not. What it has stored is safe.</p>
    <button class="ff-btn ff-btn-primary ff-reload" type="button"><span class="ff-i ff-i-refresh" aria-hidden="true"></span>Try again</button>
    </section></main>`;
  let isDue = false;

  function showFailure() {
    const page = document.getElementById("root"), shown = document.getElementById("failed");
    const failed = isDue && page && !page.childElementCount;
    if (failed && !shown) document.body.insertAdjacentHTML("afterbegin", FAILED);
    if (!failed && shown) shown.remove();
  }

  function onDue() {
    isDue = true;
    showFailure();
  }

  /** @param {any} target */
  const isDone = ({id, ariaBusy}) => id === "root" && ariaBusy === "false";

  // If the connection is lost, Dash never ends its callback, so there is a time limit too.
  setTimeout(onDue, times.page);
  new MutationObserver((changes) => {
    if (changes.some(({target}) => isDone(target))) setTimeout(onDue, RENDER_MS);
    showFailure();
  }).observe(document, {childList: true, subtree: true, attributeFilter: ["aria-busy"]});
})();
