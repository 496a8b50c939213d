"""The last count of a group goes outside, also when its last events came while a message was on its way."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator

import pytest

from analytics.notify import deliveries
from analytics.notify.events import ArrivedEvent, notify
from analytics.notify.kinds.event import EventArrives
from analytics.notify.rule import Notify, Rule
from analytics.storage import schema
from analytics.storage.database import Database
from tests.support.channels import added_channel
from tests.support.couriers import Invented
from tests.support.factories import NOW, added_site, feed_item, rows
from tests.support.receiver import Receiver, Reply, answer, receiving

DAY = 86_400
GROUP_S = 300


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as one:
        yield one


class Signups:
    """A rule, in groups of five minutes unless a test says otherwise, with a webhook, and the events that come."""

    def __init__(self, database: Database, receiver: Receiver, group_s: int = GROUP_S) -> None:
        added_site(database)
        self.database, self.receiver = database, receiver
        channel = added_channel(database, receiver.url)
        said = Notify(title="{count} signups", channels=(channel.id,), group_s=group_s)
        self.rule = Rule(1, 1, "Signups", EventArrives("Signup"), said)
        self.invented = Invented(database)

    def arrive(self, *seconds: int, before_commit: Callable[[], None] = lambda: None) -> None:
        """Events at these moments after `NOW`, in one transaction."""
        some = [feed_item((NOW + at) << 21, type="event", name="Signup", timestamp=NOW + at) for at in seconds]
        events = [ArrivedEvent(1, one, "") for one in some]
        with self.database.transaction() as connection:
            notify(connection, lambda _: [self.rule], lambda _: "example.com", events, NOW + seconds[-1])
            before_commit()

    def meanwhile(self, *seconds: int, status: int = 200) -> Reply:
        """The receiver answers after these events have come: the message is on its way then."""

        def reply(connection: socket.socket) -> None:
            self.arrive(*seconds)
            answer(status)(connection)

        return reply

    def sent(self, until_s: int) -> list[tuple[int, int]]:
        """What the receiver has got when so many seconds have passed: the second, and the count."""
        self.invented.pass_until(NOW + until_s)
        got = self.receiver.received
        return [(int(one.headers["webhook-timestamp"]) - NOW, json.loads(one.body)["data"]["count"]) for one in got]

    def log(self) -> list[tuple[str, int, int, int]]:
        """Every delivery: how it stands, when it was due, the count that was sent, the attempts."""
        found = deliveries.of_site(self.database, 1)[::-1]
        return [(str(one.state), one.next_at - NOW, one.sent_count, one.attempts) for one in found]

    def counts(self) -> list[int]:
        """What each notification counts in the app."""
        return [count for (count,) in rows(self.database, schema.notifications, "count")]


@pytest.fixture
def signups(database, receiver) -> Signups:
    return Signups(database, receiver)


def test_the_final_count_is_sent_after_a_delivery_that_was_in_flight(signups, receiver):
    signups.arrive(0)
    signups.arrive(10, 20)
    receiver.replies = [signups.meanwhile(31, 32)]
    assert signups.sent(29) == []
    assert signups.sent(30) == [(30, 3)]
    assert signups.counts() == [5]
    assert signups.log() == [("sent", 30, 3, 1), ("waiting", 330, 0, 0)]
    assert signups.sent(DAY) == [(30, 3), (330, 5)]
    assert signups.log() == [("sent", 30, 3, 1), ("sent", 330, 5, 1)]


def test_every_count_that_grows_in_flight_is_followed_by_one_message_and_a_new_group_by_its_own(signups, receiver):
    signups.arrive(0)
    receiver.replies = [signups.meanwhile(31), signups.meanwhile(299), signups.meanwhile(640, 641)]
    assert signups.sent(400) == [(30, 1), (330, 2)]
    assert signups.log() == [("sent", 30, 1, 1), ("sent", 330, 2, 1), ("waiting", 630, 0, 0)]
    assert signups.sent(DAY) == [(30, 1), (330, 2), (630, 3), (671, 2)], "events at 640 are another group"
    assert signups.counts() == [3, 2]
    assert signups.log()[2:] == [("sent", 630, 3, 1), ("sent", 671, 2, 1)]


def test_events_after_the_delivery_add_to_the_message_that_follows_it(signups, receiver):
    signups.arrive(0)
    receiver.replies = [signups.meanwhile(31)]
    signups.sent(60)
    signups.arrive(100)
    signups.arrive(200)
    assert signups.log() == [("sent", 30, 1, 1), ("waiting", 330, 0, 0)]
    assert signups.sent(DAY) == [(30, 1), (330, 4)]


def test_nothing_follows_a_delivery_during_which_nothing_came(signups):
    signups.arrive(0)
    signups.arrive(1, 2)
    assert signups.sent(DAY) == [(30, 3)]
    assert signups.log() == [("sent", 30, 3, 1)]


def test_a_delivery_that_fails_in_flight_has_the_count_at_its_next_attempt(signups, receiver):
    signups.arrive(0)
    receiver.replies = [signups.meanwhile(31, 32, status=500)]
    assert signups.sent(DAY) == [(30, 1), (35, 3)]
    assert signups.log() == [("sent", 35, 3, 2)]


def test_events_whose_transaction_is_open_while_the_delivery_is_recorded_are_counted_too(signups, receiver):
    """They see a message that waits, so the courier has to see their count: it waits for their commit."""
    signups.arrive(0)
    counted, writer = threading.Event(), []

    def slow_commit() -> None:
        counted.set()
        threading.Event().wait(0.5)  # the answer comes, and the courier records it

    def reply(connection: socket.socket) -> None:
        writer.append(threading.Thread(target=signups.arrive, args=(31, 32), kwargs={"before_commit": slow_commit}))
        writer[0].start()
        assert counted.wait(10)
        answer(200)(connection)

    receiver.replies = [reply]
    assert signups.sent(30) == [(30, 1)]
    writer[0].join()
    assert signups.log() == [("sent", 30, 1, 1), ("waiting", 330, 0, 0)]
    assert signups.sent(DAY) == [(30, 1), (330, 3)]


def test_of_a_rule_without_groups_sixty_messages_go_and_then_the_count_of_the_rest_of_the_minute(database, receiver):
    signups = Signups(database, receiver, group_s=0)
    signups.arrive(*[10] * 60)
    assert signups.sent(20) == [(10, 1)] * 60
    signups.arrive(*range(21, 50))
    signups.arrive(*[50] * 20)
    assert signups.log()[-2:] == [("sent", 10, 1, 1), ("waiting", 60, 0, 0)]
    assert signups.sent(DAY)[60:] == [(70, 50)]  # a webhook gets 60 a minute too
    assert signups.counts() == [1] * 59 + [50]
