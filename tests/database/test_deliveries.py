"""The outbox: what is claimed, what is recorded, what the log lists."""

from __future__ import annotations

import threading
from collections import Counter

import pytest
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from analytics.base.errors import InvalidInput
from analytics.notify import deliveries, new_deliveries
from analytics.notify.deliveries import LEASE_S, Result
from analytics.notify.delivery import Delivery, DeliveryState
from analytics.notify.new_deliveries import MAX_WAITING, NewDelivery
from analytics.storage import schema
from analytics.storage.database import Database
from tests.support.channels import added_channel, added_delivery, added_notification
from tests.support.factories import NOW, added_site, rows

SENT, FAILED, WAITING = DeliveryState.SENT, DeliveryState.FAILED, DeliveryState.WAITING


@pytest.fixture
def channel(database):
    added_site(database)
    return added_channel(database, "https://hooks.example.com")


def record(database: Database, delivery: Delivery, *fields) -> bool:
    with database.transaction() as connection:
        return deliveries.record(connection, delivery, Result(*fields))


def test_a_delivery_is_added_within_the_transaction_of_its_notification(database, channel):
    number = added_notification(database)
    added = added_delivery(database, channel, number, NOW + 30)
    assert added == Delivery(
        id=added.id,
        site_id=1,
        channel_id=channel.id,
        notification_id=number,
        message_id=added.message_id,
        state=WAITING,
        covers=(),
        attempts=0,
        next_at=NOW + 30,
        created_at=NOW,
        last_at=None,
        status=None,
        answer="",
        sent_count=0,
        claimed_until=0,
    )
    assert added.message_id.startswith("msg_")
    with pytest.raises(DBAPIError), database.transaction() as connection:
        _add_and_fail(connection, channel.id, number)
    assert deliveries.of_site(database, 1) == [added]


def _add_and_fail(connection: Connection, channel_id: int, notification_id: int) -> None:
    new_deliveries.add(connection, 1, channel_id, notification_id, due_at=NOW, now=NOW)
    connection.execute(text("SELECT wrong"))


def test_what_is_due_is_claimed_once_and_its_attempt_is_counted(database, channel):
    added = added_delivery(database, channel, added_notification(database), NOW + 30)
    assert deliveries.claim(database, NOW + 29, 8) == []
    assert deliveries.claim(database, NOW + 30, 0) == []
    (claimed,) = deliveries.claim(database, NOW + 30, 8)
    assert claimed == added._replace(attempts=1, last_at=NOW + 30, claimed_until=NOW + 30 + LEASE_S)
    assert deliveries.claim(database, NOW + 30 + LEASE_S - 1, 8) == []


def test_one_that_nobody_records_is_due_again_when_its_claim_ends_with_the_same_message_id(database, channel):
    """As after `kill -9` in the middle of an attempt."""
    added = added_delivery(database, channel, added_notification(database))
    (lost,) = deliveries.claim(database, NOW, 8)
    (again,) = deliveries.claim(database, NOW + LEASE_S, 8)
    assert (again.id, again.message_id, again.attempts) == (added.id, added.message_id, 2)
    assert not record(database, lost, SENT, NOW, NOW, 200, "late"), "the first claim has ended"
    assert record(database, again, SENT, NOW + LEASE_S, NOW + LEASE_S, 200, "ok", 4)
    (logged,) = deliveries.of_site(database, 1)
    assert logged == again._replace(
        state=SENT, next_at=NOW + LEASE_S, status=200, answer="ok", sent_count=4, claimed_until=0
    )


def test_one_of_each_channel_is_claimed_the_longest_due_first(database, channel):
    other = added_channel(database, "https://other.example.com")
    number = added_notification(database)
    first, second = (added_delivery(database, channel, number, NOW - at) for at in (5, 4))
    of_other = added_delivery(database, other, number, NOW - 9)
    assert [one.id for one in deliveries.claim(database, NOW, 8)] == [of_other.id, first.id]
    assert deliveries.claim(database, NOW, 8, {channel.id, other.id}) == []
    assert [one.id for one in deliveries.claim(database, NOW, 1, {other.id})] == [second.id]


def test_urgent_ones_are_claimed_first_and_wait_for_no_pace(database, channel):
    other = added_channel(database, "https://other.example.com")
    number = added_notification(database)
    added_delivery(database, channel, number, NOW - 9)
    added_delivery(database, other, number, NOW - 5)
    urgent = added_delivery(database, channel, number, can_wait=False)
    assert deliveries.claim(database, NOW, 8, {channel.id}, {other.id}) == []
    assert [one.id for one in deliveries.claim(database, NOW, 1, (), {channel.id, other.id})] == [urgent.id]


def test_what_is_held_sent_or_dropped_is_not_claimed(database, channel):
    number = added_notification(database)
    added_delivery(database, channel, number, state=DeliveryState.HELD)
    (one,) = deliveries.claim(database, NOW, 8) or (None,)
    assert one is None
    with database.transaction() as connection:
        deliveries.drop_of_channel(connection, channel.id, "the channel is disabled")
    (logged,) = deliveries.of_site(database, 1)
    assert (logged.state, logged.answer) == (DeliveryState.DROPPED, "the channel is disabled")


