"""Event to toast: from the sending of an event's request to the toast in an admin's page, in a real browser."""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from selenium.webdriver import Chrome

from benchmarks.chromium import chromium, sign_in, wait_until
from benchmarks.common import SITE, Report, add_rules, footfall, percentile, times
from benchmarks.pace import pacing
from tests.support.serving import AGENT, Server
from tests.support.serving import event as an_event
from tests.support.serving import pageview as a_pageview

QUIET = "quiet.example.com"
PROBES, WARMING = 300, 3
EVENTS_A_SECOND = 100
MAX_P50_MS, MAX_P99_MS = 200, 500
EVENTS = [f"Probe {number}" for number in range(5)]  # in turns: a rule has a limit a minute

# In the page: notes the moment at which the toast of each probe is in the document.
NOTE_TOASTS = """
window.toasts = {};
const look = () => {
  const at = Date.now();
  for (const {textContent} of document.querySelectorAll(".ff-toast b")) {
    const [probe] = /probe-\\d+/.exec(textContent) || [""];
    if (probe && !window.toasts[probe]) window.toasts[probe] = at;
  }
};
new MutationObserver(look).observe(document.body, {childList: true, characterData: true, subtree: true});
"""
LISTENING = "return Boolean(document.querySelector('#bell[data-live=true]'))"


class Probe(NamedTuple):
    """Milliseconds from the sending of an event to its answer, which comes after the commit, and to its toast."""

    answer: float
    toast: float


def run(report: Report, folder: Path, *, short: bool) -> None:
    """Prints how long an event takes to be a toast, on a quiet site and on one with 100 other events a second."""
    probes = 20 if short else PROBES
    with footfall(folder) as server, chromium(folder / "admin") as admin:
        server.command("site", "add", QUIET)
        for site in (QUIET, SITE):
            add_rules(server, folder, EVENTS, site)
        sign_in(admin, server)
        report.say("  the Live page of the site is open; rules without groups; the events are sent by a program")
        _print(report, f"{QUIET}, nothing else happens", _probed(server, admin, QUIET, probes))
        with pacing(server.port, EVENTS_A_SECOND, "event") as sender:
            found = _probed(server, admin, SITE, probes)
        _print(report, f"{SITE}, other events meanwhile", found)
        assert sender.load
        report.figure("events/s that match no rule meanwhile", f"{sender.load.rate:.1f}")
        report.zero("other answers to them", sum(sender.load.strange.values()))


def _print(report: Report, name: str, probes: Sequence[Probe]) -> None:
    toasts = [one.toast for one in probes]
    report.say(f"  {name}: {len(probes)} probes")
    report.figure("  request sent → answer", times([one.answer for one in probes]))
    report.figure("  request sent → toast", times(toasts))
    report.at_most("    p50", percentile(toasts, 0.5), MAX_P50_MS, "ms")
    report.at_most("    p99", percentile(toasts, 0.99), MAX_P99_MS, "ms")


def _probed(server: Server, admin: Chrome, site: str, probes: int) -> list[Probe]:
    """Events one after another, each after the toast of the one before, out of step with the frames of the stream."""
    server.collect(a_pageview("a-first-visit", site=site))
    admin.get(f"{server.url}/live/{site}")
    wait_until(lambda: admin.execute_script(LISTENING), "the bell listens")
    admin.execute_script(NOTE_TOASTS)
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=20)
    found = []
    for number in range(probes + WARMING):
        time.sleep(0.05 + 0.4 * (number * 0.618 % 1))
        found.append(_probe(connection, admin, site, EVENTS[number % len(EVENTS)], f"probe-{number:04d}"))
    connection.close()
    return found[WARMING:]


def _probe(connection: http.client.HTTPConnection, admin: Chrome, site: str, event: str, name: str) -> Probe:
    body = json.dumps(an_event(f"{name}-{site}", event, site=site, description=name))
    sent = time.time()
    connection.request("POST", "/api/collect", body, {"Content-Type": "application/json", "User-Agent": AGENT})
    answer = connection.getresponse()
    answer.read()
    answered = time.time()
    assert answer.status == 202, answer.status
    wait_until(lambda: admin.execute_script("return window.toasts[arguments[0]]", name), f"the toast of {name}")
    shown = admin.execute_script("return window.toasts[arguments[0]]", name)
    return Probe((answered - sent) * 1000, shown - sent * 1000)
