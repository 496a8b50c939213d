// Wall mode of the Live page: for a screen that hangs somewhere. The number is large, nothing can be pressed, the screen stays
// awake. `#wall` turns it on and off, Escape and `#wall-leave` off; `?wall=1` in the address turns it on at once, for kiosks,
// and stands there as long as it is on, so that a reload comes back to it.
(function () {
  "use strict";
  const STILL_MS = 3000;  // until the pointer and the way out go from sight
  const root = document.documentElement;
  let awake = null, still = 0;

  const isOn = () => "wall" in root.dataset;

  async function enter() {
    show(true);
    try { await root.requestFullscreen({navigationUI: "hide"}); } catch { /* refused, or not there: the window is the wall */ }
  }

  function leave() {
    show(false);
    if (document.fullscreenElement) document.exitFullscreen();
  }

  function show(on) {
    const address = new URL(location.href);
    if (on) address.searchParams.set("wall", "1");
    else address.searchParams.delete("wall");
    history.replaceState(history.state, "", address);
    if (on) root.dataset.wall = "";
    else delete root.dataset.wall;
    stir();
    stayAwake();
    fit();
  }

  // The browser lets go of the lock whenever the page is hidden.
  async function stayAwake() {
    if (awake && !isOn()) awake.release();
    awake = null;
    if (!isOn() || document.hidden || !navigator.wakeLock) return;
    try { awake = await navigator.wakeLock.request("screen"); } catch { /* low battery: the screen may sleep */ }
    if (!isOn()) stayAwake();
  }

  function stir() {
    clearTimeout(still);
    root.classList.remove("is-still");
    if (isOn()) still = setTimeout(() => root.classList.add("is-still"), STILL_MS);
  }

  // The number fills the width, 128 as well as 1,234,567: the stylesheet divides by its signs. What leads elsewhere is inert.
  function fit() {
    for (const one of document.querySelectorAll(".ff-brand, #site-menu")) one.inert = isOn();
    const number = document.getElementById("active-now");
    if (number && isOn()) number.style.setProperty("--signs", String(Math.max(3, number.textContent.length)));
  }

  document.addEventListener("click", ({target}) => {
    if (target.closest("#wall")) isOn() ? leave() : enter();
    if (target.closest("#wall-leave")) leave();
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && isOn() && !document.querySelector("dialog[open]")) leave();
  });
  document.addEventListener("fullscreenchange", () => { if (isOn() && !document.fullscreenElement) leave(); });
  document.addEventListener("visibilitychange", stayAwake);
  for (const name of ["pointermove", "pointerdown"]) document.addEventListener(name, () => isOn() && stir());
  new MutationObserver(fit).observe(document, {childList: true, characterData: true, subtree: true});
  if (new URLSearchParams(location.search).has("wall")) show(true);
})();
