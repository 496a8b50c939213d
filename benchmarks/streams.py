"""300 open dashboards of one busy site: what they cost the server, and the senders of events.

Once with their streams alone, and once with the calls by which a page on which something happens is drawn again every
two seconds.
"""

from __future__ import annotations

import json
import statistics
import time
from collections import Counter
from collections.abc import Sequence
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path
from typing import NamedTuple

from selenium.webdriver import Chrome

from benchmarks.chromium import chromium, sign_in, wait_until
from benchmarks.common import SITE, Report, add_rules, cpu_s, footfall, memory_mb, spread
from benchmarks.load import Load
from benchmarks.pace import NOTIFYING, paced, pacing
from benchmarks.readers import REDRAW_S, Readers, Reading, dashboards
from tests.support.serving import Server
from tests.support.serving import pageview as a_pageview

DASHBOARDS, A_SECOND = 300, 200
ROUNDS, ROUND_S, SETTLE_S = 5, 30.0, 3.0
MAX_RATIO = 1.5
WITHOUT, STREAMS, REDRAWN = "without dashboards", "with their streams", "with streams, drawn again"
CALL = "_dash-update-component"


class Measured(NamedTuple):
    """One load, the server's processor time for each minute of it, and what open dashboards got meanwhile."""

    load: Load
    cpu_s: float
    reading: Reading | None


class Page(NamedTuple):
    """The cookie of a login, and the body of the call that draws the Live page again."""

    cookie: str
    call: bytes


def run(report: Report, folder: Path, *, short: bool) -> None:
    """Prints the collector's p99 with the dashboards and without, in turns, and the server's work for one."""
    rounds, round_s = (2, 4.0) if short else (ROUNDS, ROUND_S)
    with footfall(folder) as server:
        page = _prepared(server, folder)
        report.say(
            f"  {DASHBOARDS} Live pages of {SITE}, two streams each; {A_SECOND} events/s, one in a hundred notifies"
        )
        report.say(f"  {rounds} rounds of {round_s:g} s each, in turns")
        found = _in_turns(server, folder, page, rounds, round_s)
        for name, some in found.items():
            _print(report, name, some, found[WITHOUT])
        report.figure("memory of the server", f"{memory_mb(server.process.pid):.0f} MB")


def _prepared(server: Server, folder: Path) -> Page:
    """Rules that notify, and what a browser sends whose Live page is drawn again."""
    add_rules(server, folder, NOTIFYING)
    server.collect(a_pageview("a-first-visit"))
    with chromium(folder / "browser") as browser, pacing(server.port, 20, "mixed"):
        sign_in(browser, server)
        browser.get(f"{server.url}/live/{SITE}")
        calls: list[str] = []
        wait_until(lambda: calls.extend(_redraws(browser)) or len(calls) > 2, "the page is drawn again")
        cookie = "; ".join(f"{one['name']}={one['value']}" for one in browser.get_cookies())
    return Page(cookie, calls[-1].encode())


def _redraws(browser: Chrome) -> list[str]:
    """The bodies of the calls of the browser's log, since it was last read, that an event on the site has caused."""
    events = (json.loads(entry["message"])["message"] for entry in browser.get_log("performance"))
    sent = [one["params"]["request"] for one in events if one["method"] == "Network.requestWillBeSent"]
    return [one["postData"] for one in sent if CALL in one["url"] and '"nudge.data"' in one.get("postData", "")]


def _in_turns(server: Server, folder: Path, page: Page, rounds: int, round_s: float) -> dict[str, list[Measured]]:
    """A B C C B A …, after a round that is not counted."""
    first = 1_000_000
    found: dict[str, list[Measured]] = {WITHOUT: [], STREAMS: [], REDRAWN: []}
    paced(server.port, A_SECOND, min(round_s, 10.0), "mixed", first)
    for number in range(rounds):
        for name in list(found)[:: -1 if number % 2 else 1]:
            first += 1_000_000
            call = page.call if name == REDRAWN else b""
            opened = (
                nullcontext() if name == WITHOUT else dashboards(server.port, DASHBOARDS, page.cookie, call, folder)
            )
            found[name].append(_measured(server, opened, round_s, first))
    return found


def _measured(server: Server, opened: AbstractContextManager[Readers | None], seconds: float, first: int) -> Measured:
    """One load while those dashboards are open."""
    with opened as readers:
        time.sleep(SETTLE_S)
        before = cpu_s(server.process.pid)
        load = paced(server.port, A_SECOND, seconds, "mixed", first)
        worked = (cpu_s(server.process.pid) - before) / load.seconds * 60
    return Measured(load, worked, readers.reading if readers else None)


def _print(report: Report, name: str, some: Sequence[Measured], none: Sequence[Measured]) -> None:
    p50, p99 = (spread([getattr(one.load, share) for one in some], 1) for share in ("p50", "p99"))
    report.figure(name, f"p50 {p50} · p99 {p99} ms")
    report.zero("  other answers", sum(sum(one.load.strange.values()) for one in some))
    report.figure("  the server's processor time a minute", f"{spread([one.cpu_s for one in some], 1)} s")
    if readings := [one.reading for one in some if one.reading]:
        costs = [one.cpu_s - other.cpu_s for one, other in zip(some, none, strict=True)]
        each = spread([one / DASHBOARDS * 1000 for one in costs])
        report.figure("  of which for a dashboard", f"{each} ms")
        _print_readers(report, readings)
        ratios = [one.load.p99 / other.load.p99 for one, other in zip(some, none, strict=True)]
        ends = f"[{min(ratios):.2f}–{max(ratios):.2f}]"
        report.at_most("  p99 to that without dashboards", statistics.median(ratios), MAX_RATIO, "times", ends)


def _print_readers(report: Report, readings: Sequence[Reading]) -> None:
    messages = [one.messages / one.seconds / DASHBOARDS for one in readings]
    received = [one.received / one.seconds / DASHBOARDS for one in readings]
    report.figure("  a dashboard gets in a second", f"{spread(messages, 1)} messages, {spread(received)} bytes")
    report.zero("  streams that the server closed", sum(one.closed for one in readings))
    answers = sum((Counter(one.answers) for one in readings), Counter())
    if answers:
        rate = sum(sum(one.answers.values()) for one in readings) / sum(one.seconds for one in readings)
        p50, p99 = (spread([getattr(one, share) for one in readings]) for share in ("p50", "p99"))
        report.figure("  redraws a second", f"{rate:.0f} of {DASHBOARDS / REDRAW_S:.0f} · p50 {p50} · p99 {p99} ms")
        report.zero(
            "  redraws that failed", sum(many for status, many in answers.items() if status not in ("200", "204"))
        )
    own = statistics.median(one.cpu_s / one.seconds for one in readings)
    report.figure("  the client's own work", f"{own:.0%} of a core")
