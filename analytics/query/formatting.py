"""An answer as programs and files get it: rounded numbers, names for empty values, buckets by the site's clock."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from analytics.calendar.period import Clock, Span
from analytics.query.answer import answer
from analytics.query.backend import Backend
from analytics.query.dimensions import DIMENSIONS, Dimension
from analytics.query.filters import Match
from analytics.query.metrics import Metric
from analytics.query.query import MAX_ROWS, Query
from analytics.query.result import Number, Row

BUCKETS = {
    "minute": "%Y-%m-%d %H:%M:00",
    "hour": "%Y-%m-%d %H:00:00",
    "day": "%Y-%m-%d",
    "week": "%Y-%m-%d",
    "month": "%Y-%m-01",
}


def value(one: Dimension, clock: Clock) -> Callable[[Any], str]:
    """A function that writes the values of a dimension; a bucket of time by its begin on that clock: `2026-03-10`."""
    if one.of != "time":
        return lambda text: text or one.none
    zone = ZoneInfo(clock.zone)
    return lambda at: datetime.fromtimestamp(at, zone).strftime(BUCKETS[one.interval])


def number(one: Metric, known: Number) -> Number:
    """A number as Plausible rounds it: shares in percent, seconds whole, ratios with two decimals; money as it is."""
    if known is None or one.unit == "money":
        return known
    if one.unit == "share" and one.id != "bounce_rate":
        return round(100 * known, 1)
    return round(known, 2) if one.unit == "ratio" else round(100 * known if one.unit == "share" else known)


def currencies(query: Query, span: Span, rows: Sequence[Row], backend: Backend) -> Mapping[tuple[Any, ...], str]:
    """The currency of each of an answer's rows that has money, by its dimensions; of 10,000 rows at most."""
    of_money = [place for place, one in enumerate(query.resolved_metrics) if one.unit == "money"]
    if not any(row.metrics[place] is not None for row in rows for place in of_money):
        return {}
    currency = DIMENSIONS["currency"]
    split = replace(
        query,
        metrics=("total_revenue",),
        dimensions=(*query.dimensions, currency.id) if currency.id not in query.dimensions else query.dimensions,
        filters=(*query.filters, Match("is_not", currency.id, (currency.none,))),
        order=(),
        limit=MAX_ROWS,
        offset=0,
    )
    place = split.dimensions.index(currency.id)
    wide = len(query.dimensions)
    return {row.dimensions[:wide]: str(row.dimensions[place]) for row in answer(split, span, backend).rows}
