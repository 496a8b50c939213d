"""A rule on events is snoozed: what it sends and what it stores, on invented time."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator

import pytest

from analytics.base.errors import InvalidInput
from analytics.notify import rule_snooze, rules
from analytics.notify.events import ArrivedEvent, notify
from analytics.notify.kinds.alert import AlertBegins
from analytics.notify.kinds.event import EventArrives
from analytics.notify.rendering import DashboardLinks, Subject
from analytics.notify.rule import Notify, Severity
from analytics.notify.rule_json import RuleInput
from analytics.notify.rules import RuleRing, UnknownRule
from analytics.storage import schema
from tests.support.alerts import line
from tests.support.channels import added_channel
from tests.support.couriers import Invented
from tests.support.factories import NOW, added_site, feed_item, rows
from tests.support.receiver import Receiver, answer, receiving

HOUR = 3600


def links_of(subject: Subject) -> DashboardLinks:
    """A link to snooze where there is a rule for it."""
    snooze = f"https://stats.example.com/snooze/{subject.rule_id}" if subject.rule_id else ""
    return DashboardLinks("https://stats.example.com/", snooze)


class Signups:
    """A rule on signups with a Slack channel, and what comes of the signups; `seconds` are those after `NOW`."""

    def __init__(self, database, receiver: Receiver) -> None:
        added_site(database)
        added_site(database, "other.example")
        self.database, self.receiver = database, receiver
        channel = added_channel(database, receiver.url, kind="slack")
        said = Notify(title="{name}", channels=(channel.id,), group_s=300)
        self.rule = rules.add(database, 1, RuleInput("Signups", EventArrives("Signup"), said), now=NOW)
        self.ring = RuleRing(database)
        self.invented = Invented(database, links_of=links_of)

    def arrive(self, *seconds: int) -> None:
        """A signup at each of these moments."""
        for at in seconds:
            self.invented.pass_until(NOW + at)
            self._signup(at)

    def _signup(self, at: int) -> None:
        item = feed_item((NOW + at) << 21, type="event", name="Signup", timestamp=NOW + at)
        with self.database.transaction() as connection:
            notify(connection, self.ring.event_rules, str, [ArrivedEvent(1, item, "")], NOW + at)

    def snooze(self, at: int, until: int) -> None:
        rule_snooze.snooze(self.database, 1, self.rule.id, until and NOW + until, NOW + at)
        self.ring.refresh()

    def meanwhile_snoozed(self, connection: socket.socket) -> None:
        """The receiver answers after another signup has come, and the rule is snoozed."""
        self._signup(30)
        self.snooze(30, HOUR)
        answer(200)(connection)

    def sent(self, until: int) -> list[str]:
        """The titles of the messages that have left until then."""
        self.invented.pass_until(NOW + until)
        return [json.loads(one.body)["text"] for one in self.receiver.received]

    def log(self) -> list[tuple[str, str]]:
        return rows(self.database, schema.deliveries, "state", "answer")

    def counts(self) -> list[int]:
        """What the notifications in the app count."""
        return [many for (many,) in rows(self.database, schema.notifications, "count")]


@pytest.fixture
def signups(database) -> Iterator[Signups]:
    with receiving() as receiver:
        yield Signups(database, receiver)


def test_a_snoozed_rule_notifies_in_the_app_and_sends_nothing_until_then(signups):
    signups.arrive(0)
    assert signups.sent(60) == ["Signup"]
    signups.snooze(60, HOUR)
    signups.arrive(120, 600, 1_200)
    assert signups.sent(HOUR - 1) == ["Signup"]
    assert signups.counts() == [2, 1, 1]
    signups.arrive(HOUR)
    assert signups.sent(HOUR + 60) == ["Signup"] * 2
    assert signups.counts() == [2, 1, 1, 1]


def test_what_waits_when_it_is_snoozed_is_dropped_with_the_reason(signups):
    signups.arrive(0)
    signups.snooze(10, HOUR)
    assert signups.sent(HOUR) == []
    assert signups.log() == [("dropped", "its rule is snoozed")]


def test_a_message_that_is_on_its_way_when_it_is_snoozed_is_the_last(signups):
    signups.arrive(0)
    signups.receiver.replies.append(signups.meanwhile_snoozed)
    assert signups.sent(HOUR - 1) == ["Signup"]
    assert signups.counts() == [2]


def test_a_snooze_is_ended(signups):
    signups.snooze(0, HOUR)
    signups.arrive(60)
    signups.snooze(120, 0)
    signups.arrive(400)
    assert signups.sent(500) == ["Signup"]


def test_its_message_has_a_link_to_snooze_it(signups):
    signups.arrive(0)
    signups.sent(60)
    assert f"https://stats.example.com/snooze/{signups.rule.id}|Snooze" in signups.receiver.received[0].body.decode()


def test_the_message_of_a_removed_rule_has_none(signups):
    signups.arrive(0)
    rules.remove(signups.database, signups.rule.id)
    signups.sent(60)
    assert "snooze" not in signups.receiver.received[0].body.decode()


@pytest.mark.parametrize("when", [line(1).when, AlertBegins(Severity.CRITICAL)])
def test_only_rules_on_events_are_snoozed(signups, database, when):
    other = rules.add(database, 1, RuleInput("Other", when, Notify(title="x")), now=NOW)
    with pytest.raises(InvalidInput, match="only a rule on events is snoozed"):
        rule_snooze.snooze(database, 1, other.id, NOW + HOUR, NOW)
    assert rules.get(database, other.id).snoozed_until == 0


def test_a_rule_of_another_site_is_not_there(signups, database):
    with pytest.raises(UnknownRule):
        rule_snooze.snooze(database, 2, signups.rule.id, NOW + HOUR, NOW)
    assert rules.get(database, signups.rule.id).snoozed_until == 0
