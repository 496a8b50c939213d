"""The one entry for numbers: pages, files, the API, the command line and reports all call `answer`.

Facts answer most metrics. No fact has the number of people at the same time: the minutes of a site answer that, and
both are joined by time. Such a question is split by time or not at all, and has no filters (`Query` checks that).

`series` is `answer` with every bucket of time. Three questions are not numbers of a `Query`, so they have functions of
their own: when the first fact was stored (`first_second`), which properties events have (`property_names`), and what
the titles of pages were (`page_titles`).
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from analytics.base.ids import time_ms
from analytics.base.plain_text import TURNING
from analytics.calendar.period import Span, buckets
from analytics.query import fact_sql
from analytics.query.backend import Backend, Fetch
from analytics.query.dimensions import TIME, Dimension
from analytics.query.metrics import Metric
from analytics.query.query import Query
from analytics.query.result import Answer, Number, Point, Row


def answer(query: Query, span: Span, backend: Backend) -> Answer:
    """A row for each combination of the dimensions' values; sorted and cut as the question says, ties by value.

    Not split: exactly one row. Split by time: the buckets in which something happened, or with metrics of minutes
    also those of which a minute is known; with `every_bucket` all of them, in order. `StillCounting` where `minutes`
    raises it.
    """
    if any(one.of_minutes for one in query.resolved_metrics):  # people now: the backend keeps answers of facts alone
        return _computed(query, span, backend)
    return backend.keep(query, span, lambda: _computed(query, span, backend))


def _computed(query: Query, span: Span, backend: Backend) -> Answer:
    if not query.every_bucket and not any(one.of_minutes for one in query.resolved_metrics):
        return _of_facts(query, span, backend.fetch)
    if not query.split:
        return Answer([Row((), _by_bucket(query, span, (span,), backend)[0])], 1, query)
    parts = buckets(span, query.split[0].interval, query.clock)
    numbers = _by_bucket(query, span, parts, backend)
    rows = [Row((part.begin,), row) for part, row in zip(parts, numbers, strict=True)]
    if query.every_bucket:
        return Answer(rows, len(rows), query)
    known = [row for row in rows if any(map(_is_something, query.resolved_metrics, row.metrics))]
    shown = _sorted(known, query)[query.offset : query.offset + query.limit]
    return Answer(shown, len(known) if shown else 0, query)


def series(query: Query, span: Span, interval: str, backend: Backend) -> list[Point]:
    """The answer for every bucket of the span, in order, including those in which nothing happened."""
    by_time = replace(query, dimensions=(TIME + interval,), order=(), every_bucket=True)
    rows = answer(by_time, span, backend).rows
    return [Point(part, row.metrics) for part, row in zip(buckets(span, interval, query.clock), rows, strict=True)]


def first_second(site_id: int, backend: Backend) -> int:
    """The second (epoch) of the first pageview or event that is stored; 0 where there is none."""
    (found,) = backend.fetch(fact_sql.first_ids(site_id))
    return min((time_ms(row_id) // 1000 for row_id in found if row_id is not None), default=0)


def span_of(query: Query, now: int, backend: Backend) -> Span:
    """The seconds of the question's period; of `all` from the first pageview or event on."""
    return query.span(now, (first_second(query.site_id, backend) or now) if query.period.is_all else 0)


def property_names(query: Query, span: Span, backend: Backend) -> list[str]:
    """The names of the properties of events that match the filters, the most frequent first.

    Only the `query.limit` most frequent sets of properties are looked through.
    """
    found: Counter[str] = Counter()
    for text, many in backend.fetch(fact_sql.property_sets(query, span)):
        found.update(dict.fromkeys(json.loads(text), many))
    return [name for name, _ in found.most_common()]


def page_titles(site_id: int, span: Span, paths: Sequence[str], backend: Backend) -> dict[str, str]:
    """The last title that each of these pages had in the span, by path; pages without one are left out."""
    found = backend.fetch(fact_sql.page_titles(site_id, span, paths)) if paths else ()
    titles = ((path, " ".join(title.translate(TURNING).split())) for path, title in found)
    return {path: title for path, title in titles if title}


def _of_facts(query: Query, span: Span, fetch: Fetch) -> Answer:
    found = fetch(fact_sql.statement(query, span))
    many, readers = len(query.split), [_reader(one, query, span) for one in query.split]
    rows = [
        Row(tuple(read(cell) for read, cell in zip(readers, row, strict=False)), tuple(row[many:-1])) for row in found
    ]
    return Answer(rows, found[0][-1] if found else 0, query)


def _reader(one: Dimension, query: Query, span: Span) -> Callable[[Any], str | int]:
    """Reads the database's value of a dimension: a text, or for time the number of the bucket."""
    if one.of != "time":
        return str
    parts = buckets(span, one.interval, query.clock)
    return lambda number: parts[number].begin


def _by_bucket(query: Query, span: Span, parts: Sequence[Span], backend: Backend) -> Sequence[tuple[Number, ...]]:
    """The metrics of each part of the span: its buckets, or the span itself where the question is not split."""
    names = tuple(one.id for one in query.resolved_metrics if not one.of_minutes)
    if names == query.metrics:
        return _facts_by_bucket(query, span, len(parts), backend.fetch)
    facts: Sequence[tuple[Number, ...]] = [()] * len(parts)
    if names:
        of_facts = replace(query, metrics=names, order=(), every_bucket=bool(query.split))
        facts = _facts_by_bucket(of_facts, span, len(parts), backend.fetch)
    minutes = backend.minutes(query.site_id, span)
    return [_joined(query.resolved_metrics, row, minutes.within(part)) for row, part in zip(facts, parts, strict=True)]


def _facts_by_bucket(query: Query, span: Span, many: int, fetch: Fetch) -> Sequence[tuple[Number, ...]]:
    if not query.split:
        return [row.metrics for row in _of_facts(query, span, fetch).rows]
    found = {row[0]: tuple(row[1:-1]) for row in fetch(fact_sql.statement(query, span))}
    nothing = tuple(0 if one.unit == "count" else None for one in query.resolved_metrics)
    return [found.get(number, nothing) for number in range(many)]


def _joined(metrics: Sequence[Metric], facts: Sequence[Number], people: Any) -> tuple[Number, ...]:
    rest = iter(facts)
    return tuple(one.of_minutes(people) if one.of_minutes else next(rest) for one in metrics)


def _is_something(one: Metric, number: Number) -> bool:
    """Whether the number says more than that nothing happened: 0 people at a known minute does."""
    return number is not None and (number != 0 or one.unit != "count" or one.of_minutes is not None)


def _sorted(rows: Sequence[Row], query: Query) -> list[Row]:
    """Rows by time, then as the question orders them; as in SQL, rows without a value come last."""
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
