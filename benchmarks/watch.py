"""What the triggers of a watched table cost its application: inserts with and without them, in turns."""

from __future__ import annotations

import statistics
from collections.abc import Mapping
from pathlib import Path

import psycopg

from analytics.activity import gauge, install
from analytics.activity.gauge import GaugeDefinition
from analytics.activity.watch import WatchDefinition, filters_of
from benchmarks.common import Report
from benchmarks.postgresql import postgresql

KEY = "0a1b2c3d"
ROWS, ROUNDS = 10_000, 5
TABLE = (
    "CREATE TABLE bookings (id bigserial PRIMARY KEY, guest text, status text, amount numeric, created_at timestamptz)"
)
ROW = "'Ada', 'paid', 99.50, now()"
ONE = f"INSERT INTO bookings (guest, status, amount, created_at) VALUES ({ROW})"
ALL = f"INSERT INTO bookings (guest, status, amount, created_at) SELECT {ROW} FROM generate_series(1, %s)"
GAUGES = tuple(map(gauge.parse, ("All: count", "Pending: count where status=eq.pending", "Paid: sum(amount)")))

Watched = tuple[WatchDefinition, tuple[GaugeDefinition, ...]]
VARIANTS: Mapping[str, Watched | None] = {
    "without a watch": None,
    "a watch whose filter does not match": (
        WatchDefinition("public", "bookings", ("insert",), filters_of(("status=eq.pending",)), ("id", "status")),
        (),
    ),
    "a watch, each insert an event": (
        WatchDefinition("public", "bookings", ("insert",), (), ("id", "status", "amount"), value="amount"),
        (),
    ),
    "three gauges": (WatchDefinition("public", "bookings", ()), GAUGES),
    "both": (
        WatchDefinition("public", "bookings", ("insert",), (), ("id", "status", "amount"), value="amount"),
        GAUGES,
    ),
}


def run(report: Report, folder: Path, *, short: bool = False) -> None:
    """Measures each way of inserting, with each variant, in turns. Commits are not synced: that would be most of it."""
    rows, rounds = (1_000, 2) if short else (ROWS, ROUNDS)
    with postgresql(folder) as url:
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(TABLE.encode())
        for way in ("each in its own transaction", "in one transaction", "in one statement"):
            found: dict[str, list[float]] = {name: [] for name in VARIANTS}
            for _ in range(rounds):
                for name, watched in VARIANTS.items():
                    found[name].append(_measured(url, way, watched, rows))
            _report(report, f"{rows:,} inserts {way}: µs of the server's processor time an insert", found)


def _report(report: Report, head: str, found: Mapping[str, list[float]]) -> None:
    report.say(f"  {head}, median of {len(found['without a watch'])}")
    without = statistics.median(found["without a watch"])
    for name, values in found.items():
        middle = statistics.median(values)
        more = "" if name == "without a watch" else f", {middle - without:+.1f}"
        report.figure(f"  {name}", f"{middle:.1f} [{min(values):.1f}–{max(values):.1f}]{more}")


def _measured(url: str, way: str, watched: Watched | None, rows: int) -> float:
    """Microseconds of the server's process for an insert, its commit included."""
    if watched:
        install.install(url, KEY, *watched)
    with psycopg.connect(url, autocommit=way != "in one transaction") as connection:
        connection.execute("SET synchronous_commit = off")
        process = connection.info.backend_pid
        begun = _processor_us(process)
        if way == "in one statement":
            connection.execute(ALL.encode(), [rows])
        else:
            for _ in range(rows):
                connection.execute(ONE.encode())
        connection.commit()
        taken = _processor_us(process) - begun
        connection.execute("TRUNCATE bookings")
        connection.commit()
    install.remove(url, KEY)
    return taken / rows


def _processor_us(process: int) -> float:
    return int(Path(f"/proc/{process}/schedstat").read_text().split()[0]) / 1000
