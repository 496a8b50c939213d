"""What is held back for a person, and the one message that comes afterwards: on invented time, written out."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import delete, insert, update

from analytics.access import accounts
from analytics.notify import deliveries, new_deliveries, notifications, quiet_hours_store, several
from analytics.notify.delivery import Delivery, DeliveryState
from analytics.notify.kinds.event import EventArrives
from analytics.notify.notification import Notification
from analytics.notify.outbound.message import lines_of
from analytics.notify.rendering import DashboardLinks, Subject, message_of
from analytics.notify.rule import Notify, Priority, Rule
from analytics.notify.telling import Written, add_of_alert, tell
from analytics.storage import schema
from tests.support.alerts import line
from tests.support.channels import added_channel
from tests.support.factories import NOW, added_site

BERLIN = "Europe/Berlin"


def at(text: str) -> int:
    """That moment by the clock of Berlin."""
    return int(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(BERLIN)).timestamp())


def clock(moment: int) -> str:
    return datetime.fromtimestamp(moment, ZoneInfo(BERLIN)).strftime("%d %H:%M:%S")


@pytest.fixture(autouse=True)
def ada(database) -> int:
    """An account with quiet hours from 22:00 to 07:00, and e-mail and Slack channels of the site."""
    added_site(database, timezone=BERLIN)
    person = accounts.add_person(database, "ada@example.com", "owner", "correct horse battery", now=NOW)
    quiet_hours_store.save(database, person.id, {"timezone": BERLIN})
    added_channel(database, "Ada@Example.com", "email")
    added_channel(database, "https://hooks.slack.com/services/x", "slack")
    add_rules(database, "Signups", "Checkout")
    return person.id


def add_rules(database, *names: str) -> None:
    """Rules of these names, with the ids from 1 on."""
    values = {"site_id": 1, "kind": "event", "definition": "{}", "created_at": NOW, "changed_at": NOW}
    with database.transaction() as connection:
        connection.execute(insert(schema.rules), [values | {"name": name} for name in names])


def channels(database) -> tuple[int, int]:
    with database.read() as connection:
        email, slack = connection.execute(schema.channels.select().order_by(schema.channels.c.id)).all()
    return email.id, slack.id


def rule(database, priority: Priority = Priority.MEDIUM, **fields) -> Rule:
    return Rule(1, 1, "Signups", EventArrives("Signup"), Notify(priority, channels=channels(database), **fields))


def notify(database, one: Rule, when: int, title: str = "New signup", count: int = 1, **fields) -> Notification:
    """A notification of that moment, with its messages."""
    values = {"site_id": 1, "rule_id": one.id, "type": "notification.created", "priority": str(one.notify.priority)}
    values |= {"title": title, "at": when, "last_at": when, "open_until": when + one.notify.group_s, "count": count}
    values |= {"counted_at": when}
    with database.transaction() as connection:
        added = notifications.add(connection, values | fields)
        tell(connection, [Written(one, added, is_new=True)], when)
    return added


def log(database) -> list[Delivery]:
    """Every delivery, the oldest first."""
    return deliveries.of_site(database, 1)[::-1]


def waiting(database) -> list[tuple[str, str]]:
    """The e-mails: how each stands, and when it is due."""
    email, _ = channels(database)
    return [(str(one.state), clock(one.next_at)) for one in log(database) if one.channel_id == email]


def lines(database) -> list[list[str]]:
    """The lines of every catch-up; the first is its title."""
    found = []
    for one in log(database):
        with database.read() as connection:
            message = message_of(connection, one) if one.notification_id is None else None
        if message:
            found.append([message.title, *lines_of(message)])
    return found


def test_what_is_due_at_night_is_held_for_the_person_and_goes_to_all_others(database):
    notify(database, rule(database), at("2026-12-01 23:00"))
    email, slack = channels(database)
    assert [(one.channel_id, str(one.state), clock(one.next_at)) for one in log(database)] == [
        (email, "held", "02 07:00:00"),
        (slack, "waiting", "01 23:00:30"),
    ]


def test_by_day_and_when_urgent_it_goes_as_to_all_others(database):
    notify(database, rule(database), at("2026-12-01 12:00"))
    notify(database, rule(database, Priority.URGENT), at("2026-12-01 23:00"))
    assert waiting(database) == [("waiting", "01 12:00:30"), ("waiting", "01 23:00:00")]


def test_without_quiet_hours_or_for_an_address_that_is_no_account_nothing_is_held(database, ada):
    notify(database, rule(database), at("2026-12-01 23:00"))
    quiet_hours_store.remove(database, ada)
    notify(database, rule(database), at("2026-12-01 23:00"))
    assert waiting(database) == [("held", "02 07:00:00"), ("waiting", "01 23:00:30")]


def test_in_the_morning_one_catch_up_has_what_was_held(database):
    signups = rule(database)
    first = notify(database, signups, at("2026-12-01 22:10"), count=12)
    notify(database, signups, at("2026-12-02 03:00"), "Payment of 20 EUR", value=20.0, currency="EUR")
    assert several.release(database, at("2026-12-02 06:59")) == 0
    assert several.release(database, at("2026-12-02 07:00")) == 1
    assert several.release(database, at("2026-12-02 07:00")) == 0
    assert waiting(database) == [("covered", "02 07:00:00"), ("covered", "02 07:00:00"), ("waiting", "02 07:00:00")]
    assert log(database)[-1].covers == (first.id, first.id + 1)
    assert lines(database) == [
        [
            "2 notifications since 2026-12-01 22:10 CET",
            "Signups: 13 times",
            "2026-12-01 22:10 CET: New signup; 12 events",
            "2026-12-02 03:00 CET: Payment of 20 EUR; 20 EUR",
        ]
    ]


def test_a_single_one_goes_as_itself(database):
    notify(database, rule(database), at("2026-12-01 23:00"))
    assert several.release(database, at("2026-12-02 07:00")) == 1
    assert waiting(database) == [("waiting", "02 07:00:00")]
    assert lines(database) == []


def ways(database) -> tuple[str, str]:
    """Where the newest message leads, and where it snoozes."""

    def links_of(subject: Subject) -> DashboardLinks:
        if subject.alert_id is None:
            return DashboardLinks("alerts" if subject.has_alerts else "notifications")
        return DashboardLinks(f"alert {subject.alert_id}", f"snooze {subject.alert_id}")

    with database.read() as connection:
        message = message_of(connection, log(database)[-1], links_of)
    assert message is not None
    return message.open_url, message.snooze_url


def test_of_alerts_the_catch_up_says_whether_they_are_over(database, watching):
    email = channels(database)[:1]
    watch = watching(line(1, channels=email), line(2, above=30, channels=email, title="{value} people are too many"))
    watch.add = add_of_alert
    watch.now = at("2026-12-01 23:00")
    watch.see(40)
    watch.now = at("2026-12-02 01:00")
    watch.see(*[20] * 8)
    several.release(database, at("2026-12-02 07:00"))
    assert waiting(database)[-1] == ("waiting", "02 07:00:00")
    assert lines(database) == [
        [
            "2 alerts, 1 still firing",
            "2026-12-01 23:00 CET: 40 people on example.com; 40; still firing",
            "2026-12-01 23:00 CET: 40 people are too many; 40; resolved 2026-12-02 01:00 CET",
        ]
    ]


def test_an_alert_goes_as_a_catch_up_even_alone(database, watching):
    watch = watching(line(channels=channels(database)[:1]))
    watch.add = add_of_alert
    watch.now = at("2026-12-01 23:00")
    watch.see(40)
    several.release(database, at("2026-12-02 07:00"))
    assert lines(database) == [
        [
            "1 alert is firing",
            "2026-12-01 23:00 CET: 40 people on example.com; 40; still firing",
        ]
    ]
    assert ways(database) == ("alert 1", "snooze 1")


def test_of_two_alerts_the_catch_up_leads_to_all(database, watching):
    email = channels(database)[:1]
    watch = watching(line(1, channels=email), line(2, above=30, channels=email))
    watch.add = add_of_alert
    watch.now = at("2026-12-01 23:00")
    watch.see(40)
    several.release(database, at("2026-12-02 07:00"))
    assert ways(database) == ("alerts", "")


def test_a_flood_of_events_hides_no_alert_that_came_after_it(database, watching):
    for minute in range(45):
        notify(database, rule(database, Priority.LOW), at(f"2026-12-01 23:{minute:02}"))
    notify(database, rule(database, Priority.HIGH), at("2026-12-01 23:50"), "Payment failed")
    watch = watching(line(2, channels=channels(database)[:1], title="Checkout is broken"))
    watch.add = add_of_alert
    watch.now = at("2026-12-02 01:00")
    watch.see(40)
    several.release(database, at("2026-12-02 07:00"))
    [found] = lines(database)
    assert found[:6] == [
        "47 notifications since 2026-12-01 23:00 CET",
        "Checkout: 1 alert, still firing",
        "Signups: 46 times",
        "2026-12-02 01:00 CET: Checkout is broken; 40; still firing",
        "2026-12-01 23:50 CET: Payment failed",
        "2026-12-01 23:00 CET: New signup",
    ]
    assert (len(found), found[-1]) == (44, "and 7 more")
    with database.read() as connection:
        message = message_of(connection, log(database)[-1])
    assert message is not None
    assert message.priority == "high"


def test_the_catch_up_counts_what_each_rule_has(database, watching):
    watch = watching(line(2, channels=channels(database)[:1]))
    watch.add = add_of_alert
    for text, people in (("2026-12-01 23:00", [40]), ("2026-12-02 01:00", [3] * 8), ("2026-12-02 03:00", [45])):
        watch.now = at(text)
        watch.see(*people)
    notify(database, rule(database), at("2026-12-01 23:30"), count=12)
    notify(database, rule(database), at("2026-12-02 02:00"))
    with database.transaction() as connection:
        connection.execute(delete(schema.rules).where(schema.rules.c.name == "Signups"))
    several.release(database, at("2026-12-02 07:00"))
    assert lines(database) == [
        [
            "5 notifications since 2026-12-01 23:00 CET",
            "Checkout: 2 alerts, 1 still firing",
            "A removed rule: 13 times",
            "2026-12-01 23:00 CET: 40 people on example.com; 40; resolved 2026-12-02 01:00 CET",
            "2026-12-02 03:00 CET: 45 people on example.com; 45; still firing",
            "2026-12-01 23:30 CET: New signup; 12 events",
            "2026-12-02 02:00 CET: New signup",
        ]
    ]


def test_a_digest_has_what_was_held_until_its_time_and_nothing_urgent(database, ada):
    quiet_hours_store.save(database, ada, {"timezone": BERLIN, "digest": "daily", "digest_at": "13:00"})
    notify(database, rule(database), at("2026-12-01 12:00"), "One")
    notify(database, rule(database), at("2026-12-01 12:40"), "Two")
    notify(database, rule(database, Priority.URGENT), at("2026-12-01 12:50"), "Three")
    notify(database, rule(database), at("2026-12-01 12:59:45"), "Four")
    assert waiting(database) == [
        ("held", "01 13:00:00"),
        ("held", "01 13:00:00"),
        ("waiting", "01 12:50:00"),
        ("held", "02 13:00:00"),
    ]
    assert several.release(database, at("2026-12-01 12:59:59")) == 0
    assert several.release(database, at("2026-12-01 13:00")) == 1
    assert lines(database) == [
        [
            "2 notifications since 2026-12-01 12:00 CET",
            "Signups: 2 times",
            "2026-12-01 12:00 CET: One",
            "2026-12-01 12:40 CET: Two",
        ]
    ]


def test_what_is_held_longer_is_not_in_an_earlier_catch_up(database, ada):
    quiet_hours_store.save(
        database, ada, {"timezone": BERLIN, "up_to": "urgent", "digest": "weekly", "digest_at": "13:00"}
    )
    notify(database, rule(database), at("2026-12-01 23:00"), "For the digest")
    notify(database, rule(database, Priority.URGENT), at("2026-12-01 23:00"), "For the morning")
    assert waiting(database) == [("held", "07 13:00:00"), ("held", "02 07:00:00")]
    several.release(database, at("2026-12-02 07:00"))
    assert waiting(database) == [("held", "07 13:00:00"), ("waiting", "02 07:00:00")]


def test_what_grows_while_it_is_held_is_one_line_with_the_count(database):
    signups = rule(database)
    first = notify(database, signups, at("2026-12-01 23:00"))
    for minute in (1, 2):
        with database.transaction() as connection:
            grown = replace(first, count=1 + 5 * minute)
            notifications.save_counts(connection, [grown])
            tell(connection, [Written(signups, grown, is_new=False)], at(f"2026-12-01 23:0{minute}"))
    assert waiting(database) == [("held", "02 07:00:00")]


def test_a_channel_that_was_switched_off_catches_up_with_nothing(database):
    email, _ = channels(database)
    notify(database, rule(database), at("2026-12-01 23:00"))
    notify(database, rule(database), at("2026-12-01 23:10"))
    with database.transaction() as connection:
        connection.execute(update(schema.channels).where(schema.channels.c.id == email).values(disabled_at=NOW))
        deliveries.drop_of_channel(connection, email, "switched off")
    assert several.release(database, at("2026-12-02 07:00")) == 0
    assert {one.state for one in log(database) if one.channel_id == email} == {DeliveryState.DROPPED}


def test_what_is_held_for_a_channel_is_bounded(database, monkeypatch):
    monkeypatch.setattr(new_deliveries, "MAX_WAITING", 3)
    for minute in range(5):
        notify(database, rule(database), at(f"2026-12-01 23:0{minute}"))
    assert waiting(database) == [("held", "02 07:00:00")] * 3


def test_what_found_no_room_is_counted_in_the_catch_up(database, monkeypatch):
    monkeypatch.setattr(new_deliveries, "MAX_WAITING", 3)
    for minute in range(10, 25):
        notify(database, rule(database), at(f"2026-12-01 23:{minute}"), f"Signup {minute}")
    several.release(database, at("2026-12-02 07:00"))
    sent = [one for one in log(database) if one.notification_id is None]
    assert [(len(one.covers), one.more) for one in sent] == [(3, 12)]
    assert lines(database) == [
        [
            "15 notifications since 2026-12-01 23:10 CET",
            "Signups: 3 times",
            "2026-12-01 23:10 CET: Signup 10",
            "2026-12-01 23:11 CET: Signup 11",
            "2026-12-01 23:12 CET: Signup 12",
            "and 12 more",
        ]
    ]


def test_a_flood_that_leaves_no_room_leaves_room_for_alerts(database, watching, monkeypatch):
    monkeypatch.setattr(new_deliveries, "MAX_WAITING", 3)
    email = channels(database)[:1]
    watch = watching(*(line(2 + number, channels=email, title=f"Alert {number}") for number in range(4)))
    watch.add = add_of_alert
    for minute in range(10, 15):
        notify(database, rule(database), at(f"2026-12-01 23:{minute}"))
    watch.now = at("2026-12-01 23:30")
    watch.see(40)
    notify(database, rule(database), at("2026-12-01 23:40"))
    several.release(database, at("2026-12-02 07:00"))
    [found] = lines(database)
    assert found[0] == "10 notifications since 2026-12-01 23:10 CET"
    assert [text for text in found if ": Alert" in text] == [
        f"2026-12-01 23:30 CET: Alert {number}; 40; still firing" for number in range(3)
    ]
    assert found[-1] == "and 4 more"


def test_what_found_no_room_is_counted_with_what_is_held_until_the_same_moment(database, ada, monkeypatch):
    quiet_hours_store.save(database, ada, {"timezone": BERLIN, "digest": "daily", "digest_at": "13:00"})
    monkeypatch.setattr(new_deliveries, "MAX_WAITING", 2)
    for text in ("2026-12-01 12:00", "2026-12-01 12:10", "2026-12-01 12:20", "2026-12-01 14:00", "2026-12-01 14:10"):
        notify(database, rule(database), at(text))
    email, _ = channels(database)
    assert [(clock(one.next_at), one.more) for one in log(database) if one.channel_id == email] == [
        ("01 13:00:00", 0),
        ("01 13:00:00", 1),
        ("02 13:00:00", 1),
    ]


def test_a_dropped_message_says_how_many_it_stands_for_also_when_it_is_sent_once_more(database, monkeypatch):
    monkeypatch.setattr(new_deliveries, "MAX_WAITING", 1)
    for minute in range(4):
        notify(database, rule(database), at(f"2026-12-01 12:0{minute}"))
    _, slack = channels(database)
    dropped = [one for one in log(database) if one.channel_id == slack][-1]
    assert (dropped.state, dropped.answer, dropped.more) == (DeliveryState.DROPPED, new_deliveries.TOO_MANY, 2)
    again = deliveries.replay(database, 1, dropped.id, now=at("2026-12-01 13:00"))
    with database.read() as connection:
        message = message_of(connection, again)
    assert message is not None
    assert (message.title, message.events) == ("3 notifications since 2026-12-01 12:01 CET", 3)
    assert lines_of(message) == ["2026-12-01 12:01 CET: New signup", "and 2 more"]


def test_a_catch_up_for_which_the_channel_has_no_room_says_so_of_each_message(database, monkeypatch):
    for minute in range(2):
        notify(database, rule(database), at(f"2026-12-01 23:0{minute}"))
    held = {one.id for one in log(database) if one.state is DeliveryState.HELD}
    monkeypatch.setattr(new_deliveries, "MAX_WAITING", 0)
    several.release(database, at("2026-12-02 07:00"))
    dropped = [(one.state, one.answer) for one in log(database) if one.id in held]
    assert dropped == [(DeliveryState.DROPPED, new_deliveries.TOO_MANY)] * 2
