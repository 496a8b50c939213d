// The all-sites page: search, order and pages of the list, with the mouse or the keys. What is asked for goes into the
// store `sites-asked`; the callback draws the answer.
//
//   /             into the search field          ArrowDown, ArrowUp   from site to site, and back into the field
//   Escape        empties the field              Enter                opens the site
(function () {
  "use strict";
  const TYPED_MS = 150;
  const START = {words: "", sort: "active", backwards: false, page: 1};
  const byId = (id) => document.getElementById(id);
  let page = null, asked = START, typing = 0, focused = "";

  function ask(change) {
    asked = {...asked, ...change};
    window.dash_clientside.set_props("sites-asked", {data: asked});
  }

  // ───────── what people do ─────────

  document.addEventListener("click", (event) => {
    const button = byId("all-sites") && event.target.closest("[data-sort], [data-page]");
    if (!button) return;
    const {sort, page: to} = button.dataset;
    if (to) ask({page: Number(to)});
    else ask({sort, backwards: sort === asked.sort && !asked.backwards, page: 1});
    if (to) scrollTo({top: 0});
  });

  document.addEventListener("input", (event) => {
    if (event.target.id !== "sites-words") return;
    clearTimeout(typing);
    typing = setTimeout(() => ask({words: event.target.value, page: 1}), TYPED_MS);
  });

  document.addEventListener("keydown", (event) => {
    const words = byId("sites-words");
    if (!words || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "/" && !event.target.closest("input, textarea, select")) focus(event, words);
    if (event.key === "ArrowDown") step(event, words, 1);
    if (event.key === "ArrowUp") step(event, words, -1);
  });

  function step(event, words, by) {
    const stops = [words, ...links()], at = stops.indexOf(document.activeElement);
    if (at >= 0 && stops[at + by]) focus(event, stops[at + by]);
  }

  function focus(event, node) {
    event.preventDefault();
    node.focus();
  }

  const links = () => [...document.querySelectorAll("#sites-list tbody a")];

  // ───────── a redraw moves the sites: the focus goes with its site ─────────

  document.addEventListener("focusin", ({target}) => {
    focused = target.closest("#sites-list tbody a") ? target.getAttribute("href") : "";
  });

  function follow() {
    if (byId("all-sites") !== page) [page, asked, focused] = [byId("all-sites"), START, ""];
    if (!focused || !document.activeElement || document.activeElement.getAttribute("href") === focused) return;
    const moved = links().find((link) => link.getAttribute("href") === focused);
    if (moved) moved.focus();
  }

  new MutationObserver(follow).observe(document, {childList: true, subtree: true, attributeFilter: ["href"]});
})();
