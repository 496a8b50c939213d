// Keyboard shortcuts: presses what a row of the sheet names (layouts/shortcuts.py) when its keys are typed.
//
// Never while something is typed into a field, never with a modifier, never behind a dialog; and not at all once they are
// switched off on the sheet (WCAG 2.1.4), which this browser remembers.
(function () {
  "use strict";
  const KEPT = "footfall-shortcuts", NEXT_MS = 1500;
  const FIELDS = "input, textarea, select, [contenteditable]:not([contenteditable=false]), [role=textbox], [role=combobox]";
  let typed = "", forget;

  const sheet = () => /** @type {HTMLDialogElement} */ (document.getElementById("shortcuts"));

  function isOn() {
    try { return localStorage.getItem(KEPT) !== "off"; } catch { return true; }
  }

  function turn(on) {
    try { localStorage.setItem(KEPT, on ? "on" : "off"); } catch { /* storage is closed: they stay on */ }
    showSwitch();
  }

  function showSwitch() {
    document.getElementById("shortcuts-on").setAttribute("aria-checked", String(isOn()));
  }

  // ───────── typing ─────────

  function rows() {
    return sheet() ? [...sheet().querySelectorAll("[data-press]")] : [];
  }

  function isTaken(event) {
    return event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.repeat || event.isComposing
      || event.target.closest(FIELDS) || document.querySelector("dialog[open]");
  }

  function type(event) {
    if (!isOn() || isTaken(event)) return;
    const key = event.shiftKey ? event.key : event.key.toLowerCase(), both = `${typed} ${key}`.trim();
    const ways = rows().flatMap((row) => row.dataset.keys.split(",").map((keys) => ({keys, target: row.dataset.press})));
    const found = [both, key].map((keys) => ways.find((way) => way.keys === keys)).find(Boolean);
    typed = ways.some(({keys}) => keys.startsWith(`${key} `)) ? key : "";
    clearTimeout(forget);
    forget = setTimeout(() => { typed = ""; }, NEXT_MS);
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
      menu.querySelector("summary").focus();  // where the focus comes back to
    }
    for (const row of rows()) row.hidden = !document.querySelector(row.dataset.press);
    showSwitch();
    sheet().showModal();
  }

  document.addEventListener("keydown", type);
  document.addEventListener("click", ({target}) => {
    const opener = target.closest("[data-opens=shortcuts]");
    if (opener) open(opener);
    if (target.closest("[data-closes=shortcuts]") || target === sheet()) sheet().close();
    if (target.closest("#shortcuts-on")) turn(!isOn());
  });
})();
