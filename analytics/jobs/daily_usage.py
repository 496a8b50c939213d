"""Daily usage: how many people each site had on each UTC day, counted once from the stored heartbeats and stored.

A person is the user id, else the visitor. Each user id counts once; a visitor with a user id on any beat of the day is
that user, signed in for the whole day.
"""

from __future__ import annotations

from datetime import date, timedelta

from sqlalchemy import ColumnElement, func, select

from analytics.base.background import Pause
from analytics.base.ids import first_id
from analytics.calendar.days import day_of, start_of
from analytics.live.minute_query import KeptSince, first_beats
from analytics.query.result import Usage
from analytics.storage import schema
from analytics.storage.database import Database
from analytics.storage.job_state import BEGUN, finish, mark, missing_days
from analytics.storage.upsert import upsert

JOB = "usage"


def missing(database: Database, end: date) -> list[date]:
    """The days before `end` that have to be counted, from the first stored heartbeat on, oldest first."""
    first = min(first_beats(database).values(), default=None)
    if first is None:
        return []
    return missing_days(database, JOB, day_of(first), end)


def count(database: Database, site_id: int, day: date) -> Usage:
    """The people of one site and UTC day, counted from its heartbeats."""
    beats = schema.heartbeats
    begin, end = (first_id(start_of(day + timedelta(days=step))) for step in (0, 1))
    pairs = (
        select(beats.c.visitor, beats.c.user_id)
        .where(beats.c.site_id == site_id, beats.c.id >= begin, beats.c.id < end)
        .distinct()
        .cte("pairs")
    )
    strangers = select(pairs.c.visitor).group_by(pairs.c.visitor).having(func.count(pairs.c.user_id) == 0).subquery()
    users = select(func.count(pairs.c.user_id.distinct())).scalar_subquery()
    with database.read_without_timeout() as connection:
        signed_in, anonymous = connection.execute(
            select(users, select(func.count()).select_from(strangers).scalar_subquery())
        ).one()
    return Usage(site_id, day.isoformat(), signed_in + anonymous, signed_in, anonymous)


def within(begin: int, end: int) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    """SQL: the conditions on heartbeats from `begin` to before `end` (epoch s)."""
    return schema.heartbeats.c.id >= first_id(begin), schema.heartbeats.c.id < first_id(end)


def count_day(database: Database, day: date, now: int, kept_since: KeptSince, pause: Pause) -> list[Usage] | None:
    """Counts one UTC day of every site, stores it and returns the usage of sites with people.

    None if it was stopped, or if beats of that day came meanwhile: then the day is still missing. A site whose
    heartbeats of the day may be purged in part keeps its earlier count.
    """
    with database.transaction() as connection:
        mark(connection, JOB, [day], BEGUN)
    begin, end = start_of(day), start_of(day + timedelta(days=1))
    counted = []
    for site_id, first in first_beats(database).items():
        if first < end:
            counted.append(count(database, site_id, day))
        if pause(0):
            return None
    with database.transaction() as connection:
        if not finish(connection, JOB, day, now):
            return None
        sites = set(connection.execute(select(schema.sites.c.id)).scalars())  # one may have been removed meanwhile
        found = [usage for usage in counted if usage.people and usage.site_id in sites]
        for overwrite in (True, False):
            rows = [usage._asdict() for usage in found if (kept_since(usage.site_id) <= begin) is overwrite]
            upsert(connection, schema.daily_usage, rows, overwrite=overwrite)
    return found
