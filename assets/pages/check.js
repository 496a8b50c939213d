// The wait for a site's own visit, in the element `#first-visit`: says since when it waits, greets who comes, and helps
// when nobody does. live.js hands over what the stream says: footfallCheck.take({events, known, stats}).
//
//   data-then="reload"   greets anybody who was ever there, and becomes the Live page
//   data-then="stay"     greets the next visit, and tells of the last one before
(function () {
  "use strict";
  const times = Object.assign({greeting: 1500, help: 30000}, window.footfallTimes);
  const byId = (id) => document.getElementById(id);
  let root = null, before = null, help = 0;

  function adopt() {
    if (document.readyState === "loading") return;  // the files that load after this one are not there yet
    const node = byId("first-visit");
    if (node === root) return;
    clearTimeout(help);
    [root, before] = [node, null];
    if (!node) return;
    say("waiting-since", `Since ${clock(Date.now() / 1000)}`);
    if (byId("opted-out")) byId("opted-out").hidden = !optedOut();
    help = setTimeout(() => { const trouble = byId("trouble"); if (trouble) trouble.setAttribute("open", ""); }, times.help);
  }

  const optedOut = () => navigator.globalPrivacyControl === true || navigator.doNotTrack === "1";

  function take({events, known, stats}) {
    if (!root) return;
    const active = stats ? stats.active_sessions : 0;
    if (before === null && stats) before = active;
    if (root.dataset.then === "reload") {
      if (events.length || known.length || active) greet(events[0] || known[0]);
      return;
    }
    if (known.length && !events.length) say("last-visit", `The last one before: ${told(known[0])}`);
    if (events.length || (before !== null && active > before)) greet(events[0]);
  }

  function greet(event) {
    const greeting = byId("greeting");
    if (!greeting || !greeting.hidden) return;
    clearTimeout(help);
    greeting.hidden = false;
    root.classList.add("is-greeted");
    if (event) say("greeting-what", told(event));
    if (root.dataset.then === "reload") setTimeout(() => location.reload(), times.greeting);
  }

  const told = (event) => `${event.path} at ${clock(event.timestamp)}`;

  function say(id, words) {
    const node = byId(id);
    if (!node) return;
    node.textContent = words;
    node.hidden = false;
  }

  function clock(epoch) {
    const zone = root.dataset.timezone || "UTC";
    return `${footfallWrite.time(epoch * 1000, zone, true)} · ${zone}`;
  }

  new MutationObserver(adopt).observe(document, {childList: true, subtree: true});
  document.addEventListener("DOMContentLoaded", adopt);
  window.footfallCheck = {take};
})();
