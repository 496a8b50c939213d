// Keyboard shortcuts. `data-shortcuts` of the page (layouts/shortcuts.py) has their keys, each with the element that it
// presses; the sheet shows those that lead somewhere here.
//
// Keys are ignored in a form field, with a modifier, and while a dialog is open. The sheet has a switch that turns all
// shortcuts off (WCAG 2.1.4); localStorage remembers it.
(function () {
  "use strict";
  const STORAGE_KEY = "footfall-shortcuts", SEQUENCE_MS = 1500;
  const FIELDS = "input, textarea, select, [contenteditable]:not([contenteditable=false]), [role=textbox], [role=combobox]";
  const {watch, setProps} = window.footfall;
  let shortcuts = [], firstKey = "", forgetTimer;

  function isOn() {
    try { return localStorage.getItem(STORAGE_KEY) !== "off"; } catch { return true; }
  }

  function turnOn(on) {
    try { localStorage.setItem(STORAGE_KEY, on ? "on" : "off"); } catch { /* no access to storage: shortcuts stay on */ }
  }

  function isIgnored(event) {
    return event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.repeat || event.isComposing
      || event.target.closest(FIELDS) || document.querySelector("dialog[open], .modal.show");
  }

  document.addEventListener("keydown", (event) => {
    if (!isOn() || isIgnored(event)) return;
    const key = event.shiftKey ? event.key : event.key.toLowerCase(), sequence = `${firstKey} ${key}`.trim();
    const found = [sequence, key].map((typed) => shortcuts.find(([keys]) => keys === typed)).find(Boolean);
    firstKey = shortcuts.some(([keys]) => keys.startsWith(`${key} `)) ? key : "";
    clearTimeout(forgetTimer);
    forgetTimer = setTimeout(() => { firstKey = ""; }, SEQUENCE_MS);
    const target = found && document.querySelector(found[1]);
    if (!target) return;
    event.preventDefault();
    press(target);
  });

  function press(target) {
    if (target.matches("input")) return target.focus();
    target.click();
    const menu = target.closest(".dropdown");
    if (menu) setTimeout(() => (menu.querySelector(".is-current") || menu.querySelector(".dropdown-item")).focus());  // it is shown by then
  }

  document.addEventListener("click", ({target}) => {
    if (!target.closest("[data-opens=shortcuts], #account-shortcuts")) return;
    setProps("shortcuts-on", {value: isOn()});
    setProps("shortcuts", {is_open: true});
  });
  document.addEventListener("change", ({target}) => { if (target.id === "shortcuts-on") turnOn(target.checked); });

  watch("[data-shortcuts]", ({dataset}) => { shortcuts = JSON.parse(dataset.shortcuts); }, "data-shortcuts");
  watch("#shortcuts [data-press]", (row) => { row.hidden = !document.querySelector(row.dataset.press); });
})();
