"""History: every panel of the Overview page, on a made-up year of 10 million pageviews, and the same statements on
SQLite and PostgreSQL.
"""

from __future__ import annotations

import os
import time
from array import array
from collections.abc import Callable, Sequence
from contextlib import closing
from math import isclose
from pathlib import Path
from threading import Event
from typing import Any, NamedTuple

from analytics.base.config import Config
from analytics.calendar.minute_series import Minutes
from analytics.calendar.period import Comparison, Period
from analytics.query.answer import answer, series
from analytics.query.backend import Backend, Fetch, fetch_from
from analytics.query.filters import Filter, parse
from analytics.query.query import Query
from analytics.replica.columnar import Columnar
from analytics.sites import store
from analytics.sites.site import Site
from analytics.storage.database import Database
from benchmarks.common import Report, memory_mb, spread
from benchmarks.history_data import HOST, write
from benchmarks.postgresql import postgresql

VISITS = 3_000_000
BEGIN, NOW = 1_735_689_600, 1_767_268_800  # 1 January 2025 and, noon, 2026
ROUNDS = 5
NEVER = Event().wait

NUMBERS = "visitors", "visits", "pageviews", "views_per_visit", "bounce_rate", "visit_duration"
TOPS = "source", "page", "country", "browser"
NO_PAGEVIEW = parse([["is_not", "event", ["pageview"]]])
CHROME_IN_THE_US = parse([["is", "country", ["US"]], ["is", "browser", ["Chrome"]]])

MAX_MB, MAX_MS = 1_500, 1_000


class Page(NamedTuple):
    """The Overview page for a period and filters, and how many milliseconds it may take."""

    name: str
    period: Period
    filters: tuple[Filter, ...]
    limit_ms: float


PAGES = (
    Page("30 days", Period("30d"), (), 400),
    Page("12 months", Period("12mo"), (), 1_500),
    Page("30 days, a country and a browser", Period("30d"), CHROME_IN_THE_US, 250),
    Page("12 months, a country and a browser", Period("12mo"), CHROME_IN_THE_US, 700),
)

Panels = dict[str, Callable[[Fetch], Any]]


class Drawn(NamedTuple):
    """The milliseconds and the contents of each panel."""

    took: dict[str, float]
    shown: dict[str, Any]


def run(report: Report, folder: Path, *, short: bool) -> None:
    """Prints the figures, short with a twentieth of the rows."""
    visits = VISITS // 20 if short else VISITS
    right = _on_sqlite(report, Config(data_dir=folder / "sqlite"), visits)
    with postgresql(folder) as url:
        _on_postgresql(report, Config(data_dir=folder / "beside", database_url=url), visits, right)


def _on_sqlite(report: Report, config: Config, visits: int) -> list[Drawn]:
    """The replica's pages, which are compared with SQLite's."""
    with closing(Database(config)) as database, closing(Columnar(database, config)) as columnar:
        site = _filled(report, database, visits)
        begun = time.monotonic()
        columnar.follow(NEVER)
        report.figure("the replica is made", f"{time.monotonic() - begun:.0f} s")
        found = [_warm(report, page, _panels(site, page), columnar.rows) for page in PAGES]
        report.at_most("memory of the process", memory_mb(os.getpid()), MAX_MB, "MB")
        _compared(report, "SQLite", site, fetch_from(database), found)
        return found


def _on_postgresql(report: Report, config: Config, visits: int, right: Sequence[Drawn]) -> None:
    with closing(Database(config)) as database:
        site = _filled(report, database, visits)

        def patiently(statement: Any) -> Sequence[Sequence[Any]]:
            with database.read_without_timeout() as connection:
                return connection.execute(statement).all()

        _compared(report, "PostgreSQL", site, patiently, right)


