"""Outcomes: what happened to received events, by hour."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

HOUR = 3600
KINDS = ("stored", "duplicate", "filtered", "rejected", "shed")
"""Every outcome; each received event has exactly one of them."""

DROPPED = "dropped"
"""Counted under this name instead of an outcome: an optional field was left out or cut; the reason is its name.

The event has its own outcome as well, so these are in no sum.
"""


class OutcomeCount(NamedTuple):
    """How many events of one hour had an outcome. `hour` is its first second (epoch); `reason` may be ""."""

    hour: int
    outcome: str
    reason: str
    events: int


class RobotCount(NamedTuple):
    """How many events of a period a robot sent, by the robot's own name."""

    name: str
    events: int


class Traffic(NamedTuple):
    """The outcomes of a site's events by hour, oldest first, and the robots among them, most events first.

    `dropped`: by the name of an optional field, in how many events it was left out or cut, most first.
    """

    hours: list[OutcomeCount]
    robots: list[RobotCount]
    dropped: Sequence[tuple[str, int]] = ()

    @property
    def received(self) -> int:
        """The number of all events: the sum of all outcomes."""
        return sum(one.events for one in self.hours)

    def totals(self) -> list[tuple[str, str, int]]:
        """Outcome, reason and count over the whole period, in the order of `KINDS`, then most first."""
        sums: Counter[tuple[str, str]] = Counter()
        for one in self.hours:
            sums[one.outcome, one.reason] += one.events
        rows = [(outcome, reason, count) for (outcome, reason), count in sums.items()]
        return sorted(rows, key=lambda row: (KINDS.index(row[0]), -row[2], row[1]))


def most_first(sums: Counter[str]) -> list[tuple[str, int]]:
    """Names and counts, the highest count first, ties by name."""
    return sorted(sums.items(), key=lambda one: (-one[1], one[0]))
