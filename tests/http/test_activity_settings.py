"""Settings, Activity: what its forms change and answer, over the whole application on both databases."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from house import House, open_house

from analytics.activity import cards
from analytics.sites import store
from layouts.settings import activity as layout
from tests.support.factories import accepted, stored

SITE, OTHER = "shop.example", "blog.example"


@pytest.fixture
def house(config) -> Iterator[House]:
    with open_house(config) as house:
        for domain in (SITE, OTHER):
            house.add_site(domain)
        yield house


@pytest.fixture
def owner(house):
    return house.join("owner@example.com", "owner")


def listed(house, domain=SITE) -> list[tuple[int, str]] | None:
    site = store.find(house.service.database, domain)
    found = cards.of_site(house.service.database, site.id)
    return None if found is None else [(card.id, card.event) for card in found]


def test_cards_are_added_moved_and_removed(house, owner):
    for name in ("Signup", "Payment"):
        answer = house.send(owner, layout.ADD, SITE, kind="counter", event=name, measure="count", span="24h")
        said = f"{name} is on the Live page. No such event has come in 90 days."
        assert answer == {"message": said, "clear": True}
    (first, _), (second, _) = listed(house) or []
    moved = house.send(owner, layout.MOVE, SITE, key=str(second), value="up")
    assert moved == {"message": "Now 1 of 2", "focus": layout.buttons(second, "up")}
    assert listed(house) == [(second, "Payment"), (first, "Signup")]
    gone = house.send(owner, layout.REMOVE, SITE, key=str(second))
    assert gone == {"message": "Payment is removed", "focus": [layout.TITLE]}
    house.send(owner, layout.REMOVE, SITE, key=str(first))
    assert listed(house) == []
    house.send(owner, layout.CHOOSE, SITE, value=layout.FORGET)
    assert listed(house) is None
    assert listed(house, OTHER) is None


def test_a_card_has_the_events_name_as_the_site_spells_it(house, owner):
    stored(house.service.database, accepted("event", "event-0001", at=int(time.time()), name="Form Submitted"))
    answer = house.send(owner, layout.ADD, SITE, kind="counter", event="form_submitted", measure="count", span="24h")
    assert answer == {"message": "Form Submitted is on the Live page", "clear": True}
    assert [name for _, name in listed(house) or []][-1] == "Form Submitted"  # behind the suggested ones


def test_what_is_wrong_is_said_at_its_field(house, owner):
    answer = house.send(owner, layout.ADD, SITE, kind="counter", measure="value", currency="euro")
    assert answer["wrong"] == {"currency": "'euro' is no currency; write three letters, like EUR"}
    answer = house.send(owner, layout.REMOVE, SITE, key="999")
    assert answer["message"] == "that card is not here any more"
    assert listed(house) is None


def test_a_card_of_another_site_is_not_moved(house, owner):
    house.send(owner, layout.ADD, OTHER, kind="ticker")
    ((card, _),) = listed(house, OTHER) or []
    assert "not here" in house.send(owner, layout.MOVE, SITE, key=str(card), value="up")["message"]
