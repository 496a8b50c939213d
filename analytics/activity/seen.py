"""Which events a site has had: their names and currencies, for those who choose what to show."""

from __future__ import annotations

from typing import NamedTuple

from analytics.calendar.period import Period
from analytics.query.answer import answer
from analytics.query.backend import Backend
from analytics.query.filters import Match
from analytics.query.metrics import PAGEVIEW
from analytics.query.query import Query
from analytics.sites.site import Site

SEEN_IN = Period("90d:today")
MAX_NAMES = 100


class Seen(NamedTuple):
    """Names of events, and currencies, the most frequent first."""

    names: list[str]
    currencies: list[str]


def seen(backend: Backend, site: Site, now: int) -> Seen:
    """Those of the last 90 days; at most a hundred names."""
    return Seen(_values("event", backend, site, now), [one for one in _values("currency", backend, site, now) if one])


def _values(dimension: str, backend: Backend, site: Site, now: int) -> list[str]:
    custom = (Match("is_not", "event", (PAGEVIEW,)),)
    query = Query.of(
        site, period=SEEN_IN, metrics=("events",), dimensions=(dimension,), filters=custom, limit=MAX_NAMES
    )
    return [str(row.dimensions[0]) for row in answer(query, query.span(now), backend).rows]
