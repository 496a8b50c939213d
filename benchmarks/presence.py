"""A million stored heartbeats and fifty thousand people active: live figures, and what a restart restores."""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from analytics.base.config import Config
from analytics.live import facts
from analytics.live.minutes import MinuteHistory
from analytics.live.presence import state_of
from analytics.query.fact_filter import test_of
from analytics.query.filters import parse
from analytics.sites import site as sites_site
from analytics.sites import store
from analytics.storage.database import Database
from benchmarks import busy_day
from benchmarks.busy_day import Past
from benchmarks.common import BEHIND_PROXY, SITE, Report, memory_mb, percentile
from callbacks.pages.live import render
from collector.live.hub import Hub
from tests.support.serving import Server

HEARTBEATS, PEOPLE, REQUESTS = 1_000_000, 50_000, 500
MAX_P95_MS = 20
LEAD_S = 60  # how far in the future the moment is for which the rows are made


def run(report: Report, folder: Path, *, short: bool) -> None:
    """Prints how long a start takes, whether it knows everybody, and how fast live questions are answered."""
    heartbeats, people = (200_000, 10_000) if short else (HEARTBEATS, PEOPLE)
    config = Config(data_dir=folder / "data")
    database = Database(config)
    site = store.add(database, SITE, "", "Europe/Berlin", now=int(time.time()))
    moment = int(time.time()) + LEAD_S
    past = busy_day.write(database, site.id, moment, heartbeats, people)
    report.say(f"  {past.heartbeats:,} heartbeats in the database, {past.active(moment):,} people active at the start")
    _page(report, database, site, moment)
    database.close()
    time.sleep(max(0, moment - time.time()))
    _served(report, config, past)


def _served(report: Report, config: Config, past: Past) -> None:
    """Starts the server, queries it, kills it, starts it again."""
    server, took = _started(config)
    try:
        report.figure("start to ready line", f"{took:.1f} s")
        key = server.command("key", "add", "bench", "--scope", "stats")
        _known(report, "people unknown after the start", server, key, past)
        _ask(report, server, key, past)
        report.figure("memory of the server", f"{memory_mb(server.process.pid):.0f} MB")
        server.kill()
    finally:
        server.close()
    server, took = _started(config)
    try:
        report.figure("kill -9, start to ready line", f"{took:.1f} s")
        _known(report, "people unknown after that start", server, key, past)
    finally:
        server.close()


def _started(config: Config) -> tuple[Server, float]:
    begun = time.perf_counter()
    server = Server(config, **BEHIND_PROXY)
    return server, time.perf_counter() - begun


def _known(report: Report, name: str, server: Server, key: str, past: Past) -> None:
    """Compares with the people whose last beat is less than 60 s ago, as of the answer's own second."""
    answer = server.request("GET", f"/api/live?site={SITE}", headers={"Authorization": f"Bearer {key}"}).json
    expected = past.active(answer["as_of"])
    report.figure("active_sessions", f"{answer['active_sessions']:,} of {expected:,} expected by now")
    report.zero(name, abs(answer["active_sessions"] - expected))


def _ask(report: Report, server: Server, key: str, past: Past) -> None:
    """The same question again and again, over one connection."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    took, answer = [], {}
    for _ in range(REQUESTS):
        begun = time.perf_counter()
        connection.request("GET", f"/api/live?site={SITE}", headers={"Authorization": f"Bearer {key}"})
        answer = json.loads(connection.getresponse().read())
        took.append((time.perf_counter() - begun) * 1000)
    connection.close()
    p50, p95, p99 = (percentile(took, share) for share in (0.5, 0.95, 0.99))
    report.figure(
        f"GET /api/live, {REQUESTS} times", f"p50 {p50:.1f} · p95 {p95:.1f} · p99 {p99:.1f} · max {max(took):.1f} ms"
    )
    report.at_most("  p95", p95, MAX_P95_MS, "ms", f"with {answer['active_sessions']:,} people active at the end")


def _page(report: Report, database: Database, site: sites_site.Site, moment: int) -> None:
    """The parts of the Live page's callback, in this process, with the clock stopped at that moment."""
    recalled, hub = _timed(lambda: Hub(database, 60, clock=lambda: moment))
    history = MinuteHistory(database, 60)

    def redraw() -> tuple[Any, ...]:
        concurrency_ms, concurrency = _timed(lambda: history.read(site, moment))
        state_ms, state = _timed(lambda: hub.state(site.id))
        drawn_ms, _ = _timed(lambda: (render(site, state, concurrency), hub.stats(site.id), hub.recent_items(site.id)))
        return f"{concurrency_ms + state_ms + drawn_ms:.1f} ms", concurrency_ms, state_ms, drawn_ms

    report.figure("presence recalled from the heartbeats", f"{recalled:.0f} ms")
    for name in ("first", "second", "third"):
        whole, concurrency_ms, state_ms, drawn_ms = redraw()
        parts = f"history {concurrency_ms:.1f} + state {state_ms:.1f} + components {drawn_ms:.1f}"
        report.figure(f"Live page's callback, {name}", f"{whole} = {parts}")
    chosen = test_of(parse([["is", "page", ["/"]], ["is_not", "country", ["DE"]]]), facts.OF_PEOPLE)
    people_ms, people = _timed(lambda: hub.people(site.id))
    filtered_ms, _ = _timed(lambda: state_of(list(filter(chosen, people)), moment, 60))
    report.figure(
        "people filtered",
        f"{len(people):,} copied under the lock in {people_ms:.1f} ms, counted in {filtered_ms:.1f} ms",
    )
    hub.close()


def _timed(work: Callable[[], Any]) -> tuple[float, Any]:
    begun = time.perf_counter()
    result = work()
    return (time.perf_counter() - begun) * 1000, result
