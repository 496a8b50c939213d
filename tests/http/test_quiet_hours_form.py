"""Quiet hours and digest on the account page: what the form saves, what it refuses, and what is held."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator
from typing import Any

import pytest
from house import House, open_house
from sqlalchemy import select

from analytics.base.config import Config
from analytics.notify import quiet_hours_store
from analytics.notify.delivery import Delivery, DeliveryState
from analytics.notify.quiet_hours import Digest, QuietHours
from analytics.notify.rule import Priority
from analytics.storage import schema
from layouts.pages import quiet_hours as layout
from tests.support.channels import added_channel, added_delivery, added_notification

SITE = "example.com"
NUMBERS = itertools.count(1)
FIELDS = {
    "on": "on",
    "begins": "21:30",
    "ends": "06:15",
    "day0": "on",
    "day4": "on",
    "up_to": "medium",
    "timezone": "berlin",
    "digest": "weekly",
    "digest_day": "4",
    "digest_at": "17:00",
}
SAVED = QuietHours(0b0010001, 21 * 60 + 30, 6 * 60 + 15, "Europe/Berlin", Priority.MEDIUM, Digest.WEEKLY, 17 * 60, 4)


@pytest.fixture(scope="module")
def house(tmp_path_factory) -> Iterator[House]:
    with open_house(Config(data_dir=tmp_path_factory.mktemp("data"))) as house:
        house.add_site(SITE)
        yield house


class Reader:
    """A new person in a browser of their own."""

    def __init__(self, house: House) -> None:
        self.house, self.email = house, f"person-{next(NUMBERS)}@example.com"
        self.browser = house.join(self.email, "owner")

    def send(self, form: str, **fields: str) -> dict[str, Any]:
        return self.house.send(self.browser, form, "", **fields)

    @property
    def page(self) -> str:
        return self.house.drawn(self.browser, "/account")

    @property
    def saved(self) -> QuietHours | None:
        database, people = self.house.service.database, schema.people
        with database.read() as connection:
            number = connection.execute(select(people.c.id).where(people.c.email == self.email)).scalar_one()
        return quiet_hours_store.of_person(database, number)

    def hold(self, **fields: Any) -> Delivery:
        """Holds a message to them until tomorrow."""
        database, until = self.house.service.database, int(time.time()) + 86_400
        site_id = fields.get("site_id", 1)
        channel = added_channel(database, self.email, "email", site_id=site_id)
        number = added_notification(database, **fields)
        return added_delivery(database, channel, number, until, state=DeliveryState.HELD)


@pytest.fixture
def ada(house) -> Reader:
    return Reader(house)


@pytest.fixture
def bob(house) -> Reader:
    return Reader(house)


def now(house, held: Delivery) -> tuple[str, int]:
    """How that delivery stands, and when it is due."""
    table = schema.deliveries
    with house.service.database.read() as connection:
        row = connection.execute(select(table).where(table.c.id == held.id)).one()
    return row.state, row.next_at


def test_the_page_says_that_e_mails_alone_are_held(house):
    page = Reader(house).page
    assert "They hold the e-mails of notifications to you. On open pages toasts still appear" in page


def test_the_form_is_saved_and_the_zone_comes_back_by_its_name(ada):
    assert ada.send(layout.FORM, **FIELDS) == {"fill": {"quiet-timezone": "Europe/Berlin"}}
    assert ada.saved == SAVED
    for text in ('"value":"21:30"', '"value":"06:15"', '"value":"17:00"'):
        assert text in ada.page


def test_they_are_each_persons_own(ada, bob):
    ada.send(layout.FORM, **FIELDS)
    assert (ada.saved, bob.saved) == (SAVED, None)
    bob.send(layout.FORM, timezone="UTC", digest="daily", digest_at="09:00")
    assert bob.saved == QuietHours(days=0, digest=Digest.DAILY, digest_at=9 * 60)
    assert ada.saved == SAVED


def test_without_the_switch_there_are_no_quiet_hours(ada):
    ada.send(layout.FORM, **{name: value for name, value in FIELDS.items() if name != "on"})
    assert ada.saved == SAVED._replace(days=0)


@pytest.mark.parametrize(
    ("changed", "wrong"),
    [
        ({"begins": ""}, {"begins": "give a time of the day like 22:00"}),
        ({"digest_at": "25:00"}, {"digest_at": "give a time of the day like 22:00"}),
        ({"timezone": "Mars"}, {"timezone": "'Mars' is no time zone; give one like Europe/Berlin or UTC"}),
        ({"up_to": "all"}, {"up_to": "up_to: one of low, medium, high, urgent"}),
        ({"digest": "hourly"}, {"digest": "digest: one of off, daily, weekly"}),
        ({"digest_day": "9"}, {"digest_day": "digest_day: a weekday, 0 (Monday) to 6 (Sunday)"}),
        (
            {f"day{day}": "on" for day in range(7)} | {"ends": "21:30"},
            {"ends": "quiet hours of every day end at another time than they begin"},
        ),
    ],
)
def test_what_is_wrong_is_said_at_its_field_and_nothing_is_saved(ada, changed, wrong):
    assert ada.send(layout.FORM, **FIELDS | changed)["wrong"] == wrong
    assert ada.saved is None


def test_quiet_hours_on_no_day_are_refused(ada):
    fields = {name: value for name, value in FIELDS.items() if not name.startswith("day")}
    assert ada.send(layout.FORM, **fields)["wrong"] == {"days": "choose one day at least"}
    assert ada.saved is None


def test_the_page_says_for_which_messages_they_are(house, ada):
    assert "No channel leads to" in ada.page
    added_channel(house.service.database, ada.email, "email")
    assert "No channel leads to" not in ada.page


def test_what_is_held_is_shown_and_sent_now(house, ada):
    one = ada.hold(title="Payment of 20 EUR", count=3)
    ada.hold(title="Of another site", site_id=7)
    assert "Payment of 20 EUR" in ada.page
    assert "Send it now" in ada.page
    _, tomorrow = now(house, one)
    assert ada.send(layout.NOW) == {"message": "It is being sent", "focus": ["quiet-on"]}
    assert now(house, one)[1] < tomorrow
    assert "Nothing is held back" in ada.page


def test_what_is_held_goes_as_the_new_hours_say(house, ada):
    one = ada.hold(priority="low")
    _, tomorrow = now(house, one)
    ada.send(layout.FORM, **FIELDS)
    state, due = now(house, one)
    assert (state, due != tomorrow) == ("held", True)


def test_another_persons_held_messages_are_neither_shown_nor_sent(house, ada, bob):
    one = ada.hold(title="For Ada alone")
    before = now(house, one)
    assert "For Ada alone" not in bob.page
    bob.send(layout.NOW)
    assert now(house, one) == before
