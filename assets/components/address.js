// The address of the page as state of our components. dcc.Location gives its query string to the callbacks.
//
// A change is a query string of the names that differ: "period=7d&interval="; an empty value removes a name, "*" removes
// all. `layouts/footfall_components/` documents the components.
window.footfall_components = window.footfall_components || {};
(function () {
  "use strict";
  const MOVES = ["popstate", "_dashprivate_pushstate"];  // Back and Forward; what dcc.Link and dcc.Location tell each other

  /** The query string after a change, with its question mark. */
  function changed(change) {
    if (change === "*") return "";
    const now = new URLSearchParams(location.search), to = [...new URLSearchParams(change)];
    for (const [name] of to) now.delete(name);
    for (const [name, value] of to) if (value) now.append(name, value);
    const query = String(now);
    return query && `?${query}`;
  }

  /** The value of a name as the server reads it: the last that is not empty, else "". */
  const value = (name, search = location.search) => new URLSearchParams(search).getAll(name).filter(Boolean).pop() || "";

  /** Goes to the changed address; `replace` makes no entry in the history. */
  function go(change, replace = false) {
    const search = changed(change);
    if (search === location.search) return;
    history[replace ? "replaceState" : "pushState"](history.state, "", location.pathname + search);
    window.dispatchEvent(new CustomEvent("_dashprivate_pushstate"));
  }

  function subscribe(moved) {
    for (const name of MOVES) window.addEventListener(name, moved);
    return () => { for (const name of MOVES) window.removeEventListener(name, moved); };
  }

  /** The query string. A component that uses it is drawn again when the address changes. */
  const useSearch = () => React.useSyncExternalStore(subscribe, () => location.search);

  /** The click with the main button alone: others are the browser's, such as a new tab. */
  const isPlain = (event) => !event.button && !event.ctrlKey && !event.metaKey && !event.altKey;

  /** Props of a link or button that applies `change` to the address, with Shift `out`. */
  function way(change, out, clicked) {
    return {
      onClick(event) {
        if (!isPlain(event)) return;
        event.preventDefault();
        const isOut = Boolean(out) && event.shiftKey;
        if (clicked) clicked(isOut);
        go(isOut ? out : change);
      },
    };
  }

  /** As `way`, for a link: its href is the whole address, so that it can be opened in a new tab. */
  const link = (change, out, clicked) => ({href: location.pathname + changed(change), ...way(change, out, clicked)});

  window.footfall_components.address = {changed, value, go, useSearch, way, link, isPlain};
})();
