"""A thousand sites with a million pageviews today: the figures of the page of all sites."""

from __future__ import annotations

import time
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, TypeVar

from msgspec.structs import astuple
from sqlalchemy import func, insert, select

from analytics.base.config import Config
from analytics.base.ids import first_id
from analytics.live.today import SETTLED_S, Today
from analytics.live.today_counts import TodayCounts
from analytics.query import usage
from analytics.sites.site import Site
from analytics.sites.store import all_sites
from analytics.storage import schema
from analytics.storage.database import Database
from benchmarks.common import Report, percentile
from benchmarks.fill import fill
from benchmarks.postgresql import postgresql
from collector.ingest.visit import Origin, Visit
from tests.support.factories import beat, feed_item

SITES, PAGEVIEWS = 1_000, 1_000_000
VISIT_PAGES = 3
NOW = 1_800_000_000 + 12 * 3600  # 20:00 UTC
MIDNIGHT = 1_800_000_000 - 8 * 3600
MAX_READ_MS, MAX_RATIO = 50, 1.2
DAYS = 30
T = TypeVar("T")


def run(report: Report, folder: Path, *, short: bool) -> None:
    """Prints the cost of reading and of a beat, and how long a start takes to restore the figures."""
    pageviews = PAGEVIEWS // 10 if short else PAGEVIEWS
    _on(report, "SQLite", Config(data_dir=folder / "data"), pageviews)
    with postgresql(folder) as url:
        _on(report, "PostgreSQL", Config(data_dir=folder / "beside", database_url=url), pageviews)
    _beats(report)


def _on(report: Report, name: str, config: Config, pageviews: int) -> None:
    database = Database(config)
    expected = _written(database, pageviews)
    sites = all_sites(database)
    today = Today(database)
    today.prepare(sites, NOW - 2 * SETTLED_S)
    took, _ = _timed(lambda: today.restore(NOW, lambda _: False))
    report.figure(f"{name}, {pageviews:,} pageviews recalled", f"{took:,.0f} ms, beside everything else")
    ids = [site.id for site in sites]
    read_ms = [_timed(lambda: today.read(ids, NOW))[0] for _ in range(200)]
    found = today.read(ids, NOW)
    report.at_most(f"{name}, today of {SITES:,} sites, p95", percentile(read_ms, 0.95), MAX_READ_MS, "ms")
    report.zero("  sites whose figures are wrong", sum(found.get(site_id) != expected for site_id in ids))
    days = usage.last_days(NOW, DAYS)
    usage_ms = [_timed(lambda: usage.read(database, ids, days))[0] for _ in range(5)]
    report.figure(f"{name}, usage of {DAYS} days of them", f"{min(usage_ms):.0f}–{max(usage_ms):.0f} ms")
    report.figure(f"{name}, today by SQL instead", f"{_timed(lambda: _by_sql(database))[0]:,.0f} ms")
    database.close()


def _beats(report: Report) -> None:
    """The cost of a beat with one site and with a thousand, and the memory of a million people."""
    costs, item = {}, feed_item(1)
    for many in (1, SITES):
        today = Today(None)  # type: ignore[arg-type] # nothing is recalled
        sites = [Site(number, f"{number}.example", "", "UTC") for number in range(1, many + 1)]
        today.prepare(sites, MIDNIGHT - 10)
        today.prepare(sites, MIDNIGHT)
        beats = [
            (beat(n % 50_000, at=NOW, nth=n, site_id=n % many + 1), item if n % 3 == 0 else None, None)
            for n in range(200_000)
        ]
        took, _ = _timed(lambda today=today, beats=beats: today.take(beats))  # type: ignore[misc]
        costs[many] = took * 1000 / len(beats)
    both = f"{costs[1]:.2f} and {costs[SITES]:.2f} µs"
    report.at_most("a beat, with 1,000 sites to with 1", costs[SITES] / costs[1], MAX_RATIO, "", both)
    tracemalloc.start()
    today = Today(None)  # type: ignore[arg-type]
    today.prepare([Site(1, "a.example", "", "UTC")], MIDNIGHT - 10)
    today.prepare([Site(1, "a.example", "", "UTC")], MIDNIGHT)
    today.take((beat(n * 7_919_000_000_007 % 2**63, at=NOW, nth=n), item, None) for n in range(1_000_000))
    report.figure("memory of a million people", f"{tracemalloc.get_traced_memory()[0] / 1e6:.0f} MB")
    tracemalloc.stop()


def _by_sql(database: Database) -> None:
    """The same figures by three grouped statements."""
    since = first_id(MIDNIGHT)
    beats = schema.heartbeats
    pairs = select(beats.c.site_id, beats.c.visitor, beats.c.user_id).where(beats.c.id >= since).distinct().subquery()
    with database.read_without_timeout() as connection:
        for table in (schema.pageviews, schema.visits):
            connection.execute(
                select(table.c.site_id, func.count()).where(table.c.id >= since).group_by(table.c.site_id)
            ).all()
        connection.execute(select(pairs.c.site_id, func.count()).group_by(pairs.c.site_id)).all()


def _written(database: Database, pageviews: int) -> TodayCounts:
    """Writes the day; returns the figures that each site must have."""
    with database.transaction() as connection:
        rows = [
            {"id": n, "domain": f"site-{n}.example", "name": "", "timezone": "UTC", "created_at": MIDNIGHT}
            for n in range(1, SITES + 1)
        ]
        connection.execute(insert(schema.sites), rows)
        counted = [
            {"site_id": n, "day": day.isoformat(), "people": 9, "signed_in": 4, "anonymous": 5}
            for n in range(1, SITES + 1)
            for day in usage.last_days(NOW, DAYS)
        ]
        connection.execute(insert(schema.daily_usage), counted)
    visits = pageviews // SITES // VISIT_PAGES
    fill(database, "visits", _visits(visits))
    fill(database, "pageviews", _pages(visits, "pageviews"))
    fill(database, "heartbeats", _pages(visits, "heartbeats"))
    return TodayCounts(people=visits, visits=visits, pageviews=visits * VISIT_PAGES)


def _begun(site_id: int, number: int, visits: int) -> int:
    at = MIDNIGHT + number * (NOW - MIDNIGHT - 400) // visits
    return first_id(at) + site_id


def _visits(visits: int) -> Iterator[tuple[Any, ...]]:
    origin = Origin("example.com", "Google", country="DE", city="Berlin", browser="Chrome", device="Desktop")
    for site_id in range(1, SITES + 1):
        for number in range(visits):
            row_id = _begun(site_id, number, visits)
            at = (row_id >> 21) // 1000
            visit = Visit(site_id, row_id, number, None, "", at, at + 120, at + 120, VISIT_PAGES, 0, "/", "/a", origin)
            yield (*astuple(visit)[:-1], *origin)


def _pages(visits: int, table: str) -> Iterator[tuple[Any, ...]]:
    for site_id in range(1, SITES + 1):
        for number in range(visits):
            visit_id = _begun(site_id, number, visits)
            for page in range(VISIT_PAGES):
                row_id = visit_id + first_id(60 * page)
                at = (row_id >> 21) // 1000
                if table == "pageviews":
                    page_id = f"page-{number}-{page}"
                    yield (
                        *(site_id, row_id, page_id, at, visit_id, number, None),
                        *("example.com", f"/articles/{page}", "An article", 1000, 50),
                    )
                else:
                    yield (site_id, row_id, at, visit_id, number, number, None, "", 0, f"/articles/{page}")


def _timed(work: Callable[[], T]) -> tuple[float, T]:
    begun = time.perf_counter()
    result = work()
    return (time.perf_counter() - begun) * 1000, result
