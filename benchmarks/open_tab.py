"""A Live page that stays open for an hour of 200 events a second, and is used; then 1,000 events a second.

Memory, the longest frame, how many rows are kept, and how often the document changes in a frame.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from itertools import cycle
from pathlib import Path
from typing import Any, NamedTuple

from selenium.webdriver import Chrome

from benchmarks.chromium import chromium, heap_mb, sign_in, wait_until
from benchmarks.common import SITE, Report, add_rules, footfall, memory_mb, times
from benchmarks.pace import NOTIFYING, pacing
from tests.support.serving import Server
from tests.support.serving import pageview as a_pageview

A_SECOND, MANY_A_SECOND = 200, 1_000
MINUTES, MINUTE_S, SETTLED_MINUTES, USED = 60, 60.0, 5, 0.4
MAX_GROWTH, MAX_FRAME_MS, MAX_ROWS, MAX_TOASTS = 1.5, 200, 100, 3

# In the page: the times between its frames, and for each place how often it changed in one frame, and its rows.
METER = """
const PLACES = {feed: "#feed", toasts: ".ff-toasts", list: "#notices ol"};
const meter = window.meter = {isOn: false, frames: [], most: {}, rows: {}};
let before = 0, changes = {};
const frame = (now) => {
  if (meter.isOn && before) meter.frames.push(now - before);
  before = meter.isOn ? now : 0;
  for (const [place, times] of Object.entries(changes)) meter.most[place] = Math.max(meter.most[place] || 0, times);
  changes = {};
  requestAnimationFrame(frame);
};
requestAnimationFrame(frame);
new MutationObserver((records) => {
  for (const [place, selector] of Object.entries(PLACES)) {
    const node = document.querySelector(selector);
    if (!node || !records.some(({target}) => node.contains(target))) continue;
    changes[place] = (changes[place] || 0) + 1;
    const rows = place === "toasts" ? node.querySelectorAll(".ff-toast") : node.children;
    meter.rows[place] = Math.max(meter.rows[place] || 0, rows.length);
  }
}).observe(document.body, {childList: true, characterData: true, subtree: true});
"""
READ_METER = """
const {frames, most, rows} = window.meter;
Object.assign(window.meter, {frames: [], most: {}, rows: {}});
const more = [...document.querySelectorAll(".ff-toasts > button, #feed-more")].map(({textContent}) => textContent);
return {frames, most, rows, more};
"""
LISTENING = "return Boolean(document.querySelector('#bell[data-live=true]'))"
CHIP = "document.querySelector(`#feed-chips [data-show='${arguments[0]}']`).click()"
FEED_AT = """
const {left, top, width} = document.querySelector("#feed").getBoundingClientRect();
return [left + width / 2, Math.max(top + 20, 20)];
"""
OPEN_CENTRE = "document.querySelector('#bell').click()"
CLOSE_CENTRE = "document.querySelector('#centre .btn-close').click()"
IS_OPEN = "return Boolean(document.querySelector('#centre.show #notices'))"


class Seen(NamedTuple):
    """What the meter has seen: ms between frames while the page was used, and by place the most changes in one frame,
    and the most rows; what stands below the toasts and the feed.
    """

    frames: list[float]
    most: dict[str, int]
    rows: dict[str, int]
    more: list[str]


def run(report: Report, folder: Path, *, short: bool) -> None:
    """Prints megabytes, milliseconds and counts; a short run takes 12 minutes of 2 s."""
    minutes, minute_s = (12, 2.0) if short else (MINUTES, MINUTE_S)
    with footfall(folder) as server, chromium(folder / "browser") as browser:
        _open(server, browser, folder)
        with pacing(server.port, A_SECOND, "mixed") as sender:
            heaps, seen = _hour(browser, minutes, minute_s)
        assert sender.load
        report.figure("events/s sent meanwhile", f"{sender.load.rate:.1f}, one in a hundred notifies")
        report.figure(
            f"heap, minute {SETTLED_MINUTES} and {minutes}", f"{heaps[SETTLED_MINUTES - 1]:.1f} → {heaps[-1]:.1f} MB"
        )
        growth = max(heaps[SETTLED_MINUTES:]) / heaps[SETTLED_MINUTES - 1]
        report.at_most("  the most of all later minutes", growth, MAX_GROWTH, "times")
        _print(report, seen)
        with pacing(server.port, MANY_A_SECOND, "mixed", 500_000_000) as sender:
            time.sleep(minute_s / 2)
            seen = [_used(browser, minute_s)]
        assert sender.load
        report.figure("events/s sent then", f"{sender.load.rate:.1f}, p99 of their answers {sender.load.p99:.0f} ms")
        _print(report, seen)
        report.figure("below toasts and feed", " · ".join(seen[-1].more) or "nothing")
        report.figure("memory of the server", f"{memory_mb(server.process.pid):.0f} MB")


def _open(server: Server, browser: Chrome, folder: Path) -> None:
    """The Live page, with rules that notify."""
    add_rules(server, folder, NOTIFYING)
    server.collect(a_pageview("a-first-visit"))
    sign_in(browser, server)
    browser.get(f"{server.url}/live/{SITE}")
    wait_until(lambda: browser.execute_script(LISTENING), "the bell listens")
    wait_until(lambda: browser.execute_script("return document.querySelector('#feed > li')"), "the feed is there")
    browser.execute_cdp_cmd("Performance.enable", {})
    browser.execute_script(METER)


def _hour(browser: Chrome, minutes: int, minute_s: float) -> tuple[list[float], list[Seen]]:
    """The heap at the end of each minute, and what was seen in the part of it in which the page was used."""
    heaps, seen = [], []
    for _ in range(minutes):
        begun = time.monotonic()
        seen.append(_used(browser, minute_s * USED))
        time.sleep(max(0.0, begun + minute_s - time.monotonic()))
        heaps.append(heap_mb(browser))
    return heaps, seen


def _print(report: Report, seen: Sequence[Seen]) -> None:
    frames = [ms for one in seen for ms in one.frames]
    report.figure("  between frames, while it is used", f"{times(frames)} · {len(frames):,} frames")
    report.at_most("  the longest", max(frames), MAX_FRAME_MS, "ms")
    report.figure("  frames over 50 ms", f"{sum(ms > 50 for ms in frames) / len(frames):.2%}")
    for place, limit in (("feed", MAX_ROWS), ("list", MAX_ROWS), ("toasts", MAX_TOASTS)):
        rows, most = (max((getattr(one, name).get(place, 0) for one in seen), default=0) for name in ("rows", "most"))
        report.figure(f"  {place}: rows, and changes in one frame, at most", f"{rows}, {most}")
        report.zero(f"  {place}: rows too many", max(0, rows - limit))
        report.at_most(f"  {place}: changes in one frame", most, 1, "")


# ── a person ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def _used(browser: Chrome, seconds: float) -> Seen:
    """A person scrolls, holds the feed with the mouse, filters it and looks at the notifications, again and again."""
    browser.execute_script(READ_METER)
    browser.execute_script("window.meter.isOn = true")
    until = time.monotonic() + seconds
    for act in cycle(ACTS):
        act(browser)
        if time.monotonic() > until:
            break
        time.sleep(0.1)
    _close_centre(browser)
    browser.execute_script("window.meter.isOn = false")
    return Seen(**browser.execute_script(READ_METER))


def _scroll(by: int) -> Callable[[Chrome], None]:
    def act(browser: Chrome) -> None:
        for _ in range(5):
            _mouse(browser, "mouseWheel", 700, 500, deltaX=0, deltaY=by)
            time.sleep(0.05)

    return act


def _hold_feed(browser: Chrome) -> None:
    x, y = browser.execute_script(FEED_AT)
    _mouse(browser, "mouseMoved", x, y)
    time.sleep(0.5)
    _mouse(browser, "mouseMoved", 5, 5)


def _choose(name: str) -> Callable[[Chrome], None]:
    return lambda browser: browser.execute_script(CHIP, name)


def _open_centre(browser: Chrome) -> None:
    browser.execute_script(OPEN_CENTRE)
    wait_until(lambda: browser.execute_script(IS_OPEN), "the notifications are open")
    time.sleep(0.5)


def _close_centre(browser: Chrome) -> None:
    if browser.execute_script(IS_OPEN):
        browser.execute_script(CLOSE_CENTRE)
        wait_until(lambda: not browser.execute_script(IS_OPEN), "the notifications are closed")


def _mouse(browser: Chrome, kind: str, x: float, y: float, **more: Any) -> None:
    browser.execute_cdp_cmd("Input.dispatchMouseEvent", {"type": kind, "x": x, "y": y, **more})


ACTS = (
    *(_scroll(120), _choose("event"), _hold_feed, _open_centre, _close_centre),
    *(_choose("pageview"), _scroll(-120), _choose("all"), _hold_feed),
)
