// Wall mode of the Live page, for a screen on a wall: the number is large, there are no controls, and the screen stays on.
// `#wall` turns it on and off; Escape and `#wall-leave` turn it off. `?wall=1` in the address turns it on at once, for
// kiosks; the address has it as long as the mode is on, so that a reload stays in wall mode.
(function () {
  "use strict";
  const IDLE_MS = 3000;  // without activity until the pointer and the exit button are hidden
  const root = document.documentElement;
  let wakeLock = null, idleTimer = 0;

  const isOn = () => "wall" in root.dataset;

  async function enter() {
    setOn(true);
    try { await root.requestFullscreen({navigationUI: "hide"}); } catch { /* full screen is denied or not supported: the mode fills the window */ }
  }

  function leave() {
    setOn(false);
    if (document.fullscreenElement) document.exitFullscreen();
  }

  function setOn(on) {
    const address = new URL(location.href);
    if (on) address.searchParams.set("wall", "1");
    else address.searchParams.delete("wall");
    history.replaceState(history.state, "", address);
    if (on) root.dataset.wall = "";
    else delete root.dataset.wall;
    onActivity();
    updateWakeLock();
    fit();
  }

  // The browser releases the wake lock when the page is hidden, so it is requested again when the page is visible.
  async function updateWakeLock() {
    if (wakeLock && !isOn()) wakeLock.release();
    wakeLock = null;
    if (!isOn() || document.hidden || !navigator.wakeLock) return;
    try { wakeLock = await navigator.wakeLock.request("screen"); } catch { /* low battery: the screen may sleep */ }
    if (!isOn()) updateWakeLock();
  }

  function onActivity() {
    clearTimeout(idleTimer);
    root.classList.remove("is-still");
    if (isOn()) idleTimer = setTimeout(() => root.classList.add("is-still"), IDLE_MS);
  }

  // The number fills the width, 128 as well as 1,234,567: the stylesheet divides by its number of characters. Links to other
  // pages are inert.
  function fit() {
    for (const node of document.querySelectorAll(".ff-brand, #site-menu")) node.inert = isOn();
    const number = document.getElementById("active-now");
    if (number && isOn()) number.style.setProperty("--signs", String(Math.max(3, number.textContent.length)));
  }

  document.addEventListener("click", ({target}) => {
    if (target.closest("#wall")) isOn() ? leave() : enter();
    if (target.closest("#wall-leave")) leave();
  });
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && isOn() && !document.querySelector("dialog[open], .modal.show")) leave();
  });
  document.addEventListener("fullscreenchange", () => { if (isOn() && !document.fullscreenElement) leave(); });
  document.addEventListener("visibilitychange", updateWakeLock);
  for (const name of ["pointermove", "pointerdown"]) document.addEventListener(name, () => isOn() && onActivity());
  window.footfall.watch(".ff-brand, #site-menu", fit);
  window.footfall.watch("#active-now", (number) => {
    fit();
    const observer = new MutationObserver(fit);
    observer.observe(number, {childList: true, characterData: true, subtree: true});
    return () => observer.disconnect();
  });
  if (new URLSearchParams(location.search).has("wall")) setOn(true);
})();
