"""Rules on alerts: what they say when an alert begins and when it is over, besides the rule that made it."""

from __future__ import annotations

from typing import Any

import pytest

from analytics.notify.audience import Audience
from analytics.notify.kinds.alert import AlertBegins
from analytics.notify.rule import Notify, Priority, Rule, Severity
from analytics.notify.telling import add_of_alert
from analytics.storage import schema
from tests.support.alerts import line
from tests.support.channels import added_channel
from tests.support.factories import NOW, added_site, rows

CRITICAL, ERROR = Severity.CRITICAL, Severity.ERROR
EVERYBODY, ADMINS = Audience
MANY = 40


def on_alerts(number: int = 9, severity: Severity = CRITICAL, site_id: int = 1, **fields: Any) -> Rule:
    """A rule on alerts that are at least so severe; fields of `Notify`."""
    texts = {"title": "Critical: {title}", "message": "{severity} on {site}: {value} ({rule})"}
    said = Notify(**{"priority": Priority.URGENT, "link": "/alerts/{site}"} | texts | fields)
    return Rule(number, site_id, "On alerts", AlertBegins(severity), said)


def crowd(**fields: Any) -> Rule:
    """A rule whose alert is critical."""
    return line(1, **{"severity": CRITICAL, "priority": Priority.HIGH, "title": "Crowd"} | fields)


def said(database) -> list[tuple[Any, ...]]:
    """The notifications: seconds after `NOW`, rule, type, priority, title."""
    names = "at", "rule_id", "type", "priority", "title"
    return [(at - NOW, *others) for at, *others in rows(database, schema.notifications, *names)]


def test_a_critical_alert_is_said_once_more_by_the_rule_that_waits_for_it(database, watching):
    added_site(database)
    watch = watching(crowd(), on_alerts())
    found = watch.see(MANY, *[3] * 8)
    assert said(database) == [
        (0, 1, "alert.firing", "high", "Crowd"),
        (0, 9, "alert.firing", "urgent", "Critical: Crowd"),
        (35, 1, "alert.resolved", "high", "Resolved: Crowd"),
    ]
    second = found[1]
    assert (second.message, second.link) == ("critical on example.com: 40 (On alerts)", "/alerts/example.com")
    assert (second.value, second.severity, second.alert_id) == (40, "critical", found[0].alert_id)
    assert len(found) == 3, "open pages get it too"


@pytest.mark.parametrize(
    ("severity", "least", "is_said"),
    [
        (CRITICAL, Severity.INFO, True),
        (ERROR, ERROR, True),
        (Severity.WARNING, ERROR, False),
        (ERROR, CRITICAL, False),
    ],
)
def test_a_milder_alert_is_not_said(database, watching, severity, least, is_said):
    added_site(database)
    watching(crowd(severity=severity), on_alerts(severity=least)).see(MANY)
    assert [rule for _, rule, *_ in said(database)] == ([1, 9] if is_said else [1])


@pytest.mark.parametrize(
    ("own", "on_alert", "audience"),
    [(EVERYBODY, EVERYBODY, "everybody"), (ADMINS, EVERYBODY, "admins"), (EVERYBODY, ADMINS, "admins")],
)
def test_it_is_said_to_those_whom_both_rules_are_for(database, watching, own, on_alert, audience):
    added_site(database)
    watching(crowd(audience=own), on_alerts(audience=on_alert)).see(MANY)
    assert rows(database, schema.notifications, "rule_id", "audience") == [(1, own.value), (9, audience)]


def test_neither_is_one_of_another_site(database, watching):
    added_site(database)
    added_site(database, "b.example")
    watching(crowd(), on_alerts(site_id=2)).see(MANY)
    assert [rule for _, rule, *_ in said(database)] == [1]


def test_an_alert_that_its_own_rule_says_as_urgently_is_one_notification(database, watching):
    added_site(database)
    watching(crowd(), on_alerts(priority=Priority.HIGH), on_alerts(8, priority=Priority.LOW)).see(MANY)
    assert [rule for _, rule, *_ in said(database)] == [1]


def test_a_repeat_is_not_said_and_the_next_alert_is(database, watching):
    added_site(database)
    watch = watching(crowd(repeat_s=60), on_alerts())
    watch.see(*[MANY] * 14, *[3] * 8, MANY)
    assert [(rule, kind) for _, rule, kind, *_ in said(database)] == [
        (1, "alert.firing"),
        (9, "alert.firing"),
        (1, "alert.firing"),
        (1, "alert.resolved"),
        (1, "alert.firing"),
        (9, "alert.firing"),
    ]


def test_what_a_rule_on_alerts_says_begins_no_alert(database, watching):
    added_site(database)
    watching(crowd(), on_alerts(8, Severity.INFO), on_alerts(9, Severity.INFO)).see(*[MANY] * 20)
    assert [rule for _, rule, *_ in said(database)] == [1, 8, 9]
    assert len(rows(database, schema.alerts, "id")) == 1


def test_channels_that_know_of_the_alert_already_are_not_told_again(database, watching):
    added_site(database)
    own, other = (added_channel(database, f"https://hooks.example/{n}").id for n in (1, 2))
    watch = watching(crowd(channels=(own,)), on_alerts(channels=(own, other), priority=Priority.LOW))
    watch.add = add_of_alert
    watch.see(MANY)
    known = rows(database, schema.deliveries, "channel_id", "notification_id")
    assert known == [(own, 1), (other, 2)]


def test_channels_that_know_of_the_alert_by_the_rule_alone_hear_that_it_is_over(database, watching):
    added_site(database)
    own, other = (added_channel(database, f"https://hooks.example/{n}").id for n in (1, 2))
    watch = watching(crowd(channels=(own,)), on_alerts(channels=(own, other)))
    watch.add = add_of_alert
    found = watch.see(MANY, *[3] * 8)
    assert said(database) == [
        (0, 1, "alert.firing", "high", "Crowd"),
        (0, 9, "alert.firing", "urgent", "Critical: Crowd"),
        (35, 1, "alert.resolved", "high", "Resolved: Crowd"),
        (35, 9, "alert.resolved", "urgent", "Resolved: Crowd"),
    ]
    assert found[3].message == found[2].message == "The metric has recovered. It lasted 35 s."
    assert rows(database, schema.deliveries, "channel_id", "notification_id") == [
        (own, 1),
        (other, 2),
        (own, 3),
        (other, 4),
    ]


def test_they_hear_it_of_an_alert_whose_rule_was_removed_while_no_server_ran(database, watching):
    added_site(database)
    other = added_channel(database, "https://hooks.example/2").id
    watch = watching(crowd(), on_alerts(channels=(other,)))
    watch.see(MANY)
    watch.rules = [on_alerts(channels=(other,))]
    watch.restart()
    watch.add = add_of_alert
    watch.see(MANY)
    assert said(database)[2:] == [
        (5, 1, "alert.resolved", "medium", "Resolved: Crowd"),
        (5, 9, "alert.resolved", "urgent", "Resolved: Crowd"),
    ]
    assert rows(database, schema.deliveries, "channel_id", "notification_id") == [(other, 4)]


def test_a_rule_on_alerts_alone_says_nothing(database, watching):
    added_site(database)
    assert watching(on_alerts()).see(MANY, 3) == []
