"""Saved segments: filters under a name, of one person or of everybody who sees the site."""

from __future__ import annotations

import json
import logging
from typing import Any

from sqlalchemy import ColumnElement, Row, and_, delete, func, insert, or_, select

from analytics.base.error_log import describe
from analytics.base.errors import InvalidInput, message
from analytics.query import filters
from analytics.query.filters import Filter
from analytics.query.query import MAX_URL_LENGTH
from analytics.query.segment import MAX_NAME_LENGTH, Segment
from analytics.storage import schema
from analytics.storage.database import Database

log = logging.getLogger("footfall.segments")

MAX_SEGMENTS = 200  # of a site for one person, and as many for everybody


def of_site(database: Database, site_id: int, person_id: int) -> list[Segment]:
    """The segments of a site that this person sees, by name: everybody's and their own; of person 0 everybody's.

    One that this version cannot read is left out, with a line in the log.
    """
    with database.read() as connection:
        rows = connection.execute(select(schema.segments).where(_seen(site_id, person_id))).all()
    found = [one for row in rows if (one := _segment(row))]
    return sorted(found, key=lambda one: (one.name.casefold(), one.id))


def _seen(site_id: int, person_id: int) -> ColumnElement[bool]:
    table = schema.segments
    return and_(table.c.site_id == site_id, or_(table.c.person_id.is_(None), table.c.person_id == person_id))


def _segment(row: Row[Any]) -> Segment | None:
    try:
        return Segment(row.id, row.name, filters.parse(json.loads(row.filters)), row.person_id)
    except (InvalidInput, ValueError, RecursionError) as wrong:
        log.warning("segment %s of site %s cannot be read: %s", row.id, row.site_id, describe(wrong))
        return None


def save(
    database: Database, site_id: int, person_id: int | None, name: str, given: tuple[Filter, ...], *, now: int
) -> Segment:
    """Saves the filters under that name, for this person or, with None, for everybody; replaces a segment of that name.

    Raises `InvalidInput` for a missing or too long name, for no filter, for more than an address can hold, and beyond
    200 segments of a site.
    """
    kept = " ".join(name.split())
    if not kept or len(kept) > MAX_NAME_LENGTH or not kept.isprintable():
        wrong = message("a name has 1 to {limit} letters", limit=MAX_NAME_LENGTH)
        raise InvalidInput(wrong, {"name": wrong})
    if not given:
        raise InvalidInput(message("there is no filter to save"))
    table = schema.segments
    whose = table.c.person_id.is_(None) if person_id is None else table.c.person_id == person_id
    written = json.dumps([filters.plain(one) for one in given], ensure_ascii=False)
    if len(written) > MAX_URL_LENGTH:
        raise InvalidInput(message("a question has at most {limit} characters", limit=MAX_URL_LENGTH))
    row = {"site_id": site_id, "person_id": person_id, "name": kept, "filters": written, "created_at": now}
    with database.transaction() as connection:
        connection.execute(delete(table).where(table.c.site_id == site_id, whose, table.c.name == kept))
        many = connection.execute(select(func.count()).where(table.c.site_id == site_id, whose)).scalar_one()
        if many >= MAX_SEGMENTS:
            raise InvalidInput(message("there is room for {limit} segments; remove one first", limit=MAX_SEGMENTS))
        (number,) = connection.execute(insert(table).values(row)).inserted_primary_key or (0,)
    return Segment(int(number), kept, given, person_id)


def remove(database: Database, site_id: int, number: int, person_id: int, *, shared: bool) -> str:
    """Removes a segment of this person, or with `shared` also one of everybody; returns its name.

    Raises `InvalidInput` where there is no such segment.
    """
    table = schema.segments
    with database.transaction() as connection:
        wanted = and_(_seen(site_id, person_id), table.c.id == number)
        found = connection.execute(select(table.c.name, table.c.person_id).where(wanted)).first()
        if found is None or not (shared or found.person_id == person_id):
            raise InvalidInput(message("that segment is not here any more, or not yours to remove"))
        connection.execute(delete(table).where(table.c.id == number))
    return str(found.name)
