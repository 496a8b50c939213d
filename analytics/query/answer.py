"""Whole answers: what facts tell, as `analytics.query.stats` has it, and what a site's minutes tell, joined by time.

How many people were there at once is in no fact. A question that asks for it is split by time or not at all, and has
no filters (`Query` sees to it), so each bucket of time is answered from the minutes that begin in it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from analytics.calendar.minute_series import Minutes
from analytics.calendar.period import Span, buckets
from analytics.query import stats
from analytics.query.metrics import Metric
from analytics.query.query import Query
from analytics.query.result import Breakdown, Number, Point, Row
from analytics.query.stats import Ask


class Past(NamedTuple):
    """Who answers: `ask` has statements run over the facts, `minutes` tells a site's minutes within a span."""

    ask: Ask
    minutes: Callable[[int, Span], Minutes]


def aggregate(query: Query, span: Span, past: Past) -> dict[str, Number]:
    """Each metric's value over the whole span, whatever the question splits by."""
    facts = _of_facts(query)
    found = stats.aggregate(facts, span, past.ask) if facts else {}
    (crowd,) = _at_once(query, span, (span,), past)
    return {name: crowd[name] if name in crowd else found[name] for name in query.metrics}


def timeseries(query: Query, span: Span, interval: str, past: Past) -> list[Point]:
    """The metrics for every bucket of the span, in order, also for those in which nothing happened."""
    parts, facts = buckets(span, interval, query.clock), _of_facts(query)
    told = [one.metrics for one in stats.timeseries(facts, span, interval, past.ask)] if facts else [()] * len(parts)
    crowds = _at_once(query, span, parts, past)
    return [Point(part, _joined(query, row, crowd)) for part, row, crowd in zip(parts, told, crowds, strict=True)]


def breakdown(query: Query, span: Span, past: Past) -> Breakdown:
    """A row for each combination of the dimensions' values, as `stats.breakdown`.

    Where people at once are asked for, also the buckets in which nothing happened, but of which minutes are known.
    """
    if _of_facts(query) == query:
        return stats.breakdown(query, span, past.ask)
    if not query.split:
        return Breakdown([Row((), tuple(aggregate(query, span, past).values()))], 1)
    points = timeseries(query, span, query.split[0].interval, past)
    told = [Row((one.span.begin,), one.metrics) for one in points if any(map(_tells, query.asked, one.metrics))]
    rows = _sorted(told, query)[query.offset : query.offset + query.limit]
    return Breakdown(rows, len(told) if rows else 0)


def _of_facts(query: Query) -> Query | None:
    """The question without what minutes tell, None where nothing is left; itself where it asks for none of that."""
    names = tuple(one.id for one in query.asked if not one.of_minutes)
    if names == query.metrics:
        return query
    return replace(query, metrics=names, order=()) if names else None


def _at_once(query: Query, span: Span, parts: Sequence[Span], past: Past) -> list[Mapping[str, Number]]:
    """What minutes tell of each part of the span, by metric; nothing is read where nothing of it is asked for."""
    wanted = {one.id: one.of_minutes for one in query.asked if one.of_minutes}
    if not wanted:
        return [{}] * len(parts)
    minutes = past.minutes(query.site_id, span)
    return [{name: of(people) for name, of in wanted.items()} for people in map(minutes.within, parts)]


def _joined(query: Query, told: Sequence[Number], crowd: Mapping[str, Number]) -> tuple[Number, ...]:
    """The numbers in the order of the question."""
    facts = iter(told)
    return tuple(crowd[name] if name in crowd else next(facts) for name in query.metrics)


def _tells(one: Metric, number: Number) -> bool:
    """Whether the number says more than that nothing happened: nobody at a known minute is something to say."""
    return number is not None and (number != 0 or one.unit != "count" or one.of_minutes is not None)


def _sorted(rows: Sequence[Row], query: Query) -> list[Row]:
    """Rows by time as the question orders them: as `stats` does, what has no value last, ties by time."""
    found = list(rows)
    for by, descending in reversed(query.order):
        if by in query.dimensions:
            found.sort(key=lambda row: row.dimensions, reverse=descending)
            continue
        place = query.metrics.index(by)
        known = [row for row in found if row.metrics[place] is not None]
        known.sort(key=lambda row: row.metrics[place] or 0, reverse=descending)
        found = [*known, *(row for row in found if row.metrics[place] is None)]
    return found
