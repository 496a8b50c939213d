"""What an Overview asks of the past, each question at most once for one request."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from typing import Any
from zoneinfo import ZoneInfo

from analytics.base import idn
from analytics.calendar.period import Clock, Period, Span, midnight, span
from analytics.jobs import daily_usage as usage
from analytics.jobs.usage import Usage
from analytics.query import segments, stats
from analytics.query.dimensions import dimension
from analytics.query.filters import Filter, Match
from analytics.query.formatting import value
from analytics.query.hours_of_week import hours_of_week, looked_at
from analytics.query.metrics import metric
from analytics.query.query import MOST_ROWS, Order, Query
from analytics.query.result import Breakdown, Hour
from analytics.query.segment import Segment
from analytics.query.stats import Ask
from analytics.sites import notes
from analytics.sites.note import Note
from analytics.sites.site import Site
from analytics.storage.database import Database
from layouts.components import figures
from layouts.overview import chart, details
from layouts.overview.chart import Chart
from layouts.overview.details import Entry, Listing
from layouts.overview.lists import LISTS, List, read
from layouts.overview.numbers import Numbers
from layouts.overview.page import ROWS
from layouts.overview.segments import May
from layouts.overview.usage import MOST_DAYS
from layouts.overview.view import PAGE, TIME, Details, View, interval_of

COUNTRY = "country"
DAY_S = 86_400
FIRST_DAY = "today"
MOST_SETS = 1_000  # of properties of an event that are looked through for their names
MOST_PROPERTIES = 12


def first_period(site: Site, ask: Ask, now: int) -> str:
    """`today` where a site's first visit is of today or still to come, else "": the usual period is the days before
    today, and there is nothing of them.
    """
    today = span(Period(FIRST_DAY), Clock(site.timezone, site.week_start), now)
    return "" if 0 < stats.first_second(site.id, ask) < today.begin else FIRST_DAY


class Answers:
    """The answers to one view of a site at one moment. Each raises what the database raises."""

    def __init__(self, site: Site, view: View, ask: Ask, database: Database, may: May, now: int) -> None:
        self.site, self.view, self.now, self.may = site, view, now, may
        self._ask, self._database = ask, database
        self.query = view.query
        self.zone = ZoneInfo(site.timezone)

    @cached_property
    def first(self) -> int:
        """The second of the first pageview or event; 0 where there is none."""
        return stats.first_second(self.site.id, self._ask)

    @cached_property
    def span(self) -> Span:
        """The seconds of the period."""
        is_all = not self.query.period.dates and self.query.period.preset == "all"
        return self.query.span(self.now, (self.first or self.now) if is_all else 0)

    @cached_property
    def earlier(self) -> Span | None:
        """As much of what it is compared with; None where that was before there were computers to count."""
        found = self.query.compared(self.now)
        return found if found and found.begin >= 0 else None

    @property
    def today(self) -> str:
        """The day there, like 2026-11-20."""
        return datetime.fromtimestamp(self.now, self.zone).date().isoformat()

    @property
    def period(self) -> str:
        """The period within a sentence: `last 30 days`."""
        dates = self.query.period.dates
        if dates:
            return figures.dates(*dates)
        label = self.query.period.label
        return label[:1].lower() + label[1:]

    def segments(self) -> list[Segment]:
        """The saved segments that whoever asks sees."""
        return segments.of_site(self._database, self.site.id, self.may.person_id)

    @cached_property
    def notes(self) -> list[Note]:
        """The notes of the period."""
        return notes.of_site(self._database, self.site.id, *chart.days_of(self.span, self.zone))

    @cached_property
    def numbers(self) -> Numbers:
        """The six numbers."""
        return stats.aggregate(self.query, self.span, self._ask)

    @cached_property
    def before(self) -> Numbers | None:
        """The same of what they are compared with."""
        return stats.aggregate(self.query, self.earlier, self._ask) if self.earlier else None

    @cached_property
    def everybody(self) -> int:
        """The visitors."""
        return int(stats.aggregate(replace(self.query, metrics=("visitors",)), self.span, self._ask)["visitors"] or 0)

    def chart(self) -> Chart:
        """The chosen metric over time."""
        interval = interval_of(self.view, self.span)
        now = self._buckets(self.span, interval)
        before = self._buckets(self._beside(), interval) if self.earlier else []
        return Chart(metric(self.view.metric), interval, now, before[: len(now)], self.now, self.zone, self._noted())

    def _noted(self) -> list[chart.Note]:
        return [(midnight(one.day, self.zone), one.text) for one in self.notes]

    def _beside(self) -> Span:
        """What the chart's line is compared with: a day more than is drawn at most, for a day may have 25 hours."""
        begin, end = self.query.compared(self.now, whole=True) or self.span
        return Span(begin, min(end, begin + self.span.end - self.span.begin + DAY_S))

    def _buckets(self, span: Span, interval: str) -> list[chart.Bucket]:
        points = stats.timeseries(replace(self.query, metrics=(self.view.metric,)), span, interval, self._ask)
        return [(point.span, point.metrics[0]) for point in points]

    def rows(self, shown: List) -> Breakdown:
        """The first rows of a list; of a map all countries."""
        limit = 300 if shown.id == "map" else ROWS
        return self._split(shown.dimension, shown.filters, limit=limit)

    @cached_property
    def properties(self) -> list[str]:
        """The names of the properties of the event that everything is filtered by, the most frequent first."""
        return stats.property_names(self._events(), self.span, self._ask)[:MOST_PROPERTIES]

    @property
    def open_property(self) -> str:
        """The one of them whose values are on show; "" where there is none."""
        chosen = self.view.event_property
        return chosen if chosen in self.properties else next(iter(self.properties), "")

    def values(self, name: str, *, whole: bool = False) -> Breakdown:
        """The values of one of them, the first or all (10,000 at most)."""
        limit = MOST_ROWS if whole else ROWS
        return self._split(f"prop:{name}", (Match("is_not", f"prop:{name}", ("",)),), limit=limit)

    def _events(self) -> Query:
        return replace(self.query, metrics=("events",), limit=MOST_SETS)

    def week(self) -> list[list[Hour]]:
        """Visitors by weekday and hour."""
        span = looked_at(self.span, self.now)
        points = stats.timeseries(replace(self.query, metrics=("visitors",)), span, "hour", self._ask)
        return hours_of_week(points, self.query.clock)

    @property
    def week_period(self) -> str:
        """The period of which `week` tells."""
        looked = looked_at(self.span, self.now)
        return self.period if looked.begin == self.span.begin else "last 52 weeks"

    @property
    def days(self) -> list[date]:
        """The UTC days of the period that are over, at most 400."""
        end = datetime.fromtimestamp(min(self.span.end, self.now), UTC).date()
        many = (end - datetime.fromtimestamp(self.span.begin, UTC).date()).days
        return [end - timedelta(days=back) for back in range(min(many, MOST_DAYS), 0, -1)]

    def usage(self) -> list[Usage]:
        """How many people each of them had, as counted in the night after it."""
        return usage.read(self._database, [self.site.id], self.days).get(self.site.id, [])

    # ── details ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def listing(self, one: Details, *, whole: bool = False) -> Listing:
        """The rows of the details' page, or `whole` all that there are (10,000 at most)."""
        if one.of == TIME:
            return self._cut(self._over_time(), one, whole)
        if LISTS[one.of].dimension == COUNTRY:
            return self._cut(self._countries(one), one, whole)
        return self._sorted_there(one, whole)

    def _sorted_there(self, one: Details, whole: bool) -> Listing:
        """Searched, sorted and cut by the database."""
        shown = LISTS[one.of]
        filters = shown.filters
        if one.search:
            either = one.search, idn.in_ascii(one.search)
            filters = (*filters, Match("contains", shown.dimension, either, exact_case=False))
        order = Order(shown.dimension if one.order.by == "name" else one.order.by, one.order.descending)
        cut = {"limit": MOST_ROWS} if whole else {"limit": PAGE, "offset": (one.page - 1) * PAGE}
        answer = self._split(shown.dimension, filters, metrics=shown.metrics, order=(order,), **cut)
        return Listing(_entries(shown.dimension, answer), answer.total, self.everybody)

    def _countries(self, one: Details) -> list[Entry]:
        """All of them, which are few: people search and sort by names that the database does not know."""
        shown = LISTS[one.of]
        entries = _entries(COUNTRY, self._split(COUNTRY, metrics=shown.metrics, limit=MOST_ROWS))
        wanted = one.search.casefold()
        return [entry for entry in entries if wanted in entry.name.casefold()]

    def _over_time(self) -> list[Entry]:
        interval = interval_of(self.view, self.span)
        written = value(dimension(f"time:{interval}"), self.query.clock)
        points = stats.timeseries(self.query, self.span, interval, self._ask)
        return [
            Entry(chart.name_of(point.span, interval, self.zone), written(point.span.begin), point.metrics)
            for point in points
            if point.span.begin <= self.now
        ]

    def _cut(self, entries: list[Entry], one: Details, whole: bool) -> Listing:
        columns = details.metrics_of(one.of)
        if one.order.by == "name":
            entries.sort(key=lambda entry: entry.value if one.of == TIME else entry.name, reverse=one.order.descending)
        else:
            at = columns.index(one.order.by)
            known = [entry for entry in entries if entry.numbers[at] is not None]
            known.sort(key=lambda entry: entry.numbers[at] or 0, reverse=one.order.descending)
            entries = [*known, *(entry for entry in entries if entry.numbers[at] is None)]
        first = 0 if whole else (one.page - 1) * PAGE
        return Listing(entries if whole else entries[first : first + PAGE], len(entries), self.everybody)

    def _split(self, name: str, filters: Sequence[Filter] = (), **fields: Any) -> Breakdown:
        asked = {"metrics": ("visitors",), "filters": (*self.query.filters, *filters), "dimensions": (name,)} | fields
        return stats.breakdown(replace(self.query, **asked), self.span, self._ask)


def _entries(name: str, answer: Breakdown) -> list[Entry]:
    return [Entry(read(name, str(row.dimensions[0])), str(row.dimensions[0]), row.metrics) for row in answer.rows]
