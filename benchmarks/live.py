"""Event to screen: from the visitor's `fetch` or `sendBeacon` to the changed page of a dashboard, in real browsers."""

from __future__ import annotations

import http.client
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

from selenium.webdriver import Chrome

from benchmarks.chromium import chromium, sign_in, site_with_script, wait_until
from benchmarks.common import SITE, Report, footfall, percentile, times
from benchmarks.load import pageview
from tests.support.serving import Server
from tests.support.serving import leave as a_leave
from tests.support.serving import pageview as a_pageview

EVENTS_A_SECOND = 50
MAX_P50_MS, MAX_P99_MS = 120, 250
QUIET = "quiet.example.com"

# In the visitor's page, before the real script: notes the moment of each call in the storage of the site.
NOTE_CALLS = """
const note = (kind) => {
  const call = JSON.stringify({kind, at: Date.now(), path: location.pathname});
  localStorage.calls = (localStorage.calls || "") + call + "\\n";
};
const send = window.fetch, beacon = navigator.sendBeacon;
window.fetch = function () { note("fetch"); return send.apply(this, arguments); };
navigator.sendBeacon = function () { note("beacon"); return beacon.apply(this, arguments); };
"""
# In the dashboard: notes the moment of each change of two numbers, and of each path new in the feed.
NOTE_CHANGES = """
const text = (id) => (document.getElementById(id) || {}).textContent;
const last = {}, seen = new Set();
window.changes = [];
const look = () => {
  const at = Date.now();
  for (const id of ["active-now", "signed-in"]) {
    if (text(id) !== last[id]) window.changes.push({what: id, value: last[id] = text(id), at});
  }
  for (const node of document.querySelectorAll("#feed .ff-ev-t")) {
    const path = node.textContent;
    if (!path.startsWith("/probe/") || seen.has(path)) continue;
    seen.add(path);
    window.changes.push({what: "feed", value: path, at});
  }
};
new MutationObserver(look).observe(document.body, {childList: true, characterData: true, subtree: true});
look();
"""

Notes = list[dict[str, Any]]


def run(report: Report, folder: Path, *, short: bool) -> None:
    """Prints how long a visitor takes to appear on the screen, on a quiet site and on one with 50 events a second."""
    probes = 15 if short else 120
    with footfall(folder) as server, chromium(folder / "admin") as admin, chromium(folder / "visitor") as visitor:
        server.command("site", "add", QUIET)
        visitor.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": NOTE_CALLS})
        sign_in(admin, server)
        with background(server.port) as sent:
            report.say(f"  two Chromiums, the shipped script; {EVENTS_A_SECOND} events/s of new visitors on {SITE}")
            calls, changes = _probe(server, admin, visitor, QUIET, probes, "active-now")
            _print(report, f"{QUIET}: fetch → #active-now", _delays(calls, changes, "fetch", "active-now", "1"))
            _print(report, f"{QUIET}: sendBeacon → #active-now", _delays(calls, changes, "beacon", "active-now", "0"))
            calls, changes = _probe(server, admin, visitor, SITE, probes, "signed-in")
            _print(report, f"{SITE}: fetch → #signed-in", _delays(calls, changes, "fetch", "signed-in", "1"))
            _print(report, f"{SITE}: sendBeacon → #signed-in", _delays(calls, changes, "beacon", "signed-in", "0"))
            _print(report, f"{SITE}: fetch → row in the feed", _feed_delays(calls, changes))
            rate = len(sent) / (sent[-1] - sent[0])
        report.figure("events/s sent meanwhile", f"{rate:.1f}")


def _print(report: Report, name: str, delays: Sequence[float]) -> None:
    report.figure(name, f"{times(delays)} · {len(delays)} probes")
    report.at_most("  p50", percentile(delays, 0.5), MAX_P50_MS, "ms")
    report.at_most("  p99", percentile(delays, 0.99), MAX_P99_MS, "ms")


