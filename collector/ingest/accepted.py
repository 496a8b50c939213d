"""An accepted event: it has passed every step and waits to be stored. From here on no name is the wire's."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum, auto

import msgspec

from analytics.live.beat import PageState
from collector.ingest.visit import Origin


class Kind(Enum):
    """What an event is. The last three belong to a pageview; they have no row but their beat.

    A heartbeat and a leave name their pageview, and tell its totals so far. An engagement is that of a sender without
    ids: it belongs to the visitor's latest pageview of its page, and `engaged_ms` is what has come on top.
    """

    PAGEVIEW = auto()
    EVENT = auto()
    HEARTBEAT = auto()
    LEAVE = auto()
    ENGAGEMENT = auto()


class Details(msgspec.Struct, frozen=True, gc=False):
    """What only a custom event has; the fields are columns of `events`. `props` is a JSON object."""

    name: str
    props: str
    value: float | None
    currency: str
    description: str
    user_name: str
    interactive: bool


class Accepted(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """One event on its way to the tables. A field that is a column has the column's name; "" is for none.

    `page_id` is the page's own id of a pageview or event, `pageview` that of the pageview it belongs to, and `tab` the
    number of that page. `visitor_before` is the same visitor under yesterday's salt, while that is kept. `host` and
    `path` are empty where the event does not say its page. `origin` says where the visit came from and with what: it is
    called where the event begins one, which a heartbeat hardly ever does. `page_keys` are what the ids of the pageviews
    of an engagement may begin with, by today's salt first.
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
    details: Details | None = None
    page_keys: tuple[str, ...] = ()

    @property
    def visitors(self) -> tuple[int, ...]:
        """The visitor's numbers, by today's salt first."""
        return (self.visitor,) if self.visitor_before is None else (self.visitor, self.visitor_before)
