"""Restores presence after a start, from the last stored heartbeats."""

from __future__ import annotations

from sqlalchemy import func, select

from analytics.base.ids import first_id
from analytics.live.beat import Beat, PageState
from analytics.storage import schema
from analytics.storage.database import Database


def last_beats(database: Database, since: int, site_id: int | None = None, until: int | None = None) -> list[Beat]:
    """The newest beat of every tab since that second (epoch), oldest first: of one site, or of every site.

    With `until`, as of the end of that second.
    """
    beats, visits = schema.heartbeats, schema.visits
    wanted = beats.c.site_id == site_id if site_id is not None else beats.c.site_id.in_(select(schema.sites.c.id))
    if until is not None:
        wanted &= beats.c.id < first_id(until + 1)
    newest = (
        select(beats.c.site_id, func.max(beats.c.id).label("id"))
        .where(beats.c.id >= first_id(since), wanted)
        .group_by(beats.c.site_id, beats.c.tab)
        .subquery()
    )
    statement = (
        select(beats, visits.c.source, visits.c.country, visits.c.city, visits.c.lat, visits.c.lon)
        .join(newest, (newest.c.site_id == beats.c.site_id) & (newest.c.id == beats.c.id))
        .join(visits, (visits.c.site_id == beats.c.site_id) & (visits.c.id == beats.c.visit_id))
        .order_by(beats.c.id)
    )
    with database.read() as connection:
        return [Beat._make(row) for row in connection.execute(statement)]


def left_tabs(database: Database, since: int) -> list[tuple[int, int]]:
    """The site and tab of every leave since that second (epoch), oldest first."""
    beats = schema.heartbeats
    leaves = (
        select(beats.c.site_id, beats.c.tab)
        .where(beats.c.site_id.in_(select(schema.sites.c.id)), beats.c.id >= first_id(since))
        .where(beats.c.state == PageState.LEFT)
        .order_by(beats.c.id)
    )
    with database.read() as connection:
        return [(site_id, tab) for site_id, tab in connection.execute(leaves)]
