// The all-sites page: draws the rows, and asks for another search, order or page of the list. What is asked for goes into
// the store `sites-asked`; the answer comes as JSON in `data-part` of `#sites-list` (layouts/pages/all_sites.py, `drawn`).
//
//   ArrowDown, ArrowUp   from the search field to the sites, from site to site, and back     Enter   opens the site
//   Escape               empties the field
//
// The shortcut into the field is one of layouts/shortcuts.py.
(function () {
  "use strict";
  const TYPED_MS = 150;
  const START = {words: "", sort: "active", backwards: false, page: 1};
  const byId = (id) => document.getElementById(id);
  let list = null, drawn = "", asked = START, typing = 0;

  // ───────── drawing: everything is text ─────────

  function draw(part) {
    const focused = document.activeElement && document.activeElement.closest("#sites-list tbody a");
    const known = new Map(rows().map((row) => [row.dataset.site, row]));
    const wanted = part.rows.map((one) => filled(known.get(one.domain) || made(), one));
    list.querySelector("tbody").replaceChildren(...wanted);
    if (focused && focused.isConnected) focused.focus();  // it was taken out for a moment
    show(".ff-none", !wanted.length);
    show("table", wanted.length);
    show(".ff-turn", wanted.length);
    drawTurn(part);
    for (const button of list.querySelectorAll("[data-sort]")) {
      const order = button.dataset.sort !== part.sort ? "none" : part.upwards ? "ascending" : "descending";
      button.closest("th").setAttribute("aria-sort", order);
    }
  }

  const rows = () => [...list.querySelectorAll("tbody tr")];
  const show = (selector, shown) => { list.querySelector(selector).hidden = !shown; };

  function drawTurn({words, to}) {
    list.querySelector(".ff-turn > span").textContent = words;
    list.querySelectorAll(".ff-turn > button").forEach((button, at) => {
      button.dataset.page = to[at];
      button.disabled = !to[at];
      button.hidden = !to[0] && !to[1];
    });
  }

  function node(tag, className, ...inner) {
    const made = document.createElement(tag);
    if (className) made.className = className;
    made.append(...inner);
    return made;
  }

  function made() {
    const link = node("a", "", node("bdi", "ff-trunc"), node("small", "ff-trunc"));
    const trend = node("span", "ff-trend", node("i"));
    trend.setAttribute("role", "img");
    const cells = ["ff-num", "", "ff-num", "ff-num", "ff-num", "ff-num"].map((kind) => node("td", kind));
    cells[0].append(node("b"));
    cells[1].append(trend);
    return node("tr", "", node("td", "", link, node("span", "ff-badge")), ...cells);
  }

  function filled(row, {domain, name, href, badge, cells, trend: [shape, told]}) {
    const [site, active, line, ...figures] = row.cells, link = site.firstChild;
    row.dataset.site = domain;
    link.href = href;
    link.title = domain;
    put(link.firstChild, domain);
    put(link.lastChild, name);
    put(site.lastChild, badge);
    line.firstChild.firstChild.style.clipPath = shape;
    line.firstChild.title = told;
    line.firstChild.setAttribute("aria-label", told);
    [active, ...figures].forEach((cell, at) => {
      cell.dataset.label = cells[at][1];
      put(at ? cell : cell.firstChild, cells[at][0]);
    });
    return row;
  }

  function put(place, text) {
    if (place.textContent !== text) place.textContent = text;
    if (place.matches(".ff-badge, small")) place.hidden = !text;
  }

  // ───────── asking ─────────

  function ask(change) {
    asked = {...asked, ...change};
    window.dash_clientside.set_props("sites-asked", {data: asked});
  }

  document.addEventListener("click", ({target}) => {
    if (target.id === "sites-words") target.focus();  // a shortcut only clicks
    const button = target.closest("#sites-list :is([data-sort], [data-page])");
    if (!button) return;
    const {sort, page} = button.dataset;
    if (sort) ask({sort, backwards: sort === asked.sort && !asked.backwards, page: 1});
    else ask({page: Number(page)});
    if (page) scrollTo({top: 0});
  });

  document.addEventListener("input", ({target}) => {
    if (target.id !== "sites-words") return;
    clearTimeout(typing);
    typing = setTimeout(() => ask({words: target.value, page: 1}), TYPED_MS);
  });

  document.addEventListener("keydown", (event) => {
    const words = byId("sites-words");
    if (!words || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "ArrowDown") step(event, words, 1);
    if (event.key === "ArrowUp") step(event, words, -1);
  });

  function step(event, words, by) {
    const stops = [words, ...list.querySelectorAll("tbody a")], at = stops.indexOf(document.activeElement);
    if (at >= 0 && stops[at + by]) focus(event, stops[at + by]);
  }

  function focus(event, place) {
    event.preventDefault();
    place.focus();
  }

  // ───────── what Dash does ─────────

  function look() {
    if (byId("sites-list") !== list) [list, drawn, asked] = [byId("sites-list"), "", START];
    if (!list || !list.dataset.part || list.dataset.part === drawn) return;
    drawn = list.dataset.part;
    draw(JSON.parse(drawn));
  }

  new MutationObserver(look).observe(document, {childList: true, subtree: true, attributeFilter: ["data-part"]});
})();
