"""The purge: deletes old heartbeats, counters and samples, in small batches so that the writer never waits long."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from datetime import date
from typing import Any, NamedTuple

from sqlalchemy import Column, ColumnElement, delete, func, select

from analytics.base.background import PAUSE_PER_BATCH, Pause, Report
from analytics.base.ids import first_id
from analytics.calendar.days import start_of
from analytics.storage import partitions, schema
from analytics.storage.database import Database

HOUR_S, DAY_S = 3600, 86_400
MINUTE_DAYS, HOUR_DAYS = 90, 730
"""How long the minutes and hours of samples are kept; the setting is of the samples themselves."""
MAX_COUNTER_DAYS = 90
"""How long counters are kept: outcomes, robots and gauges by hour, and unlisted hosts after their last event."""

# SQLite has one writing connection: the collector may have to wait for one batch, and has nine tenths of the time. The
# duration of a batch includes its own waiting, so the purge slows down under load. With a pause of three times the
# batch, the collector's p99 was 1.9 times that without a purge. See benchmarks/purge.py.
BATCH = 500


class Retention(NamedTuple):
    """How long the rows of a table with a `site_id` are kept after the time in `column` (epoch s)."""

    column: Column[Any]
    days: int


RETENTIONS = (
    Retention(schema.outcomes.c.hour, MAX_COUNTER_DAYS),
    Retention(schema.robots.c.hour, MAX_COUNTER_DAYS),
    Retention(schema.unlisted_hosts.c.last_at, MAX_COUNTER_DAYS),
    Retention(schema.gauge_readings.c.hour, MAX_COUNTER_DAYS),
)
"""Everything but heartbeats that is deleted by its age. A site's own retention is of heartbeats alone."""


class Purged(NamedTuple):
    """How many rows were deleted. `whole`: all that had to be."""

    rows: int
    whole: bool


class _Old(NamedTuple):
    """The rows of a site to delete: those with less than `end` in the column; `series_id`: of that series alone."""

    column: Column[Any]
    site_id: int
    end: int
    series_id: int | None = None

    def own(self) -> list[ColumnElement[bool]]:
        """The conditions of the site's rows, and of the series'."""
        columns = self.column.table.c
        own = [columns.site_id == self.site_id]
        return own if self.series_id is None else [*own, columns.series_id == self.series_id]


def cutoffs(database: Database, now: int, retention_days: int) -> dict[int, int]:
    """By site, the first second (epoch) whose heartbeats are kept; `retention_days` is for sites without their own."""
    table = schema.sites
    days = func.coalesce(table.c.retention_days, retention_days)
    with database.read() as connection:
        return {site_id: now - int(kept) * DAY_S for site_id, kept in connection.execute(select(table.c.id, days))}


def purge(
    database: Database, now: int, retention_days: int, uncounted: date | None, pause: Pause, report: Report
) -> Purged:
    """Deletes the heartbeats of every site from before its cutoff, except those of the day `uncounted` and later."""
    most = now if uncounted is None else start_of(uncounted)
    kept = sorted(cutoffs(database, now, retention_days).items())
    old = (_Old(schema.heartbeats.c.id, site_id, first_id(min(cutoff, most))) for site_id, cutoff in kept)
    return _purge(database, old, pause, lambda gone: report(f"{gone:,} heartbeats purged so far"))


def purge_counters(database: Database, now: int, pause: Pause, report: Report) -> Purged:
    """Deletes rows older than their retention in `RETENTIONS`, including those of no known site."""
    with database.read() as connection:
        site_ids = [0, *connection.execute(select(schema.sites.c.id).order_by(schema.sites.c.id)).scalars()]
    old = (_Old(one.column, site_id, now - one.days * DAY_S) for site_id in site_ids for one in RETENTIONS)
    return _purge(database, old, pause, lambda gone: report(f"{gone:,} counters purged so far"))


def purge_samples(database: Database, now: int, retention_days: int, pause: Pause, report: Report) -> Purged:
    """Deletes samples older than `retention_days`, their minutes and hours, and series without any of these."""
    table = schema.health_series
    with database.read() as connection:
        known = connection.execute(select(table.c.site_id, table.c.id).order_by(table.c.id)).all()
    edges = [now - days * DAY_S for days in (retention_days, MINUTE_DAYS, HOUR_DAYS)]
    samples, minutes, hours = schema.health_samples.c.at, schema.health_minutes.c.at, schema.health_hours.c.at
    site_ids = sorted({one.site_id for one in known})
    old = [_Old(samples, site_id, edges[0]) for site_id in site_ids]
    for column, end in ((minutes, edges[1]), (hours, edges[2])):
        old += [_Old(column, one.site_id, end, one.id) for one in known]
    unseen = min(edges) - HOUR_S  # `seen_at` is when the hour began
    old += [_Old(table.c.seen_at, site_id, unseen) for site_id in site_ids]
    dropped = _drop_days(database, edges[0])
    purged = _purge(database, old, pause, lambda gone: report(f"{dropped + gone:,} samples purged so far"))
    return purged._replace(rows=dropped + purged.rows)


def _drop_days(database: Database, end: int) -> int:
    """Removes the days of samples before `end` that are partitions; how many samples that were."""
    with database.read_without_timeout() as connection:
        sizes = {name: partitions.size(connection, name) for name in partitions.before(connection, end)}
    for name in sizes:
        with database.transaction() as connection:
            partitions.drop(connection, name)
    return sum(sizes.values())


def _purge(database: Database, old: Iterable[_Old], pause: Pause, report: Callable[[int], None]) -> Purged:
    gone = 0
    for rows in old:
        while batch := _purge_batch(database, rows):
            gone += batch.rows
            report(gone)
            if pause(batch.took_s * PAUSE_PER_BATCH):
                return Purged(gone, whole=False)
    return Purged(gone, whole=True)


class _Batch(NamedTuple):
    rows: int
    took_s: float


def _purge_batch(database: Database, old: _Old) -> _Batch | None:
    """Deletes the oldest rows, up to the value of the last one in the batch; None if there are none.

    That value is looked up before, so that the deleting transaction scans nothing else.
    """
    column, table = old.column, old.column.table
    due = select(column).where(*old.own(), column < old.end).order_by(column)
    with database.read() as connection:
        if connection.execute(due.limit(1)).first() is None:
            return None
        edge = connection.execute(due.offset(BATCH - 1).limit(1)).scalar()
    upto = column < old.end if edge is None else column <= edge
    begun = time.monotonic()
    with database.transaction() as connection:
        found = connection.execute(delete(table).where(*old.own(), upto))
    return _Batch(found.rowcount, time.monotonic() - begun)
