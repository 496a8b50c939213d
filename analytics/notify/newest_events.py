"""The newest events of a site with what rules may ask of them, to try a rule on."""

from __future__ import annotations

from typing import Any, NamedTuple

from sqlalchemy import select

from analytics.base.idn import in_letters
from analytics.notify.event_fields import FIELDS
from analytics.storage import schema
from analytics.storage.reader import Readable


class TriedEvent(NamedTuple):
    """A stored event: the second (epoch) at which it happened, and its fields for conditions and templates."""

    at: int
    values: dict[str, Any]


def newest(database: Readable, site_id: int, limit: int) -> list[TriedEvent]:
    """The newest events of a site, newest first, at most `limit`."""
    events, visits = schema.events, schema.visits
    of_visit = (visits.c.site_id == events.c.site_id) & (visits.c.id == events.c.visit_id)
    origin = visits.c.user_type, visits.c.country, visits.c.source
    wanted = select(events, *origin).select_from(events.outerjoin(visits, of_visit)).where(events.c.site_id == site_id)
    with database.read() as connection:
        rows = connection.execute(wanted.order_by(events.c.id.desc()).limit(limit)).all()
    return [TriedEvent(row.at, _values(row._mapping)) for row in rows]


def _values(columns: Any) -> dict[str, Any]:
    values = {name: columns[name] for name in (*FIELDS, "props")}
    return values | {"source": in_letters(columns["source"] or "")}
