"""Why an alert fires: which source, page or country makes the difference, and how many people are concerned.

A value explains an alert if it changed in the same direction as the whole, by at least a quarter of that change.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

from analytics.base.errors import InvalidInput
from analytics.base.plain_text import one_line
from analytics.calendar.period import Span
from analytics.live import rewind
from analytics.live.facts import OF_ITEMS, OF_PEOPLE
from analytics.notify.alert import is_live
from analytics.notify.difference import Difference
from analytics.notify.kinds.metric import MetricWhen
from analytics.notify.live_metrics import EVENTS, SYSTEM_METRICS, is_sample
from analytics.notify.reading import MINUTE, LiveReadings, Sources, among, earlier_span, query_of
from analytics.query.answer import answer, span_of
from analytics.query.query import Query
from analytics.sites.site import Site

DIMENSIONS = ("source", "page", "country", "user_type")
HISTORICAL = ("source", "page", "country", "device")
LISTED = 5
OF_EACH = 2
MIN_SHARE = 0.25
MAX_VALUES = 1_000  # of a dimension, the most frequent ones
MAX_VALUE = 300  # letters

Counts = Mapping[str, float]


class Explanation(NamedTuple):
    """What makes the difference, the greatest first, and how many people are concerned."""

    why: tuple[Difference, ...] = ()
    affected: int = 0


def explain(when: MetricWhen, site: Site, sources: Sources, live: LiveReadings, since: int, now: int) -> Explanation:
    """The explanation of an alert that fires now. `since`: when its line was crossed, epoch s.

    People are concerned who are active now and suit the rule's filters, as far as the live state knows their
    dimensions, else everybody who is active.
    """
    if not is_live(when):
        return Explanation(_of_history(when, site, sources, now), _affected(when, site, live))
    if when.metric in SYSTEM_METRICS or is_sample(when.metric):
        return Explanation(affected=_affected(when, site, live))
    if when.metric == EVENTS:
        return Explanation(_of_items(when, site, live, now), _affected(when, site, live))
    people = live.people(when, site)
    before = among(
        rewind.people_at(sources.database, site.id, since - MINUTE, sources.window_s), when.metric, when.filters
    )
    found = {name: (_count(OF_PEOPLE[name], before), _count(OF_PEOPLE[name], people)) for name in DIMENSIONS}
    return Explanation(differences(found), len(people))


def _affected(when: MetricWhen, site: Site, live: LiveReadings) -> int:
    try:
        return len(live.everybody(when.filters, site))
    except InvalidInput:  # the live state does not know that dimension
        return len(live.everybody((), site))


def _of_items(when: MetricWhen, site: Site, live: LiveReadings, now: int) -> tuple[Difference, ...]:
    """By the pageviews and events of the last minute and the one before."""
    begin = now + 1 - MINUTE
    items, before = (live.items(when, site, Span(at, at + MINUTE)) for at in (begin, begin - MINUTE))
    return differences({name: (_count(OF_ITEMS[name], before), _count(OF_ITEMS[name], items)) for name in DIMENSIONS})


def _count(read: Callable[[Any], str], found: Iterable[Any]) -> Counter[str]:
    return Counter(map(read, found))


def _of_history(when: MetricWhen, site: Site, sources: Sources, now: int) -> tuple[Difference, ...]:
    """By the breakdowns of the period and of the one before; only of counts and sums, which add up."""
    query = query_of(when, site)
    (metric,) = query.resolved_metrics
    earlier = earlier_span(query, now)
    if not when.HAS_PERIOD or earlier is None or metric.of_minutes or metric.unit not in ("count", "money"):
        return ()
    spans = earlier, span_of(query, now, sources.backend)
    found = {}
    for name in HISTORICAL:
        by_name = replace(query, dimensions=(name,), limit=MAX_VALUES, comparison=None)
        found[name] = tuple(_breakdown(by_name, span, sources) for span in spans)
    return differences({name: (before, current) for name, (before, current) in found.items()})


def _breakdown(query: Query, span: Span, sources: Sources) -> Counts:
    rows = answer(query, span, sources.backend).rows
    return {str(row.dimensions[0]): float(row.metrics[0] or 0) for row in rows}


def differences(counts: Mapping[str, tuple[Counts, Counts]]) -> tuple[Difference, ...]:
    """What explains the change, the greatest difference first, at most five, two of a dimension. What has no name
    stands behind, and is left out where a value with a name explains at least as much.

    `counts` has the counts by value before and now for each dimension; ties in the order of dimensions and values.
    """
    found = [one for name, (before, now) in counts.items() for one in _explaining(name, before, now)]
    named = [one for one in found if _is_named(one)]
    largest = max(map(_size, named), default=0)
    rest = [one for one in found if not _is_named(one) and _size(one) > largest]
    return tuple([*sorted(named, key=_size, reverse=True), *sorted(rest, key=_size, reverse=True)][:LISTED])


def _is_named(one: Difference) -> bool:
    """Whether the value says something: not that of people of whom it is not known."""
    return bool(one.value)


def _explaining(name: str, before: Counts, now: Counts) -> Sequence[Difference]:
    changed = sum(now.values()) - sum(before.values())
    values = (_difference(name, value, before, now) for value in sorted({*before, *now}))
    moving = [one for one in values if (one.now - one.before) * changed > 0 and _size(one) >= MIN_SHARE * abs(changed)]
    return sorted(moving, key=_size, reverse=True)[:OF_EACH]


def _difference(name: str, value: str, before: Counts, now: Counts) -> Difference:
    """The value is a visitor's, and stands in messages: in one line, so that it cannot look like lines of ours."""
    return Difference(name, one_line(value, MAX_VALUE), before.get(value, 0), now.get(value, 0))


def _size(one: Difference) -> float:
    return abs(one.now - one.before)
