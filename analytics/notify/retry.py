"""When a delivery is tried again, and what becomes of it: the schedule of Standard Webhooks 1.0.0.

The first attempt is made at once, the tenth three days later. Only time and chance that are passed in count.
"""

from __future__ import annotations

from typing import NamedTuple

from analytics.notify.delivery import DeliveryState
from analytics.notify.outbound.answer import ChannelAnswer

MINUTE, HOUR, DAY = 60, 3_600, 86_400

DELAYS_S = (0, 5, 5 * MINUTE, 30 * MINUTE, 2 * HOUR, 5 * HOUR, 10 * HOUR, 14 * HOUR, 20 * HOUR, 24 * HOUR)
"""Before each attempt, after the one before it."""

MAX_ATTEMPTS = len(DELAYS_S)
MAX_RETRY_AFTER_S = 24 * HOUR
JITTER = 0.1  # of a delay is added at most, so that receivers do not get everything at one moment
DISABLED_AFTER_S = 5 * DAY
"""A channel at which every attempt has failed for so long is disabled: longer than one delivery is tried."""


class Next(NamedTuple):
    """What becomes of a delivery: its state, and when it is tried again (epoch s) while it waits."""

    state: DeliveryState
    at: int


def after_attempt(attempts: int, answer: ChannelAnswer, now: int, jitter: float) -> Next:
    """What follows the attempt of that number (from 1), which ended `now`; `jitter` is from 0 to 1.

    A `retry_after_s` of the answer, at most a day, is waited for where it is longer than the schedule says.
    """
    if answer.sent:
        return Next(DeliveryState.SENT, now)
    if answer.final or attempts >= MAX_ATTEMPTS:
        return Next(DeliveryState.FAILED, now)
    delay = DELAYS_S[attempts]
    wait = max(delay + round(delay * JITTER * jitter), min(answer.retry_after_s or 0, MAX_RETRY_AFTER_S))
    return Next(DeliveryState.WAITING, now + wait)


def is_given_up(failing_since: int, now: int) -> bool:
    """Whether a channel that fails since then has to be disabled."""
    return now - failing_since >= DISABLED_AFTER_S
