"""The SQL of an answer's columns: a dimension's value, the number of a bucket of time, each metric over its rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import pairwise
from typing import Any

from sqlalchemy import BigInteger, ColumnElement, Double, FromClause, Integer, case, cast, func, literal
from sqlalchemy.types import Text

from analytics.calendar.period import Run, Span, buckets, runs
from analytics.query.dialects import different, prop
from analytics.query.dimensions import PROPERTY, Dimension
from analytics.query.metrics import PAGEVIEW, Grain
from analytics.query.query import Query

Expression = Callable[[FromClause], ColumnElement[Any]]

# ── dimensions ───────────────────────────────────────────────────────────────────────────────────────────────────────


def dimension_value(one: Dimension, rows: FromClause) -> ColumnElement[Any]:
    """The dimension's text in rows of the kind that it is of; a `TypeError` for time, whose buckets need a period."""
    if one.of == "time":
        raise TypeError("buckets of time are made by `bucket_number`, which knows the period")
    stored = rows.c[one.column]
    if one.id.startswith(PROPERTY):
        return func.coalesce(prop(stored, literal(one.id.removeprefix(PROPERTY), Text)), "")
    if one.id == "signed_in":
        return cast(case((stored.is_(None), "no"), else_="yes"), Text)
    return stored


def dimension_value_of_visit(one: Dimension, visits: FromClause) -> ColumnElement[Any]:
    """The same in rows of visits: for a fact of hits, the column that stands for it."""
    return visits.c[one.entry] if one.entry else dimension_value(one, visits)


# ── buckets of time ──────────────────────────────────────────────────────────────────────────────────────────────────


def bucket_number(at: ColumnElement[int], one: Dimension, query: Query, span: Span) -> ColumnElement[int]:
    """The number of the bucket: whole-number division within runs of buckets of one length."""
    all_runs = runs(buckets(span, one.interval, query.clock))
    return _by_run(at, all_runs, lambda start, width, first: first + (at - start) // width, "number")


def bucket_begin(at: ColumnElement[int], split: Sequence[Dimension], query: Query, span: Span) -> ColumnElement[int]:
    """The first second of the bucket; of the span where nothing is split by time."""
    times = [one for one in split if one.of == "time"]
    if not times:
        return literal(span.begin, BigInteger)
    all_runs = runs(buckets(span, times[0].interval, query.clock))
    return _by_run(at, all_runs, lambda start, width, _: start + (at - start) // width * width, "begin")


def _by_run(
    at: ColumnElement[int], all_runs: Sequence[Run], value: Callable[..., ColumnElement[int]], of_one: str
) -> ColumnElement[int]:
    """The `value` of the run in which `at` lies, from its begin, width and number; where it is a run of one bucket, as
    most months are, its attribute `of_one`.
    """
    parts: list[ColumnElement[int]] = []
    for run, following in pairwise([*all_runs, None]):
        assert run
        alone = following is not None and following.number == run.number + 1
        parts.append(_int(getattr(run, of_one)) if alone else value(*map(_int, run)))
    return _within_run(at, [_int(run.begin) for run in all_runs], parts)


def _within_run(
    at: ColumnElement[int], begins: Sequence[ColumnElement[int]], parts: Sequence[ColumnElement[int]]
) -> ColumnElement[int]:
    """The part whose run `at` is in, by binary search: twelve months take four comparisons."""
    if len(parts) == 1:
        return parts[0]
    middle = len(parts) // 2
    earlier, later = (_within_run(at, begins[half], parts[half]) for half in (slice(middle), slice(middle, None)))
    return case((at < begins[middle], earlier), else_=later)


def _int(value: int) -> ColumnElement[int]:
    return literal(value, BigInteger)


# ── metrics ──────────────────────────────────────────────────────────────────────────────────────────────────────────


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


def _visits_of_hits(rows: FromClause) -> ColumnElement[Any]:
    return func.count(case((rows.c.visitor.is_not(None), rows.c.visit_id)).distinct())


# Rows of VISITS have the columns `visitor`, `visit_id`, `bounce`, `duration_s`, `pageviews`; those of HITS `visitor`
# (NULL: no visitor), `visit_id`, `name`, `value`, `currency`; those of READINGS `engaged_ms` in all and the deepest
# `scroll`. Visits and hits may have `first`: not NULL in the first row of each visitor, where that is known.
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
        "visits": _visits_of_hits,
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
