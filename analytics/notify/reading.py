"""Readings: what the metric of a rule is now.

Live metrics count who is on the site now, and what was done in the last minute. Their change is against an hour ago,
that of historical metrics against the period before, as far as it had passed by the same moment.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple, Protocol

from sqlalchemy import Table, func, select

from analytics.base.ids import first_id
from analytics.calendar.period import Comparison, Period, Span
from analytics.live import rewind
from analytics.live.beat import Beat
from analytics.live.facts import ALL_OF_ITEMS, OF_PEOPLE
from analytics.live.feed import FeedItem
from analytics.notify import money, sample_metrics
from analytics.notify.alert import HISTORICAL_S, is_live
from analytics.notify.kinds.metric import MetricWhen
from analytics.notify.live_metrics import EVENTS, SYSTEM_METRICS, is_sample
from analytics.notify.sample_metrics import NO_SAMPLES, SampleSource, StoredSamples
from analytics.notify.stored_live import StoredLive
from analytics.query.answer import answer, span_of
from analytics.query.backend import Backend
from analytics.query.fact_filter import test_of
from analytics.query.filters import Filter
from analytics.query.query import Query
from analytics.sites.site import Site
from analytics.storage import schema
from analytics.storage.database import Database

MINUTE = 60
HOUR = 3600
MOMENT_S = 10  # as on the Overview: comparisons end at the last ten seconds
MAX_ITEMS = 1000  # of the feed in memory
FEW_ITEMS = 100  # more than most sites have in a minute
USUAL_PERIOD = "today"


class LiveSource(Protocol):
    """The live state of every site; the collector's hub is one."""

    def people(self, site_id: int) -> Sequence[Beat]:
        """The latest beat of each person who is active on a site now."""

    def recent_items(self, site_id: int, many: int) -> Sequence[FeedItem]:
        """The newest items of the feed that are in memory, newest first, at most so many."""

    def has_all_items(self, site_id: int) -> bool:
        """Whether the items in memory are all that the site has."""


Measured = Callable[[], Mapping[str, float]]
"""What the process has to do now, by the names of `SYSTEM_METRICS`; without those that are not known."""


class Sources(NamedTuple):
    """Where readings come from. `window_s`: how long after a beat a person is active."""

    database: Database
    live: LiveSource
    backend: Backend
    window_s: int
    measured: Measured = dict
    samples: SampleSource = NO_SAMPLES


class EarlierPeople:
    """The people of sites an hour ago, counted from the stored heartbeats at most once a minute and site."""

    def __init__(self) -> None:
        self._found: dict[int, tuple[int, list[Beat]]] = {}

    def read(self, sources: Sources, site_id: int, now: int) -> list[Beat]:
        """The latest beat of each person who was active an hour before this minute."""
        at = now // MINUTE * MINUTE - HOUR
        known = self._found.get(site_id)
        if known is None or known[0] != at:
            known = self._found[site_id] = at, rewind.people_at(sources.database, site_id, at, sources.window_s)
        return known[1]


