"""Bytes over the wire: script, card, the Live page twice, Settings; the hosts that are asked."""

from __future__ import annotations

import re
import time
from pathlib import Path
from urllib.parse import urlsplit

from selenium.webdriver import Chrome

from benchmarks.chromium import chromium, sign_in, wait_until
from benchmarks.common import SITE, Report, footfall
from benchmarks.load import pageview
from benchmarks.wire import Wire, wire_of
from tests.support.serving import Server

VISITORS = 200
SETTLED_S = 3.0  # after the first figures: the redraws that follow on a page just opened
MAX_SCRIPT, MAX_CARD, MAX_FIRST, MAX_RELOAD, MAX_PLAIN = 2_350, 40_000, 1_000_000, 25_000, 540_000


def run(report: Report, folder: Path, *, short: bool) -> None:
    """Prints bytes and hosts; a short run is the same."""
    del short
    with footfall(folder) as server, chromium(folder / "profile") as browser:
        for number in range(VISITORS):
            _visit(server, number)
        hosts = set()
        _script(report, server)
        hosts |= _card(report, server, browser).hosts
        sign_in(browser, server)
        hosts |= _live(report, server, browser)
        hosts |= _settings(report, server, browser)
    foreign = hosts - {urlsplit(server.url).netloc}
    report.figure("hosts asked", ", ".join(sorted(hosts)).replace(str(server.port), "PORT"))
    report.zero("requests to another host", len(foreign))


def _visit(server: Server, number: int) -> None:
    head, body = pageview(number).split(b"\r\n\r\n", 1)
    server.collect(body, dict(line.split(": ", 1) for line in head.decode().split("\r\n")[1:-1]))


def _script(report: Report, server: Server) -> None:
    answer = server.request("GET", "/js/footfall.js", headers={"Accept-Encoding": "br"})
    assert answer.headers["content-encoding"] == "br", answer.headers
    report.at_most("script under brotli", len(answer.body), MAX_SCRIPT, "bytes")


def _card(report: Report, server: Server, browser: Chrome) -> Wire:
    line = server.command("embed", "add", "--site", SITE, "--host", "panel.example.com")
    found = re.search(r'src="[^"]*(/embed/live\?token=[^"]+)"', line)
    assert found, line
    browser.get(server.url + found[1])
    wait_until(lambda: _text(browser, "active"), "the card shows its number")
    time.sleep(SETTLED_S)
    wire = wire_of(browser)
    report.at_most("card, in all", wire.total, MAX_CARD, "bytes", f"in {len(wire.sizes)} requests")
    _parts(report, wire, 3)
    return wire


def _live(report: Report, server: Server, browser: Chrome) -> set[str]:
    """The page of 200 visitors with an empty cache, and once more."""
    browser.get("about:blank")
    browser.execute_cdp_cmd("Network.clearBrowserCache", {})
    wire_of(browser)
    browser.get(f"{server.url}/live/{SITE}")
    first = _settled(browser)
    report.at_most("first load of the Live page", first.total, MAX_FIRST, "bytes", f"in {len(first.sizes)} requests")
    _parts(report, first, 5)
    browser.refresh()
    again = _settled(browser)
    report.at_most("reload", again.total, MAX_RELOAD, "bytes", f"in {len(again.sizes)} requests")
    _parts(report, again, 8)
    return first.hosts | again.hosts


def _settings(report: Report, server: Server, browser: Chrome) -> set[str]:
    """A page without a figure, with an empty cache."""
    browser.get("about:blank")
    browser.execute_cdp_cmd("Network.clearBrowserCache", {})
    wire_of(browser)
    browser.get(f"{server.url}/settings/{SITE}/general")
    wait_until(lambda: _text(browser, "general"), "the page shows its form")
    time.sleep(SETTLED_S)
    wire = wire_of(browser)
    report.at_most("first load of Settings", wire.total, MAX_PLAIN, "bytes", f"in {len(wire.sizes)} requests")
    _parts(report, wire, 12)
    return wire.hosts


def _parts(report: Report, wire: Wire, most: int) -> None:
    """The largest parts of a load."""
    for address, size in sorted(wire.sizes.items(), key=lambda item: -item[1])[:most]:
        report.say(f"    {size:>9,}  {urlsplit(address).path}")


def _settled(browser: Chrome) -> Wire:
    wait_until(lambda: _text(browser, "active-now"), "the page shows its number")
    time.sleep(SETTLED_S)
    return wire_of(browser)


def _text(browser: Chrome, element: str) -> str:
    found: str = (
        browser.execute_script("return (document.getElementById(arguments[0]) || {}).textContent", element) or ""
    )
    return found.strip("–").strip()
