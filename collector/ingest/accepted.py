"""An arrival: an event that has passed every step and waits to be written; and what became of it."""

from __future__ import annotations

from hashlib import blake2b
from typing import NamedTuple

import msgspec

from analytics.live.beat import Beat
from analytics.live.feed import FeedItem
from collector.ingest.event import Event, Rejected
from collector.ingest.visit import Origin


class Arrival(msgspec.Struct, frozen=True, gc=False):
    """An enriched event. `visitor_before` is the same visitor under yesterday's salt, while that is kept."""

    site_id: int
    event: Event
    at_ms: int
    visitor: int
    visitor_before: int | None
    tab: int
    host: str
    path: str
    origin: Origin

    @property
    def at(self) -> int:
        """The moment in whole seconds since the epoch."""
        return self.at_ms // 1000


def tab_of(page_id: str) -> int:
    """The number of a page in somebody's browser: a hash of its pageview's id."""
    return int.from_bytes(blake2b(page_id.encode(), digest_size=8).digest(), signed=True)


class Retitled(NamedTuple):
    """A beat gave an item of the feed, by its id, the title that the page has set meanwhile."""

    item_id: str
    title: str


class Stored(NamedTuple):
    """It is in the database; `feed` is what the activity feed shows of it, if it shows it."""

    beat: Beat
    feed: FeedItem | None
    retitled: Retitled | None = None


class Added(NamedTuple):
    """Its totals are in the database; it is no beat, since its pageview had left before."""


class Duplicate(NamedTuple):
    """An exact repeat of one that is in the database."""


class Filtered(NamedTuple):
    """Understood, and deliberately not stored; `name` is the robot's or the host's that is not on the list."""

    reason: str
    name: str = ""


class Shed(NamedTuple):
    """Not taken for now: the same event may be sent again after `retry_after` seconds."""

    code: str
    message: str
    retry_after: int
    status: int = 503


Outcome = Stored | Added | Duplicate | Filtered | Rejected | Shed


def named(outcome: Outcome) -> tuple[str, str]:
    """The outcome's name and reason, as the counters have them."""
    match outcome:
        case Stored():
            return "stored", ""
        case Added():
            return "stored", "after_leave"
        case Duplicate():
            return "duplicate", ""
        case Filtered(reason):
            return "filtered", reason
        case Rejected():
            return "rejected", outcome.code
        case _:
            return "shed", outcome.code
