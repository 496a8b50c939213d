"""The cards of a site: which there are, and in which order."""

from __future__ import annotations

import pytest
from sqlalchemy import insert

from analytics.activity import cards
from analytics.activity.card import MAX_CARDS, Card
from analytics.activity.readings import GaugeReading, readings
from analytics.base.errors import InvalidInput
from analytics.sites import store
from analytics.storage import schema
from tests.support.factories import added_site, rows

SUGGESTED = (Card(0, "stat", event="Signup"), Card(0, "ticker"))


def add(database, event="Signup", site=1, suggested=(), **fields) -> Card:
    return cards.add(database, site, {"kind": "counter", "event": event} | fields, suggested)


def events_of(database, site=1) -> list[str]:
    return [card.event for card in cards.of_site(database, site) or ()]


def test_cards_are_listed_in_the_order_in_which_they_were_added(database):
    assert cards.of_site(database, 1) is None
    first = add(database, kind="stat", title="  New \t people ", measure="value", currency="eur", span="24h")
    second = add(database, "", kind="ticker", measure="value", currency="EUR", span="24h")
    add(database, site=2)
    assert cards.of_site(database, 1) == [first, second]
    assert first == Card(first.id, "stat", "New people", "Signup", "value", "EUR", "24h")
    assert second == Card(second.id, "ticker")


def test_the_first_own_card_keeps_the_suggested_ones(database):
    added = add(database, "Refund", suggested=SUGGESTED)
    kept = cards.of_site(database, 1) or []
    assert [card._replace(id=0) for card in kept] == [*SUGGESTED, added._replace(id=0)]
    assert cards.adopt(database, 1, SUGGESTED) == kept
    cards.reset(database, 1)
    assert cards.of_site(database, 1) is None


def test_a_card_moves_one_place_and_stops_at_the_ends(database):
    numbers = [add(database, name).id for name in "abc"]
    assert [cards.move(database, 1, numbers[2], "up") for _ in range(3)] == [1, 0, 0]
    assert events_of(database) == ["c", "a", "b"]
    assert [cards.move(database, 1, numbers[0], "down") for _ in range(2)] == [2, 2]
    assert events_of(database) == ["c", "b", "a"]
    with pytest.raises(InvalidInput, match="up, down"):
        cards.move(database, 1, numbers[0], "left")


def test_a_site_without_its_last_card_has_none_until_one_is_added(database):
    only = add(database)
    assert cards.remove(database, 1, only.id) == only
    assert cards.of_site(database, 1) == []
    again = add(database, suggested=SUGGESTED)
    assert cards.of_site(database, 1) == [again]


def test_cards_of_other_sites_cannot_be_moved_or_removed(database):
    one = add(database)
    for site, number in ((2, one.id), (1, one.id + 1)):
        for change in (lambda s, n: cards.remove(database, s, n), lambda s, n: cards.move(database, s, n, "up")):
            with pytest.raises(InvalidInput, match="not here any more"):
                change(site, number)
    assert cards.of_site(database, 1) == [one]


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"kind": "gadget", "span": "year", "measure": "mean"}, {"kind", "span", "measure"}),
        ({"title": "x" * 61, "event": "y" * 121}, {"title", "event"}),
        ({"title": "a\0b"}, {"title"}),
        ({"event": "pageview"}, {"event"}),
        ({"measure": "value"}, {"currency"}),
        ({"measure": "value", "currency": "euro"}, {"currency"}),
    ],
)
def test_every_wrong_field_of_a_card_is_named(database, fields, wrong):
    with pytest.raises(InvalidInput) as refused:
        add(database, **fields)
    assert refused.value.fields.keys() == wrong
    assert rows(database, schema.activity_cards) == []


def test_a_site_has_at_most_24_cards(database):
    for _ in range(MAX_CARDS):
        add(database)
    with pytest.raises(InvalidInput, match="at most 24 cards"):
        add(database)
    add(database, site=2)


def test_a_site_takes_its_cards_with_it(database):
    site = added_site(database)
    add(database, site=site.id)
    store.remove(database, site.domain)
    assert rows(database, schema.activity_cards) == []


def test_a_card_of_a_gauge_has_its_name_and_currency(database):
    row = {"site_id": 1, "watch_id": 1, "name": "Total revenue", "definition": "{}", "value": 12.5, "currency": "EUR"}
    with database.transaction() as connection:
        gauge = connection.execute(insert(schema.gauges).values(row)).inserted_primary_key[0]
    card = cards.add(database, 1, {"kind": "gauge", "gauge_id": str(gauge), "event": "ignored"})
    assert card == Card(card.id, "gauge", "Total revenue", measure="value", currency="EUR", gauge_id=gauge)
    assert cards.of_site(database, 1) == [card]
    assert readings(database, 1) == {gauge: GaugeReading("Total revenue", 12.5, "EUR")}
    for wrong in ("", "x", str(gauge + 1)):
        with pytest.raises(InvalidInput) as refused:
            cards.add(database, 1, {"kind": "gauge", "gauge_id": wrong})
        assert refused.value.fields.keys() == {"gauge_id"}
    with pytest.raises(InvalidInput):
        cards.add(database, 2, {"kind": "gauge", "gauge_id": str(gauge)})
