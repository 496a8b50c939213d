"""An accepted event: it has passed every step and can be stored. From here on names are those of the tables."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum, auto

import msgspec

from analytics.live.beat import PageState
from collector.ingest.visit import Origin


class Kind(Enum):
    """The kinds of events. The last three belong to a pageview; a beat is their only row.

    A heartbeat and a leave name their pageview and carry its totals so far. An engagement comes from a sender without
    ids: it belongs to the visitor's latest pageview of its page, and its `engaged_ms` is added to the total.
    """

    PAGEVIEW = auto()
    EVENT = auto()
    HEARTBEAT = auto()
    LEAVE = auto()
    ENGAGEMENT = auto()


class EventDetails(msgspec.Struct, frozen=True, gc=False):
    """The fields that only custom events have: columns of `events`. `props` is a JSON object as text."""

    name: str
    props: str
    value: float | None
    currency: str
    description: str
    user_name: str
    interactive: bool


class Accepted(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """One event on its way to the tables. Fields that are columns have the names of the columns; "" means none.

    `page_id` is the sender's id of a pageview or event, `pageview` that of the pageview to which the event belongs, and
    `tab` the number of that pageview. `visitor_before` is the same visitor under yesterday's salt, while that salt is
    kept. `host` and `path` are "" if the event does not name its page. `origin` returns the origin of a visit; it is
    called only if the event begins one, which a heartbeat hardly ever does. With the visitor `NO_VISITOR` the event is
    stored without a visit and without a heartbeat. `page_keys` are the possible prefixes of
    the ids of an engagement's pageviews, that of today's salt first.
    """

    kind: Kind
    site_id: int
    at: int  # epoch s
    at_ms: int
    page_id: str
    pageview: str
    tab: int
    visitor: int
    visitor_before: int | None
    user_id: str | None
    user_type: str
    host: str
    path: str
    title: str
    engaged_ms: int
    scroll: int
    state: PageState
    origin: Callable[[], Origin]
    details: EventDetails | None = None
    page_keys: tuple[str, ...] = ()

    @property
    def visitors(self) -> tuple[int, ...]:
        """The visitor's numbers, that of today's salt first."""
        return (self.visitor,) if self.visitor_before is None else (self.visitor, self.visitor_before)
