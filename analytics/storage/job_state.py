"""The state of the daily jobs: for which days each is done.

A job is done for a day if its row has a time. The row is written in the transaction of the job's last result, so a job
that was killed half-way is not done and runs again.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from sqlalchemy import Connection, select
from sqlalchemy.dialects import postgresql, sqlite

from analytics.calendar.days import days_between
from analytics.storage import schema
from analytics.storage.reader import Readable

AGAIN, BEGUN = 0, 1  # `done_at` of a job that has to run again, and of a job that is running


def done_days(database: Readable, name: str, since: date) -> set[date]:
    """The days from `since` on for which the job is done."""
    table = schema.jobs
    done = select(table.c.day).where(table.c.name == name, table.c.day >= since.isoformat(), table.c.done_at > BEGUN)
    with database.read() as connection:
        return {date.fromisoformat(day) for day in connection.execute(done).scalars()}


def missing_days(database: Readable, name: str, first: date, end: date) -> list[date]:
    """The days from `first` to the one before `end` for which the job is not done, in order."""
    done = done_days(database, name, first)
    return [day for day in days_between(first, end) if day not in done]


def unfinished_days(database: Readable, name: str, end: date) -> set[date]:
    """The days before `end` for which the job has to run again, or was begun and not finished."""
    table = schema.jobs
    open_ones = select(table.c.day).where(table.c.name == name, table.c.day < end.isoformat(), table.c.done_at <= BEGUN)
    with database.read() as connection:
        return {date.fromisoformat(day) for day in connection.execute(open_ones).scalars()}


def mark(connection: Connection, name: str, days: Iterable[date], done_at: int) -> None:
    """Sets `done_at` of the job's days: epoch seconds, `AGAIN` or `BEGUN`."""
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    statement = dialect.insert(schema.jobs)
    rows = [{"name": name, "day": day.isoformat(), "done_at": done_at} for day in sorted(days)]
    changed = {"done_at": statement.excluded.done_at}
    connection.execute(statement.on_conflict_do_update(index_elements=["name", "day"], set_=changed), rows)


def finish(connection: Connection, name: str, day: date, done_at: int) -> bool:
    """Marks a running job as done; False if the day was marked `AGAIN` since the job began."""
    table = schema.jobs
    running = table.c.name == name, table.c.day == day.isoformat(), table.c.done_at == BEGUN
    return connection.execute(table.update().where(*running).values(done_at=done_at)).rowcount == 1
