"""Stored minutes: how many people were active at every minute of a UTC day, one packed row for each site and day.

They are counted once from the heartbeats, by the rule of `analytics.live.presence`, and stay when these are purged. A
row of 1,440 numbers takes a few dozen bytes for a quiet site and 2 kB for a busy one.
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
from analytics.live.minute_query import KeptSince, first_beats, people_each_minute
from analytics.storage import schema
from analytics.storage.database import Database
from analytics.storage.job_state import BEGUN, done_days, finish, mark, missing_days
from analytics.storage.reader import Readable
from analytics.storage.upsert import upsert

JOB = "concurrents"
PART_S = 4 * 3600  # counted by one statement; it takes a second at 100,000 heartbeats an hour
SITE_BATCH = 50  # sites in one transaction


def read(database: Readable, site_id: int, first: date, end: date) -> dict[date, Series]:
    """The stored UTC days of a site from `first` to the one before `end`; days that are not counted have no entry.

    A day that was counted without any heartbeat of the site has no row; it is returned as a day without people.
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


def first_day(database: Readable, site_id: int) -> date | None:
    """The first stored UTC day of a site; None if there is none."""
    table = schema.concurrents
    with database.read() as connection:
        day = connection.execute(select(func.min(table.c.day)).where(table.c.site_id == site_id)).scalar()
    return None if day is None else date.fromisoformat(day)


def missing(database: Readable, end: date) -> list[date]:
    """The days before `end` that have to be counted, from the first stored heartbeat on, oldest first."""
    first = min(first_beats(database).values(), default=None)
    return [] if first is None else missing_days(database, JOB, day_of(first), end)


def count_day(
    database: Database, day: date, now: int, window_s: int, kept_since: KeptSince, pause: Pause
) -> int | None:
    """Counts one UTC day of every site, stores it and returns the number of sites.

    None if it was stopped, or if beats of that day came meanwhile: then the day is still missing. A day whose
    heartbeats may be purged in part stays as it was counted before.
    """
    with database.transaction() as connection:
        mark(connection, JOB, [day], BEGUN)
    begin, end = start_of(day), start_of(day + timedelta(days=1))
    first_days, counted = _first_days(database), 0
    waiting: dict[int, bytes] = {}
    for site_id, first in first_beats(database).items():
        if first >= end:
            continue
        is_new = first_days.get(site_id, day) >= day
        since = first if is_new else min(first, kept_since(site_id)) + window_s
        people = _count(database, site_id, begin, since, window_s, pause)
        if people is None:
            return None
        waiting[site_id] = pack(people)
        counted += 1
        if len(waiting) == SITE_BATCH and _write(
            database, day, waiting, lambda one: kept_since(one) + window_s <= begin, pause
        ):
            return None
    if _write(database, day, waiting, lambda one: kept_since(one) + window_s <= begin, pause):
        return None
    with database.transaction() as connection:
        return counted if finish(connection, JOB, day, now) else None


def count(database: Database, site_id: int, day: date, window_s: int, pause: Pause) -> list[int] | None:
    """People at each minute of a site's UTC day, counted from its heartbeats; None if it was stopped."""
    begin = start_of(day)
    return _count(database, site_id, begin, begin, window_s, pause)


def _first_days(database: Database) -> dict[int, date]:
    """The first stored day of each site."""
    table = schema.concurrents
    first = select(table.c.site_id, func.min(table.c.day)).group_by(table.c.site_id)
    with database.read() as connection:
        return {site_id: date.fromisoformat(day) for site_id, day in connection.execute(first)}


def _count(database: Database, site_id: int, begin: int, since: int, window_s: int, pause: Pause) -> list[int] | None:
    """People at each minute of the day from `begin` on, UNKNOWN before `since`; None if it was stopped."""
    people = [0] * MINUTES
    for part in range(begin, begin + DAY_S, PART_S):
        started = time.monotonic()
        found = people_each_minute(database, site_id, part, part + PART_S, window_s)
        for minute, number in found.items():
            people[(minute - begin) // MINUTE] = number
        if pause(time.monotonic() - started):  # leaves half of the time to others
            return None
    unknown = min(MINUTES, max(0, -(-(since - begin) // MINUTE)))
    return [UNKNOWN] * unknown + people[unknown:]


def _write(
    database: Database, day: date, waiting: dict[int, bytes], is_whole: Callable[[int], bool], pause: Pause
) -> bool:
    """Stores the waiting rows of sites that still exist, and returns whether to stop now."""
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
