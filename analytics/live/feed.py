"""The activity feed: the newest pageviews and events of a site, for the live stream and the Live page."""

from __future__ import annotations

import json

import msgspec
from sqlalchemy import Connection, Row, Select, func, select
from sqlalchemy.sql.expression import ColumnElement

from analytics.base.idn import in_letters
from analytics.base.ids import NO_VISITOR, came_live
from analytics.base.link import ROW_LINK, followable
from analytics.storage import schema
from analytics.storage.database import Database

MAX_IMPORTED_ROWS = 2_000

LAST_ID = (1 << 63) - 1


class FeedItem(msgspec.Struct, frozen=True, kw_only=True, gc=False, omit_defaults=True):
    """`new_event` of the live stream (contract §4): no address, no user agent. `timestamp` in epoch seconds.

    `id` is the row's id as text: it does not fit into a JavaScript number. `link` leads to the row of a database table.
    """

    id: str
    type: str
    visitor_id: str
    user_id: str | None
    user_type: str
    path: str
    title: str
    source: str
    country: str
    city: str
    device: str
    browser: str
    timestamp: int
    name: str | None = None
    description: str | None = None
    user_name: str | None = None
    value: float | None = None
    currency: str | None = None
    link: str | None = None


def public_visitor_id(visitor: int) -> str:
    """The visitor's number as text, as the live stream and the API show it."""
    return f"{visitor & (1 << 64) - 1:016x}"


_NO_VISITOR = public_visitor_id(NO_VISITOR)


def is_of_row(item: FeedItem) -> bool:
    """Whether no visitor stands behind it: a change of a row in a watched table, or an event of a server's own."""
    return item.visitor_id == _NO_VISITOR


def link_of(visitor: int, props: str) -> str | None:
    """The link of an event behind which no visitor stands, else None: what visitors send never becomes a link."""
    link = json.loads(props).get(ROW_LINK) if visitor == NO_VISITOR else None
    return followable(link) or None if isinstance(link, str) else None


def recent(database: Database, site_id: int, limit: int, after: int = 0, before: int = LAST_ID) -> list[FeedItem]:
    """The newest `limit` pageviews and events of a site with ids above `after` and below `before`, oldest first.

    Imported rows are left out; rows behind more than 2,000 imported ones are not found.
    """
    kinds, between = ("pageviews", "events"), (after, before)
    with database.read() as connection:
        items = [item for kind in kinds for item in _rows(connection, kind, site_id, limit, between)]
    return sorted(items, key=lambda item: int(item.id))[-limit:]


def _rows(connection: Connection, kind: str, site_id: int, limit: int, between: tuple[int, int]) -> list[FeedItem]:
    table, visits = schema.metadata.tables[kind], schema.visits
    joined = table.outerjoin(visits, (visits.c.site_id == table.c.site_id) & (visits.c.id == table.c.visit_id))
    origin: list[ColumnElement[str]] = [
        func.coalesce(visits.c[name], "").label(name)  # what no visitor did has no visit
        for name in ("user_type", "source", "country", "city", "device", "browser")
    ]
    scanned = (
        select(table.c.id)
        .where(table.c.site_id == site_id, table.c.id > between[0], table.c.id < between[1])
        .order_by(table.c.id.desc())
        .limit(limit + MAX_IMPORTED_ROWS)
        .subquery()
    )
    live = select(scanned.c.id).where(came_live(scanned.c.id)).order_by(scanned.c.id.desc()).limit(limit)
    newest: Select[tuple[object, ...]] = (
        select(table, *origin).select_from(joined).where(table.c.site_id == site_id, table.c.id.in_(live))
    )
    return [_item(kind, row) for row in connection.execute(newest)]


def _item(kind: str, row: Row[tuple[object, ...]]) -> FeedItem:
    columns = row._mapping
    shared = {
        "id": str(columns["id"]),
        "visitor_id": public_visitor_id(int(str(columns["visitor"]))),
        "timestamp": columns["at"],
        **{name: columns[name] for name in ("user_id", "path", "country", "city", "device", "browser")},
        "source": in_letters(columns["source"]),
        "user_type": columns["user_type"] if columns["user_id"] is not None else "",
    }
    if kind == "pageviews":
        return FeedItem(type="pageview", title=columns["title"], **shared)
    return FeedItem(
        type="event",
        title="",
        name=columns["name"],
        description=columns["description"] or None,
        user_name=columns["user_name"] or None,
        value=columns["value"],
        currency=columns["currency"] or None,
        link=link_of(columns["visitor"], columns["props"]),
        **shared,
    )
