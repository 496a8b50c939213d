// The field that chooses another day (layouts/pages/concurrents.py).
//
//   #day-field[data-day]    the day shown; data-last: the latest day that can be chosen
(function () {
  "use strict";
  const TYPED_MS = 800;  // after the last change of a day that is typed: each of its parts changes it
  let timer = 0, isTyped = false, isChosen = false;

  // Each answer has a new container. After a choice the new field has the focus, as the old one had.
  function draw(container) {
    const input = container.querySelector("input") || container.appendChild(field());
    input.value = container.dataset.day;
    input.max = container.dataset.last;
    if (isChosen) input.focus();
    isChosen = false;
  }

  function field() {
    const input = document.createElement("input");
    Object.assign(input, {type: "date", className: "ff-input ff-day-input", min: "1971-01-01"});
    input.setAttribute("aria-label", footfall.say("Day"));
    input.addEventListener("keydown", () => { isTyped = true; });
    input.addEventListener("pointerdown", () => { isTyped = false; });
    input.addEventListener("change", () => {
      clearTimeout(timer);
      timer = setTimeout(choose, isTyped ? TYPED_MS : 0, input);
    });
    return input;
  }

  function choose(input) {
    if (!input.isConnected || !input.value || !input.validity.valid) return;
    isChosen = document.activeElement === input;
    window.footfall_components.address.go(`day=${input.value}`);
  }

  window.footfall.watch("#day-field", draw, "data-day");
})();
