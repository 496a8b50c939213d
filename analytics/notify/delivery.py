"""A delivery: one message to one channel, from the moment at which it is due until it is sent or given up."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple


class DeliveryState(StrEnum):
    """How a delivery stands."""

    WAITING = "waiting"  # for its next attempt
    SENT = "sent"
    FAILED = "failed"  # after its last attempt
    GROUPED = "grouped"  # about an alert: it waits for others that go with it
    HELD = "held"  # by quiet hours, or for a digest
    COVERED = "covered"  # it was grouped or held, and is in the message of several
    DROPPED = "dropped"  # it will not be tried: its channel is disabled, or has too many that wait


class Delivery(NamedTuple):
    """One delivery. Times are epoch seconds.

    `notification_id` is None for a test and for a message of several, which `covers` the notifications of these ids.
    `message_id` is the same at each attempt. `status` and `answer` are of the last attempt; `answer` is one line.
    `sent_count` is the notification's count when it was sent. Until `claimed_until` a thread is at it. `more` is how
    many messages besides it only counts: its channel had no room for them.
    """

    id: int
    site_id: int
    channel_id: int
    notification_id: int | None
    message_id: str
    state: DeliveryState
    covers: tuple[int, ...]
    attempts: int
    next_at: int
    created_at: int
    last_at: int | None
    status: int | None
    answer: str
    sent_count: int
    claimed_until: int
    more: int = 0


class HeldMessage(NamedTuple):
    """A notification that stands for so many `events` since `at` and goes to its reader at `due_at`, in epoch s, with
    `more` that are only counted.
    """

    site_id: int
    title: str
    priority: str
    events: int
    at: int
    due_at: int
    more: int = 0
