// The field that chooses another day (layouts/pages/concurrents.py).
//
//   #day-field[data-day]    the day shown; data-last: the latest day that can be chosen
(function () {
  "use strict";

  function draw(container) {
    const input = container.querySelector("input") || container.appendChild(field());
    input.value = container.dataset.day;
    input.max = container.dataset.last;
  }

  function field() {
    const input = document.createElement("input");
    Object.assign(input, {type: "date", className: "ff-input ff-day-input", min: "1971-01-01"});
    input.setAttribute("aria-label", footfall.say("Day"));
    input.addEventListener("change", () => {
      if (input.value && input.validity.valid) window.footfall_components.address.go(`day=${input.value}`);
    });
    return input;
  }

  window.footfall.watch("#day-field", draw, "data-day");
})();
