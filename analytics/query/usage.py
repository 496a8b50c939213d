"""Daily usage: how many people each site had on each UTC day, as the daily work counted them."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, timedelta

from sqlalchemy import select

from analytics.calendar.days import day_of, days_between
from analytics.query.result import Usage
from analytics.storage import schema
from analytics.storage.database import Database


def read(database: Database, site_ids: Collection[int], days: Collection[date]) -> dict[int, list[Usage]]:
    """The usage of many sites on these UTC days, in one query: by site, days in order.

    A day without people, or not counted yet, has no entry; a site without such days has none either.
    """
    table = schema.daily_usage
    wanted = table.c.site_id.in_(site_ids), table.c.day.in_([day.isoformat() for day in days])
    found: dict[int, list[Usage]] = {}
    with database.read() as connection:
        rows = connection.execute(select(table).where(*wanted).order_by(table.c.site_id, table.c.day)).all()
    for one in map(Usage._make, rows):
        found.setdefault(one.site_id, []).append(one)
    return found


def last_days(now: int, many: int) -> list[date]:
    """The last so many UTC days that are over, oldest first."""
    today = day_of(now)
    return days_between(today - timedelta(days=many), today)
