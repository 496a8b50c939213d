// The pages without Dash: a button that shows the password, and the time zone that this browser is in.
(function () {
  "use strict";

  function offersToShow(button) {
    const field = /** @type {HTMLInputElement} */ (document.getElementById(button.dataset.shows));
    button.hidden = false;
    button.addEventListener("click", () => {
      const shown = field.type === "password";
      field.type = shown ? "text" : "password";
      button.setAttribute("aria-pressed", String(shown));
      button.setAttribute("aria-label", shown ? "Hide the password" : "Show the password");
    });
    field.form.addEventListener("submit", () => { field.type = "password"; });  // browsers offer to keep it then
  }

  function guess(select) {
    const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
    const names = (option) => [option.value, ...(option.dataset.also || "").split(" ")];  // Chrome says Asia/Calcutta
    const found = [...select.options].find((option) => names(option).includes(zone));
    if (found) found.selected = true;
  }

  document.addEventListener("DOMContentLoaded", () => {
    document.querySelectorAll("[data-shows]").forEach(offersToShow);
    document.querySelectorAll("select[data-guess]").forEach(guess);
  });
})();
