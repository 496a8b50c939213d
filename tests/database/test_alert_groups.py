"""Alerts that begin and end together, and every message about them, written out on invented time.

The messages are those that a real webhook has got.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from analytics.notify import channels
from analytics.notify.alert import LIVE_S
from analytics.notify.rule import Priority
from analytics.notify.telling import add_of_alert
from analytics.storage import schema
from analytics.storage.database import Database
from tests.support.alerts import Watch, line
from tests.support.channels import added_channel
from tests.support.couriers import Invented
from tests.support.factories import NOW, added_site, rows
from tests.support.receiver import Receiver, answer, receiving

HOUR = 3_600
FEW = [3] * 7  # the second recovers: for half a minute there are few


class Outage:
    """Rules with one webhook, and the people who come; `got` is every message, by the second after `NOW`."""

    def __init__(self, database: Database, watch: Watch, receiver: Receiver) -> None:
        self.database, self.watch, self.receiver = database, watch, receiver
        self.invented = Invented(database)
        watch.add = add_of_alert

    def at(self, second: int) -> Outage:
        """Passes until then."""
        self.invented.pass_until(NOW + second)
        return self

    def see(self, *counts: int) -> Outage:
        """So many people are there at each of these readings from now on."""
        for people in counts:
            self.watch.now = self.invented.now
            self.watch.see(people)
            self.invented.pass_until(self.invented.now + LIVE_S)
        return self

    @property
    def got(self) -> list[str]:
        said = []
        for one in self.receiver.received:
            body = json.loads(one.body)
            second = int(one.headers["webhook-timestamp"]) - NOW
            said.append(f"{second} s: {body['type']}: {body['data']['title']}")
            said += [f"  {_line(each)}" for each in body["data"].get("notifications", [])]
        return said

    def log(self) -> list[tuple[str, int]]:
        """Every delivery, the oldest first: how it stands, when it was due or sent."""
        return [(state, at - NOW) for state, at in rows(self.database, schema.deliveries, "state", "next_at")]


def _line(one: dict[str, Any]) -> str:
    return f"rule {one['rule']}: {one['type']}: " + "; ".join(filter(None, (one["title"], one.get("outcome", ""))))


class Outages:
    """Begins one with as many rules, each for ten people more than the one before; fields of `Notify` for all."""

    def __init__(self, database: Database, watching: Any, receiver: Receiver) -> None:
        self.database, self.watching, self.receiver = database, watching, receiver

    def begin(self, rules: int, urgent: int = 0, **fields: Any) -> Outage:
        """`urgent` is the number of the rule that is urgent, from 1."""
        added_site(self.database)
        channel = added_channel(self.database, self.receiver.url)
        of_all = {"channels": (channel.id,), "priority": Priority.HIGH} | fields
        some = [line(n, above=10 * n, title=f"Rule {n} fires", **of_all) for n in range(1, rules + 1)]
        if urgent:
            said = some[urgent - 1].notify._replace(priority=Priority.URGENT)
            some[urgent - 1] = some[urgent - 1]._replace(notify=said)
        return Outage(self.database, self.watching(*some), self.receiver)


@pytest.fixture
def outages(database, watching) -> Iterator[Outages]:
    with receiving() as receiver:
        yield Outages(database, watching, receiver)


def test_an_outage_that_fires_forty_rules_is_one_message_and_its_end_another(outages):
    outage = outages.begin(40)
    outage.see(100, 250, 401).at(120).see(*FEW).at(HOUR)
    assert outage.got == [
        "30 s: alert.firing: 40 alerts are firing",
        *(f"  rule {n}: alert.firing: Rule {n} fires; still firing" for n in range(1, 41)),
        "330 s: alert.resolved: 40 alerts are over",
        *(f"  rule {n}: alert.resolved: Resolved: Rule {n} fires" for n in range(1, 41)),
    ]
    states = [state for state, _ in outage.log()]
    assert (states.count("covered"), states.count("sent"), len(states)) == (80, 2, 82)


def test_in_the_app_each_of_the_forty_is_a_notification_at_once(outages):
    outage = outages.begin(40).see(401)
    found = rows(outage.database, schema.notifications, "at", "title")
    assert found == [(NOW, f"Rule {n} fires") for n in range(1, 41)]


def test_one_alert_alone_is_a_message_of_its_own(outages):
    outage = outages.begin(1)
    outage.see(20).at(HOUR).see(*FEW).at(2 * HOUR)
    assert outage.got == [
        "30 s: alert.firing: Rule 1 fires",
        f"{HOUR + 60} s: alert.resolved: Resolved: Rule 1 fires",
    ]


def test_what_follows_the_first_message_goes_together_five_minutes_after_it(outages):
    outage = outages.begin(4)
    outage.see(15).at(40).see(25).at(100).see(35).at(200).see(45).at(700).see(*FEW).at(HOUR)
    assert outage.got == [
        "30 s: alert.firing: Rule 1 fires",
        "330 s: alert.firing: 3 alerts are firing",
        *(f"  rule {n}: alert.firing: Rule {n} fires; still firing" for n in (2, 3, 4)),
        "760 s: alert.resolved: 4 alerts are over",
        *(f"  rule {n}: alert.resolved: Resolved: Rule {n} fires" for n in (1, 2, 3, 4)),
    ]


def test_an_urgent_one_goes_at_once_with_those_that_wait(outages):
    outage = outages.begin(3, urgent=3)
    outage.see(15, 25, 35).at(HOUR)
    assert outage.got == [
        "10 s: alert.firing: 3 alerts are firing",
        *(f"  rule {n}: alert.firing: Rule {n} fires; still firing" for n in (3, 1, 2)),
    ]
    can_wait = rows(outages.database, schema.deliveries, "state", "can_wait")
    assert can_wait == [("covered", True), ("covered", True), ("covered", False), ("sent", False)]


def test_after_an_urgent_one_alone_the_others_wait_half_a_minute(outages):
    outage = outages.begin(3, urgent=1)
    outage.see(15).at(10).see(25, 35).at(HOUR)
    assert outage.got == [
        "0 s: alert.firing: Rule 1 fires",
        "40 s: alert.firing: 2 alerts are firing",
        *(f"  rule {n}: alert.firing: Rule {n} fires; still firing" for n in (2, 3)),
    ]


def test_forty_urgent_ones_of_one_moment_are_one_message_at_once(outages):
    outage = outages.begin(40, priority=Priority.URGENT)
    outage.see(401).at(120).see(*FEW).at(HOUR)
    assert [one for one in outage.got if not one.startswith("  ")] == [
        "0 s: alert.firing: 40 alerts are firing",
        "150 s: alert.resolved: 40 alerts are over",
    ]


def test_without_grouping_each_moment_has_its_message(outages):
    outage = outages.begin(2, group_s=0)
    outage.see(15).at(10).see(25).at(HOUR)
    assert outage.got == ["0 s: alert.firing: Rule 1 fires", "10 s: alert.firing: Rule 2 fires"]


def test_of_more_than_a_message_lists_the_others_are_counted(outages):
    outage = outages.begin(60).see(601).at(60)
    title, *listed = outage.got
    assert title == "30 s: alert.firing: 60 alerts are firing"
    assert len(listed) == 40
    assert json.loads(outage.receiver.received[0].body)["data"]["count"] == 60


def test_an_alert_that_begins_and_ends_while_it_waits_is_one_line(outages):
    outage = outages.begin(3)
    outage.see(15).at(60).see(35, 35, *[15] * 7).at(HOUR)
    assert outage.got == [
        "30 s: alert.firing: Rule 1 fires",
        "330 s: alert.resolved: 2 alerts are over",
        "  rule 2: alert.resolved: Rule 2 fires; resolved 2027-01-15 08:01 UTC",
        "  rule 3: alert.resolved: Rule 3 fires; resolved 2027-01-15 08:01 UTC",
    ]


def test_a_message_about_some_that_are_over_says_how_many_still_fire(outages):
    outage = outages.begin(3)
    outage.see(15).at(60).see(35, 35, *[25] * 7).at(HOUR)
    assert outage.got == [
        "30 s: alert.firing: Rule 1 fires",
        "330 s: alert.firing: 2 alerts, 1 still firing",
        "  rule 2: alert.firing: Rule 2 fires; still firing",
        "  rule 3: alert.resolved: Rule 3 fires; resolved 2027-01-15 08:01 UTC",
    ]


def test_repeats_go_together_too(outages):
    outage = outages.begin(2, repeat_s=4 * HOUR)
    outage.see(25).at(4 * HOUR).see(25).at(5 * HOUR)
    assert outage.got == [
        "30 s: alert.firing: 2 alerts are firing",
        *(f"  rule {n}: alert.firing: Rule {n} fires; still firing" for n in (1, 2)),
        f"{4 * HOUR + 30} s: alert.firing: 2 alerts are firing",
        *(f"  rule {n}: alert.firing: Still firing after 4 h: Rule {n} fires; still firing" for n in (1, 2)),
    ]


def test_a_group_that_fails_is_tried_again_with_what_is_so_by_then_and_later_ones_do_not_wait_for_it(outages):
    outage = outages.begin(3)
    outage.receiver.replies = [answer(500), answer(500)]
    outage.see(25).at(60).see(35).at(HOUR)
    assert [one for one in outage.got if not one.startswith("  ")] == [
        "30 s: alert.firing: 2 alerts are firing",
        "35 s: alert.firing: 2 alerts are firing",
        "330 s: alert.firing: Rule 3 fires",
        "335 s: alert.firing: 2 alerts are firing",
    ]
    assert len({one.headers["webhook-id"] for one in outage.receiver.received}) == 2


def test_another_channel_has_groups_of_its_own(outages, database):
    outage = outages.begin(2)
    with receiving() as other:
        channel = added_channel(database, other.url)
        both = outage.watch.rules[1].notify._replace(channels=(*outage.watch.rules[1].notify.channels, channel.id))
        outage.watch.rules[1] = outage.watch.rules[1]._replace(notify=both)
        outage.see(15).at(40).see(25).at(HOUR)
        alone = [int(one.headers["webhook-timestamp"]) - NOW for one in other.received]
    assert (outage.got, alone) == (["30 s: alert.firing: Rule 1 fires", "330 s: alert.firing: Rule 2 fires"], [70])


def test_a_channel_that_is_switched_off_meanwhile_gets_nothing(outages, database):
    outage = outages.begin(2).see(25)
    channels.disable(database, outage.watch.rules[0].notify.channels[0], now=NOW + 5)
    assert outage.at(HOUR).got == []
    assert {state for state, _ in outage.log()} == {"dropped"}


def test_a_group_survives_a_restart(outages, database):
    outage = outages.begin(2).see(25)
    again = Invented(database)
    again.pass_until(NOW + HOUR)
    assert outage.got[0] == "30 s: alert.firing: 2 alerts are firing"
    assert outage.at(HOUR).got[3:] == []
