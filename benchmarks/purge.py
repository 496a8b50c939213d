"""A million heartbeats past their retention are purged while the collector takes load."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from analytics.base.config import Config
from analytics.base.ids import first_id
from analytics.calendar.days import day_of
from analytics.jobs import daily_usage
from analytics.jobs.daily import COUNTERS, PURGE
from analytics.live import minute_store
from analytics.storage.database import Database
from analytics.storage.job_state import mark
from benchmarks.common import BEHIND_PROXY, Report, footfall, rows, serving
from benchmarks.fill import fill
from benchmarks.load import Load, loaded
from benchmarks.postgresql import postgresql
from tests.support.serving import Server

HEARTBEATS = 1_000_000
OLD_DAYS = 10
DAY_S = 86_400
MAX_RATIO = 1.5
ROUND_S = 4.0


class Loads(NamedTuple):
    """The collector's loads before the purge and during it."""

    before: Sequence[Load]
    during: Sequence[Load]
    took_s: float


def run(report: Report, folder: Path, *, short: bool) -> None:
    """Prints the collector's rate and p99 before and during the purge, on SQLite and on PostgreSQL."""
    many = HEARTBEATS // 5 if short else HEARTBEATS
    _on(report, "SQLite", folder / "sqlite", "", many)
    with postgresql(folder) as url:
        _on(report, "PostgreSQL", folder / "beside", url, many)


def _on(report: Report, name: str, folder: Path, url: str, many: int) -> None:
    with footfall(folder, url) as server:
        server.stop()
    config = Config(data_dir=folder / "data", database_url=url)
    _fill(config, many)
    with serving(config, **BEHIND_PROXY) as server:
        loads = _measured(server)
        left = rows(server, "SELECT count(*) FROM heartbeats WHERE at < :edge", edge=int(time.time()) - 7 * DAY_S)
    for what, some in (("before", loads.before), ("during", loads.during)):
        rate, p99 = _middle([load.rate for load in some]), _middle([load.p99 for load in some])
        longest = max(load.longest for load in some)
        report.figure(f"{name}, {what} the purge", f"{rate:,.0f} /s · p99 {p99:.1f} · max {longest:.0f} ms")
        report.zero("  refused", sum(sum(load.strange.values()) for load in some))
    ratio = _middle([load.p99 for load in loads.during]) / _middle([load.p99 for load in loads.before])
    report.at_most(f"{name}, p99 during to before", ratio, MAX_RATIO, "")
    report.figure(f"{name}, {many:,} heartbeats purged", f"{loads.took_s:.0f} s beside that load")
    report.zero("  heartbeats past their retention that are left", left[0][0])


def _measured(server: Server) -> Loads:
    first = 1
    before, during = [], []
    for number in range(3):
        before.append(loaded(server.port, first, ROUND_S))
        first += 1_000_000 * (number + 1)
    begun = time.monotonic()
    purging = threading.Thread(target=server.tell, args=("maintain",))
    purging.start()
    while purging.is_alive():
        during.append(loaded(server.port, first, ROUND_S))
        first += 1_000_000
        if not purging.is_alive() and len(during) > 1:
            during.pop()  # the last round was only partly during the purge
    purging.join()
    return Loads(before, during, time.monotonic() - begun)


def _middle(values: Sequence[float]) -> float:
    return sorted(values)[len(values) // 2]


def _fill(config: Config, many: int) -> None:
    """Writes `many` heartbeats of the ten days before the retention, whose days are counted. The purge of today counts
    as done, so that the server does not start one.
    """
    database = Database(config)
    begin = int(time.time()) - (7 + OLD_DAYS) * DAY_S
    span_s = (OLD_DAYS - 1) * DAY_S
    moments = ((number, begin + number * span_s // many) for number in range(many))
    fill(
        database,
        "heartbeats",
        (
            (1, first_id(at) + number % 4096, at, number, number // 10, number, None, "", 0, "/articles/1")
            for number, at in moments
        ),
    )
    today = day_of(int(time.time()))
    with database.transaction() as connection:
        for job in (daily_usage.JOB, minute_store.JOB):
            mark(connection, job, [day_of(begin + day * DAY_S) for day in range(20)], int(time.time()))
        for name in (PURGE, COUNTERS):
            mark(connection, name, [today], int(time.time()))
    database.close()
