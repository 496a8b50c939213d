"""The Overview of a year of a million pageviews in a real browser: its first load, and three ways to change it.

Each way is timed from the event of the person to the last paint: a click on a row of a list, a drag on the chart, and
another period from the menu. Twenty admins open the same page at once at the end.
"""

from __future__ import annotations

import http.client
import json
import re
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import NamedTuple

from selenium.webdriver import Chrome

from analytics.base.config import Config
from analytics.sites import store
from analytics.storage.database import Database
from benchmarks.chromium import chromium, sign_in, wait_until
from benchmarks.common import SITE, Report, percentile, serving, times
from benchmarks.history_data import write
from benchmarks.wire import wire_of
from tests.support.serving import Server

CALLS = "/_dash-update-component"
VISITS, YEAR_S, DAY_S = 300_000, 365 * 86_400, 86_400
MAX_MS = {"30d": 400, "12mo": 550}
MAX_FIRST_BYTES, MAX_USEFUL_BYTES = 1_000_000, 550_000
ADMINS = 20

# Notes when the page is painted for the last time after the next event of that kind.
WATCH = """
const [kind] = arguments, page = document.getElementById("overview"), noted = window.repaint = {begun: 0, last: 0};
addEventListener(kind, () => { noted.begun = noted.last = performance.now(); }, {capture: true, once: true});
const painted = () => { noted.last = performance.now(); };
noted.watching = new MutationObserver(() => requestAnimationFrame(() => setTimeout(painted)));
noted.watching.observe(page, {attributes: true, childList: true, characterData: true, subtree: true});
"""
# The ms from the event to that paint: no part is busy, and nothing has changed for 200 ms.
PAINTED = """
const done = arguments[0], noted = window.repaint;
const look = setInterval(() => {
  const isBusy = document.querySelector("#overview [data-part][aria-busy=true]");
  if (!noted.begun || isBusy || performance.now() - noted.last < 200) return;
  clearInterval(look);
  noted.watching.disconnect();
  done(noted.last - noted.begun);
}, 20);
"""
CLICK_ROW = """
const rows = document.querySelectorAll("#overview .ff-barred .ff-lbl");
rows[arguments[0] % rows.length].click();
"""
CHOOSE_PERIOD = "document.querySelector(`#overview-period a[data-change*='period=${arguments[0]}&']`).click()"
# The left edge, the middle from the top, and the width of the chart, in px.
PLOT = """
const plot = document.querySelector("#overview-chart").querySelector(".nsewdrag");
plot.scrollIntoView({block: "center"});
const {left, top, width, height} = plot.getBoundingClientRect();
return [left, top + height / 2, width];
"""
# In every page, before its own scripts: notes the bytes and the moment at which the first number was painted.
NOTE_NUMBER = """
new MutationObserver((_, watching) => {
  const number = document.querySelector("#overview-stats .ff-v, #active-now");
  if (!number || !/[0-9]/.test(number.textContent)) return;
  watching.disconnect();
  requestAnimationFrame(() => setTimeout(() => { window.numberAt = performance.now(); }));
}).observe(document, {childList: true, characterData: true, subtree: true});
"""
# The moment (ms) of that paint, and the bytes of what had arrived by then.
USEFUL = """
const at = window.numberAt, loads = ["navigation", "resource"].flatMap((kind) => performance.getEntriesByType(kind));
const size = ({name, responseEnd, transferSize}) => (name && responseEnd <= at ? transferSize : 0);
return at ? {at, bytes: loads.reduce((sum, load) => sum + size(load), 0)} : null;
"""
QUIET = "return !document.querySelector('#overview [data-part][aria-busy=true]')"
DRAWN = """
return document.querySelectorAll("#overview .ff-barred .ff-lbl").length > 20
  && Boolean(document.querySelector("#overview-chart .js-plotly-plot .main-svg"));
"""


