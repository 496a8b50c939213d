"""What came of trying a rule, with the newest events or alerts, or with its metric now."""

from __future__ import annotations

from typing import NamedTuple

from analytics.notify.template import NotificationText


class EventTrial(NamedTuple):
    """What a rule on events would have done: it holds for `matching` of the newest `tried` events.

    `at` is the second of the newest for which it holds, and `text` what the rule says of it. Without any `at` is None,
    and `text` speaks of an invented event.
    """

    tried: int
    matching: int
    at: int | None
    text: NotificationText


class AlertTrial(NamedTuple):
    """What a rule on alerts would have done: as `EventTrial`, with the newest alerts."""

    tried: int
    matching: int
    at: int | None
    text: NotificationText


class MetricTrial(NamedTuple):
    """What a rule on a metric would do now: the value (None: no data), whether that is beyond its line, and `text`,
    what it says of the value; without data, of its threshold.
    """

    value: float | None
    is_breached: bool
    text: NotificationText


Trial = EventTrial | AlertTrial | MetricTrial
