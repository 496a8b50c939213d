// Sets the chosen theme before the first paint. Without a choice the stylesheet follows the system.
(function (root) {
  let chosen = null;
  try { chosen = localStorage.getItem("footfall-theme"); } catch { /* no access to storage */ }
  if (chosen === "light" || chosen === "dark") root.dataset.bsTheme = chosen;
})(document.documentElement);
