"""The gauges of a site as its cards show them: what they are called, what they are, and what they were at each hour."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple

import msgspec
from sqlalchemy import Connection, Select, exists, insert, literal, select

from analytics.activity.figure import hour_of
from analytics.storage import schema
from analytics.storage.database import Database

NO_HOURS: Mapping[int, float] = {}

_gauges, _kept, _cards = schema.gauges.c, schema.gauge_readings.c, schema.activity_cards.c


class GaugeReading(NamedTuple):
    """A gauge's name, its value (None until it was counted), and the currency of a sum, else "".

    `changed_at` is when the value was last written. `hours` has what it was when hours began, by their first second,
    as far as it was followed then. Both epoch seconds.
    """

    name: str
    value: float | None
    currency: str
    changed_at: int | None = None
    hours: Mapping[int, float] = NO_HOURS


class ShownGauge(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """A gauge that a card of its site shows, as the live stream sends it; `timestamp` is when it changed (epoch s)."""

    id: int
    name: str
    value: float
    currency: str | None
    timestamp: int | None


def readings(database: Database, site_id: int, hours: Collection[int] = ()) -> dict[int, GaugeReading]:
    """The gauges of the site by their number, oldest first; those on its cards with what they were at these hours."""
    with database.read() as connection:
        found = read(connection, site_id)
        kept = select(_kept.gauge_id, _kept.hour, _kept.value).where(
            _kept.site_id == site_id, _kept.hour.in_(hours), _kept.gauge_id.in_(_on_cards([site_id]))
        )
        rows = connection.execute(kept).all() if hours and found else []
    by_gauge: dict[int, dict[int, float]] = {}
    for row in rows:
        by_gauge.setdefault(row.gauge_id, {})[row.hour] = row.value
    return {number: one._replace(hours=by_gauge.get(number, NO_HOURS)) for number, one in found.items()}


def read(connection: Connection, site_id: int) -> dict[int, GaugeReading]:
    """The same within a transaction, without hours."""
    columns = _gauges.id, _gauges.name, _gauges.value, _gauges.currency, _gauges.changed_at
    rows = connection.execute(select(*columns).where(_gauges.site_id == site_id).order_by(_gauges.id))
    return {row.id: GaugeReading(*row[1:]) for row in rows}


def shown(database: Database, site_ids: Collection[int]) -> dict[int, list[ShownGauge]]:
    """The gauges that cards of these sites show, by site, oldest first. Those that were not counted are left out."""
    wanted = select(schema.gauges).where(_gauges.id.in_(_on_cards(site_ids)), _gauges.value.is_not(None))
    with database.read() as connection:
        rows = connection.execute(wanted.order_by(_gauges.id)).all()
    found: dict[int, list[ShownGauge]] = {}
    for row in rows:
        one = ShownGauge(
            id=row.id, name=row.name, value=row.value, currency=row.currency or None, timestamp=row.changed_at
        )
        found.setdefault(row.site_id, []).append(one)
    return found


def note_hour(database: Database, watch_ids: Sequence[int], now: int) -> None:
    """Keeps what the gauges of these watches are now as their reading of this hour, unless they have one."""
    hour = hour_of(now)
    has_one = exists().where(_kept.gauge_id == _gauges.id, _kept.hour == hour)
    missing = select(_gauges.id, literal(hour), _gauges.site_id, _gauges.value).where(
        _gauges.watch_id.in_(watch_ids), _gauges.value.is_not(None), ~has_one
    )
    with database.read() as connection:
        if connection.execute(missing.limit(1)).first() is None:
            return
    with database.transaction() as connection:
        connection.execute(insert(schema.gauge_readings).from_select(["gauge_id", "hour", "site_id", "value"], missing))


def _on_cards(site_ids: Collection[int]) -> Select[tuple[int | None]]:
    return select(_cards.gauge_id).where(_cards.site_id.in_(site_ids), _cards.gauge_id.is_not(None))
