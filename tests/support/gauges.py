"""Gauges in our database, as a follower has kept them."""

from __future__ import annotations

from sqlalchemy import insert, update

from analytics.activity import cards
from analytics.storage import schema
from analytics.storage.database import Database
from tests.support.factories import NOW


def added_gauge(
    database: Database,
    site_id: int,
    name: str = "Bookings",
    value: float | None = 31,
    *,
    currency: str = "",
    changed_at: int = NOW,
    on_card: bool = True,
) -> int:
    """The number of a new gauge of watch 1, which a card of its site shows unless `on_card` is false."""
    row = {"site_id": site_id, "watch_id": 1, "name": name, "definition": "{}", "value": value, "currency": currency}
    with database.transaction() as connection:
        adding = insert(schema.gauges).values(row | {"changed_at": changed_at}).returning(schema.gauges.c.id)
        number: int = connection.execute(adding).scalar_one()
    if on_card:
        cards.add(database, site_id, {"kind": "gauge", "gauge_id": str(number)})
    return number


def change_gauge(database: Database, number: int, value: float, changed_at: int) -> None:
    """What the gauge is from then on."""
    with database.transaction() as connection:
        own = update(schema.gauges).where(schema.gauges.c.id == number)
        connection.execute(own.values(value=value, changed_at=changed_at))
