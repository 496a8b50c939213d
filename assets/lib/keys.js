// Keyboard shortcuts. Each row of the shortcut sheet (layouts/shortcuts.py) names keys and the element that they press.
//
// Keys are ignored in a form field, with a modifier, and while a dialog is open. The sheet has a switch that turns all
// shortcuts off (WCAG 2.1.4); localStorage remembers it.
(function () {
  "use strict";
  const STORAGE_KEY = "footfall-shortcuts", SEQUENCE_MS = 1500;
  const FIELDS = "input, textarea, select, [contenteditable]:not([contenteditable=false]), [role=textbox], [role=combobox]";
  let firstKey = "", forgetTimer;

  const sheet = () => /** @type {HTMLDialogElement} */ (document.getElementById("shortcuts"));

  function isOn() {
    try { return localStorage.getItem(STORAGE_KEY) !== "off"; } catch { return true; }
  }

  function turnOn(on) {
    try { localStorage.setItem(STORAGE_KEY, on ? "on" : "off"); } catch { /* no access to storage: shortcuts stay on */ }
    showSwitch();
  }

  function showSwitch() {
    document.getElementById("shortcuts-on").setAttribute("aria-checked", String(isOn()));
  }

  // ───────── typing ─────────

  function rows() {
    return sheet() ? [...sheet().querySelectorAll("[data-press]")] : [];
  }

  function isIgnored(event) {
    return event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.repeat || event.isComposing
      || event.target.closest(FIELDS) || document.querySelector("dialog[open]");
  }

  function onKey(event) {
    if (!isOn() || isIgnored(event)) return;
    const key = event.shiftKey ? event.key : event.key.toLowerCase(), sequence = `${firstKey} ${key}`.trim();
    const shortcuts = rows().flatMap((row) => row.dataset.keys.split(",").map((keys) => ({keys, target: row.dataset.press})));
    const found = [sequence, key].map((keys) => shortcuts.find((shortcut) => shortcut.keys === keys)).find(Boolean);
    firstKey = shortcuts.some(({keys}) => keys.startsWith(`${key} `)) ? key : "";
    clearTimeout(forgetTimer);
    forgetTimer = setTimeout(() => { firstKey = ""; }, SEQUENCE_MS);
    const target = found && document.querySelector(found.target);
    if (!target) return;
    event.preventDefault();
    press(target);
  }

  function press(target) {
    if (target.matches("input")) return target.focus();
    target.click();
    const menu = target.closest("details.ff-menu[open]");
    if (menu) (menu.querySelector("[aria-current]") || menu.querySelector("a")).focus();
  }

  // ───────── the sheet ─────────

  function open(opener) {
    const menu = opener.closest("details.ff-menu");
    if (menu) {
      menu.open = false;
      menu.querySelector("summary").focus();  // the focus returns here when the sheet closes
    }
    for (const row of rows()) row.hidden = !document.querySelector(row.dataset.press);
    showSwitch();
    sheet().showModal();
  }

  document.addEventListener("keydown", onKey);
  document.addEventListener("click", ({target}) => {
    const opener = target.closest("[data-opens=shortcuts]");
    if (opener) open(opener);
    if (target.closest("[data-closes=shortcuts]") || target === sheet()) sheet().close();
    if (target.closest("#shortcuts-on")) turnOn(!isOn());
  });
})();
