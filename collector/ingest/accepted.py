"""An arrival: an event that has passed every step and waits to be written; and what became of it."""

from __future__ import annotations

import secrets
from hashlib import blake2b
from typing import NamedTuple

import msgspec

from analytics.live.beat import Beat
from analytics.live.feed import FeedItem
from analytics.live.reasons import DuplicateReason, FilteredReason, Reason, ShedReason, StoredReason
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

    @property
    def visitors(self) -> tuple[int, ...]:
        """The visitor's numbers, today's first."""
        return (self.visitor,) if self.visitor_before is None else (self.visitor, self.visitor_before)


def tab_of(page_id: str) -> int:
    """The number of a page in somebody's browser: a hash of its pageview's id."""
    return int.from_bytes(blake2b(page_id.encode(), digest_size=8).digest(), signed=True)


def page_key(visitor: int, host: str, path: str) -> str:
    """What the ids of a visitor's pageviews of one page begin with, where the sender makes none: 16 hex digits.

    By it an engagement finds the latest of them, in the index of the senders' own ids.
    """
    return blake2b(f"{visitor} {host} {path}".encode("utf-8", "replace"), digest_size=8).hexdigest()


def own_id(key: str, at_ms: int) -> str:
    """A new id that begins with the key and then grows with time: 36 characters."""
    return f"{key}{at_ms:011x}{secrets.randbits(36):09x}"


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

    reason: FilteredReason
    name: str = ""


class Shed(NamedTuple):
    """Not taken for now: the same event may be sent again after `retry_after` seconds."""

    code: ShedReason
    message: str
    retry_after: int
    status: int = 503


_STORED = "stored", StoredReason.COUNTED  # made once: nearly every event is

Outcome = Stored | Added | Duplicate | Filtered | Rejected | Shed


def named(outcome: Outcome) -> tuple[str, Reason]:
    """The outcome's name and reason, as the counters have them."""
    match outcome:
        case Stored():
            return _STORED
        case Added():
            return "stored", StoredReason.AFTER_LEAVE
        case Duplicate():
            return "duplicate", DuplicateReason.KNOWN_ID
        case Filtered(reason):
            return "filtered", reason
        case Rejected():
            return "rejected", outcome.code
        case _:
            return "shed", outcome.code
