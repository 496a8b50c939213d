"""Concurrents: how many people each site had at every minute of a UTC day, packed, kept when its heartbeats are gone.

They are counted once from the heartbeats, by the rule of `analytics.live.presence`. A day is a row of 1,440 numbers: a
few dozen bytes for a quiet site, 2 kB for a busy one.
"""

from __future__ import annotations

import time
from array import array
from collections.abc import Callable
from datetime import date, timedelta

from sqlalchemy import func, select

from analytics.base.background import PAUSE_PER_BATCH, Pause
from analytics.calendar.days import day_of, start_of
from analytics.calendar.minute_series import DAY_S, EMPTY, MINUTE, MINUTES, UNKNOWN, Series, pack, unpack
from analytics.live.minute_query import first_beats, people_each_minute
from analytics.storage import schema
from analytics.storage.database import Database
from analytics.storage.job_state import BEGUN, Kept, done_days, finish, mark, missing_days
from analytics.storage.upsert import upsert

JOB = "concurrents"
PART_S = 4 * 3600  # counted by one statement: of 100,000 heartbeats an hour it takes a second
SITE_BATCH = 50  # sites written by one transaction


def read(database: Database, site_id: int, first: date, end: date) -> dict[date, Series]:
    """What is kept of a site's UTC days from `first` to the one before `end`; days that are not have no entry.

    Where nobody was for so long that no heartbeat was left to count, there is no row: nobody was there.
    """
    table = schema.concurrents
    own = table.c.site_id == site_id
    wanted = select(table.c.day, table.c.people).where(own, table.c.day >= first.isoformat(), table.c.day < str(end))
    begun = first_day(database, site_id)
    if begun is None:
        return {}
    with database.read() as connection:
        found = {date.fromisoformat(day): unpack(people) for day, people in connection.execute(wanted)}
    since = max(first, begun)
    if len(found) < (end - since).days:
        found |= {day: array("i", EMPTY) for day in done_days(database, JOB, since) if day < end and day not in found}
    return found


def first_day(database: Database, site_id: int) -> date | None:
    """The first UTC day that is kept of a site, None where none is."""
    table = schema.concurrents
    with database.read() as connection:
        day = connection.execute(select(func.min(table.c.day)).where(table.c.site_id == site_id)).scalar()
    return None if day is None else date.fromisoformat(day)


def missing(database: Database, end: date) -> list[date]:
    """The days before `end` that have to be counted, oldest first: from the first stored heartbeat on."""
    first = min(first_beats(database).values(), default=None)
    return [] if first is None else missing_days(database, JOB, day_of(first), end)


def count_day(database: Database, day: date, now: int, window_s: int, kept: Kept, pause: Pause) -> int | None:
    """Counts one UTC day of every site and keeps it; of how many sites. None where it was stopped, or beats of that day
    came meanwhile: then the day is still missing.

    A day of which heartbeats may be purged in part stays as it was counted before.
    """
    with database.transaction() as connection:
        mark(connection, JOB, [day], BEGUN)
    begin, end = start_of(day), start_of(day + timedelta(days=1))
    begun, counted = _begun(database), 0
    waiting: dict[int, bytes] = {}
    for site_id, first in first_beats(database).items():
        if first >= end:
            continue
        is_new = begun.get(site_id, day) >= day
        since = first if is_new else min(first, kept(site_id)) + window_s
        people = _count(database, site_id, begin, since, window_s, pause)
        if people is None:
            return None
        waiting[site_id] = pack(people)
        counted += 1
        if len(waiting) == SITE_BATCH and _write(
            database, day, waiting, lambda one: kept(one) + window_s <= begin, pause
        ):
            return None
    if _write(database, day, waiting, lambda one: kept(one) + window_s <= begin, pause):
        return None
    with database.transaction() as connection:
        return counted if finish(connection, JOB, day, now) else None


def count(database: Database, site_id: int, day: date, window_s: int, pause: Pause) -> list[int] | None:
    """People at each minute of a site's UTC day, counted from its heartbeats; None where it was stopped."""
    begin = start_of(day)
    return _count(database, site_id, begin, begin, window_s, pause)


def _begun(database: Database) -> dict[int, date]:
    """The first day that is kept of each site."""
    table = schema.concurrents
    asked = select(table.c.site_id, func.min(table.c.day)).group_by(table.c.site_id)
    with database.read() as connection:
        return {site_id: date.fromisoformat(day) for site_id, day in connection.execute(asked)}


def _count(database: Database, site_id: int, begin: int, since: int, window_s: int, pause: Pause) -> list[int] | None:
    """People at each minute of the day that begins then, UNKNOWN before `since`; None where it was stopped."""
    people = [0] * MINUTES
    for part in range(begin, begin + DAY_S, PART_S):
        started = time.monotonic()
        found = people_each_minute(database, site_id, part, part + PART_S, window_s)
        for minute, number in found.items():
            people[(minute - begin) // MINUTE] = number
        if pause(time.monotonic() - started):  # half of the time is others'
            return None
    unknown = min(MINUTES, max(0, -(-(since - begin) // MINUTE)))
    return [UNKNOWN] * unknown + people[unknown:]


def _write(
    database: Database, day: date, waiting: dict[int, bytes], is_whole: Callable[[int], bool], pause: Pause
) -> bool:
    """Keeps what waits, of sites that are still there, and whether to stop now."""
    started = time.monotonic()
    with database.transaction() as connection:
        there = connection.execute(select(schema.sites.c.id).where(schema.sites.c.id.in_(waiting))).scalars()
        rows = [{"site_id": one, "day": day.isoformat(), "people": waiting[one]} for one in there]
        for overwrite in (True, False):
            upsert(
                connection,
                schema.concurrents,
                [row for row in rows if is_whole(row["site_id"]) is overwrite],
                overwrite=overwrite,
            )
    waiting.clear()
    return pause((time.monotonic() - started) * PAUSE_PER_BATCH)
