"""The newest custom events of a site: of one name for a ticker, of every name for programs."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import msgspec
from sqlalchemy import Row, Select, select

from analytics.activity.figure import TickerEvent
from analytics.base.addresses import plain_address
from analytics.base.ids import NO_VISITOR, came_live, first_id
from analytics.base.redaction import names_person
from analytics.query.backend import Fetch
from analytics.storage import schema
from analytics.storage.database import Database

MAX_SHOWN = 3  # by a ticker, of which the browser has as many
TICKER_S = 30 * 86_400  # how far back a ticker looks
MAX_SCANNED = 500  # events that are read for `by_name`
MAX_OF_NAME = 20

_events = schema.events.c


class Done(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """One event, or what a gauge is, as `/api/live/metrics` shows it (contract §4): no visitor; e-mail and network
    addresses only in the texts that are meant to be shown.
    """

    id: str
    type: str
    userId: str | None  # noqa: N815 - the contract's names
    userName: str | None  # noqa: N815
    description: str | None
    value: float | None
    timestamp: int
    metadata: dict[str, Any]


def newest(site_id: int, name: str, until: int, fetch: Fetch) -> list[TickerEvent]:
    """The newest three events of that name ("": of any) of the last 30 days before `until` (epoch s), newest first."""
    columns = _events.id, _events.at, _events.name, _events.description, _events.user_name
    found = (
        select(*columns, _events.value, _events.currency)
        .where(_events.site_id == site_id, _events.id >= first_id(until - TICKER_S), _events.id < first_id(until))
        .where(*([_events.name == name] if name else []))
        .order_by(_events.id.desc())
        .limit(MAX_SHOWN)
    )
    return [TickerEvent(str(row[0]), *row[1:]) for row in fetch(found)]


def by_name(database: Database, site_id: int, *, with_rows: bool = True) -> dict[str, list[Done]]:
    """The newest events by their name, the name of the newest event first; of each name at most 20, newest first.

    The newest 500 events of the site are looked through; imported ones are left out, and without `with_rows` changes of
    rows in watched tables too.
    """
    with database.read() as connection:
        rows: Iterable[Row[Any]] = connection.execute(_newest_of_all(site_id)).all()
    found: dict[str, list[Done]] = {}
    for row in rows if with_rows else (one for one in rows if one.visitor != NO_VISITOR):
        of_name = found.setdefault(row.name, [])
        if len(of_name) < MAX_OF_NAME:
            of_name.append(_done(row))
    return found


def _newest_of_all(site_id: int) -> Select[Any]:
    return (
        select(schema.events)
        .where(_events.site_id == site_id, came_live(_events.id))
        .order_by(_events.id.desc())
        .limit(MAX_SCANNED)
    )


def _done(row: Row[Any]) -> Done:
    currency = {"currency": row.currency} if row.currency else {}
    props = {name: value for name, value in json.loads(row.props).items() if not _is_private(value)}
    return Done(
        id=str(row.id),
        type=row.name,
        userId=None if _is_private(row.user_id) else row.user_id,
        userName=row.user_name or None,
        description=row.description or None,
        value=row.value,
        timestamp=row.at,
        metadata={"path": row.path, **currency, "props": props},
    )


def _is_private(value: object) -> bool:
    """Whether the value is a text with an e-mail address or a token, or is a network address."""
    return isinstance(value, str) and (names_person(value) or bool(plain_address(value)))
