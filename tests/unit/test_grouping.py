"""When messages go outside: written out on invented time."""

from __future__ import annotations

import pytest

from analytics.notify.grouping import first_due, next_due, repeat_due
from analytics.notify.rule import Priority

HOUR = 3600
AT = 1_800_000_000


@pytest.mark.parametrize(
    ("priority", "group_s", "wait_s"),
    [
        (Priority.LOW, 300, 30),
        (Priority.MEDIUM, 300, 30),
        (Priority.HIGH, 300, 30),
        (Priority.URGENT, 300, 0),
        (Priority.MEDIUM, 10, 10),
        (Priority.MEDIUM, 0, 0),
    ],
)
def test_the_first_message_waits_half_a_minute_unless_it_is_urgent_or_its_group_is_shorter(priority, group_s, wait_s):
    assert first_due(AT, priority, group_s) == AT + wait_s


def sent(events: list[int], priority: Priority, group_s: int, until_s: int) -> list[tuple[int, int]]:
    """The messages about one notification, (second, count), if it is looked at every second."""
    messages: list[tuple[int, int]] = []
    for now in range(until_s):
        count = sum(at <= now for at in events)
        due = next_due(*messages[-1], count, group_s) if messages else first_due(events[0], priority, group_s)
        if due is not None and due <= now:
            messages.append((now, count))
    return messages


def test_a_burst_is_a_message_after_half_a_minute_and_one_every_five_minutes_while_it_grows():
    burst = [*range(45), 200, 250, 700]
    assert sent(burst, Priority.MEDIUM, 300, 2000) == [(30, 31), (330, 47), (700, 48)]


def test_of_an_urgent_burst_the_first_message_goes_at_once():
    assert sent([0, 1, 2, 3], Priority.URGENT, 300, 2000) == [(0, 1), (300, 4)]


def test_a_single_event_is_a_single_message():
    assert sent([0], Priority.MEDIUM, 300, 2000) == [(30, 1)]


def test_without_grouping_each_event_is_a_notification_with_a_message_of_its_own():
    assert sent([0], Priority.MEDIUM, 0, 10) == [(0, 1)]


def test_an_alert_is_repeated_after_its_time_or_when_it_was_snoozed_enough_or_never():
    assert repeat_due(AT, 4 * HOUR) == AT + 4 * HOUR
    assert repeat_due(AT, 0) is None
    assert repeat_due(AT, 4 * HOUR, snoozed_until=AT + 6 * HOUR) == AT + 6 * HOUR
    assert repeat_due(AT, 0, snoozed_until=AT + HOUR) == AT + HOUR
    assert repeat_due(AT, 4 * HOUR, snoozed_until=AT - HOUR) == AT + 4 * HOUR
