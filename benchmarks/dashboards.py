"""Ten Live pages, open for half an hour with 100 events a second: the browser's memory, the server's work.

Each is opened under a host name of its own, as ten people would: windows of one browser share connections and streams.
"""

from __future__ import annotations

import time
from pathlib import Path

from selenium.webdriver import Chrome

from benchmarks.chromium import chromium, sign_in, wait_until
from benchmarks.common import Report, cpu_s, footfall, memory_mb
from benchmarks.live import background
from benchmarks.load import site_name
from tests.support.serving import Server

DASHBOARDS, EVENTS_A_SECOND = 10, 100
MINUTES, SETTLED_MINUTES, ALONE_MINUTES = 30, 5, 2
MINUTE_S = 60.0
MAX_GROWTH = 1.3
ACTIVE = "return (document.getElementById('active-now') || {}).textContent"


def run(report: Report, folder: Path, *, short: bool) -> None:
    """Prints megabytes and processor time; a short run takes minutes of 4 s."""
    minute_s = 4.0 if short else MINUTE_S
    with footfall(folder) as server, chromium(folder / "browser") as browser:
        for number in range(DASHBOARDS):
            server.command("site", "add", site_name(number))
        sign_in(browser, server)
        with background(server.port, EVENTS_A_SECOND, lambda number: site_name(number % DASHBOARDS)) as sent:
            before_s = _worked(server, ALONE_MINUTES, minute_s)
            windows = [_opened(browser, server, number) for number in range(DASHBOARDS)]
            heaps = []
            during_s = cpu_s(server.process.pid)
            for _ in range(MINUTES):
                time.sleep(minute_s)
                heaps.append([_heap_mb(browser, window) for window in windows])
            during_s = (cpu_s(server.process.pid) - during_s) / MINUTES
            shown = [_shown(browser, window) for window in windows]
            rate = len(sent) / (sent[-1] - sent[0])
        report.figure("events/s sent meanwhile", f"{rate:.1f}")
        report.zero("dashboards without their number", sum(not number.isdigit() for number in shown))
        first, last = heaps[SETTLED_MINUTES - 1], heaps[-1]
        growth = max(late / early for early, late in zip(first, last, strict=True))
        report.figure("heap of a dashboard, fifth and last minute", f"{_range(first)} → {_range(last)} MB")
        report.at_most("  the most that one grew", growth, MAX_GROWTH, "times")
        cost = (during_s - before_s) / DASHBOARDS * 1000 * (MINUTE_S / minute_s)
        report.figure("the server's work for a dashboard and minute", f"{cost:.0f} ms of processor time")
        report.figure("memory of the server", f"{memory_mb(server.process.pid):.0f} MB")


def _worked(server: Server, minutes: int, minute_s: float) -> float:
    """The server's processor time (s) of a minute without a dashboard."""
    before = cpu_s(server.process.pid)
    time.sleep(minutes * minute_s)
    return (cpu_s(server.process.pid) - before) / minutes


def _opened(browser: Chrome, server: Server, number: int) -> str:
    """A window of its own, so that none is hidden: hidden pages close their streams."""
    cookies, host = browser.get_cookies(), f"http://admin{number}.example.com:{server.port}"
    browser.switch_to.new_window("window")
    for one in cookies:
        browser.execute_cdp_cmd("Network.setCookie", {"name": one["name"], "value": one["value"], "url": host})
    browser.get(f"{host}/live/{site_name(number)}")
    browser.execute_cdp_cmd("Performance.enable", {})
    wait_until(lambda: _number(browser).isdigit(), f"dashboard {number} shows its number")
    assert browser.execute_script("return document.visibilityState") == "visible"
    return browser.current_window_handle


def _heap_mb(browser: Chrome, window: str) -> float:
    """The JavaScript heap of a window after a collection, in MB."""
    browser.switch_to.window(window)
    browser.execute_cdp_cmd("HeapProfiler.collectGarbage", {})
    found = browser.execute_cdp_cmd("Performance.getMetrics", {})["metrics"]
    return next(float(one["value"]) for one in found if one["name"] == "JSHeapUsedSize") / 1e6


def _shown(browser: Chrome, window: str) -> str:
    browser.switch_to.window(window)
    return _number(browser)


def _number(browser: Chrome) -> str:
    return (browser.execute_script(ACTIVE) or "").replace(",", "")


def _range(values: list[float]) -> str:
    return f"{min(values):.1f}–{max(values):.1f}"
