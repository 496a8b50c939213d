"""Metrics: what can be counted. Each is defined here, once, for pages, exports, the API and the command line.

A hit is a pageview or an event. Shares are 0 to 1, durations seconds, the depth of scrolling percent. A count of
nothing is 0, a mean of nothing is None.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any, Literal

from sqlalchemy import ColumnElement, Double, FromClause, Integer, case, cast, func

from analytics.base.errors import InvalidInput
from analytics.calendar.minute_series import Series, average, peak
from analytics.query.dialects import different

PAGEVIEW = "pageview"  # the name of a hit that is no event


class Grain(Enum):
    """Rows that metrics are told from.

    VISITS: `visitor`, `visit_id`, `bounce`, `duration_s`, `pageviews`. HITS: `visitor`, `visit_id`, `name`, `value`,
    `currency`. READINGS, one for each page of each visit whose browser told: `engaged_ms` in all, the deepest `scroll`.
    Visits and hits may have `first`: not NULL in the first row of each visitor, where that is known.
    """

    VISITS = "visits"
    HITS = "hits"
    READINGS = "readings"


Expression = Callable[[FromClause], ColumnElement[Any]]
Unit = Literal["count", "ratio", "share", "seconds", "percent", "money"]


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric. `better` says whether more is good news (1), bad news (-1) or neither (0).

    `ways` has its expression over each kind of rows that tells it; those that several kinds tell agree.
    `of_all`: what it tells is divided by the same of the whole question, not split.
    `of_minutes` have those that no rows tell: what it is of the people at each minute, None where no minute is known.
    """

    id: str
    label: str
    unit: Unit
    definition: str
    better: int
    ways: Mapping[Grain, Expression] = field(hash=False)
    of_all: bool = False
    of_minutes: Callable[[Series], int | float | None] | None = field(default=None, hash=False)


def _mean(of: ColumnElement[Any]) -> ColumnElement[Any]:
    return func.avg(cast(of, Double))


def _one_currency(rows: FromClause, amount: ColumnElement[Any]) -> ColumnElement[Any]:
    """The amount, if all money of the group is of one currency: euros and yen have no sum."""
    currency = case((rows.c.currency != "", rows.c.currency))
    return case((func.min(currency) == func.max(currency), amount))


def _money(rows: FromClause) -> ColumnElement[Any]:
    return case((rows.c.currency != "", cast(rows.c.value, Double)))


def _visitors(rows: FromClause) -> ColumnElement[Any]:
    return different(rows.c.visitor, rows.c.first) if "first" in rows.c else func.count(rows.c.visitor.distinct())


_VISITORS: Mapping[Grain, Expression] = {Grain.VISITS: _visitors, Grain.HITS: _visitors}

_ALL = (
    Metric(
        "visitors",
        "Visitors",
        "count",
        "People who viewed a page or triggered an event, each counted once.",
        1,
        _VISITORS,
    ),
    Metric(
        "visits",
        "Visits",
        "count",
        "Stays on the site, each until 30 minutes pass in which nothing is heard of the visitor.",
        1,
        {
            Grain.VISITS: lambda rows: func.count(rows.c.visit_id),
            Grain.HITS: lambda rows: func.count(rows.c.visit_id.distinct()),
        },
    ),
    Metric(
        "pageviews",
        "Pageviews",
        "count",
        "How often pages were viewed; the same page viewed twice counts twice.",
        1,
        {Grain.HITS: lambda rows: func.count(case((rows.c.name == PAGEVIEW, 1)))},
    ),
    Metric(
        "views_per_visit",
        "Views per visit",
        "ratio",
        "Pages viewed in a visit, on average.",
        1,
        {Grain.VISITS: lambda rows: _mean(rows.c.pageviews)},
    ),
    Metric(
        "bounce_rate",
        "Bounce rate",
        "share",
        "The share of visits with no more than one pageview and no event.",
        -1,
        {Grain.VISITS: lambda rows: _mean(cast(rows.c.bounce, Integer))},
    ),
    Metric(
        "visit_duration",
        "Visit duration",
        "seconds",
        "Time from the first pageview or event of a visit to its last, on average; a visit with only one lasts 0 s.",
        1,
        {Grain.VISITS: lambda rows: _mean(rows.c.duration_s)},
    ),
    Metric(
        "events",
        "Events",
        "count",
        "Everything that visitors did: pageviews and custom events together.",
        1,
        {Grain.HITS: lambda rows: func.count(rows.c.visit_id)},
    ),
    Metric(
        "time_on_page",
        "Time on page",
        "seconds",
        "Time that a visitor had the page in front of them and used it, in one visit, on average; pages that told "
        "nothing are left out.",
        1,
        {Grain.READINGS: lambda rows: _mean(rows.c.engaged_ms) / 1000.0},
    ),
    Metric(
        "scroll_depth",
        "Scroll depth",
        "percent",
        "How far down a page was scrolled in one visit, on average; pages that told nothing are left out.",
        1,
        {Grain.READINGS: lambda rows: _mean(rows.c.scroll)},
    ),
    Metric(
        "percentage",
        "Share",
        "share",
        "The share of all visitors of the period and filters who are in this row.",
        0,
        _VISITORS,
        of_all=True,
    ),
    Metric(
        "total_revenue",
        "Revenue",
        "money",
        "The sum of what events were worth, where it is all in one currency.",
        1,
        {Grain.HITS: lambda rows: _one_currency(rows, func.sum(_money(rows)))},
    ),
    Metric(
        "average_revenue",
        "Average revenue",
        "money",
        "What an event that was worth anything was worth on average, where all are in one currency.",
        1,
        {Grain.HITS: lambda rows: _one_currency(rows, func.avg(_money(rows)))},
    ),
    Metric(
        "peak_concurrents",
        "Peak concurrents",
        "count",
        "The most people who were on the site at once, at any minute that is known.",
        1,
        {},
        of_minutes=peak,
    ),
    Metric(
        "average_concurrents",
        "Average concurrents",
        "ratio",
        "How many people were on the site at a minute, on average over the minutes that are known; those without "
        "anybody count.",
        1,
        {},
        of_minutes=average,
    ),
)

METRICS = {one.id: one for one in _ALL}


def metric(name: str) -> Metric:
    """The metric of that id; `InvalidInput` for one that there is not, naming those that there are."""
    if name not in METRICS:
        raise InvalidInput(f"metric {name[:60]!r}: {', '.join(METRICS)}")
    return METRICS[name]
