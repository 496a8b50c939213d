"""When messages go outside: the first of a notification, the next one with a larger count, the repeat of an alert.

All moments are epoch seconds. What is due in the past is due at once.
"""

from __future__ import annotations

from analytics.notify.rule import Priority

FIRST_WAIT_S = 30
"""How long the first message waits for more of its kind, unless it is urgent or its group is shorter."""


def first_due(at: int, priority: Priority, group_s: int) -> int:
    """When the first message about a notification of that moment is due."""
    return at if priority is Priority.URGENT else at + min(FIRST_WAIT_S, group_s)


def next_due(sent_at: int, sent_count: int, count: int, group_s: int) -> int | None:
    """When a message with the new count is due; None as long as the last message has that count."""
    return sent_at + group_s if count > sent_count else None


def repeat_due(told_at: int, repeat_s: int, snoozed_until: int = 0) -> int | None:
    """When a message about an alert that still fires is due again; None if never.

    `told_at` is the moment of the last one. An alert that was snoozed since then is due when it has been snoozed
    enough, whatever `repeat_s` is.
    """
    if snoozed_until > told_at:
        return snoozed_until
    return told_at + repeat_s if repeat_s else None
