"""The columnar replica: how fast it is built, how it follows, and how long comparing it takes."""

from __future__ import annotations

import os
import threading
import time
from pathlib import Path
from statistics import median

from sqlalchemy import Select, func, select, update

from analytics.base.config import Config
from analytics.jobs.verify import verify
from analytics.replica.columnar import Columnar
from analytics.replica.rebuild import delete_files
from analytics.sites import store
from analytics.storage import changes, schema
from analytics.storage.database import Database
from benchmarks.collect import Bench, Measured
from benchmarks.common import BEHIND_PROXY, Report, memory_mb, percentile, serving, spread, times
from benchmarks.history_data import DAY_S, HOST, write
from benchmarks.postgresql import postgresql
from collector.service import FOLLOW_S
from collector.store.writer import QueuedRequest, Writer
from tests.support.factories import accepted

VISITS = 3_000_000
CHANGED = 5_000
MAX_BUILD_S = 90.0
MAX_LAG_S = 2.0
LOAD_S, LOADS, MAX_SLOWDOWN = 4.0, 5, 2.0
RATE = 500  # pageviews a second
NEVER = threading.Event().wait


def run(report: Report, folder: Path, *, short: bool) -> None:
    """Prints the figures on SQLite and on PostgreSQL, short with a fiftieth of the rows."""
    visits = VISITS // 50 if short else VISITS
    _on(report, "SQLite", Config(data_dir=folder / "sqlite"), visits)
    _collecting(report, Config(data_dir=folder / "sqlite"))
    with postgresql(folder) as url:
        _on(report, "PostgreSQL", Config(data_dir=folder / "beside", database_url=url), visits)
    _lag(report, Config(data_dir=folder / "lag"), 5.0 if short else 30.0)


def _on(report: Report, name: str, config: Config, visits: int) -> None:
    database = Database(config)
    now = int(time.time())
    site = store.add(database, HOST, now=now)
    begun = time.monotonic()
    written = sum(write(database, site.id, visits, now // DAY_S * DAY_S - 365 * DAY_S))
    report.figure(f"{name}, {written:,} rows written", f"{time.monotonic() - begun:.0f} s")
    columnar = Columnar(database, config)
    begun = time.monotonic()
    columnar.follow(NEVER)
    took = time.monotonic() - begun
    report.at_most(f"{name}, made from the truth", took, MAX_BUILD_S, "s", f"{written / took:,.0f} rows/s")
    report.figure(f"{name}, memory of the process then", f"{memory_mb(os.getpid()):,.0f} MB")
    report.figure(
        f"{name}, {CHANGED:,} changed visits", times([_change(database, columnar, site.id) for _ in range(5)])
    )
    begun = time.monotonic()
    differences = verify(columnar, NEVER, lambda _: None).differences
    report.figure(f"{name}, every row compared", f"{time.monotonic() - begun:.0f} s")
    report.zero("  differences", len(differences))
    columnar.close()
    database.close()


def _collecting(report: Report, config: Config) -> None:
    """The collector's latency under full load while the replica is rebuilt at the same time."""
    made = config.data_dir / "columnar.duckdb"
    delete_files(made)
    with serving(config, **BEHIND_PROXY) as server:
        bench = Bench(LOAD_S)

        def measure() -> Measured:
            return bench.measure(server.process.pid, server.port)

        meanwhile, until = [measure()], time.monotonic() + 10 * MAX_BUILD_S
        while not made.exists() and time.monotonic() < until:
            meanwhile.append(measure())
        meanwhile = meanwhile[:-1] or meanwhile  # the last round is partly after the rebuild
        afterwards = [measure() for _ in range(LOADS)]
    some = {"while it is made": meanwhile, "afterwards": afterwards}
    for name, loads in some.items():
        rate, p99 = (spread([getattr(one.load, what) for one in loads], 1) for what in ("rate", "p99"))
        report.figure(f"64 connections, {name}", f"{rate} /s, p99 {p99} ms")
    during, after = (median(one.load.p99 for one in loads) for loads in some.values())
    report.at_most("p99 while it is made, against afterwards", during / after, MAX_SLOWDOWN, "times")


def _change(database: Database, columnar: Columnar, site_id: int) -> float:
    """Changes the latest visits; returns the milliseconds until the replica has them."""
    table = schema.visits
    latest: Select[tuple[int]] = select(table.c.id).order_by(table.c.id.desc()).limit(CHANGED)
    ids = [row_id for (row_id,) in columnar.rows(latest)]
    with database.transaction() as connection:
        connection.execute(update(table).where(table.c.id.in_(ids)).values(events=table.c.events + 1))
        changes.record(connection, site_id, visits=ids)
    begun = time.monotonic()
    columnar.follow(NEVER)
    return (time.monotonic() - begun) * 1000


def _lag(report: Report, config: Config, seconds: float) -> None:
    """How long after its commit a pageview can be queried, while `RATE` per second are stored."""
    database = Database(config)
    store.add(database, HOST, now=int(time.time()))
    columnar, ending = Columnar(database, config), threading.Event()
    writer = Writer(database, lambda _: None)

    def follow() -> None:
        while not ending.wait(FOLLOW_S):
            columnar.follow(NEVER)

    following = threading.Thread(target=follow)
    following.start()
    committed: list[float] = []
    storing = threading.Thread(target=_store, args=(writer, committed, seconds))
    storing.start()
    lags: list[float] = []
    pageviews = select(func.count()).select_from(schema.pageviews)
    while storing.is_alive() or len(lags) < len(committed):
        ((there,),) = columnar.rows(pageviews)
        now = time.monotonic()
        lags += [now - at for at in committed[len(lags) : there]]
        time.sleep(0.02)
    report.at_most(f"lag at {RATE} pageviews a second, p99", percentile(lags, 0.99), MAX_LAG_S, "s")
    ending.set()
    following.join()
    writer.stop()
    columnar.close()
    database.close()


def _store(writer: Writer, committed: list[float], seconds: float) -> None:
    """Stores `RATE` pageviews a second; `committed` gets the moment of each commit, in order."""
    begun = time.monotonic()
    for number in range(int(RATE * seconds)):
        one = accepted("pageview", f"page-{number:06}", at=time.time(), visitor=number // 3, path=f"/{number % 100}")
        writer.submit([QueuedRequest([one], lambda _: committed.append(time.monotonic()))])
        time.sleep(max(0.0, begun + number / RATE - time.monotonic()))
    writer.settle(60.0)
