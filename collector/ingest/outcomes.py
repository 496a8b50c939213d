"""What became of a received event: one outcome for each, with what its sender or the live side has to know."""

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


class Rejected(NamedTuple):
    """Why an event, or a whole body, was refused; `status` is the answer's when nothing else was stored."""

    status: int
    code: RejectedReason
    message: str
    field: str | None = None

    @property
    def error(self) -> dict[str, str]:
        """The `error` object of an answer."""
        found = {"code": self.code, "message": self.message}
        return found | {"field": self.field} if self.field else found


class Shed(NamedTuple):
    """Not taken for now: the same event may be sent again after `retry_after` seconds."""

    code: ShedReason
    message: str
    retry_after: int
    status: int = 503


SITE_REMOVED = Rejected(404, RejectedReason.UNKNOWN_SITE, "the site has just been removed", "site")
UNKNOWN_PAGEVIEW = Rejected(
    422, RejectedReason.UNKNOWN_PAGEVIEW, "no such pageview; send `url` with the heartbeat", "pageview"
)

Refusal = Filtered | Rejected | Shed
Outcome = Stored | Added | Duplicate | Refusal


def named(outcome: Outcome) -> tuple[str, Reason]:
    """The outcome's name and reason, as the counters have them."""
    match outcome:
        case Stored():
            return "stored", StoredReason.COUNTED
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