class LiveReadings:
    """The live metrics at one moment: what concerns a site is read once, whatever its rules are."""

    def __init__(self, sources: Sources, earlier: EarlierPeople, now: int) -> None:
        self._sources, self._earlier, self._now = sources, earlier, now
        self._people: dict[int, Sequence[Beat]] = {}
        self._items: dict[int, _Recent] = {}
        self._measured: Mapping[str, float] | None = None

    def read(self, when: MetricWhen, site: Site) -> float | None:
        """The value of a rule's metric, None for no data. Raises `InvalidInput` for what cannot be read."""
        return when.read(_LiveMeasures(self, when, site))

    def current(self, when: MetricWhen, site: Site) -> float | None:
        """The metric now."""
        if self.is_sample(when, site):
            return sample_metrics.current(self._sources.samples, when, site.id, self._now)
        if when.metric in SYSTEM_METRICS:
            return self._system().get(when.metric)
        return float(self._events(site, when.filters) if when.metric == EVENTS else len(self.people(when, site)))

    def earlier(self, when: MetricWhen, site: Site) -> float | None:
        """The metric an hour ago."""
        if self.is_sample(when, site):
            return sample_metrics.earlier(self._sources.database, when, site.id, self._now)
        if when.metric in SYSTEM_METRICS:
            return None
        if when.metric == EVENTS:
            return float(self._earlier_events(site, when.filters))
        return float(len(among(self._earlier.read(self._sources, site.id, self._now), when.metric, when.filters)))

    def is_sample(self, when: MetricWhen, site: Site) -> bool:
        """Whether the metric is one of which samples are sent: its own, or the application's of a metric of ours."""
        is_ours = when.metric in SYSTEM_METRICS
        return self._sources.samples.knows(site.id, when.metric) if is_ours else is_sample(when.metric)

    def people(self, when: MetricWhen, site: Site) -> Sequence[Beat]:
        """The latest beat of each person who is active now and is one of those that the rule is about."""
        return among(self._active(site), when.metric, when.filters)

    def everybody(self, filters: tuple[Filter, ...], site: Site) -> Sequence[Beat]:
        """The latest beat of each person who is active now and suits the filters."""
        return among(self._active(site), "active_sessions", filters)

    def _active(self, site: Site) -> Sequence[Beat]:
        if site.id not in self._people:
            self._people[site.id] = self._sources.live.people(site.id)
        return self._people[site.id]

    def items(self, when: MetricWhen, site: Site, span: Span) -> list[FeedItem]:
        """The pageviews and events of that span that the rule is about, as far as they are in memory."""
        suits = test_of(when.filters, ALL_OF_ITEMS)
        every = self._sources.live.recent_items(site.id, MAX_ITEMS)
        return [one for one in every if span.begin <= one.timestamp < span.end and suits(one)]

    def _system(self) -> Mapping[str, float]:
        if self._measured is None:
            self._measured = self._sources.measured()
        return self._measured

    def _events(self, site: Site, filters: tuple[Filter, ...]) -> int:
        if site.id not in self._items:
            self._items[site.id] = self._recent(site.id)
        recent = self._items[site.id]
        if not recent.is_whole:
            return self._stored_events(site, filters, Span(self._now - MINUTE + 1, self._now + 1))
        return sum(map(test_of(filters, ALL_OF_ITEMS), recent.items)) if filters else len(recent.items)

    def _recent(self, site_id: int) -> _Recent:
        """The pageviews and events of the last minute."""
        since = self._now - MINUTE + 1
        for many in (FEW_ITEMS, MAX_ITEMS):
            found = self._sources.live.recent_items(site_id, many)
            is_whole = bool(found) and found[-1].timestamp < since
            if is_whole or len(found) < many:
                break
        within = [one for one in found if since <= one.timestamp <= self._now]
        return _Recent(within, is_whole or (len(found) < many and self._sources.live.has_all_items(site_id)))

    def _earlier_events(self, site: Site, filters: tuple[Filter, ...]) -> int:
        end = self._now // MINUTE * MINUTE - HOUR
        return self._stored_events(site, filters, Span(end - MINUTE, end))

    def _stored_events(self, site: Site, filters: tuple[Filter, ...], span: Span) -> int:
        if filters:
            query = Query.of(site, metrics=("events",), filters=filters)
            return int(_number(query, span, self._sources.backend) or 0)
        return sum(_count(self._sources.database, table, site.id, span) for table in (schema.pageviews, schema.events))


class _LiveMeasures(NamedTuple):
    """The measures of one rule on a live metric."""

    readings: LiveReadings
    when: MetricWhen
    site: Site

    def current(self) -> float | None:
        return self.readings.current(self.when, self.site)

    def earlier(self) -> float | None:
        return self.readings.earlier(self.when, self.site)

    def latest(self) -> float | None:
        return self.current()