def _filled(report: Report, database: Database, visits: int) -> Site:
    site = store.add(database, HOST, timezone="Europe/Berlin", now=NOW)
    begun = time.monotonic()
    made = write(database, site.id, visits, BEGIN)
    took = time.monotonic() - begun
    report.figure(f"{made.pageviews:,} pageviews, {made.visits:,} visits", f"written in {took:.0f} s")
    return site


def _warm(report: Report, page: Page, panels: Panels, fetch: Fetch) -> Drawn:
    """Draws the page once to warm up, then in rounds that count; returns the quickest of them."""
    _draw(panels, fetch)
    rounds = [_draw(panels, fetch) for _ in range(ROUNDS)]
    sums = [sum(one.took.values()) for one in rounds]
    best = rounds[sums.index(min(sums))]
    report.at_most(f"{page.name}, every panel", sorted(sums)[ROUNDS // 2], page.limit_ms, "ms", spread(sums))
    report.say("      " + " · ".join(f"{name} {took:.0f}" for name, took in best.took.items()))
    report.at_most("  the slowest question", max(best.took.values()), MAX_MS, "ms")
    return best


def _compared(report: Report, name: str, site: Site, fetch: Fetch, right: Sequence[Drawn]) -> None:
    """How many times as long the same statements take on that database, and whether the results are the same."""
    apart = 0
    for page, ours in zip(PAGES, right, strict=True):
        theirs = _draw(_panels(site, page), fetch)
        took, took_here = sum(theirs.took.values()), sum(ours.took.values())
        report.figure(f"{page.name}, on {name}", f"{took / 1000:,.1f} s, {took / took_here:,.0f} times as long")
        apart += sum(not _alike(theirs.shown[one], ours.shown[one]) for one in ours.shown)
    report.zero(f"panels that differ on {name}", apart)


def _draw(panels: Panels, fetch: Fetch) -> Drawn:
    took, shown = {}, {}
    for name, panel in panels.items():
        begun = time.monotonic()
        shown[name] = panel(fetch)
        took[name] = (time.monotonic() - begun) * 1000
    return Drawn(took, shown)


def _panels(site: Site, page: Page) -> Panels:
    """The questions of the page: numbers and comparison, the chart, five top tens, and hours for the heat map."""

    def query(*metrics: str, by: str = "", more: tuple[Filter, ...] = ()) -> Query:
        fields: dict[str, Any] = {"metrics": metrics, "filters": page.filters + more}
        fields |= {"period": page.period, "comparison": Comparison(), "limit": 10}
        return Query.of(site, dimensions=(by,) if by else (), **fields)

    numbers, visitors = query(*NUMBERS), query("visitors")
    span, before = numbers.span(NOW), numbers.compared(NOW)
    assert before
    tops = {name: query("visitors", by=name) for name in TOPS}
    tops["event"] = query("visitors", by="event", more=NO_PAGEVIEW)
    return {
        "numbers": lambda fetch: answer(numbers, span, _facts(fetch)).rows,
        "compared": lambda fetch: answer(numbers, before, _facts(fetch)).rows,
        "chart": lambda fetch: series(visitors, span, page.period.interval, _facts(fetch)),
        **{name: _top(top, span) for name, top in tops.items()},
        "hours": lambda fetch: series(visitors, span, "hour", _facts(fetch)),
    }


def _top(query: Query, span: Any) -> Callable[[Fetch], Any]:
    return lambda fetch: answer(query, span, _facts(fetch))


def _facts(fetch: Fetch) -> Backend:
    """A backend of facts alone: no panel needs minutes."""
    return Backend(fetch, lambda _site_id, _span: Minutes(0, array("i")))


def _alike(one: Any, other: Any) -> bool:
    """Whether both are equal except for the last digits of means."""
    if isinstance(one, float) and isinstance(other, float):
        return isclose(one, other, rel_tol=1e-9)
    if isinstance(one, dict):
        return _alike(sorted(one.items()), sorted(other.items()))
    if isinstance(one, (list, tuple)):
        return len(one) == len(other) and all(map(_alike, one, other))
    return bool(one == other)
