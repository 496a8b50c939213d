"""The SQL of buckets of time, the same for every database."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import pairwise

from sqlalchemy import BigInteger, ColumnElement, case, literal

from analytics.calendar.period import Run, Span, buckets, runs
from analytics.query.dimensions import Dimension
from analytics.query.query import Query


def number(at: ColumnElement[int], one: Dimension, query: Query, span: Span) -> ColumnElement[int]:
    """The number of the bucket: whole-number division within runs of buckets of one length."""
    all_runs = runs(buckets(span, one.interval, query.clock))
    return _by_run(at, all_runs, lambda start, width, first: first + (at - start) // width, "number")


def begin(at: ColumnElement[int], split: Sequence[Dimension], query: Query, span: Span) -> ColumnElement[int]:
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
        parts.append(_number(getattr(run, of_one)) if alone else value(*map(_number, run)))
    return _within_run(at, [_number(run.begin) for run in all_runs], parts)


def _within_run(
    at: ColumnElement[int], begins: Sequence[ColumnElement[int]], parts: Sequence[ColumnElement[int]]
) -> ColumnElement[int]:
    """The part whose run `at` is in, by binary search: twelve months take four comparisons."""
    if len(parts) == 1:
        return parts[0]
    middle = len(parts) // 2
    earlier, later = (_within_run(at, begins[half], parts[half]) for half in (slice(middle), slice(middle, None)))
    return case((at < begins[middle], earlier), else_=later)


def _number(value: int) -> ColumnElement[int]:
    return literal(value, BigInteger)
