"""The cards of a site: reads, adds, moves and removes them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Row, delete, insert, select, update

from analytics.activity import readings
from analytics.activity.card import GAUGE, KINDS, MAX_CARDS, UP, VALUE, WAYS, Card, checked_card
from analytics.base.errors import InvalidInput, message
from analytics.storage import schema
from analytics.storage.database import Database

NONE = "none"  # the kind of the row of a site that wants no cards, not even suggested ones

_table = schema.activity_cards


def of_site(database: Database, site_id: int) -> list[Card] | None:
    """The site's cards in their order: [] if it wants none, None if nobody has chosen yet."""
    with database.read() as connection:
        rows = _rows(connection, site_id)
    return _cards(rows) if rows else None


def add(database: Database, site_id: int, fields: Mapping[str, str], suggested: Sequence[Card] = ()) -> Card:
    """Adds a card behind the others and returns it. `fields` are those of `checked_card`, which says what is wrong.

    Until a site has chosen, its cards are the `suggested` ones: these are kept, in front of the new one.
    """
    card = checked_card(fields)
    with database.transaction() as connection:
        if card.kind == GAUGE:
            card = _of_gauge(connection, site_id, card)
        found = _chosen(connection, site_id, suggested)
        if len(found) >= MAX_CARDS:
            raise InvalidInput(message("a site has at most {limit} cards; remove one first", limit=MAX_CARDS))
        connection.execute(delete(_table).where(_table.c.site_id == site_id, _table.c.kind == NONE))
        return _insert(connection, site_id, len(found), card)


def remove(database: Database, site_id: int, number: int) -> Card:
    """Removes one of the site's cards and returns it; `InvalidInput` if the site has no card of that number.

    After the last one the site has none, rather than suggested ones.
    """
    with database.transaction() as connection:
        found = _chosen(connection, site_id, ())
        gone = found[_place(found, number)]
        connection.execute(delete(_table).where(_table.c.site_id == site_id, _table.c.id == number))
        if len(found) == 1:
            _insert(connection, site_id, 0, Card(0, NONE))
    return gone


def move(database: Database, site_id: int, number: int, way: str) -> int:
    """Moves a card one place `up` or `down` and returns its new place, counted from 0; the first stays the first.

    `InvalidInput` if the site has no card of that number.
    """
    if way not in WAYS:
        raise InvalidInput(f"way {way[:40]!r}: {', '.join(WAYS)}")
    with database.transaction() as connection:
        found = _chosen(connection, site_id, ())
        old = _place(found, number)
        new = max(0, old - 1) if way == UP else min(len(found) - 1, old + 1)
        found.insert(new, found.pop(old))
        for place, card in enumerate(found):
            own = _table.c.site_id == site_id, _table.c.id == card.id
            connection.execute(update(_table).where(*own).values(position=place))
    return new


def adopt(database: Database, site_id: int, suggested: Iterable[Card]) -> list[Card]:
    """Makes the suggested cards the site's own, unless it has chosen already; returns the site's cards."""
    with database.transaction() as connection:
        return _chosen(connection, site_id, suggested)


def reset(database: Database, site_id: int) -> None:
    """Forgets what the site has chosen: it shows suggested cards again."""
    with database.transaction() as connection:
        connection.execute(delete(_table).where(_table.c.site_id == site_id))


def _of_gauge(connection: Connection, site_id: int, card: Card) -> Card:
    """The card with the name and the currency of its gauge; `InvalidInput` if the site has no such gauge."""
    found = readings.read(connection, site_id).get(card.gauge_id or 0)
    if found is None:
        wrong = message("that gauge is not here any more")
        raise InvalidInput(wrong, {"gauge_id": wrong})
    measure = VALUE if found.currency else card.measure
    return card._replace(title=card.title or found.name, measure=measure, currency=found.currency)


def _chosen(connection: Connection, site_id: int, suggested: Iterable[Card]) -> list[Card]:
    """The site's cards; those that are suggested are stored first if nobody has chosen yet."""
    if rows := _rows(connection, site_id):
        return _cards(rows)
    return [_insert(connection, site_id, place, card) for place, card in enumerate(suggested)]


def _rows(connection: Connection, site_id: int) -> Sequence[Row[Any]]:
    order = _table.c.position, _table.c.id
    return connection.execute(select(_table).where(_table.c.site_id == site_id).order_by(*order)).all()


def _cards(rows: Iterable[Row[Any]]) -> list[Card]:
    names = Card._fields
    return [Card(*(getattr(row, name) for name in names)) for row in rows if row.kind in KINDS]


def _insert(connection: Connection, site_id: int, place: int, card: Card) -> Card:
    values = card._asdict() | {"site_id": site_id, "position": place}
    del values["id"]
    (number,) = connection.execute(insert(_table).values(values)).inserted_primary_key or (0,)
    return card._replace(id=int(number))


def _place(found: Sequence[Card], number: int) -> int:
    for place, card in enumerate(found):
        if card.id == number:
            return place
    raise InvalidInput(message("that card is not here any more"))
