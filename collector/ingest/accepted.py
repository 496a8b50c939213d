"""An accepted event: it has passed every step and waits to be stored. From here on no name is the wire's."""

from __future__ import annotations

from collections.abc import Callable
from enum import Enum, auto

import msgspec

from analytics.live.beat import PageState
from collector.ingest.visit import Origin


class Kind(Enum):
    """What an event is. A heartbeat and a leave belong to a pageview; they have no row but their beat."""

    PAGEVIEW = auto()
    EVENT = auto()
    HEARTBEAT = auto()
    LEAVE = auto()


class Details(msgspec.Struct, frozen=True, gc=False):
    """What only a custom event has; the fields are columns of `events`. `props` is a JSON object."""

    name: str
    props: str
    value: float | None
    currency: str
    description: str
    user_name: str


class Accepted(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """One event on its way to the tables. A field that is a column has the column's name; "" is for none.

    `page_id` is the page's own id of a pageview or event, `pageview` that of the pageview it belongs to, and `tab` the
    number of that page. `visitor_before` is the same visitor under yesterday's salt, while that is kept. `host` and
    `path` are empty where the event does not say its page. `origin` says where the visit came from and with what: it is
    called where the event begins one, which a heartbeat hardly ever does.
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
