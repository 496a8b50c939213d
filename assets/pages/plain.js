// The pages without Dash: a button that shows the password, the browser's time zone as the default of a list, and nothing of
// the notifications of the person before.
(function () {
  "use strict";

  function addPasswordToggle(button) {
    const field = /** @type {HTMLInputElement} */ (document.getElementById(button.dataset.shows));
    const label = button.getAttribute("aria-label");
    button.hidden = false;
    button.addEventListener("click", () => {
      const isShown = field.type === "password";
      field.type = isShown ? "text" : "password";
      button.setAttribute("aria-pressed", String(isShown));
      button.setAttribute("aria-label", isShown ? button.dataset.hide : label);
    });
    field.form.addEventListener("submit", () => { field.type = "password"; });  // else browsers would not offer to save it
  }

  function selectZone(select) {
    const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
    const zoneNames = (option) => [option.value, ...(option.dataset.also || "").split(" ")];  // Chrome uses old names, such as Asia/Calcutta
    const found = [...select.options].find((option) => zoneNames(option).includes(zone));
    if (found) found.selected = true;
  }

  try { sessionStorage.removeItem("footfall-toasts"); } catch { /* no storage, no toasts */ }  // of the person before (notices.js)

  document.addEventListener("DOMContentLoaded", () => {
    document.querySelectorAll("[data-shows]").forEach(addPasswordToggle);
    document.querySelectorAll("select[data-guess]").forEach(selectZone);
  });
})();