@contextmanager
def background(
    port: int, a_second: int = EVENTS_A_SECOND, site_of: Callable[[int], str] = lambda _: SITE
) -> Iterator[list[float]]:
    """Sends pageviews, each of a new visitor, at an even pace; yields the moments of their answers. `site_of` says to
    which site the pageview with a number goes.
    """
    ending = threading.Event()
    answered: list[float] = []

    def send() -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
        due = time.monotonic()
        for number in count():
            if ending.wait(max(0, due - time.monotonic())):
                break
            head, body = pageview(number).split(b"\r\n\r\n", 1)
            headers = dict(line.split(": ", 1) for line in head.decode().split("\r\n")[1:])
            body = body.replace(SITE.encode(), site_of(number).encode())
            headers["Content-Length"] = str(len(body))
            connection.request("POST", "/api/collect", body, headers)
            connection.getresponse().read()
            answered.append(time.monotonic())
            due += 1 / a_second
        connection.close()

    sending = threading.Thread(target=send, daemon=True)
    sending.start()
    try:
        yield answered
    finally:
        ending.set()
        sending.join()


def _probe(server: Server, admin: Chrome, visitor: Chrome, site: str, probes: int, number: str) -> tuple[Notes, Notes]:
    """A visitor comes and leaves so many times; each time the dashboard's `number` must go to 1 and back to 0."""
    _show(admin, server, site)
    with site_with_script(server, site) as address:
        visitor.get(address + "/probe/warm")
        wait_until(lambda: _shown(admin, number) == "1", f"{number} is 1")
        visitor.get(address + "/empty")
        wait_until(lambda: _shown(admin, number) == "0", f"{number} is 0")
        visitor.execute_script("delete localStorage.calls")
        admin.execute_script(NOTE_CHANGES)
        for probe in range(probes):
            visitor.get(f"{address}/probe/{probe}")
            wait_until(lambda: _shown(admin, number) == "1", f"{number} is 1")
            time.sleep(0.05 + 0.2 * (probe * 0.618 % 1))  # out of step with the frames of the stream
            visitor.get(address + "/empty")
            wait_until(lambda: _shown(admin, number) == "0", f"{number} is 0")
        calls = visitor.execute_script("return localStorage.calls.trim().split('\\n').map(JSON.parse)")
    return calls, admin.execute_script("return window.changes")


def _show(admin: Chrome, server: Server, site: str) -> None:
    """Opens the Live page of a site. It exists from the first visit on, so a visitor comes and leaves first."""
    for event in (a_pageview("a-first-visit", site=site), a_leave("a-first-visit", site=site)):
        server.collect(event)
    admin.get(f"{server.url}/live/{site}")
    wait_until(lambda: _shown(admin, "signed-in") == "0" and "Live" in _shown(admin, "status-text"), "the page is live")


def _shown(driver: Chrome, element: str) -> str:
    found: str = driver.execute_script(
        "return (document.getElementById(arguments[0]) || {}).textContent || ''", element
    )
    return found


def _delays(calls: Notes, changes: Notes, kind: str, number: str, value: str) -> list[float]:
    """The ms from each call of that kind to the next moment at which the number has that value."""
    turned = [change["at"] for change in changes if change["what"] == number and change["value"] == value]
    return [min(at for at in turned if at >= call["at"]) - call["at"] for call in _probes(calls, kind)]


def _feed_delays(calls: Notes, changes: Notes) -> list[float]:
    rows = {change["value"]: change["at"] for change in changes if change["what"] == "feed"}
    return [rows[call["path"]] - call["at"] for call in _probes(calls, "fetch")]


def _probes(calls: Notes, kind: str) -> Notes:
    """The first call of that kind on each page."""
    first: dict[str, dict[str, Any]] = {}
    for call in calls:
        if call["kind"] == kind:
            first.setdefault(call["path"], call)
    return list(first.values())
