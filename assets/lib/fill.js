// Fields that fill themselves: the browser's own time zone into an empty field (`data-own-zone="id"`), and a further
// line into a text area (`data-add="line" data-to="id"` on a button).
(function () {
  "use strict";

  function put(field, text) {
    const kind = field.tagName === "TEXTAREA" ? HTMLTextAreaElement : HTMLInputElement;
    Object.getOwnPropertyDescriptor(kind.prototype, "value").set.call(field, text);  // past React, which then hears of it
    field.dispatchEvent(new Event("input", {bubbles: true}));
  }

  function fillZones() {
    for (const node of document.querySelectorAll("[data-own-zone]:not([data-filled])")) {
      const field = /** @type {HTMLInputElement} */ (document.getElementById(node.dataset.ownZone));
      if (!field) continue;
      node.dataset.filled = "";
      if (!field.value) put(field, Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC");
    }
  }

  document.addEventListener("click", (event) => {
    const button = event.target.closest("[data-add]");
    if (!button) return;
    const field = /** @type {HTMLInputElement} */ (document.getElementById(button.dataset.to));
    const lines = field.value.split("\n").map((line) => line.trim()).filter(Boolean);
    if (!lines.includes(button.dataset.add)) put(field, [...lines, button.dataset.add].join("\n"));
    field.focus();
  });

  new MutationObserver(fillZones).observe(document, {childList: true, subtree: true});
})();
