"""Acknowledged-and-stored pageviews a second, against a bare hello-world on Granian in the same run."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import NamedTuple

from benchmarks.common import Report, cpu_s, footfall, memory_mb, rows, spread
from benchmarks.crowd import HALF_SENT, UNREAD, crowd
from benchmarks.hello import greeting
from benchmarks.load import CONNECTIONS, PAGE_ID, Load, loaded
from tests.support.serving import Server

MIN_RATIO = 0.30
MAX_P99_MS = 50
OURS = "Footfall"
BARE, READING = "hello, bare", "hello that reads the body"  # on Granian's own worker: the servers of the ratio


class Measured(NamedTuple):
    """One load and its cost for the server."""

    load: Load
    server_us: float  # CPU time per request

    @property
    def rate(self) -> float:
        return self.load.rate


Measures = dict[str, Callable[[], Measured]]
Found = dict[str, list[Measured]]


class Bench:
    """Loads the servers one at a time; no two loads have a visitor in common."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._first = 1
        self.acknowledged: list[int] = []

    def measure(self, pid: int, port: int, kind: str = "pageview", seconds: float = 0) -> Measured:
        """One load on one server."""
        before = cpu_s(pid)
        load = loaded(port, self._first, seconds or self._seconds, kind)
        answers = sum(load.statuses.values())
        self._first += answers + CONNECTIONS
        self.acknowledged += load.acknowledged
        return Measured(load, (cpu_s(pid) - before) / answers * 1e6)


def run(report: Report, folder: Path, *, short: bool) -> None:
    """Prints rates, ratios and latencies, the effect of a crowd of silent clients, and the losses."""
    seconds, rounds, crowded_s = (2.0, 2, 4.0) if short else (4.0, 6, 15.0)
    report.say("  python app.py serve --port 0 · one process · SQLite, synchronous=FULL · distinct visitors")
    report.say(f"  {CONNECTIONS} connections · {rounds} rounds of {seconds:g} s, the servers in turns, back and forth")
    bench = Bench(seconds)
    with ExitStack() as stack, footfall(folder) as server:
        measures = _measures(bench, server, stack)
        found = _in_turns(measures, rounds)
        for name, some in found.items():
            _print(report, name, some)
        _ratios(report, found)
        _crowded(report, bench, server, measures, max(2, rounds // 2), crowded_s)
        _check(report, bench, server)


def _measures(bench: Bench, server: Server, stack: ExitStack) -> Measures:
    """The measurements by name, on servers that are warm."""
    bare, reading = (stack.enter_context(greeting(app)) for app in ("bare", "reading"))
    measures: Measures = {
        OURS: partial(bench.measure, server.process.pid, server.port),
        BARE: partial(bench.measure, *bare),
        READING: partial(bench.measure, *reading),
        BARE + ", GET": partial(bench.measure, *bare, "hello"),
    }
    for measure in measures.values():
        measure()
    return measures


def _in_turns(measures: Measures, rounds: int) -> Found:
    """A B … B A A B …, so that other work of the machine affects all alike."""
    found: Found = {name: [] for name in measures}
    for number in range(rounds):
        for name in list(measures)[:: -1 if number % 2 else 1]:
            found[name].append(measures[name]())
    return found


def _print(report: Report, name: str, some: Sequence[Measured]) -> None:
    report.figure(name, f"{spread([one.rate for one in some])} /s")
    p50, cost = statistics.median(one.load.p50 for one in some), statistics.median(one.server_us for one in some)
    p99, longest = spread([one.load.p99 for one in some], 1), max(one.load.longest for one in some)
    client = statistics.median(one.load.cpu_s / one.load.seconds for one in some)
    costs = f"CPU: server {cost:.0f} µs a request, client {client:.0%}"
    report.say(f"    p50 {p50:.1f} · p99 {p99} · max {longest:.0f} ms · {costs}")
    for one in some:
        if one.load.strange:
            report.say(f"    other answers: {one.load.strange}")


def _ratios(report: Report, found: Found) -> None:
    """Both readings of "bare" have the target; the other figures are for comparison."""
    ours = found[OURS]
    for name, others in found.items():
        ratios = _each(ours, others)
        if name in (BARE, READING):
            report.at_least(f"ratio to {name}", statistics.median(ratios), MIN_RATIO, more=_ends(ratios))
        elif name != OURS:
            report.figure(f"ratio to {name}", spread(ratios, 2))
    report.at_most("p99, median of the rounds", statistics.median(one.load.p99 for one in ours), MAX_P99_MS, "ms")


def _each(some: Sequence[Measured], others: Sequence[Measured]) -> list[float]:
    """The ratio of the rates in each round."""
    return [one.rate / other.rate for one, other in zip(some, others, strict=True)]


def _ends(ratios: Sequence[float]) -> str:
    return f"[{min(ratios):.2f}–{max(ratios):.2f}]"


def _crowded(report: Report, bench: Bench, server: Server, others: Measures, rounds: int, seconds: float) -> None:
    """The same next to half-sent bodies and unread streams: alone, crowded, crowded, alone."""
    report.say(
        f"  beside {HALF_SENT} half-sent bodies and {UNREAD} unread streams, {rounds} rounds of {seconds:g} s each"
    )
    key = server.command("key", "add", "bench", "--scope", "stats")
    measure = partial(bench.measure, server.process.pid, server.port, seconds=seconds)

    def in_the_crowd() -> Measured:
        with crowd(server.port, key):
            time.sleep(1)
            return measure()

    hello = {name: others[name] for name in (BARE, READING)}
    found = _in_turns({"alone": measure, "crowded": in_the_crowd, **hello}, rounds)
    for name in ("alone", "crowded"):
        _print(report, f"{OURS}, {name}", found[name])
    report.figure("ratio crowded to alone", spread(_each(found["crowded"], found["alone"]), 2))
    for name in hello:
        ratios = _each(found["crowded"], found[name])
        report.at_least(f"ratio crowded to {name}", statistics.median(ratios), MIN_RATIO, more=_ends(ratios))
    report.at_most("p99 crowded", statistics.median(one.load.p99 for one in found["crowded"]), MAX_P99_MS, "ms")
    report.figure("memory of the server afterwards", f"{memory_mb(server.process.pid):.0f} MB")


def _check(report: Report, bench: Bench, server: Server) -> None:
    """Looks up every acknowledged pageview in the database of the running server."""
    stored = [page_id for (page_id,) in rows(server, "SELECT page_id FROM pageviews")]
    known = set(stored)
    report.figure("acknowledged, all rounds", f"{len(bench.acknowledged):,}")
    report.zero("acknowledged but not in the database", sum(PAGE_ID % one not in known for one in bench.acknowledged))
    report.zero("doubled", len(stored) - len(known))
    ((visited, beats),) = rows(server, "SELECT (SELECT sum(pageviews) FROM visits), (SELECT count(*) FROM heartbeats)")
    report.zero("pageviews that visits count, beyond the rows", abs(visited - len(stored)))
    report.zero("heartbeats beyond the pageviews", abs(beats - len(stored)))
