"""The Overview page of a year of a million pageviews in a real browser: its first load, and a click on a row."""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import closing
from pathlib import Path

from selenium.webdriver import Chrome

from analytics.base.config import Config
from analytics.sites import store
from analytics.storage.database import Database
from benchmarks.chromium import chromium, sign_in, wait_until
from benchmarks.common import SITE, Report, percentile, serving, times
from benchmarks.history_data import write
from benchmarks.wire import wire_of
from tests.support.serving import Server

VISITS, YEAR_S, DAY_S = 300_000, 365 * 86_400, 86_400
PERIODS = "30d", "12mo"
MAX_FIRST_BYTES, MAX_MS = 1_000_000, 600

# Clicks the row of that number, and returns the ms until the page is repainted for the last time; null: no such row.
CLICK = """
const [number, done] = arguments, page = document.getElementById("overview");
const rows = [...page.querySelectorAll(".ff-barred .ff-lbl")], begun = performance.now();
if (!rows.length) return done(null);
let last = begun;
const painted = () => { last = performance.now(); };
const watching = new MutationObserver(() => requestAnimationFrame(() => setTimeout(painted)));
watching.observe(page, {attributes: true, childList: true, characterData: true, subtree: true});
const look = setInterval(() => {
  if (page.querySelector("[data-part][aria-busy=true]") || performance.now() - last < 200) return;
  clearInterval(look);
  watching.disconnect();
  done(last - begun);
}, 20);
rows[number % rows.length].click();
"""
QUIET = "return !document.querySelector('#overview [data-part][aria-busy=true]')"
DRAWN = "return document.querySelectorAll('#overview .ff-barred .ff-lbl').length > 20"


def run(report: Report, folder: Path, *, short: bool) -> None:
    """Prints bytes and milliseconds; a short run has a tenth of the rows."""
    config, clicks = Config(data_dir=folder / "data"), 12 if short else 60
    _fill(report, config, VISITS // 10 if short else VISITS)
    with serving(config) as server, chromium(folder / "browser") as browser:
        wait_until((config.data_dir / "columnar.duckdb").exists, "the replica is made", seconds=120)
        sign_in(browser, server)
        _first(report, browser, server)
        for period in PERIODS:
            _print(report, period, _clicked(browser, server, period, clicks))


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
    _open(browser, server, PERIODS[0])
    wire = wire_of(browser)
    report.at_most("first load of the Overview", wire.total, MAX_FIRST_BYTES, "bytes", f"in {len(wire.sizes)} requests")
    report.zero("requests to another host", len(wire.hosts) - 1)


def _open(browser: Chrome, server: Server, period: str) -> None:
    browser.get(f"{server.url}/overview/{SITE}?period={period}")
    wait_until(lambda: browser.execute_script(DRAWN) and browser.execute_script(QUIET), "the page is drawn")


def _clicked(browser: Chrome, server: Server, period: str, clicks: int) -> list[float]:
    """The ms from the click on a row, each time another one, to the painted page; then the filter is removed."""
    _open(browser, server, period)
    took = []
    for number in range(clicks):
        one = browser.execute_async_script(CLICK, number * 7)
        assert one is not None, "there is no row to click"
        took.append(one)
        browser.back()
        wait_until(lambda: browser.execute_script(QUIET), "the page is as before")
    return took


def _print(report: Report, period: str, took: Sequence[float]) -> None:
    report.figure(f"{period}: a click on a row to the painted page", f"{times(took)} · {len(took)} clicks")
    report.at_most("  p95", percentile(took, 0.95), MAX_MS, "ms")
