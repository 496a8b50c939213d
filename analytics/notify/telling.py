"""The messages that a notification sends outside: rows of the outbox, written in the notification's transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, NamedTuple

from sqlalchemy import Connection

from analytics.notify import (
    alert_groups,
    deliveries,
    holding,
    new_deliveries,
    notifications,
    quiet_hours,
    rule_snooze,
)
from analytics.notify.delivery import Delivery, DeliveryState
from analytics.notify.grouping import first_due, next_due
from analytics.notify.new_deliveries import NewDelivery
from analytics.notify.notification import Notification
from analytics.notify.rule import Priority, Rule

ARRIVED = DeliveryState.SENT, DeliveryState.COVERED
"""The states of a message that was sent, by itself or in one of several; there it has a count once that is sent."""


class Written(NamedTuple):
    """A notification that was written just now: whether it `is_new`, or has grown."""

    rule: Rule
    notification: Notification
    is_new: bool


class DueMessage(NamedTuple):
    """A message about a notification to a channel, the epoch second at which it is due, and as what it waits."""

    notification: Notification
    channel_id: int
    due_at: int
    waits: DeliveryState = DeliveryState.WAITING


def tell(connection: Connection, written: Sequence[Written], now: int) -> None:
    """Adds messages to the channels of the rules, in this order.

    Each channel gets the first message about what is new. About what has grown, each channel that has had a message
    gets one with the larger count; a message that waits will have the new count. Rules that are snoozed send none.
    """
    written = [one for one in written if one.rule.snoozed_until <= now]
    grown = {one.id for rule, one, is_new in written if rule.notify.channels and not is_new}
    newest = deliveries.newest_of(connection, grown)
    messages = []
    for rule, one, is_new in written:
        first = first_due(now, rule.notify.priority, rule.notify.group_s)
        for channel_id in rule.notify.channels:
            due_at = first if is_new else _count_due(one, newest.get((one.id, channel_id)))
            messages += [] if due_at is None else [DueMessage(one, channel_id, due_at)]
    _add(connection, messages, now)


def add_of_alert(connection: Connection, rule: Rule | None, values: Mapping[str, Any]) -> Notification:
    """Stores a notification about an alert, with a message to each channel of its rule, if there still is one.

    A message goes with others of its channel's group.
    """
    one = notifications.add(connection, values)
    if rule:
        notify, now = rule.notify, one.at
        due = [(number, alert_groups.due_at(connection, number, notify, now)) for number in notify.channels]
        _add(connection, [DueMessage(one, number, at, DeliveryState.GROUPED) for number, at in due], now)
    return one


def tell_rest(connection: Connection, grouped: Sequence[Notification], channel_id: int, now: int) -> None:
    """Adds a message to the channel for each notification that has grown while its last message was on its way.

    `grouped` are those of a message that was recorded as sent in the same transaction, as `notifications.locked` reads
    them: who counts another event after that sees that the message is sent, and calls `tell`.
    """
    silent = rule_snooze.snoozed(connection, {one.rule_id for one in grouped if one.rule_id}, now)
    grouped = [one for one in grouped if one.rule_id not in silent]
    newest = deliveries.newest_of(connection, {one.id for one in grouped})
    due = [(one, _count_due(one, newest.get((one.id, channel_id)))) for one in grouped]
    _add(connection, [DueMessage(one, channel_id, due_at) for one, due_at in due if due_at is not None], now)


def _count_due(one: Notification, last: Delivery | None) -> int | None:
    """When a channel that got this last message gets the count of now; None if it has it, or will have it."""
    if last is None or last.state not in ARRIVED or not last.sent_count or last.last_at is None:
        return None
    return next_due(last.last_at, last.sent_count, one.count, one.open_until - one.counted_at)


def _add(connection: Connection, messages: Sequence[DueMessage], now: int) -> None:
    """Adds messages to the outbox, in this order, or holds them for quiet hours or a digest."""
    hours = holding.hours_of(connection, {one.channel_id for one in messages})
    held_until = cache(quiet_hours.held_until)  # a channel gets many of one moment
    added = []
    for one, channel_id, due_at, waits in messages:
        until = held_until(hours.get(channel_id), Priority(one.priority), due_at)
        due, state = (due_at, waits) if until is None else (until, DeliveryState.HELD)
        can_wait = one.priority != Priority.URGENT
        is_alert = one.alert_id is not None
        added.append(NewDelivery(one.site_id, channel_id, one.id, due, state, can_wait=can_wait, of_alert=is_alert))
    new_deliveries.add_all(connection, added, now)