def test_two_at_the_same_time_never_claim_the_same(database, channel):
    number = added_notification(database)
    channels = [added_channel(database, f"https://hooks.example.com/{n}") for n in range(40)]
    added = {added_delivery(database, one, number).id for one in channels}
    claimed: list[int] = []

    def claim() -> None:
        while found := deliveries.claim(database, NOW, 3):
            claimed.extend(one.id for one in found)

    threads = [threading.Thread(target=claim) for _ in range(4)]
    for one in threads:
        one.start()
    for one in threads:
        one.join(30)
    claimed += [one.id for one in deliveries.claim(database, NOW, 100)]  # those that others had locked meanwhile
    assert sorted(claimed) == sorted(added)


def test_of_a_flood_only_so_many_wait(database, channel):
    number = added_notification(database)
    with database.transaction() as connection:
        for _ in range(MAX_WAITING):
            new_deliveries.add(connection, 1, channel.id, number, due_at=NOW, now=NOW)
        last = [
            new_deliveries.add(connection, 1, channel.id, number, due_at=at + 30, now=at)
            for at in (NOW, NOW + 1, NOW + 3_599, NOW + 3_600)
        ]
    assert {(one.state, one.answer) for one in last} == {
        (DeliveryState.DROPPED, "1000 messages of the channel are waiting already")
    }
    assert [one.created_at for one in last] == [NOW, NOW, NOW, NOW + 3_600], "a row an hour: the disk does not fill"
    states = [state for (state,) in rows(database, schema.deliveries, "state")]
    assert (states.count("waiting"), states.count("dropped"), len(states)) == (MAX_WAITING, 2, MAX_WAITING + 2)


def test_a_flood_leaves_urgent_ones_their_places_and_they_are_bounded_too(database, channel):
    number = added_notification(database)
    new = NewDelivery(1, channel.id, number, NOW)
    with database.transaction() as connection:
        new_deliveries.add_all(connection, [new] * (MAX_WAITING + 1), NOW)
        new_deliveries.add_all(connection, [new._replace(can_wait=False)] * (MAX_WAITING + 1), NOW + 3_600)
    found = Counter(rows(database, schema.deliveries, "can_wait", "state"))
    assert found == {
        (True, "waiting"): MAX_WAITING,
        (True, "dropped"): 1,
        (False, "waiting"): MAX_WAITING,
        (False, "dropped"): 1,
    }


def test_the_log_is_of_one_site_newest_first_and_paged(database, channel):
    other = added_channel(database, "https://other.example.com")
    of_other_site = added_channel(database, "https://third.example.com", site_id=2)
    number = added_notification(database)
    ids = [added_delivery(database, one, number).id for one in (channel, other, channel, of_other_site)]
    assert [one.id for one in deliveries.of_site(database, 1)] == [ids[2], ids[1], ids[0]]
    assert [one.id for one in deliveries.of_site(database, 1, limit=2)] == [ids[2], ids[1]]
    assert [one.id for one in deliveries.of_site(database, 1, before=ids[1])] == [ids[0]]
    assert [one.id for one in deliveries.of_site(database, 1, channel_id=channel.id)] == [ids[2], ids[0]]
    assert deliveries.of_site(database, 3) == []


def test_a_delivery_is_sent_once_more_by_hand(database, channel):
    added = added_delivery(database, channel, added_notification(database))
    (claimed,) = deliveries.claim(database, NOW, 8)
    with pytest.raises(InvalidInput, match=r"^there is no such delivery, or it is being sent right now$"):
        deliveries.replay(database, 1, added.id, now=NOW)
    record(database, claimed, FAILED, NOW, NOW, 500, "down")
    with pytest.raises(InvalidInput):
        deliveries.replay(database, 2, added.id, now=NOW + 60)
    again = deliveries.replay(database, 1, added.id, now=NOW + 60)
    assert (again.state, again.attempts, again.next_at, again.message_id) == (WAITING, 0, NOW + 60, added.message_id)
    assert [one.id for one in deliveries.claim(database, NOW + 60, 8)] == [added.id]


def test_ended_deliveries_are_kept_for_ninety_days(database, channel):
    number = added_notification(database)
    old, held, waiting, _ = (
        added_delivery(database, channel, number, NOW - n, state=state)
        for n, state in ((2, WAITING), (3, DeliveryState.HELD), (1, WAITING), (0, DeliveryState.COVERED))
    )
    (claimed,) = deliveries.claim(database, NOW, 1)
    record(database, claimed, SENT, NOW, NOW, 200, "ok")
    assert claimed.id == old.id
    assert deliveries.prune(database, NOW + deliveries.KEPT_S) == 0
    assert deliveries.prune(database, NOW + deliveries.KEPT_S + 1) == 2
    assert {one.id for one in deliveries.of_site(database, 1)} == {waiting.id, held.id}
