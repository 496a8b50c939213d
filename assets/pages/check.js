// Waits for a site's first visit, in the element `#first-visit`: shows since when it waits, confirms the first visit, and
// opens the help when none comes. live.js passes on the messages of the stream: footfall.check.take({events, known, stats}).
//
//   data-then="live"     confirms any visit, past ones too; then the page becomes the Live page
//   data-then="stay"     confirms the next visit, and shows the last one before
(function () {
  "use strict";
  const times = Object.assign({greeting: 1500, help: 30000}, window.footfallTimes);
  const byId = (id) => document.getElementById(id);
  let root = null, activeBefore = null, helpTimer = 0;

  function begin(node) {
    [root, activeBefore] = [node, null];
    show("waiting-since", footfall.say("Since {time}", {time: clock(Date.now() / 1000)}));
    if (byId("opted-out")) byId("opted-out").hidden = !hasOptedOut();
    helpTimer = setTimeout(() => { const trouble = byId("trouble"); if (trouble) trouble.setAttribute("open", ""); }, times.help);
    return end;
  }

  function end() {
    clearTimeout(helpTimer);
    root = null;
  }

  const hasOptedOut = () => navigator.globalPrivacyControl === true || navigator.doNotTrack === "1";

  function take({events, known, stats}) {
    if (!root) return;
    const active = stats ? stats.active_sessions : 0;
    if (activeBefore === null && stats) activeBefore = active;
    if (root.dataset.then === "live") {
      if (events.length || known.length || active) greet(events[0] || known[0]);
      return;
    }
    if (known.length && !events.length) show("last-visit", footfall.say("The last one before: {visit}", {visit: described(known[0])}));
    if (events.length || (activeBefore !== null && active > activeBefore)) greet(events[0]);
  }

  function greet(event) {
    const greeting = byId("greeting");
    if (!greeting || !greeting.hidden) return;
    clearTimeout(helpTimer);
    greeting.hidden = false;
    root.classList.add("is-greeted");
    if (event) show("greeting-what", described(event));
    if (root.dataset.then === "live") setTimeout(becomeLive, times.greeting);
  }

  // Dash asks for the page of the address once more. A reload would leave the window blank for a third of a second.
  const becomeLive = () => window.footfall.setProps("url", {pathname: location.pathname});

  const described = (event) => footfall.say("{page} at {time}", {page: event.path, time: clock(event.timestamp)});

  function show(id, text) {
    const node = byId(id);
    if (!node) return;
    node.textContent = text;
    node.hidden = false;
  }

  function clock(epoch) {
    const zone = root.dataset.timezone || "UTC";
    return `${footfall.write.time(epoch * 1000, zone, true)} · ${zone}`;
  }

  window.footfall.watch("#first-visit", begin);
  window.footfall = {...window.footfall, check: {take}};
})();
