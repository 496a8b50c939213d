"""Daily usage: how many people each site had on each UTC day, counted once and stored.

They are counted from the heartbeats, and from imported pageviews, which have none. A person is the user id, else the
visitor. Each user id counts once; a visitor with a user id on any beat of the day is that user, signed in for the
whole day.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Select, Table, exists, func, or_, select, true, union

from analytics.base.background import Pause
from analytics.base.ids import came_live, first_id
from analytics.calendar.days import day_of, start_of
from analytics.live.minute_query import KeptSince, first_beats
from analytics.query.result import Usage
from analytics.storage import schema
from analytics.storage.database import Database
from analytics.storage.job_state import AGAIN, BEGUN, finish, mark, missing_days, unfinished_days
from analytics.storage.upsert import upsert

JOB = "usage"


def missing(database: Database, end: date) -> list[date]:
    """The days before `end` that have to be counted, oldest first: since the first stored heartbeat, and of imports."""
    first = min(first_beats(database).values(), default=None)
    since = [] if first is None else missing_days(database, JOB, day_of(first), end)
    return sorted({*since, *unfinished(database, end)})


def unfinished(database: Database, end: date) -> set[date]:
    """The days before `end` of which rows came since they were counted, or whose count was begun and not finished."""
    return unfinished_days(database, JOB, end)


def count_again(connection: Connection, moments: Iterable[int]) -> None:
    """Makes the days of these moments (epoch s) be counted; call it in the transaction that stores the rows."""
    if days := {day_of(at) for at in moments}:
        mark(connection, JOB, days, AGAIN)


def count(database: Database, site_id: int, day: date) -> Usage:
    """The people of one site and UTC day, counted from its heartbeats and imported pageviews."""
    pairs = union(*_pairs(site_id, day)).cte("pairs")
    strangers = select(pairs.c.visitor).group_by(pairs.c.visitor).having(func.count(pairs.c.user_id) == 0).subquery()
    users = select(func.count(pairs.c.user_id.distinct())).scalar_subquery()
    with database.read_without_timeout() as connection:
        signed_in, anonymous = connection.execute(
            select(users, select(func.count()).select_from(strangers).scalar_subquery())
        ).one()
    return Usage(site_id, day.isoformat(), signed_in + anonymous, signed_in, anonymous)


def _pairs(site_id: int, day: date) -> Iterator[Select[Any]]:
    """The visitors with their user ids, of heartbeats and of imported pageviews."""
    for table, counts in ((schema.heartbeats, true()), (schema.pageviews, ~came_live(schema.pageviews.c.id))):
        own = table.c.site_id == site_id, *_on(table, day)
        yield select(table.c.visitor, table.c.user_id).where(*own, counts).distinct()


def was_live(database: Database, site_id: int, day: date) -> bool:
    """Whether the site had pageviews or events on that UTC day that were not imported."""
    tables = schema.pageviews, schema.events
    found = [exists().where(t.c.site_id == site_id, *_on(t, day), came_live(t.c.id)) for t in tables]
    with database.read_without_timeout() as connection:
        return bool(connection.execute(select(or_(*found))).scalar())


def _on(table: Table, day: date) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    """SQL: the conditions on the rows of a UTC day."""
    begin, end = (first_id(start_of(day + timedelta(days=step))) for step in (0, 1))
    return table.c.id >= begin, table.c.id < end


def within(begin: int, end: int) -> tuple[ColumnElement[bool], ColumnElement[bool]]:
    """SQL: the conditions on heartbeats from `begin` to before `end` (epoch s)."""
    return schema.heartbeats.c.id >= first_id(begin), schema.heartbeats.c.id < first_id(end)


def count_day(database: Database, day: date, now: int, kept_since: KeptSince, pause: Pause) -> list[Usage] | None:
    """Counts one UTC day of every site, stores it and returns the usage of sites with people.

    None if it was stopped, or if rows of that day came meanwhile: then the day is still missing. A site whose
    heartbeats of the day may be purged in part keeps its earlier count.
    """
    with database.transaction() as connection:
        mark(connection, JOB, [day], BEGUN)
    begin, whole, partial = start_of(day), list[Usage](), list[Usage]()
    for site_id in _sites(database, day):
        is_whole = kept_since(site_id) <= begin or not was_live(database, site_id, day)
        (whole if is_whole else partial).append(count(database, site_id, day))
        if pause(0):
            return None
    with database.transaction() as connection:
        if not finish(connection, JOB, day, now):
            return None
        sites = set(connection.execute(select(schema.sites.c.id)).scalars())  # one may have been removed meanwhile
        whole, partial = ([one for one in found if one.people and one.site_id in sites] for found in (whole, partial))
        for found, overwrite in ((whole, True), (partial, False)):
            upsert(connection, schema.daily_usage, [usage._asdict() for usage in found], overwrite=overwrite)
    return sorted([*whole, *partial])


def _sites(database: Database, day: date) -> Sequence[int]:
    """The sites with heartbeats or pageviews of that UTC day."""
    site_id, tables = schema.sites.c.id, (schema.heartbeats, schema.pageviews)
    found = [exists().where(table.c.site_id == site_id, *_on(table, day)) for table in tables]
    with database.read_without_timeout() as connection:
        return connection.execute(select(site_id).where(or_(*found)).order_by(site_id)).scalars().all()
