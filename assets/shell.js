// The frame around every page: the theme button, menus that close, buttons that copy, a page that could not be had.
(function () {
  "use strict";
  const KEY = "footfall-theme", html = document.documentElement;

  // ───────── theme: `#theme` switches; the choice is kept in this browser and followed by its other tabs ─────────

  function stored() {
    try { return localStorage.getItem(KEY); } catch { return null; }
  }

  function applyTheme(theme) {
    html.dataset.bsTheme = theme;
  }

  function switchTheme() {
    const theme = html.dataset.bsTheme === "dark" ? "light" : "dark";
    applyTheme(theme);
    try { localStorage.setItem(KEY, theme); } catch { /* storage is closed: the choice holds for this page */ }
  }

  const system = matchMedia("(prefers-color-scheme: dark)");
  const chosen = () => (["light", "dark"].includes(stored()) ? stored() : system.matches ? "dark" : "light");
  applyTheme(chosen());
  system.addEventListener("change", () => applyTheme(chosen()));
  window.addEventListener("storage", (event) => { if (event.key === KEY) applyTheme(chosen()); });

  // ───────── menus: one open at a time; Escape, a click outside or a chosen link closes ─────────

  function closeMenus(except) {
    for (const menu of document.querySelectorAll("details.ff-menu[open]")) if (menu !== except) menu.open = false;
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
    if (event.target.closest("#theme")) switchTheme();
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

  // Where the line drops Dash never ends its callback, so there is a time for it too.
  setTimeout(late, times.page);
  new MutationObserver((changes) => {
    if (changes.some(({target}) => target.id === "root" && target.ariaBusy === "false")) setTimeout(late, DRAWING_MS);
    look();
  }).observe(document, {childList: true, subtree: true, attributeFilter: ["aria-busy"]});
})();
