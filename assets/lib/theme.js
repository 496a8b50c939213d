// The theme: light or dark as the reader chose, else as the system is set. It is set before the first paint, so this file
// is loaded in the head.
//
// `#theme` switches between both; `[data-theme]` in `#themes` chooses light, dark or the system's. localStorage stores the
// choice; other tabs follow it.
(function (root) {
  "use strict";
  const KEY = "footfall-theme", system = matchMedia("(prefers-color-scheme: dark)");
  let choice = "system";

  function stored() {
    try {
      const theme = localStorage.getItem(KEY);
      return ["light", "dark"].includes(theme) ? theme : "system";
    } catch { return choice; }  // no access to storage: the choice lasts as long as this page
  }

  function apply() {
    root.dataset.bsTheme = choice !== "system" ? choice : system.matches ? "dark" : "light";
    for (const each of document.querySelectorAll("#themes [data-theme]")) mark(each);
  }

  const mark = (button) => button.setAttribute("aria-pressed", String(button.dataset.theme === choice));

  function choose(theme) {
    choice = theme;
    apply();
    try { localStorage.setItem(KEY, theme); } catch { /* as above */ }
  }

  function follow() {
    choice = stored();
    apply();
  }

  follow();
  system.addEventListener("change", apply);
  window.addEventListener("storage", ({key}) => { if (key === KEY) follow(); });
  document.addEventListener("click", ({target}) => {
    const theme = target.closest("#themes [data-theme]");
    if (theme) choose(theme.dataset.theme);
    if (target.closest("#theme")) choose(root.dataset.bsTheme === "dark" ? "light" : "dark");
  });
  document.addEventListener("DOMContentLoaded", () => { if (window.footfall) window.footfall.watch("#themes [data-theme]", mark); });
})(document.documentElement);