class Way(NamedTuple):
    """A way to change the page: where it starts, what the person does, and the event that starts the clock."""

    name: str
    start: str
    act: Callable[[Chrome, int], None]
    event: str


class Repaint(NamedTuple):
    """Milliseconds until the page is painted for the last time, and of the browser's main thread meanwhile."""

    painted: float
    browser: float


def run(report: Report, folder: Path, *, short: bool) -> None:
    """Prints bytes and milliseconds; a short run has a tenth of the rows."""
    config, times_each, rounds = Config(data_dir=folder / "data"), 12 if short else 60, 3 if short else 20
    _fill(report, config, VISITS // 10 if short else VISITS)
    with serving(config) as server, chromium(folder / "browser") as browser:
        wait_until((config.data_dir / "columnar.duckdb").exists, "the replica is made", seconds=120)
        browser.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": NOTE_NUMBER})
        browser.execute_cdp_cmd("Performance.enable", {})
        sign_in(browser, server)
        _first(report, browser, server)
        for period, limit in MAX_MS.items():
            for way in _ways(period):
                _print(
                    report, f"{period}: {way.name}", limit, [_timed(browser, server, way, n) for n in range(times_each)]
                )
        _together(report, browser, server, rounds)


def _fill(report: Report, config: Config, visits: int) -> None:
    begin = int(time.time()) // DAY_S * DAY_S - YEAR_S
    with closing(Database(config)) as database:
        site = store.add(database, SITE, now=begin)
        made = write(database, site.id, visits, begin)
    report.figure("a year of", f"{made.pageviews:,} pageviews, {made.visits:,} visits")


def _first(report: Report, browser: Chrome, server: Server) -> None:
    """The first load, with an empty cache."""
    browser.get("about:blank")
    browser.execute_cdp_cmd("Network.clearBrowserCache", {})
    wire_of(browser)
    _open(browser, server, "30d")
    useful, wire = browser.execute_script(USEFUL), wire_of(browser)
    report.at_most("first load of the Overview", wire.total, MAX_FIRST_BYTES, "bytes", f"in {len(wire.sizes)} requests")
    report.at_most("  of which until the first number", useful["bytes"], MAX_USEFUL_BYTES, "bytes")
    report.figure("  the first number is painted after", f"{useful['at']:.0f} ms")
    report.zero("requests to another host", len(wire.hosts) - 1)


def _open(browser: Chrome, server: Server, period: str) -> None:
    browser.get(f"{server.url}/overview/{SITE}?period={period}")
    wait_until(lambda: browser.execute_script(DRAWN) and browser.execute_script(QUIET), "the page is drawn")


# ── changes ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def _ways(period: str) -> Sequence[Way]:
    def choose(browser: Chrome, _: int) -> None:
        browser.execute_script(CHOOSE_PERIOD, period)

    def click(browser: Chrome, number: int) -> None:
        browser.execute_script(CLICK_ROW, number * 7)

    return (
        Way("a click on a row", period, click, "click"),
        Way("a drag on the chart", period, _drag, "mouseup"),
        Way("a change to this period", "7d", choose, "click"),
    )


def _drag(browser: Chrome, number: int) -> None:
    """From a point of the chart to another one, a third of its width apart."""
    left, top, width = browser.execute_script(PLOT)
    start = left + width * (0.1 + 0.1 * (number % 5))
    for kind, x in (("mousePressed", start), ("mouseMoved", start + width / 6), ("mouseMoved", start + width / 3)):
        _mouse(browser, kind, x, top)
    _mouse(browser, "mouseReleased", start + width / 3, top)


def _mouse(browser: Chrome, kind: str, x: float, y: float) -> None:
    event = {"type": kind, "x": x, "y": y, "button": "left", "buttons": 1, "clickCount": 1}
    browser.execute_cdp_cmd("Input.dispatchMouseEvent", event)


def _timed(browser: Chrome, server: Server, way: Way, number: int) -> Repaint:
    """One change of the page, and back."""
    if number == 0:
        _open(browser, server, way.start)
    browser.execute_script(WATCH, way.event)
    before = _worked_ms(browser)
    way.act(browser, number)
    painted = browser.execute_async_script(PAINTED)
    worked = _worked_ms(browser) - before
    browser.back()
    wait_until(lambda: browser.execute_script(QUIET), "the page is as before")
    return Repaint(painted, worked)


def _worked_ms(browser: Chrome) -> float:
    """The work of the browser's main thread on this page so far, in ms."""
    found = browser.execute_cdp_cmd("Performance.getMetrics", {})["metrics"]
    return 1000 * next(float(one["value"]) for one in found if one["name"] == "TaskDuration")


def _print(report: Report, name: str, limit: float, took: Sequence[Repaint]) -> None:
    report.figure(f"{name} to the painted page", f"{times([one.painted for one in took])} · {len(took)} times")
    report.at_most("  p95", percentile([one.painted for one in took], 0.95), limit, "ms")
    report.figure("  the browser's main thread", f"p50 {percentile([one.browser for one in took], 0.5):.0f} ms")


# ── twenty admins ────────────────────────────────────────────────────────────────────────────────────────────────────


def _together(report: Report, browser: Chrome, server: Server, rounds: int) -> None:
    """The browser and 19 clients that send its requests ask for one period that nobody has asked for."""
    wire_of(browser)
    _open(browser, server, _days(0))
    asked = _questions(browser, _days(0))
    report.figure("callbacks of the page", str(len(asked)))
    before = _computed(server)
    _open(browser, server, _days(1))
    alone = _computed(server) - before
    took = [_opened_by_all(browser, server, asked, _days(number)) for number in range(2, rounds + 2)]
    report.zero("answers computed more than once", _computed(server) - before - alone * (rounds + 1))
    name = f"{ADMINS} admins at once: the page is painted after"
    report.figure(name, f"{times(took)} · {rounds} rounds")
    report.figure("  p95", f"{percentile(took, 0.95):.0f} ms")


def _days(number: int) -> str:
    """A period of 60 days, another one for each number."""
    last = datetime.now(UTC).date() - timedelta(days=2 + number)
    return f"{last - timedelta(days=59)},{last}"


def _questions(browser: Chrome, period: str) -> list[str]:
    """The bodies of the callbacks that ask for this period."""
    found = []
    for entry in browser.get_log("performance"):
        event = json.loads(entry["message"])["message"]
        if event["method"] == "Network.requestWillBeSent" and CALLS in event["params"]["request"]["url"]:
            found.append(event["params"]["request"].get("postData", ""))
    return [body for body in found if period in body]


def _computed(server: Server) -> int:
    found = re.search(rb'footfall_answers_total\{cache="miss"\} ([0-9.]+)', server.request("GET", "/metrics").body)
    assert found, "the server tells no answers"
    return int(float(found[1]))


def _opened_by_all(browser: Chrome, server: Server, asked: Sequence[str], period: str) -> float:
    """Opens the page in the browser while the clients send its requests; the ms until it is painted."""
    head = {
        "Content-Type": "application/json",
        "Origin": server.url,
        "Cookie": "; ".join(f"{one['name']}={one['value']}" for one in browser.get_cookies()),
    }
    bodies = [body.replace(_days(0), period) for body in asked]
    together = threading.Barrier(ADMINS)

    def look(_: int) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
        together.wait()
        for body in bodies:
            connection.request("POST", CALLS, body, head)
            answer = connection.getresponse()
            assert answer.status in (200, 204), (answer.status, answer.read()[:200])
            answer.read()
        connection.close()

    with ThreadPoolExecutor(ADMINS) as threads:
        looking = [threads.submit(look, number) for number in range(ADMINS - 1)]
        together.wait()
        begun = time.perf_counter()
        _open(browser, server, period)
        took = (time.perf_counter() - begun) * 1000
        for one in looking:
            one.result()
    return took
