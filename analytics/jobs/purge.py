"""The purge: what is past its time is deleted, in batches that hold nobody up: heartbeats, and the hourly counters."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from datetime import date
from typing import Any, NamedTuple

from sqlalchemy import Column, delete, func, select

from analytics.base.background import PAUSE_PER_BATCH, Pause, Report
from analytics.base.ids import first_id
from analytics.calendar.days import start_of
from analytics.storage import schema
from analytics.storage.database import Database

DAY_S = 86_400
COUNTER_DAYS = 90
"""How long counters are kept: outcomes and robots of an hour, and a host that is unlisted after its last event."""

# SQLite has one writing connection: a batch is what the collector may have to wait for, and of ten moments nine are the
# collector's. What a batch took includes its own waiting, so under load the purge goes slower. With a pause of three
# times the batch the collector's p99 was 1.9 of what it was alone. See benchmarks/purge.py.
BATCH = 500


class Purged(NamedTuple):
    """How many rows are gone, and whether all were that had to go."""

    rows: int
    whole: bool


class _Old(NamedTuple):
    """Rows of a site that have to go: those in whose column stands less than `end`."""

    column: Column[Any]
    site_id: int
    end: int


def cutoffs(database: Database, now: int, retention_days: int) -> dict[int, int]:
    """By site the first second (epoch) whose heartbeats are kept: the site's own retention, else that given."""
    table = schema.sites
    days = func.coalesce(table.c.retention_days, retention_days)
    with database.read() as connection:
        return {site_id: now - int(kept) * DAY_S for site_id, kept in connection.execute(select(table.c.id, days))}


def purge(
    database: Database, now: int, retention_days: int, uncounted: date | None, pause: Pause, report: Report
) -> Purged:
    """Deletes the heartbeats of every site from before its cutoff; those of the day `uncounted` and later stay."""
    most = now if uncounted is None else start_of(uncounted)
    kept = sorted(cutoffs(database, now, retention_days).items())
    old = (_Old(schema.heartbeats.c.id, site_id, first_id(min(cutoff, most))) for site_id, cutoff in kept)
    return _purge(database, old, pause, lambda gone: report(f"{gone:,} heartbeats purged so far"))


def purge_counters(database: Database, now: int, pause: Pause, report: Report) -> Purged:
    """Deletes the counters from before `COUNTER_DAYS`, also those of what named no site."""
    end = now - COUNTER_DAYS * DAY_S
    with database.read() as connection:
        site_ids = [0, *connection.execute(select(schema.sites.c.id).order_by(schema.sites.c.id)).scalars()]
    columns = schema.outcomes.c.hour, schema.robots.c.hour, schema.unlisted_hosts.c.last_at
    old = (_Old(column, site_id, end) for site_id in site_ids for column in columns)
    return _purge(database, old, pause, lambda gone: report(f"{gone:,} counters purged so far"))


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
    """Deletes the oldest of them, and what shares the last one's hour; None when there are none.

    The edge is looked up first, so that the transaction that deletes walks over nothing else.
    """
    column, table = old.column, old.column.table
    due = select(column).where(table.c.site_id == old.site_id, column < old.end).order_by(column)
    with database.read() as connection:
        if connection.execute(due.limit(1)).first() is None:
            return None
        edge = connection.execute(due.offset(BATCH - 1).limit(1)).scalar()
    upto = column < old.end if edge is None else column <= edge
    begun = time.monotonic()
    with database.transaction() as connection:
        found = connection.execute(delete(table).where(table.c.site_id == old.site_id, upto))
    return _Batch(found.rowcount, time.monotonic() - begun)
