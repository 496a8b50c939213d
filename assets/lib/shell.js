// The frame around every page: the title of the tab, menus, copy buttons, and a message where the page could not be loaded.
(function () {
  "use strict";
  const {watch, setProps} = window.footfall;

  watch("[data-page-title]", ({dataset}) => { document.title = dataset.pageTitle; }, "data-page-title");

  // ───────── menus of a toolbar: at most one is open; Escape, a click outside or a chosen link closes it ─────────

  const openMenus = () => /** @type {HTMLDetailsElement[]} */ ([...document.querySelectorAll("details.ff-menu[open]")]);

  document.addEventListener("keydown", ({key}) => {
    if (key !== "Escape") return;
    for (const menu of openMenus()) {
      menu.open = false;
      // what had the focus may be drawn no more: then the document has it
      if (menu.contains(document.activeElement) || document.activeElement === document.body) menu.querySelector("summary").focus();
    }
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
    label.nodeValue = footfall.say("Copied");
    button.classList.add("is-copied");
    setTimeout(() => {
      label.nodeValue = before;
      button.classList.remove("is-copied");
    }, 2000);
  }

  document.addEventListener("click", ({target}) => {
    const own = target.closest("details.ff-menu a") ? null : target.closest("details.ff-menu");
    for (const menu of openMenus()) if (menu !== own) menu.open = false;
    if (target.closest("[data-copy]")) copy(target.closest("[data-copy]"));
    if (target.closest(".ff-reload")) location.reload();
  });

  // A press while the answer to the one before is under way asks nothing: Dash would drop that answer. Live's button notes
  // that it was pressed (pages/live.js).
  document.addEventListener("click", (event) => {
    const target = /** @type {Element} */ (event.target);
    if (target.closest("button[aria-busy=true]:not(#refresh)")) event.stopImmediatePropagation();
  }, true);

  // The server ends the streams of a login that ends. This page is about to be left: it does not ask why.
  document.addEventListener("submit", ({target}) => {
    if (/** @type {HTMLFormElement} */ (target).action.endsWith("/sign-out")) window.dispatchEvent(new Event("footfall-leaving"));
  });

  // ───────── a page that could not be loaded: its time is up, and `#root` is still empty ─────────

  const times = Object.assign({page: 10000}, window.footfallTimes);
  const RENDER_MS = 400;  // from the end of the page's callback until React has rendered the result

  function showFailure() {
    const root = document.getElementById("root");
    if (root && !root.childElementCount) setProps("root", {children: JSON.parse(root.dataset.failed)});
  }

  setTimeout(showFailure, times.page);  // if the connection is lost, Dash never ends its callback
  watch("#root", ({ariaBusy}) => { if (ariaBusy === "false") setTimeout(showFailure, RENDER_MS); }, "aria-busy");
})();
