"""Many events in one transaction: few statements, and the same notifications and deliveries as one event by one."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import delete, event, update

from analytics.access import accounts
from analytics.notify import new_deliveries, quiet_hours_store
from analytics.notify.events import ArrivedEvent, notify
from analytics.notify.kinds.event import EventArrives
from analytics.notify.new_deliveries import NewDelivery
from analytics.notify.rule import Notify, Priority, Rule
from analytics.notify.rule_budget import RuleBudget
from analytics.storage import schema
from analytics.storage.database import Database
from tests.support.channels import added_channel
from tests.support.factories import NOW, added_site, feed_item, rows

CHANNELS, EVENTS, RULES = 20, 50, 190
MAX_STATEMENTS = 8  # and one more for each thousand rows
SENT_AT = NOW + 40
BUDGET = RuleBudget(used=lambda: 0.0, max_matches=EVENTS * RULES)  # what notifying takes is no matter here

NOTIFICATIONS = ("rule_id", "priority", "title", "message", "value", "count", "at", "last_at", "open_until")
DELIVERIES = ("channel_id", "notification_id", "state", "answer", "next_at", "created_at", "sent_count", "more")


def signup(number: int) -> ArrivedEvent:
    """The signups cross a full minute, and now and then one is late."""
    at = NOW - 20 + number - (30 if number % 16 == 15 else 0)
    item = feed_item(number + 1, type="event", name="Signup", user_name=f"N{number}", value=float(number), timestamp=at)
    return ArrivedEvent(1, item, '{"plan": "Team"}')


def rule(number: int, group_s: int, channels: Sequence[int] = (), priority: Priority = Priority.MEDIUM) -> Rule:
    said = Notify(priority, title="{user_name} signed up", message="{props.plan}", channels=tuple(channels))
    return Rule(number, 1, f"rule {number}", EventArrives("Signup"), said._replace(group_s=group_s))


@pytest.fixture
def channels(database) -> list[int]:
    """As many as a site may have: one of a person with quiet hours, one with room for 7 messages more, webhooks."""
    added_site(database)
    person = accounts.add_person(database, "ada@example.com", "owner", "correct horse battery", now=NOW)
    quiet_hours_store.save(database, person.id, {"begins": "07:00", "ends": "09:00", "days": list(range(7))})
    mail = added_channel(database, "ada@example.com", "email")
    hooks = [added_channel(database, f"https://hooks.example.com/{n}") for n in range(CHANNELS - 1)]
    return [mail.id, *(one.id for one in hooks)]


def fill_up(database: Database, channel_id: int) -> None:
    """Leaves room for seven messages."""
    some = [NewDelivery(1, channel_id, None, NOW - 9) for _ in range(new_deliveries.MAX_WAITING - 7)]
    with database.transaction() as connection:
        new_deliveries.add_all(connection, some, NOW - 9)


@contextmanager
def counted_statements(database: Database) -> Iterator[list[str]]:
    """The statements that change or read the database by the connections that write."""
    statements: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        statements.append(statement)

    event.listen(database.writing, "before_cursor_execute", note)
    yield statements
    event.remove(database.writing, "before_cursor_execute", note)


def arrive(database: Database, rules: Sequence[Rule], events: Sequence[ArrivedEvent], now: int) -> list[str]:
    """The statements of the transaction in which these events arrive."""
    with database.transaction() as connection, counted_statements(database) as statements:
        notify(connection, lambda _: rules, lambda _: "example.com", events, now, BUDGET)
    return statements


def send_all(database: Database) -> None:
    """Every message that waits is sent, with the count of its notification at that moment."""
    table, sent = schema.deliveries, schema.notifications
    own = table.c.state == "waiting", table.c.notification_id.is_not(None)
    count = sent.select().with_only_columns(sent.c.count).where(sent.c.id == table.c.notification_id).scalar_subquery()
    with database.transaction() as connection:
        connection.execute(update(table).where(*own).values(state="sent", sent_count=count, last_at=SENT_AT))


def by_numbers(found: Sequence[tuple[Any, ...]], column: int) -> list[tuple[Any, ...]]:
    """The rows, with the ids in that column as numbers from 0."""
    ids = sorted({row[column] for row in found if row[column] is not None})
    numbers = {one: place for place, one in enumerate(ids)} | {None: None}
    return [(*row[:column], numbers[row[column]], *row[column + 1 :]) for row in found]


def outcome(database: Database) -> tuple[list[tuple[Any, ...]], list[tuple[Any, ...]]]:
    """Every notification and every delivery, in their order."""
    notifications = by_numbers(rows(database, schema.notifications, "id", *NOTIFICATIONS), 0)
    return notifications, by_numbers(rows(database, schema.deliveries, *DELIVERIES), 1)


def in_bursts(database: Database, rules: Sequence[Rule], bursts: int, size: int) -> list[list[str]]:
    """The statements of so many bursts of events, in transactions of that size; after each all messages are sent."""
    events = [signup(number) for number in range(EVENTS)]
    statements = []
    for now in range(NOW + 30, NOW + 30 + bursts):
        for start in range(0, len(events), size):
            statements.append(arrive(database, rules, events[start : start + size], now))
        send_all(database)
    return statements


def assert_as_one_by_one(
    database: Database, rules: Sequence[Rule], bursts: int, before: Callable[[], None] = lambda: None
) -> None:
    """That many events at once leave what single ones do, with few statements."""
    before()
    statements = in_bursts(database, rules, bursts, EVENTS)
    together = outcome(database)
    with database.transaction() as connection:
        for table in (schema.notifications, schema.deliveries):
            connection.execute(delete(table))
    before()
    in_bursts(database, rules, bursts, 1)
    assert together == outcome(database)
    most = MAX_STATEMENTS + sum(map(len, together)) // 1_000
    assert max(map(len, statements)) <= most


@pytest.mark.parametrize("group_s", [0, 7, 300])
def test_a_rule_with_twenty_channels(database, channels, group_s):
    assert_as_one_by_one(database, [rule(1, group_s, channels)], 4, lambda: fill_up(database, channels[1]))


def test_the_statements_of_a_rule_with_twenty_channels_are_five(database, channels):
    statements = arrive(database, [rule(1, 0, channels)], [signup(number) for number in range(EVENTS)], NOW)
    assert [one.split()[0] for one in statements] == ["SELECT", "INSERT", "SELECT", "SELECT", "INSERT"]
    assert len(rows(database, schema.deliveries)) == EVENTS * CHANNELS


def test_190_rules_of_all_kinds(database, channels):
    priorities = tuple(Priority)
    rules = [
        rule(number, (0, 300, 7)[number % 3], channels[number % 20 : number % 20 + 1], priorities[number % 4])
        for number in range(1, RULES + 1)
    ]
    assert_as_one_by_one(database, rules, 2)


def test_events_of_which_all_are_counted_are_an_update_of_each_notification(database, channels):
    rules = [rule(number, 300) for number in range(1, RULES + 1)]
    events = [signup(number) for number in range(15)]
    arrive(database, rules, events[:1], NOW)
    statements = arrive(database, rules, events[1:], NOW)
    assert [one.split()[0] for one in statements] == ["SELECT", "UPDATE"]
    assert rows(database, schema.notifications, "count") == [(15,)] * RULES
