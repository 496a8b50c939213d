"""The day's jobs: which of them are done, and that one process at a time does them.

A job is done when its row says when. The row is written in the transaction of its last result, so a job that was
killed half-way is not done and runs again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Table, select
from sqlalchemy.dialects import postgresql, sqlite

from analytics import schema
from analytics.database import Database

HOUR = 3600
DUE_S = HOUR  # the day's work is due at 01:00 UTC
Rest = Callable[[float], bool]  # waits so many seconds; True: stop now (`Event.wait` is one)
Tell = Callable[[str], None]  # hears how far it is, often

AGAIN, BEGUN = 0, 1  # `done_at` of a job that has to run again, and of one that is under way


def day_of(at: int) -> date:
    """The UTC day of that second (epoch)."""
    return datetime.fromtimestamp(at, UTC).date()


def start_of(day: date) -> int:
    """The first second (epoch) of a UTC day."""
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp())


def due_day(now: int) -> date:
    """The latest day whose work is due: today from 01:00 UTC on, yesterday before."""
    return day_of(now - DUE_S)


def days_between(first: date, end: date) -> list[date]:
    """The days from `first` to the one before `end`."""
    return [first + timedelta(days=step) for step in range((end - first).days)]


def done_days(database: Database, name: str, since: date) -> set[date]:
    """The days from `since` on for which that job is done."""
    table = schema.jobs
    asked = select(table.c.day).where(table.c.name == name, table.c.day >= since.isoformat(), table.c.done_at > BEGUN)
    with database.read() as connection:
        return {date.fromisoformat(day) for day in connection.execute(asked).scalars()}


def missing_days(database: Database, name: str, first: date, end: date) -> list[date]:
    """The days from `first` to the one before `end` for which that job is not done."""
    done = done_days(database, name, first)
    return [day for day in days_between(first, end) if day not in done]


def mark(connection: Connection, name: str, days: Iterable[date], done_at: int) -> None:
    """Says of that job's days when they were done (epoch s), or `AGAIN`, or `BEGUN`."""
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    statement = dialect.insert(schema.jobs)
    rows = [{"name": name, "day": day.isoformat(), "done_at": done_at} for day in sorted(days)]
    changed = {"done_at": statement.excluded.done_at}
    connection.execute(statement.on_conflict_do_update(index_elements=["name", "day"], set_=changed), rows)


def late_days(moments: Iterable[int], now: int) -> set[date]:
    """The UTC days of these moments (epoch s) that are over."""
    today = start_of(day_of(now))
    return {day_of(at) for at in moments if at < today}


def finish(connection: Connection, name: str, day: date, done_at: int) -> bool:
    """Says that a job that was under way is done; False where somebody has asked for it again meanwhile."""
    table = schema.jobs
    under_way = table.c.name == name, table.c.day == day.isoformat(), table.c.done_at == BEGUN
    return connection.execute(table.update().where(*under_way).values(done_at=done_at)).rowcount == 1


def keep(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]], *, anew: bool) -> None:
    """Writes what was counted, a row for each key of the table; one that is there is written `anew` or stays."""
    if not rows:
        return
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    statement, key = dialect.insert(table), [column.name for column in table.primary_key]
    told = {column.name: statement.excluded[column.name] for column in table.c if not column.primary_key}
    statement = (
        statement.on_conflict_do_update(index_elements=key, set_=told)
        if anew
        else statement.on_conflict_do_nothing(index_elements=key)
    )
    connection.execute(statement, list(rows))