class _Recent(NamedTuple):
    """The pageviews and events of the last minute. Unless `is_whole`, memory does not have all of them."""

    items: Sequence[FeedItem]
    is_whole: bool


def _count(database: Database, table: Table, site_id: int, span: Span) -> int:
    """The rows of a table of hits in the span: a cheap statement, since it may run every few seconds."""
    within = table.c.id >= first_id(span.begin), table.c.id < first_id(span.end)
    with database.read() as connection:
        counting = select(func.count()).select_from(table).where(table.c.site_id == site_id, *within)
        return connection.execute(counting).scalar_one()


def stored_value(
    when: MetricWhen,
    site: Site,
    database: Database,
    backend: Backend,
    window_s: int,
    now: int,
    measured: Measured = dict,
) -> float | None:
    """The value of a rule's metric now, where there is no hub: read from the database, or `measured`. None: no data.

    Raises `InvalidInput` for what cannot be read, and what `backend` raises.
    """
    if not is_live(when):
        return read_historical(when, site, backend, now)
    live, samples = StoredLive(database, window_s, now), StoredSamples(database)
    sources = Sources(database, live, backend, window_s, measured, samples)
    return LiveReadings(sources, EarlierPeople(), now).read(when, site)


def among(people: Sequence[Beat], metric: str, filters: tuple[Filter, ...]) -> Sequence[Beat]:
    """Those of the people whom a live metric with these filters counts.

    Raises `InvalidInput` for a filter of another kind, and `LookupError` for a metric that is not live.
    """
    suits = test_of(filters, OF_PEOPLE) if filters else None
    wanted = people if suits is None else [one for one in people if suits(one)]
    match metric:
        case "authenticated_users":
            return [one for one in wanted if one.user_id is not None]
        case "anonymous_sessions":
            return [one for one in wanted if one.user_id is None]
        case "active_sessions" | "events_per_minute":
            return wanted
    raise LookupError(f"no live metric {metric[:60]!r}")


def read_historical(when: MetricWhen, site: Site, backend: Backend, now: int) -> float | None:
    """The value of a rule's historical metric, None for no data. Raises `InvalidInput` for what cannot be asked."""
    return when.read(_HistoricalMeasures(query_of(when, site), backend, now))


class _HistoricalMeasures(NamedTuple):
    """The measures of one rule on a historical metric.

    The latest are the last two minutes, one of which the reading before had too: what is stored a moment late is not
    missed.
    """

    query: Query
    backend: Backend
    now: int

    def current(self) -> float | None:
        return self._number(span_of(self.query, self.now, self.backend))

    def earlier(self) -> float | None:
        span = earlier_span(self.query, self.now)
        return None if span is None else self._number(span)

    def latest(self) -> float | None:
        return self._number(Span(self.now - 2 * HISTORICAL_S, self.now))

    def _number(self, span: Span) -> float | None:
        return _number(self.query, span, self.backend)


def query_of(when: MetricWhen, site: Site) -> Query:
    """The question for a rule's historical metric, compared with the period before."""
    period = Period.parse(when.period or USUAL_PERIOD)
    return Query.of(site, period=period, metrics=(when.metric,), filters=when.filters, comparison=Comparison())


def earlier_span(query: Query, now: int) -> Span | None:
    """The seconds of the period before, as far as it had passed by the same moment; None where there is none."""
    found = query.compared(now // MOMENT_S * MOMENT_S)
    return found if found and found.begin >= 0 else None


def _number(query: Query, span: Span, backend: Backend) -> float | None:
    """The metric of the span, as the statistics API has it, but not rounded: shares are in %, and no money is 0."""
    if any(one.unit == "money" for one in query.resolved_metrics):
        return money.number(query, span, backend)
    (row,) = answer(query, span, backend).rows
    (number,), (metric,) = row.metrics, query.resolved_metrics
    return None if number is None else float(number) * (100 if metric.unit == "share" else 1)
