"""A thousand sites with 100,000 people active: the page of all sites in a real browser, and the cost of a beat then."""

from __future__ import annotations

import statistics
import time
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import NamedTuple

from selenium.webdriver import Chrome

from analytics.base.config import Config
from analytics.sites import store as all_sites
from analytics.storage.database import Database
from benchmarks import busy_day
from benchmarks.chromium import chromium, sign_in, wait_until
from benchmarks.common import BEHIND_PROXY, Report, cpu_s, memory_mb, percentile, serving, spread
from benchmarks.load import loaded, site_name
from tests.support.serving import Server

SITES, PEOPLE = 1_000, 100_000
WINDOW_S = 3_600  # long enough for all of them to be active when the last figure is measured
MAX_MS, MAX_RATIO = 500, 1.2

# In the page, before everything else: notes when the rows have been painted.
NOTE_ROWS = """
const look = () => {
  const shown = document.querySelector(".ff-sites tbody tr");
  if (!shown || window.painted) return;
  window.painted = -1;
  requestAnimationFrame(() => setTimeout(() => { window.painted = performance.now(); }));
};
new MutationObserver(look).observe(document, {childList: true, subtree: true});
"""
# The request that fetches the rows, and the moment of their paint, in ms since the navigation began.
NOTES = """
const calls = performance.getEntriesByType("resource").filter((one) => one.name.includes("_dash-update-component"));
return {sent: calls[0].startTime, answered: calls[0].responseEnd, painted: window.painted};
"""


class Beat(NamedTuple):
    """One load of heartbeats: µs of the server's CPU per beat, and beats per second."""

    cpu_us: float
    rate: float


def run(report: Report, folder: Path, *, short: bool) -> None:
    """Prints how fast the page paints, and the CPU of a beat with one site and with a thousand."""
    many, people = (100, 10_000) if short else (SITES, PEOPLE)
    rounds, seconds, views = (2, 3.0, 4) if short else (8, 6.0, 20)
    report.say(f"  {people:,} people active on {many:,} sites, and as many on one; window {WINDOW_S} s")
    installations = {number: _installed(folder / f"{number}", number, people) for number in (1, many)}
    with ExitStack() as stack:
        servers = {}
        for number, config in installations.items():
            begun = time.perf_counter()
            started = serving(config, **BEHIND_PROXY, FOOTFALL_ACTIVE_WINDOW_S=str(WINDOW_S))
            servers[number] = stack.enter_context(started)
            report.figure(f"{number:,} sites: start to ready line", f"{time.perf_counter() - begun:.1f} s")
        _page(report, stack.enter_context(chromium(folder / "browser")), servers[many], people, views)
        _beats(report, servers, people, rounds, seconds)
        for number, server in servers.items():
            report.figure(f"{number:,} sites: memory of the server", f"{memory_mb(server.process.pid):.0f} MB")


def _installed(folder: Path, number: int, people: int) -> Config:
    """An installation with so many sites, and people active spread evenly over them."""
    config = Config(data_dir=folder)
    database = Database(config)
    now = int(time.time())
    for site in (all_sites.add(database, site_name(each), now=now) for each in range(number)):
        each = people // number
        busy_day.write(database, site.id, now, each * busy_day.ACTIVE_BEATS, each)
    database.close()
    return config


# ── the page ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def _page(report: Report, driver: Chrome, server: Server, people: int, views: int) -> None:
    """Opens the page `views` times, and requests new figures as many times."""
    driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": NOTE_ROWS})
    sign_in(driver, server)
    opened = [_opened(driver, server) for _ in range(views + 1)][1:]  # the first fills the browser's cache
    total = driver.execute_script("return document.getElementById('sites-total').textContent")
    report.figure("the page says", total)
    report.zero("people missing there", people - int(total.split(" · ")[1].split()[0].replace(",", "")))
    for name, notes in (
        ("server: the page's callback", [one["answered"] - one["sent"] for one in opened]),
        ("callback to rows painted", [one["painted"] - one["sent"] for one in opened]),
        ("navigation to rows painted", [one["painted"] for one in opened]),
    ):
        report.figure(name, f"{spread(notes)} · p95 {percentile(notes, 0.95):.0f} ms")
        report.at_most("  median", statistics.median(notes), MAX_MS, "ms")


def _opened(driver: Chrome, server: Server) -> dict[str, float]:
    driver.get(server.url + "/sites")
    wait_until(lambda: driver.execute_script("return window.painted > 0"), "the rows are painted")
    notes: dict[str, float] = driver.execute_script(NOTES)
    return notes


# ── a beat ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def _beats(report: Report, servers: dict[int, Server], people: int, rounds: int, seconds: float) -> None:
    """Sends heartbeats of those people over 64 connections, to the servers alternately."""
    report.say(f"  heartbeats from 64 connections, {rounds} rounds of {seconds:g} s, the servers in turns")
    first = 0
    found: dict[int, list[Beat]] = {number: [] for number in servers}
    for turn in range(rounds + 1):
        for number in list(servers)[:: -1 if turn % 2 else 1]:
            before = cpu_s(servers[number].process.pid)
            load = loaded(servers[number].port, first, seconds, f"{number}/{people}")
            answers = sum(load.statuses.values())
            first += answers
            report.zero("other answers", sum(load.strange.values())) if load.strange else None
            found[number].append(Beat((cpu_s(servers[number].process.pid) - before) / answers * 1e6, load.rate))
    found = {number: some[1:] for number, some in found.items()}  # the first round fills caches
    for number, some in found.items():
        cpu, rate = spread([one.cpu_us for one in some]), spread([one.rate for one in some])
        report.figure(f"{number:,} sites", f"{cpu} µs of CPU a beat, {rate} /s")
    _ratio(report, "CPU of a beat, ratio", *([one.cpu_us for one in some] for some in found.values()))
    _ratio(report, "time of a beat, ratio", *([1 / one.rate for one in some] for some in found.values()))


def _ratio(report: Report, name: str, of_one: Sequence[float], of_many: Sequence[float]) -> None:
    ratios = [many / one for one, many in zip(of_one, of_many, strict=True)]
    report.at_most(name, statistics.median(ratios), MAX_RATIO, "", f"[{min(ratios):.2f}–{max(ratios):.2f}]")
