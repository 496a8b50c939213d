"""The pace of a channel: at most so many messages in so many seconds. What is due meanwhile waits in the outbox.

An urgent message waits for no pace, but counts in it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from typing import NamedTuple

from analytics.notify.channel import ChannelKind


class Pace(NamedTuple):
    """At most `messages` within any `seconds`."""

    messages: int
    seconds: int


PACES: Mapping[str, Pace] = {
    ChannelKind.WEBHOOK: Pace(60, 60),  # a program may post each message back as an event
    ChannelKind.SLACK: Pace(1, 1),  # as Slack asks
    ChannelKind.DISCORD: Pace(1, 1),
    ChannelKind.EMAIL: Pace(10, 60),  # mail services take some 30 a minute of one account, for all channels together
    ChannelKind.APPRISE: Pace(20, 60),  # a group of Telegram takes 20
}

TESTS = Pace(20, 60)
"""Of the tests of a site's channels, all of them together: a rule may have as many channels."""


class Pacing:
    """When each channel may get its next message, by what it got from this process. Not thread-safe."""

    def __init__(self) -> None:
        self._attempts: dict[int, deque[int]] = {}  # by channel: the moments of the last ones, as many as the pace has
        self._paced_until: dict[int, int] = {}  # by channel, as far as that is not over
        self._resting_until: dict[int, int] = {}

    def paced(self, now: int) -> frozenset[int]:
        """The channels that have had what their pace allows: they get urgent messages only."""
        self._paced_until = _not_over(self._paced_until, now)
        return frozenset(self._paced_until)

    def resting(self, now: int) -> frozenset[int]:
        """The channels whose receivers want to be left alone: they get nothing."""
        self._resting_until = _not_over(self._resting_until, now)
        return frozenset(self._resting_until)

    def attempted(self, channel_id: int, kind: str, at: int, retry_after_s: int = 0) -> None:
        """Counts an attempt that ended at that second. The receiver wants to be left alone for `retry_after_s`."""
        pace = PACES[kind]
        moments = self._attempts.setdefault(channel_id, deque(maxlen=pace.messages))
        moments.append(at)
        self._paced_until[channel_id] = moments[0] + pace.seconds if len(moments) == pace.messages else at
        self._resting_until[channel_id] = at + retry_after_s


def _not_over(until: Mapping[int, int], now: int) -> dict[int, int]:
    return {channel_id: at for channel_id, at in until.items() if at > now}
