// The field that chooses another day (layouts/pages/concurrents.py).
//
//   #day-field[data-day]    the day shown; data-last: the latest day that can be chosen
(function () {
  "use strict";
  const byId = (id) => document.getElementById(id);

  function drawField() {
    const container = byId("day-field");
    if (!container) return;
    if (!container.firstChild) {
      const input = document.createElement("input");
      Object.assign(input, {type: "date", className: "ff-input ff-day-input", min: "1971-01-01"});
      input.setAttribute("aria-label", "Day");
      input.addEventListener("change", () => { if (input.value && input.validity.valid) go(input.value); });
      container.append(input);
    }
    const input = container.querySelector("input");
    if (input.dataset.day === container.dataset.day) return;
    input.dataset.day = input.value = container.dataset.day;
    input.max = container.dataset.last;
  }

  function go(day) {
    window.dash_clientside.set_props("url", {search: `?day=${day}`});
  }

  new MutationObserver(drawField).observe(document, {childList: true, subtree: true, attributeFilter: ["data-day"]});
})();
