// Before the first paint: the theme that was chosen here, else the system's.
(function (root) {
  let chosen = null;
  try { chosen = localStorage.getItem("footfall-theme"); } catch { /* storage is off */ }
  if (chosen === "light" || chosen === "dark") root.dataset.bsTheme = chosen;
})(document.documentElement);
