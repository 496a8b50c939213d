"""The cards of a site that has not chosen any."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable

from analytics.activity.card import COUNTER, STAT, TICKER, VALUE, Card
from analytics.calendar.period import Period
from analytics.query.answer import answer
from analytics.query.backend import Backend
from analytics.query.filters import Match
from analytics.query.metrics import PAGEVIEW
from analytics.query.query import Query
from analytics.sites.site import Site

SEEN_IN = Period("7d:today")
MAX_NAMES = 3
BUSINESS = re.compile(
    "sign.?up|regist|pay|purchase|order|checkout|subscri|book|invit|form|review|dispute|trial|lead", re.IGNORECASE
)
AUTOMATIC = ("Outbound Link: Click", "File Download", "404")  # the script sends them by itself: suggested last


def suggested(backend: Backend, site: Site, now: int) -> list[Card]:
    """Cards without ids for the events of the last seven days: revenue, three names, and the newest events.

    Names of events that are worth money come first, then those that sound like business, then the most frequent ones.
    Empty where there was no event.
    """
    query = Query.of(
        site,
        period=SEEN_IN,
        metrics=("events", "total_revenue"),
        dimensions=("event", "currency"),
        filters=(Match("is_not", "event", (PAGEVIEW,)),),
    )
    names: Counter[str] = Counter()
    sold: Counter[str] = Counter()
    worth: set[str] = set()
    for (name, currency), (events, _) in answer(query, query.span(now), backend).rows:
        names[str(name)] += int(events or 0)
        if currency:
            sold[str(currency)] += int(events or 0)
            worth.add(str(name))
    return [*_of_money(sold), *_of_names(_ranked(names, worth))]


def _ranked(names: Counter[str], worth: Collection[str]) -> list[str]:
    def rank(name: str) -> tuple[bool, bool, bool, int, str]:
        return name in AUTOMATIC, name not in worth, not BUSINESS.search(name), -names[name], name

    return sorted(names, key=rank)


def _of_money(sold: Counter[str]) -> Iterable[Card]:
    """Today's revenue in the currency of the most events."""
    for currency, _ in sorted(sold.items(), key=lambda pair: (-pair[1], pair[0]))[:1]:
        yield Card(0, STAT, measure=VALUE, currency=currency)


def _of_names(names: list[str]) -> Iterable[Card]:
    if not names:
        return
    yield Card(0, STAT, event=names[0])
    yield from (Card(0, COUNTER, event=name) for name in names[1:MAX_NAMES])
    people = next((name for name in names if re.search("sign.?up|regist", name, re.IGNORECASE)), "")
    yield Card(0, TICKER, event=people)
