"""Going back in time at 100,000 heartbeats an hour, and the minutes of a day: of one busy site and of a thousand."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterable
from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import insert

from analytics.base.config import Config
from analytics.base.ids import first_id
from analytics.calendar import minute_series
from analytics.calendar.days import day_of, start_of
from analytics.live import minute_store, rewind
from analytics.live.minutes import MinuteHistory
from analytics.sites import site as sites_site
from analytics.sites import store
from analytics.storage import schema
from analytics.storage.database import Database
from benchmarks import busy_day
from benchmarks.common import SITE, Report, percentile
from callbacks.pages.live import render
from layouts.pages.live_parts import THEN

HOURS, BEATS_PER_HOUR, PEOPLE, MOMENTS, SITES = 6, 100_000, 800, 200, 1_000
MAX_P95_MS = 50
WINDOW_S = 60


def run(report: Report, folder: Path, *, short: bool) -> None:
    """Prints how long the state of a past second takes, and the daily count of minutes."""
    database = Database(Config(data_dir=folder / "data"))
    try:
        site = store.add(database, SITE, now=int(time.time()))
        now = start_of(day_of(int(time.time()))) - 1  # the last second of a day that is over
        beats = HOURS * BEATS_PER_HOUR // (5 if short else 1)
        past = busy_day.write(database, site.id, now, beats, PEOPLE)
        report.say(f"  {past.heartbeats:,} heartbeats in {HOURS} hours")
        _state_figures(report, database, site, now, short=short)
        _counted(report, "minutes of that day counted", database, now)
        _quiet(database, now, SITES // (10 if short else 1))
        _counted(report, f"the same with {SITES // (10 if short else 1):,} quiet sites", database, now)
        _read(report, database, site, now)
    finally:
        database.close()


def _state_figures(report: Report, database: Database, site: sites_site.Site, now: int, *, short: bool) -> None:
    chance, history = random.Random(5), MinuteHistory(database, WINDOW_S)
    moments = [now - chance.randrange(HOURS * 3600) for _ in range(MOMENTS // (10 if short else 1))]
    while not history.people(site.id, now - 86_399, now + 1, now + 10)[1]:
        pass  # counts the minutes, as the page does while it is open
    states = [rewind.state_at(database, site.id, at, WINDOW_S) for at in moments]
    p95 = _p95(lambda at: rewind.state_at(database, site.id, at, WINDOW_S), moments)
    feed = _p95(lambda at: rewind.feed_at(database, site.id, at), moments)
    page = _p95(lambda state: render(site, state, history.then(site, state.at, now + 10), THEN), states)
    active = [state.active for state in states]
    report.figure("people active at these seconds", f"{min(active):,} to {max(active):,}")
    report.at_most("the state of any second, p95", p95, MAX_P95_MS, "ms")
    report.figure("its feed, p95", f"{feed:.1f} ms")
    report.figure("the page drawn from them, p95", f"{page:.1f} ms")


def _counted(report: Report, name: str, database: Database, now: int) -> None:
    rested = 0.0

    def rest(seconds: float) -> bool:
        nonlocal rested
        rested += seconds
        return False

    took = _ms(lambda: minute_store.count_day(database, day_of(now), now + 86_400, WINDOW_S, lambda _: 0, rest))
    report.figure(name, f"{took / 1000:.1f} s, and {rested:.1f} s of rests")


def _quiet(database: Database, now: int, many: int) -> None:
    """Sites with one visitor a day."""
    at = now - 3600
    columns = [column.name for column in schema.heartbeats.c]
    with database.transaction() as connection:
        for number in range(2, many + 2):
            domain = f"quiet-{number}.example"
            row = {"id": number, "domain": domain, "name": domain, "timezone": "UTC", "created_at": at}
            connection.execute(insert(schema.sites), row)
            beat = (number, first_id(at) + number, at, number, number, number, None, "", 0, "/")
            connection.execute(insert(schema.heartbeats), dict(zip(columns, beat, strict=True)))


def _read(report: Report, database: Database, site: sites_site.Site, now: int) -> None:
    """A year of a busy site, read back."""
    day = day_of(now)
    chance = random.Random(7)
    packed = minute_series.pack([chance.randrange(700, 900) for _ in range(minute_series.MINUTES)])
    rows = [{"site_id": site.id, "day": str(day - timedelta(days=back)), "people": packed} for back in range(1, 365)]
    with database.transaction() as connection:
        connection.execute(insert(schema.concurrents), rows)
    history = MinuteHistory(database, WINDOW_S)
    begin = start_of(day - timedelta(days=364))
    took = percentile([_ms(lambda: history.people(site.id, begin, now + 1, now + 10)) for _ in range(9)], 0.5)
    report.figure("the minutes of a year read", f"{took:.0f} ms, {len(packed):,} bytes a busy day")


def _p95(work: Callable[[Any], object], over: Iterable[Any]) -> float:
    return percentile([_ms(lambda one=one: work(one)) for one in over], 0.95)


def _ms(work: Callable[[], object]) -> float:
    begun = time.perf_counter()
    work()
    return 1000 * (time.perf_counter() - begun)
