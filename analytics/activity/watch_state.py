"""How a watch is doing, for pages, commands and health alike."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from typing import NamedTuple

from analytics.activity.watch import MAX_UNREAD, Watch

LATE_S = 60.0  # an oldest unread change of that age, or a state of that age, is worth a look
FILLING = MAX_UNREAD // 10


class WatchState(Enum):
    """`STALLED`: nobody has looked at it for a while. `FILLING`: the outbox has many unread rows, and is full at
    `MAX_UNREAD`. `BEHIND`: its oldest unread change is old.
    """

    NEW = "new"
    FOLLOWED = "followed"
    BEHIND = "behind"
    FILLING = "filling"
    STALLED = "stalled"
    WRONG = "wrong"

    @property
    def is_well(self) -> bool:
        """Whether nobody has to do anything."""
        return self in (WatchState.NEW, WatchState.FOLLOWED)


class WatchHealth(NamedTuple):
    """All watches together: how many there are, how many are not well, the age of the oldest unread change in seconds,
    and how many changes could not become events.
    """

    watches: int
    unwell: int
    behind_s: float
    refused: int


def state_of(one: Watch, now: int) -> WatchState:
    """The worst that is so at this time."""
    if one.wrong:
        return WatchState.WRONG
    if now - (one.read_at or one.created_at) > LATE_S:
        return WatchState.STALLED
    if one.read_at is None:
        return WatchState.NEW
    if (one.unread or 0) >= FILLING:
        return WatchState.FILLING
    return WatchState.BEHIND if behind_s(one, now) > LATE_S else WatchState.FOLLOWED


def behind_s(one: Watch, now: int) -> float:
    """The age of the oldest unread change in seconds, 0 for none. What was not followed since may have changed, so that
    the age of the state is added to it.
    """
    age = max(0.0, now - (one.read_at or one.created_at))
    is_current = not one.wrong and age <= LATE_S
    return (one.behind_s or 0.0) + (0.0 if is_current else age)


def health_of(found: Sequence[Watch], now: int) -> WatchHealth:
    """Of all these watches together."""
    unwell = sum(not state_of(one, now).is_well for one in found)
    oldest_s = max((behind_s(one, now) for one in found), default=0.0)
    return WatchHealth(len(found), unwell, oldest_s, sum(one.refused for one in found))
