// The all-sites page: draws the rows, and requests another search, order or page of the list. The request goes into the
// store `sites-asked`; the answer arrives as JSON in `data-part` of `#sites-list` (layouts/pages/all_sites.py).
//
//   ArrowDown, ArrowUp   move the focus between the search field and the sites     Enter   opens the site
//   Escape               empties the search field
//
// layouts/shortcuts.py has the shortcut that focuses the search field.
(function () {
  "use strict";
  const TYPING_PAUSE_MS = 150;
  const DEFAULTS = {words: "", sort: "active", backwards: false, page: 1};
  const byId = (id) => document.getElementById(id);
  let list = null, drawnPart = "", request = DEFAULTS, searchTimer = 0;

  // ───────── drawing: every value is written as text ─────────

  function draw(part) {
    const focused = document.activeElement && document.activeElement.closest("#sites-list tbody a");
    const rowsBySite = new Map(rows().map((row) => [row.dataset.site, row]));
    const newRows = part.rows.map((site) => fillRow(rowsBySite.get(site.domain) || newRow(), site));
    list.querySelector("tbody").replaceChildren(...newRows);
    if (focused && focused.isConnected) focused.focus();  // replaceChildren removed it for a moment
    show(".ff-none", !newRows.length);
    show("table", newRows.length);
    show(".ff-turn", newRows.length);
    drawPager(part);
    for (const button of list.querySelectorAll("[data-sort]")) {
      const order = button.dataset.sort !== part.sort ? "none" : part.upwards ? "ascending" : "descending";
      button.closest("th").setAttribute("aria-sort", order);
    }
  }

  const rows = () => [...list.querySelectorAll("tbody tr")];
  const show = (selector, shown) => { list.querySelector(selector).hidden = !shown; };

  function drawPager({words, to}) {
    list.querySelector(".ff-turn > span").textContent = words;
    list.querySelectorAll(".ff-turn > button").forEach((button, index) => {
      button.dataset.page = to[index];
      button.disabled = !to[index];
      button.hidden = !to[0] && !to[1];
    });
  }

  function node(tag, className, ...inner) {
    const element = document.createElement(tag);
    if (className) element.className = className;
    element.append(...inner);
    return element;
  }

  function newRow() {
    const link = node("a", "", node("bdi", "ff-trunc"), node("small", "ff-trunc"));
    const trend = node("span", "ff-trend", node("i"));
    trend.setAttribute("role", "img");
    const cells = ["ff-num", "", "ff-num", "ff-num", "ff-num", "ff-num"].map((kind) => node("td", kind));
    cells[0].append(node("b"));
    cells[1].append(trend);
    return node("tr", "", node("td", "", link, node("span", "ff-badge")), ...cells);
  }

  function fillRow(row, {domain, name, href, badge, cells, trend: [shape, trendText]}) {
    const [site, active, line, ...figures] = row.cells, link = site.firstChild;
    row.dataset.site = domain;
    link.href = href;
    link.title = domain;
    setText(link.firstChild, domain);
    setText(link.lastChild, name);
    setText(site.lastChild, badge);
    line.firstChild.firstChild.style.clipPath = shape;
    line.firstChild.title = trendText;
    line.firstChild.setAttribute("aria-label", trendText);
    [active, ...figures].forEach((cell, index) => {
      cell.dataset.label = cells[index][1];
      setText(index ? cell : cell.firstChild, cells[index][0]);
    });
    return row;
  }

  function setText(element, text) {
    if (element.textContent !== text) element.textContent = text;
    if (element.matches(".ff-badge, small")) element.hidden = !text;
  }

  // ───────── requests ─────────

  function load(change) {
    request = {...request, ...change};
    window.dash_clientside.set_props("sites-asked", {data: request});
  }

  document.addEventListener("click", ({target}) => {
    if (target.id === "sites-words") target.focus();  // a keyboard shortcut only clicks
    const button = target.closest("#sites-list :is([data-sort], [data-page])");
    if (!button) return;
    const {sort, page} = button.dataset;
    if (sort) load({sort, backwards: sort === request.sort && !request.backwards, page: 1});
    else load({page: Number(page)});
    if (page) scrollTo({top: 0});
  });

  document.addEventListener("input", ({target}) => {
    if (target.id !== "sites-words") return;
    clearTimeout(searchTimer);
    searchTimer = setTimeout(() => load({words: target.value, page: 1}), TYPING_PAUSE_MS);
  });

  document.addEventListener("keydown", (event) => {
    const words = byId("sites-words");
    if (!words || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "ArrowDown") moveFocus(event, words, 1);
    if (event.key === "ArrowUp") moveFocus(event, words, -1);
  });

  function moveFocus(event, words, step) {
    const targets = [words, ...list.querySelectorAll("tbody a")], index = targets.indexOf(document.activeElement);
    if (index >= 0 && targets[index + step]) focus(event, targets[index + step]);
  }

  function focus(event, element) {
    event.preventDefault();
    element.focus();
  }

  // ───────── changes by Dash ─────────

  function onChange() {
    if (byId("sites-list") !== list) [list, drawnPart, request] = [byId("sites-list"), "", DEFAULTS];
    if (!list || !list.dataset.part || list.dataset.part === drawnPart) return;
    drawnPart = list.dataset.part;
    draw(JSON.parse(drawnPart));
  }

  new MutationObserver(onChange).observe(document, {childList: true, subtree: true, attributeFilter: ["data-part"]});
})();
