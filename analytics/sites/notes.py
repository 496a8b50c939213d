"""Notes in the chart of a site: reads, adds and removes them. Everybody who sees the site sees its notes."""

from __future__ import annotations

from datetime import date

from sqlalchemy import delete, func, insert, select

from analytics.base.errors import InvalidInput, message
from analytics.calendar.period import EARLIEST, LATEST
from analytics.sites.note import MAX_TEXT, Note
from analytics.storage import schema
from analytics.storage.database import Database

MAX_NOTES = 1_000  # a site


def of_site(database: Database, site_id: int, first: date, last: date) -> list[Note]:
    """The notes of the days from `first` to `last`, both included, by day and then in the order of writing."""
    table = schema.notes
    within = table.c.day.between(first.isoformat(), last.isoformat())
    statement = select(table).where(table.c.site_id == site_id, within).order_by(table.c.day, table.c.id)
    with database.read() as connection:
        rows = connection.execute(statement).all()
    return [Note(row.id, date.fromisoformat(row.day), row.text) for row in rows]


def add(database: Database, site_id: int, day: str, text: str, *, now: int) -> Note:
    """The new note on a day like 2026-11-20. `InvalidInput` says what is wrong with which field."""
    stripped, wrong = " ".join(text.split()), {}
    found = _day(day)
    if found is None:
        wrong["day"] = message(
            "{day} is no day from {earliest} to {latest}", day=repr(day[:20]), earliest=EARLIEST, latest=LATEST
        )
    if not stripped or len(stripped) > MAX_TEXT or not stripped.isprintable():
        wrong["text"] = message("a note has 1 to {limit} letters", limit=MAX_TEXT)
    if found is None or wrong:
        raise InvalidInput("; ".join(wrong.values()), wrong)
    table = schema.notes
    row = {"site_id": site_id, "day": found.isoformat(), "text": stripped, "created_at": now}
    with database.transaction() as connection:
        if connection.execute(select(func.count()).where(table.c.site_id == site_id)).scalar_one() >= MAX_NOTES:
            raise InvalidInput(message("a site has at most {limit} notes; remove one first", limit=MAX_NOTES))
        (number,) = connection.execute(insert(table).values(row)).inserted_primary_key or (0,)
    return Note(int(number), found, stripped)


def remove(database: Database, site_id: int, number: int) -> None:
    """Removes one of the site's notes; `InvalidInput` if the site has no note of that number."""
    table = schema.notes
    with database.transaction() as connection:
        gone = connection.execute(delete(table).where(table.c.site_id == site_id, table.c.id == number))
        if not gone.rowcount:
            raise InvalidInput(message("that note is not here any more"))


def _day(text: str) -> date | None:
    try:
        found = date.fromisoformat(text)
    except ValueError:
        return None
    return found if EARLIEST <= found <= LATEST else None
