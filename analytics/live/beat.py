"""A beat: every stored pageview, heartbeat and event is one, and shows that its person is there."""

from __future__ import annotations

from enum import IntEnum
from typing import NamedTuple


class PageState(IntEnum):
    """The state that a page reported; the numbers are those of `heartbeats.state`."""

    ACTIVE = 0
    IDLE = 1
    HIDDEN = 2
    LEFT = 3


class Beat(NamedTuple):
    """One beat with the facts of its visit. `id` grows with time, `at` is in seconds since the epoch."""

    site_id: int
    id: int
    at: int
    visit_id: int
    visitor: int
    tab: int
    user_id: str | None
    user_type: str
    state: int
    path: str
    source: str
    country: str
    city: str
    lat: float | None
    lon: float | None
