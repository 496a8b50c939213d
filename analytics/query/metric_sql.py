"""The SQL of each metric, over the rows of each of its grains."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import ColumnElement, Double, FromClause, Integer, case, cast, func

from analytics.query.dialects import different
from analytics.query.metrics import PAGEVIEW, Grain

Expression = Callable[[FromClause], ColumnElement[Any]]


def _mean(of: ColumnElement[Any]) -> ColumnElement[Any]:
    return func.avg(cast(of, Double))


def _one_currency(rows: FromClause, amount: ColumnElement[Any]) -> ColumnElement[Any]:
    """The amount, if all money of the group is in one currency; else NULL, since euros and yen have no sum."""
    currency = case((rows.c.currency != "", rows.c.currency))
    return case((func.min(currency) == func.max(currency), amount))


def _money(rows: FromClause) -> ColumnElement[Any]:
    return case((rows.c.currency != "", cast(rows.c.value, Double)))


def _visitors(rows: FromClause) -> ColumnElement[Any]:
    return different(rows.c.visitor, rows.c.first) if "first" in rows.c else func.count(rows.c.visitor.distinct())


# Rows of VISITS have the columns `visitor`, `visit_id`, `bounce`, `duration_s`, `pageviews`; those of HITS `visitor`,
# `visit_id`, `name`, `value`, `currency`; those of READINGS `engaged_ms` in all and the deepest `scroll`. Visits and
# hits may have `first`: not NULL in the first row of each visitor, where that is known.
EXPRESSIONS: Mapping[Grain, Mapping[str, Expression]] = {
    Grain.VISITS: {
        "visitors": _visitors,
        "visits": lambda rows: func.count(rows.c.visit_id),
        "views_per_visit": lambda rows: _mean(rows.c.pageviews),
        "bounce_rate": lambda rows: _mean(cast(rows.c.bounce, Integer)),
        "visit_duration": lambda rows: _mean(rows.c.duration_s),
        "percentage": _visitors,
    },
    Grain.HITS: {
        "visitors": _visitors,
        "visits": lambda rows: func.count(rows.c.visit_id.distinct()),
        "pageviews": lambda rows: func.count(case((rows.c.name == PAGEVIEW, 1))),
        "events": lambda rows: func.count(rows.c.visit_id),
        "percentage": _visitors,
        "total_revenue": lambda rows: _one_currency(rows, func.sum(_money(rows))),
        "average_revenue": lambda rows: _one_currency(rows, func.avg(_money(rows))),
    },
    Grain.READINGS: {
        "time_on_page": lambda rows: _mean(rows.c.engaged_ms) / 1000.0,
        "scroll_depth": lambda rows: _mean(rows.c.scroll),
    },
}
