"""Notifications: what events make, in groups; what each person has read and cleared."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pytest
from sqlalchemy import update

from analytics.access import accounts
from analytics.access.roles import ANYBODY, Person
from analytics.notify import notifications
from analytics.notify.audience import Audience
from analytics.notify.compared_event import ComparedEvent
from analytics.notify.events import ArrivedEvent, Notified, notify
from analytics.notify.kinds.event import Condition, EventArrives, Operator
from analytics.notify.notification import Notification
from analytics.notify.notifications import Listed
from analytics.notify.rule import Notify, Priority, Rule
from analytics.notify.sight import NOTHING, Sight, sight_of
from analytics.storage import schema
from analytics.storage.database import Database
from tests.support.channels import added_channel
from tests.support.factories import NOW, feed_item, rows

LENA, OMAR = 1, 2
VIEWS = {site: Sight(frozenset([site]), frozenset()) for site in (1, 2)}
SIGNUP = EventArrives("Signup")


def rule(number: int = 1, when: EventArrives = SIGNUP, site: int = 1, **notify: Any) -> Rule:
    said = {"title": "{user_name} signed up", "message": "on {props.plan}", "group_s": 0}
    return Rule(number, site, f"rule {number}", when, Notify(**said | notify))


def event(at: int = NOW, site: int = 1, props: str = '{"plan": "Team"}', **fields: Any) -> ArrivedEvent:
    item = {"type": "event", "name": "Signup", "user_name": "Lena", "timestamp": at}
    return ArrivedEvent(site, feed_item(at << 21, **item | fields), props)


def arrive(database: Database, rules: Sequence[Rule], *events: ArrivedEvent, now: int = NOW) -> Notified:
    def of_site(site_id: int) -> list[Rule]:
        return [one for one in rules if one.site_id == site_id]

    with database.transaction() as connection:
        return notify(connection, of_site, lambda site_id: f"site{site_id}.example.com", events, now)


def texts(written: Notified) -> list[tuple[str, str, int]]:
    return [(one.title, one.message, one.count) for one in written.notifications]


def added(database: Database, many: int, site: int = 1, **notify: Any) -> list[Notification]:
    return [arrive(database, [rule(site=site, **notify)], event(site=site)).notifications[0] for _ in range(many)]


# ── events ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_event_that_a_rule_waits_for_makes_a_notification(database):
    paid = rule(2, EventArrives("Payment", (Condition("value", Operator.ABOVE, 100.0),)), title="{value} {currency}")
    written = arrive(
        database,
        [rule(), paid],
        event(),
        event(name="Payment", value=100.0, currency="EUR"),
        event(name="Payment", value=100.5, currency="EUR"),
    )
    assert texts(written) == [("Lena signed up", "on Team", 1), ("100.5 EUR", "on Team", 1)]
    assert (written.notifications[1].value, written.notifications[1].currency) == (100.5, "EUR")
    assert written.wrong == {}


def test_events_of_a_group_raise_the_count_of_one_notification(database):
    grouped = [rule(group_s=300)]
    first = arrive(database, grouped, event(NOW), event(NOW + 1))
    second = arrive(database, grouped, event(NOW + 299), event(NOW + 300))
    assert [(one.count, one.at, one.last_at) for one in first.notifications] == [(2, NOW, NOW + 1)]
    assert [(one.count, one.at, one.last_at) for one in second.notifications] == [
        (3, NOW, NOW + 299),
        (1, NOW + 300, NOW + 300),
    ]
    assert second.notifications[0].id == first.notifications[0].id


def test_the_properties_of_an_event_are_parsed_once_whatever_rules_ask_of_them(database, monkeypatch):
    """A visitor chooses how long they are, and an admin how many conditions there are."""
    parsed, loads = [], json.loads
    monkeypatch.setattr(json, "loads", lambda text: parsed.append(text) or loads(text))
    plan = Condition("props.plan", Operator.IS, "Team")
    rules = [rule(number, EventArrives("Signup", (plan, plan)), message="{props.plan} {props.x}") for number in (1, 2)]
    assert texts(arrive(database, rules, event())) == [("Lena signed up", "Team", 1)] * 2
    assert parsed == ['{"plan": "Team"}']


def test_without_a_group_each_event_is_a_notification(database):
    assert texts(arrive(database, [rule()], event(), event())) == [("Lena signed up", "on Team", 1)] * 2


def counted(database: Database) -> list[tuple[int, int, int, int]]:
    """Of every notification, in seconds after `NOW`: first and newest event, until when it is open; and its count."""
    found = rows(database, schema.notifications, "at", "last_at", "open_until", "count")
    return [(at - NOW, last_at - NOW, open_until - NOW, count) for at, last_at, open_until, count in found]


def test_without_groups_a_rule_makes_sixty_notifications_a_minute_and_the_last_one_counts_the_rest(database):
    written = arrive(database, [rule()], *(event(NOW + 20) for _ in range(59)), event(NOW + 30), event(NOW + 31))
    assert [one.count for one in written.notifications] == [1] * 59 + [2]
    again = arrive(database, [rule()], event(NOW + 59), event(NOW + 60))
    assert [(one.id, one.count) for one in again.notifications] == [(written.notifications[-1].id, 3), (61, 1)]
    assert counted(database) == [(20, 20, 20, 1)] * 59 + [(30, 59, 60, 3), (60, 60, 60, 1)]


def test_the_minute_of_a_late_event_has_its_own_sixty(database):
    late = [event(NOW - 1) for _ in range(3)]
    arrive(database, [rule()], *(event() for _ in range(61)), *late)
    arrive(database, [rule()], *late, event())
    assert counted(database) == [(0, 0, 0, 1)] * 59 + [(0, 0, 60, 3)] + [(-1, -1, -1, 1)] * 6


def test_an_event_of_last_week_is_not_counted_with_those_of_last_week(database):
    """To find those the writer would have to read and lock a week of notifications."""
    week = 7 * 86_400
    for one in (rule(group_s=300), rule(2)):
        arrive(database, [one], event(NOW - week), now=NOW - week)
    late = arrive(database, [rule(group_s=300), rule(2)], event(NOW - week), event(NOW - week + 90))
    assert [(one.rule_id, one.at - NOW, one.count) for one in late.notifications] == [
        (1, -week, 2),
        (2, -week, 1),
        (2, 90 - week, 1),
    ]


def test_a_backlog_of_two_days_is_limited_by_the_minutes_in_which_it_comes(database):
    days, minute = 2 * 86_400, 60
    backlog = [event(NOW - days + second) for second in range(0, days - 3_600, minute)]
    first = arrive(database, [rule()], *backlog[:1_000])
    second = arrive(database, [rule()], *backlog[1_000:2_000])
    later = arrive(database, [rule()], *backlog[2_000:], now=NOW + minute)
    counts = [[one.count for one in written.notifications] for written in (first, second, later)]
    assert counts == [[1] * 59 + [941], [1_941], [1] * 59 + [len(backlog) - 2_059]]


def test_messages_with_the_count_of_a_late_group_are_as_far_apart_as_those_of_others(database):
    hook = added_channel(database, "https://hooks.example.com/1")
    late = [rule(group_s=300, channels=(hook.id,))], event(NOW - 86_400)
    arrive(database, *late)
    with database.transaction() as connection:
        connection.execute(update(schema.deliveries).values(state="sent", sent_count=1, last_at=NOW + 30))
    arrive(database, *late, now=NOW + 40)
    assert rows(database, schema.deliveries, "state", "next_at") == [("sent", NOW + 30), ("waiting", NOW + 330)]


def test_the_sixty_are_of_each_rule_and_not_of_alerts(database):
    with database.transaction() as connection:
        alert = {"site_id": 1, "rule_id": 1, "alert_id": 1, "type": "alert.firing", "priority": "low", "title": "x"}
        for _ in range(60):
            times = {"at": NOW, "last_at": NOW, "open_until": NOW + 60, "counted_at": NOW}
            notifications.add(connection, alert | times)
    written = arrive(database, [rule(), rule(2)], *(event() for _ in range(60)))
    assert [one.count for one in written.notifications] == [1] * 120


def broken(error: type[Exception]) -> EventArrives:
    """As by an error of ours: none that is stored errs."""

    class Broken(EventArrives):
        def matches(self, event: ComparedEvent) -> bool:
            raise error

    return Broken("a name")


@pytest.mark.parametrize("error", [AttributeError, RuntimeError, RecursionError, KeyError, OSError])
def test_a_rule_that_errs_in_any_way_is_named_and_logged_once_and_the_rest_go_on(database, error, caplog):
    written = arrive(database, [rule(1, broken(error)), rule(2)], event(), event())
    assert texts(written) == [("Lena signed up", "on Team", 1)] * 2
    assert list(written.wrong) == [1]
    assert written.wrong[1].startswith(error.__name__)
    assert [one.message for one in caplog.records] == [f"rule 1 errs and is switched off: {written.wrong[1]}"]


def test_a_transaction_that_is_rolled_back_leaves_no_notification(database):
    with database.transaction() as connection:
        notify(connection, lambda _: [rule()], lambda _: "example.com", [event()], NOW)
        connection.rollback()
    assert rows(database, schema.notifications) == []


# ── people ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_each_person_reads_for_themselves(database):
    first, second = added(database, 2)
    notifications.mark_read(database, LENA, VIEWS[1], first.id)
    assert notifications.of_person(database, LENA, VIEWS[1]) == [Listed(second, False), Listed(first, True)]
    assert notifications.of_person(database, OMAR, VIEWS[1]) == [Listed(second, False), Listed(first, False)]
    assert [notifications.unread(database, person, VIEWS[1]) for person in (LENA, OMAR)] == [1, 2]


def test_all_are_marked_as_read_and_later_ones_are_unread(database):
    first, second = added(database, 2)
    notifications.mark_read(database, LENA, VIEWS[1], second.id)
    notifications.mark_all_read(database, LENA)
    (third,) = added(database, 1)
    found = notifications.of_person(database, LENA, VIEWS[1])
    assert found == [Listed(third, False), Listed(second, True), Listed(first, True)]
    assert rows(database, schema.notification_reads) == []


def test_those_of_one_priority_are_marked_as_read_and_the_rest_stay_unread(database):
    low, urgent = (added(database, 1, priority=priority)[0] for priority in (Priority.LOW, Priority.URGENT))
    (elsewhere,) = added(database, 1, site=2, priority=Priority.LOW)
    notifications.mark_listed_read(database, LENA, VIEWS[1], priority="low")
    assert notifications.of_person(database, LENA, VIEWS[1]) == [Listed(urgent, False), Listed(low, True)]
    assert notifications.of_person(database, LENA, VIEWS[2]) == [Listed(elsewhere, False)]
    notifications.mark_listed_read(database, LENA, VIEWS[1], kind="alert.firing")
    assert notifications.unread(database, LENA, VIEWS[1]) == 1


def test_what_is_cleared_is_gone_for_this_person_alone(database):
    (first,) = added(database, 1)
    notifications.clear(database, LENA)
    (second,) = added(database, 1)
    assert notifications.of_person(database, LENA, VIEWS[1]) == [Listed(second, False)]
    assert notifications.of_person(database, OMAR, VIEWS[1]) == [Listed(second, False), Listed(first, False)]


def test_nobody_sees_or_marks_those_of_other_sites(database):
    (other,) = added(database, 1, site=2)
    notifications.mark_read(database, LENA, VIEWS[1], other.id)
    assert notifications.of_person(database, LENA, VIEWS[1]) == []
    assert notifications.unread(database, LENA, VIEWS[1]) == 0
    assert notifications.of_person(database, LENA, VIEWS[2]) == [Listed(other, False)]


def test_what_is_for_admins_is_listed_counted_and_marked_for_them_alone(database):
    (secret,) = added(database, 1, audience=Audience.ADMINS)
    (public,) = added(database, 1)
    (elsewhere,) = added(database, 1, site=2, audience=Audience.ADMINS)
    viewer, admin, owner = (Sight(frozenset([1, 2]), frozenset(own)) for own in ([], [1], [1, 2]))
    assert [one.audience for one in (secret, public, elsewhere)] == ["admins", "everybody", "admins"]
    for marking in (viewer, admin):
        notifications.mark_read(database, OMAR, marking, secret.id)
        seen = notifications.of_person(database, OMAR, admin)
        assert seen == [Listed(public, False), Listed(secret, marking == admin)]
    assert notifications.of_person(database, LENA, viewer) == [Listed(public, False)]
    assert [notifications.unread(database, LENA, sight) for sight in (viewer, admin, owner, NOTHING)] == [1, 2, 3, 0]
    assert notifications.newest(database, viewer, 50) == [public]
    assert notifications.newest(database, owner, 50) == [elsewhere, public, secret]


def test_who_sees_a_notification(database):
    (secret,), (public,) = added(database, 1, audience=Audience.ADMINS), added(database, 1)
    people = {
        "viewer": Person(1, "a@example.com", "viewer", 0),
        "admin": Person(2, "b@example.com", "member", 0, {1: "admin"}),
        "owner": Person(3, "c@example.com", "owner", 0),
        "admin of another site, who reads this one": Person(4, "d@example.com", "viewer", 0, {2: "admin"}),
        "admin of another site": Person(5, "e@example.com", "member", 0, {2: "admin"}),
        "anybody on a public dashboard": ANYBODY,
    }
    sights = {name: sight_of(one, [1, 2]) for name, one in people.items()}
    found = {name: (sight.sees(public), sight.sees(secret)) for name, sight in sights.items()}
    assert found == {
        "viewer": (True, False),
        "admin": (True, True),
        "owner": (True, True),
        "admin of another site, who reads this one": (True, False),
        "admin of another site": (False, False),
        "anybody on a public dashboard": (True, False),
    }


def test_a_list_is_filtered_and_goes_on(database):
    low, urgent, last = (
        added(database, 1, priority=priority)[0] for priority in (Priority.LOW, Priority.URGENT, Priority.LOW)
    )
    assert notifications.of_person(database, LENA, VIEWS[1], priority="low") == [
        Listed(last, False),
        Listed(low, False),
    ]
    assert notifications.of_person(database, LENA, VIEWS[1], limit=1) == [Listed(last, False)]
    assert notifications.of_person(database, LENA, VIEWS[1], before=last.id, limit=1) == [Listed(urgent, False)]
    assert notifications.of_person(database, LENA, VIEWS[1], kind="alert.firing") == []


def test_for_a_new_person_only_what_comes_later_is_unread(database):
    """Named after the bug: who was invited began with 9+, and half a year of old notifications."""
    added(database, 12)
    zoe = accounts.add_person(database, "zoe@example.com", "viewer", "correct horse", now=NOW)
    assert notifications.unread(database, zoe.id, VIEWS[1]) == 0
    added(database, 1)
    assert notifications.unread(database, zoe.id, VIEWS[1]) == 1
    listed = notifications.of_person(database, zoe.id, VIEWS[1])
    assert [one.is_read for one in listed] == [False, *[True] * 12]


def test_counting_of_the_unread_ends_at_ten(database):
    added(database, 12)
    assert notifications.unread(database, LENA, VIEWS[1]) == 10


def test_a_stream_that_comes_back_gets_what_it_missed_oldest_first(database):
    first, second, third = added(database, 3)
    added(database, 5, site=2)
    assert notifications.after(database, VIEWS[1], first.id, 50) == [second, third]
    assert notifications.after(database, VIEWS[1], 0, 2) == [second, third]
    assert notifications.after(database, VIEWS[1], 2**63 - 1, 2) == []
    assert notifications.after(database, NOTHING, 0, 2) == []


def test_old_notifications_are_deleted_with_their_marks(database):
    (old,) = added(database, 1)
    notifications.mark_read(database, LENA, VIEWS[1], old.id)
    assert notifications.prune(database, NOW + notifications.KEPT_S) == 0
    assert notifications.prune(database, NOW + notifications.KEPT_S + 1) == 1
    assert (rows(database, schema.notifications), rows(database, schema.notification_reads)) == ([], [])
