"""The outcome of a received event: each event has exactly one. It carries what the sender or the live side needs."""

from __future__ import annotations

from typing import NamedTuple

from analytics.live.beat import Beat
from analytics.live.feed import FeedItem
from analytics.live.reasons import (
    DuplicateReason,
    FilteredReason,
    Reason,
    RejectedReason,
    ShedReason,
    StoredReason,
)


class Retitled(NamedTuple):
    """A beat brought a new title for the feed item with that id."""

    item_id: str
    title: str


class Stored(NamedTuple):
    """The event is in the database. `feed` is its item in the activity feed; None if the feed does not show it."""

    beat: Beat
    feed: FeedItem | None
    retitled: Retitled | None = None


class TotalsRaised(NamedTuple):
    """A heartbeat that came after the leave of its pageview: its totals are in the database, but it has no row."""


class Duplicate(NamedTuple):
    """An exact repeat of an event that is in the database."""


class Filtered(NamedTuple):
    """A valid event that is deliberately not stored; `name` is the robot's name or the unlisted host."""

    reason: FilteredReason
    name: str = ""


class Rejected(NamedTuple):
    """Why an event or a whole body was refused; `status` is that of the response if nothing else was stored."""

    status: int
    code: RejectedReason
    message: str
    field: str | None = None

    @property
    def error(self) -> dict[str, str]:
        """The `error` object of the response."""
        found = {"code": self.code, "message": self.message}
        return found | {"field": self.field} if self.field else found


class Shed(NamedTuple):
    """Refused for now: the same event may be sent again after `retry_after` seconds."""

    code: ShedReason
    message: str
    retry_after: int
    status: int = 503


SITE_REMOVED = Rejected(404, RejectedReason.UNKNOWN_SITE, "the site has just been removed", "site")
UNKNOWN_PAGEVIEW = Rejected(
    422, RejectedReason.UNKNOWN_PAGEVIEW, "no such pageview; send `url` with the heartbeat", "pageview"
)

Refusal = Filtered | Rejected | Shed
Outcome = Stored | TotalsRaised | Duplicate | Refusal


def name_and_reason(outcome: Outcome) -> tuple[str, Reason]:
    """The outcome's name and reason, as in the outcome counters."""
    match outcome:
        case Stored():
            return "stored", StoredReason.COUNTED
        case TotalsRaised():
            return "stored", StoredReason.AFTER_LEAVE
        case Duplicate():
            return "duplicate", DuplicateReason.KNOWN_ID
        case Filtered(reason):
            return "filtered", reason
        case Rejected():
            return "rejected", outcome.code
        case _:
            return "shed", outcome.code
