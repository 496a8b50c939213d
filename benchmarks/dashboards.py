"""Ten Live pages, open for half an hour with 100 events a second: the browser's memory, the server's work.

Each is opened under a host name of its own, as ten people would: windows of one browser share connections and streams.
"""

from __future__ import annotations

import time
from collections.abc import Sized
from pathlib import Path
from typing import NamedTuple

from selenium.webdriver import Chrome

from benchmarks.chromium import chromium, heap_mb, sign_in, wait_until
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
            alone = _work(server, sent, ALONE_MINUTES * minute_s)
            windows = [_opened(browser, server, number) for number in range(DASHBOARDS)]
            opened_at = time.monotonic()
            time.sleep(SETTLED_MINUTES * minute_s)
            first = [_heap_mb(browser, window) for window in windows]
            during = _work(server, sent, opened_at + MINUTES * minute_s - time.monotonic())
            last = [_heap_mb(browser, window) for window in windows]
            shown = [_shown(browser, window) for window in windows]
        report.figure(
            "events/s sent without dashboards, with them", f"{alone.events_a_second:.1f}, {during.events_a_second:.1f}"
        )
        report.zero("dashboards without their number", sum(not number.isdigit() for number in shown))
        growth = max(late / early for early, late in zip(first, last, strict=True))
        report.figure("heap of a dashboard, fifth and last minute", f"{_range(first)} → {_range(last)} MB")
        report.at_most("  the most that one grew", growth, MAX_GROWTH, "times")
        report.figure(
            "the server's work in a minute without dashboards, with them", f"{alone.a_minute}, {during.a_minute}"
        )
        cost = (during.cpu_s - alone.cpu_s / alone.events * during.events) / during.seconds * MINUTE_S / DASHBOARDS
        report.figure(
            "  more for a dashboard, as many events counted", f"{cost * 1000:.0f} ms of processor time a minute"
        )
        report.figure("memory of the server", f"{memory_mb(server.process.pid):.0f} MB")


class Work(NamedTuple):
    """What the server did in a time: its processor time, and the events that it answered. The browser takes what it
    can of the machine, so there may be fewer with dashboards than without.
    """

    seconds: float
    cpu_s: float
    events: int

    @property
    def events_a_second(self) -> float:
        """At which rate they were answered."""
        return self.events / self.seconds

    @property
    def a_minute(self) -> str:
        """Its processor time of a minute."""
        return f"{self.cpu_s / self.seconds * MINUTE_S:.1f} s"


def _work(server: Server, sent: Sized, seconds: float) -> Work:
    began_at, cpu, events = time.monotonic(), cpu_s(server.process.pid), len(sent)
    time.sleep(seconds)
    return Work(time.monotonic() - began_at, cpu_s(server.process.pid) - cpu, len(sent) - events)


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
    browser.switch_to.window(window)
    return heap_mb(browser)


def _shown(browser: Chrome, window: str) -> str:
    browser.switch_to.window(window)
    return _number(browser)


def _number(browser: Chrome) -> str:
    return (browser.execute_script(ACTIVE) or "").replace(",", "")


def _range(values: list[float]) -> str:
    return f"{min(values):.1f}–{max(values):.1f}"
