"""What is held for a person: listed with the moment at which it goes, sent now, and held otherwise after a change."""

from __future__ import annotations

import pytest

from analytics.access import accounts, members
from analytics.notify import held, new_deliveries, quiet_hours_store
from analytics.notify.delivery import DeliveryState, HeldMessage
from analytics.notify.quiet_hours import Digest, QuietHours
from analytics.notify.rule import Priority
from analytics.storage import schema
from tests.support.channels import added_channel, added_delivery, added_notification
from tests.support.factories import NOW, added_site, rows

HOUR, DAY = 3600, 86_400
ADA, BOB = "ada@example.com", "bob@example.com"
NIGHT = QuietHours()  # 22:00 to 07:00 UTC; NOW is 08:00


@pytest.fixture
def channel(database):
    added_site(database)
    added_site(database, "other.example")
    return added_channel(database, "Ada@example.com", "email")


def hold(database, channel, until: int, **fields) -> None:
    number = added_notification(database, site_id=channel.site_id, **fields)
    added_delivery(database, channel, number, until, state=DeliveryState.HELD)


def due(database) -> list[tuple[str, int]]:
    return [(state, at - NOW) for state, at in rows(database, schema.deliveries, "state", "next_at")]


def test_what_is_held_is_listed_with_its_count_the_next_to_be_sent_first(database, channel):
    hold(database, channel, NOW + 2 * HOUR, title="Payment", priority="low", at=NOW - 60)
    hold(database, channel, NOW + HOUR, title="Signup", count=12, at=NOW - 30)
    hold(database, channel, NOW, title="Being sent")
    added_delivery(database, channel, added_notification(database, title="Not held"))
    hold(database, added_channel(database, BOB, "email"), NOW + HOUR, title="Another's")
    hold(database, added_channel(database, ADA, "email", site_id=2), NOW + HOUR, title="Of another site")
    payment, signup = (
        HeldMessage(1, "Payment", "low", 1, NOW - 60, NOW + 2 * HOUR),
        HeldMessage(1, "Signup", "medium", 12, NOW - 30, NOW + HOUR),
    )
    assert held.of_person(database, ADA, [1], NOW) == [signup, payment]
    assert [one.title for one in held.of_person(database, "ADA@example.com", [1, 2], NOW)] == [
        "Signup",
        "Of another site",
        "Payment",
    ]
    assert held.of_person(database, ADA, [], NOW) == []


def test_the_list_is_bounded(database, channel):
    for _ in range(held.MAX_LISTED + 5):
        hold(database, channel, NOW + HOUR)
    assert len(held.of_person(database, ADA, [1], NOW)) == held.MAX_LISTED + 1


def test_what_is_only_counted_is_listed_with_the_message_that_counts_it(database, channel, monkeypatch):
    monkeypatch.setattr(new_deliveries, "MAX_WAITING", 1)
    for title in ("First", "Second", "Third"):
        hold(database, channel, NOW + HOUR, title=title)
    assert [(one.title, one.more) for one in held.of_person(database, ADA, [1], NOW)] == [("First", 2)]


def test_a_persons_channels_are_the_mails_to_their_address(database, channel):
    added_channel(database, "https://hooks.example.com/ada@example.com")
    added_channel(database, BOB, "email")
    other = added_channel(database, ADA, "email", site_id=2)
    assert held.channels_of(database, ADA, [1, 2]) == [channel, other]
    assert held.channels_of(database, ADA, [2]) == [other]


def test_after_a_change_it_is_held_as_the_new_hours_say(database, channel):
    for priority in Priority:
        hold(database, channel, NOW + HOUR, priority=str(priority))
    hold(database, added_channel(database, BOB, "email"), NOW + HOUR)
    others = ("held", HOUR)
    night = NOW + 15 * HOUR  # 23:00
    held.hold_again(database, ADA, NIGHT, night)
    assert due(database) == [*[("held", 23 * HOUR)] * 3, ("held", 15 * HOUR), others]
    held.hold_again(database, ADA, NIGHT._replace(digest=Digest.DAILY, digest_at=12 * 60), NOW)
    assert due(database) == [*[("held", 4 * HOUR)] * 3, ("held", 0), others]
    held.hold_again(database, ADA, NIGHT._replace(up_to=Priority.LOW, days=0), NOW + 5)
    assert due(database) == [*[("held", 5)] * 4, others]
    held.hold_again(database, ADA, None, NOW)
    assert due(database) == [*[("held", 0)] * 4, others]


def test_a_removed_person_leaves_no_quiet_hours_for_the_next_one_with_the_id(database):
    accounts.add_person(database, BOB, "owner", "correct horse battery", now=NOW)
    ada = accounts.add_person(database, ADA, "owner", "correct horse battery", now=NOW)
    quiet_hours_store.save(database, ada.id, {})
    members.remove(database, ADA)
    assert quiet_hours_store.of_person(database, ada.id) is None
