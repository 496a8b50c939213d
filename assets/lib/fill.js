// Fills fields: an empty field with the browser's time zone (`data-own-zone="id"`), and a text area with one more line
// when a button is pressed (`data-add="line" data-to="id"` on the button).
(function () {
  "use strict";

  function setValue(field, text) {
    const kind = field.tagName === "TEXTAREA" ? HTMLTextAreaElement : HTMLInputElement;
    // React replaces the setter of a field; only the browser's own setter lets React see the change
    Object.getOwnPropertyDescriptor(kind.prototype, "value").set.call(field, text);
    field.dispatchEvent(new Event("input", {bubbles: true}));
  }

  function fillZones() {
    for (const node of document.querySelectorAll("[data-own-zone]:not([data-filled])")) {
      const field = /** @type {HTMLInputElement} */ (document.getElementById(node.dataset.ownZone));
      if (!field) continue;
      node.dataset.filled = "";
      if (!field.value) setValue(field, Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC");
    }
  }

  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-add]");
    if (!button) return;
    const field = /** @type {HTMLInputElement} */ (document.getElementById(button.dataset.to));
    const lines = field.value.split("\n").map((line) => line.trim()).filter(Boolean);
    if (!lines.includes(button.dataset.add)) setValue(field, [...lines, button.dataset.add].join("\n"));
    field.focus();
  });

  new MutationObserver(fillZones).observe(document, {childList: true, subtree: true});
})();
