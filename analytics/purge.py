"""The purge: heartbeats past their retention are deleted, in batches that hold nobody up."""

from __future__ import annotations

import time
from datetime import date
from typing import NamedTuple

from sqlalchemy import delete, func, select

from analytics import schema
from analytics.database import Database
from analytics.ids import first_id
from analytics.jobs import Rest, Tell, start_of

DAY_S = 86_400

# SQLite has one writing connection: a batch is what the collector may have to wait for, and of ten moments nine are the
# collector's. What a batch took includes its own waiting, so under load the purge goes slower. With a pause of three
# times the batch the collector's p99 was 1.9 of what it was alone. See benchmarks/purge.py.
BATCH = 500
PAUSE = 9.0  # times what the batch took


class Purged(NamedTuple):
    """How many heartbeats are gone, and whether all were that had to go."""

    heartbeats: int
    whole: bool


def cutoffs(database: Database, now: int, retention_days: int) -> dict[int, int]:
    """By site the first second (epoch) whose heartbeats are kept: the site's own retention, else that given."""
    table = schema.sites
    days = func.coalesce(table.c.retention_days, retention_days)
    with database.read() as connection:
        return {site_id: now - int(kept) * DAY_S for site_id, kept in connection.execute(select(table.c.id, days))}


def purge(database: Database, now: int, retention_days: int, uncounted: date | None, rest: Rest, tell: Tell) -> Purged:
    """Deletes the heartbeats of every site from before its cutoff; those of the day `uncounted` and later stay."""
    most = now if uncounted is None else start_of(uncounted)
    gone = 0
    for site_id, cutoff in sorted(cutoffs(database, now, retention_days).items()):
        while batch := _purge_batch(database, site_id, first_id(min(cutoff, most))):
            gone += batch.rows
            tell(f"{gone:,} heartbeats purged so far")
            if rest(batch.took_s * PAUSE):
                return Purged(gone, whole=False)
    return Purged(gone, whole=True)


class _Batch(NamedTuple):
    rows: int
    took_s: float


def _purge_batch(database: Database, site_id: int, end: int) -> _Batch | None:
    """Deletes a site's oldest heartbeats before the id `end`; None when there are none.

    The edge is looked up first, so that the transaction that deletes walks over nothing else.
    """
    beats = schema.heartbeats
    old = select(beats.c.id).where(beats.c.site_id == site_id, beats.c.id < end).order_by(beats.c.id)
    with database.read() as connection:
        edge = connection.execute(old.offset(BATCH).limit(1)).scalar()
        if edge is None and connection.execute(old.limit(1)).first() is None:
            return None
    begun = time.monotonic()
    with database.transaction() as connection:
        upto = end if edge is None else edge
        found = connection.execute(delete(beats).where(beats.c.site_id == site_id, beats.c.id < upto))
    return _Batch(found.rowcount, time.monotonic() - begun)
