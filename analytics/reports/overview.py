"""The Overview as data: numbers, comparison, chart, lists and hours of one view, for the page, its files and mail."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from typing import Any
from zoneinfo import ZoneInfo

from analytics.base import idn, language
from analytics.base.words import _, translated
from analytics.calendar.period import Clock, Period, Span, days_of, midnight, span
from analytics.query import segments, usage
from analytics.query.answer import answer, first_second, page_titles, property_names, series, span_of
from analytics.query.backend import Backend
from analytics.query.dimensions import TIME as BY_TIME
from analytics.query.dimensions import dimension
from analytics.query.filters import Filter, Match
from analytics.query.formatting import value
from analytics.query.hours_of_week import MIN_DAYS, averaged_span, hours_of_week
from analytics.query.query import MAX_ROWS, Order, Query
from analytics.query.result import Answer, Hour, Usage
from analytics.query.segment import Segment
from analytics.reports.lists import BY_CODE, LISTS, MAP, OF_PATHS, ROWS, TIME, List, read, shown_value
from analytics.reports.values import Bucket, Chart, ChartNote, Entry, Listing, Numbers, columns_of
from analytics.reports.view import PAGE, Details, View, interval_of, intervals, only_value, parse
from analytics.sites import notes
from analytics.sites.note import Note
from analytics.sites.site import Site
from analytics.storage.database import Database

COUNTRY = "country"
DAY_S = 86_400
FIRST_DAY = "today"
MAX_COUNTRIES = 300
MAX_REGIONS = 300  # of one country
MAX_PROPERTY_SETS = 1_000  # of an event, looked through for the names of its properties
MAX_PROPERTIES = 12
MAX_SUGGESTED = 200
MOMENT_S = 10  # what ends now ends at the last ten seconds: so people who look at it ask the same, and it is kept
MAX_USAGE_DAYS = 400  # of a longer period its last days


def first_period(site: Site, backend: Backend, now: int) -> str:
    """`today` where a site's first visit was today or is still to come, else "", the usual period, which
    ends yesterday and so would be empty then.
    """
    today = span(Period(FIRST_DAY), Clock(site.timezone, site.week_start), now)
    return "" if 0 < first_second(site.id, backend) < today.begin else FIRST_DAY


def read_overview(
    site: Site,
    address: str,
    backend: Backend,
    database: Database,
    now: int,
    *,
    person_id: int = 0,
    tag: str = language.DEFAULT,
) -> Overview:
    """The Overview that the query string of its address asks for; raises `InvalidInput` with the reason.

    `person_id` is the person whose own segments are listed too, 0 for none; names are written in the language `tag`.
    """
    view = parse(address, site)
    overview = Overview(site, view, backend, database, now, person_id, tag)
    if view.interval:
        interval_of(view, overview.span)
    return overview


class Overview:
    """One view of a site at one moment. Each part is read on demand, and raises what the database raises."""

    def __init__(
        self, site: Site, view: View, backend: Backend, database: Database, now: int, person_id: int, tag: str
    ) -> None:
        self.site, self.view, self.now, self.tag = site, view, now, tag
        self._backend, self._database, self._person_id = backend, database, person_id
        self.query = view.query
        self._moment = now // MOMENT_S * MOMENT_S
        self.zone = ZoneInfo(site.timezone)

    @cached_property
    def first(self) -> int:
        """The second of the first pageview or event; 0 where there is none."""
        return first_second(self.site.id, self._backend)

    @property
    def first_day(self) -> date | None:
        """The day of the first pageview or event in the site's zone; None where there is none."""
        return datetime.fromtimestamp(self.first, self.zone).date() if self.first else None

    @cached_property
    def span(self) -> Span:
        """The seconds of the period."""
        return span_of(self.query, self.now, self._backend)

    @cached_property
    def earlier(self) -> Span | None:
        """The seconds of the comparison; None without one, or where it begins before 1970."""
        found = self.query.compared(self._moment)
        return found if found and found.begin >= 0 else None

    @property
    def today(self) -> str:
        """Today in the site's zone, like 2026-11-20."""
        return datetime.fromtimestamp(self.now, self.zone).date().isoformat()

    @property
    def period(self) -> str:
        """The period within a sentence: `last 30 days`."""
        period = self.query.period
        if period.dates:
            return language.dates(*period.dates, self.tag)
        with language.writing_in(self.tag):
            label = translated(period.label)
        return label[:1].lower() + label[1:]

    def segments(self) -> list[Segment]:
        """The saved segments that this person sees."""
        return segments.of_site(self._database, self.site.id, self._person_id)

    @cached_property
    def notes(self) -> list[Note]:
        """The notes of the period."""
        return notes.of_site(self._database, self.site.id, *days_of(self.span, self.zone))

    @cached_property
    def numbers(self) -> Numbers:
        """The six numbers."""
        return self._numbers(self.span)

    @cached_property
    def before(self) -> Numbers | None:
        """The same numbers of the comparison; None without one."""
        return self._numbers(self.earlier) if self.earlier else None

    def _numbers(self, span: Span) -> Numbers:
        (row,) = answer(self.query, span, self._backend).rows
        return dict(zip(self.query.metrics, row.metrics, strict=True))

    @cached_property
    def everybody(self) -> int:
        """All visitors of the period and filters."""
        visitors = replace(self.query, metrics=("visitors",))
        (row,) = answer(visitors, self.span, self._backend).rows
        return int(row.metrics[0] or 0)

    @property
    def intervals(self) -> list[str]:
        """The intervals by which the chart can be drawn, the shortest first."""
        return intervals(self.span)

    def chart(self) -> Chart:
        """The chosen metric over time."""
        interval = interval_of(self.view, self.span)
        chosen = replace(self.query, metrics=(self.view.metric,))
        now = self._buckets(chosen, self.span, interval)
        before = self._buckets(chosen, self._compared_whole(), interval) if self.earlier else []
        noted: list[ChartNote] = [(midnight(one.day, self.zone), one.text) for one in self.notes]
        return Chart(chosen.resolved_metrics[0], interval, now, before[: len(now)], self.now, self.zone, noted)

    def _compared_whole(self) -> Span:
        """The seconds of the chart's comparison: up to a day longer than the period, since a day may have 25 hours."""
        begin, end = self.query.compared(self.now, whole=True) or self.span
        return Span(begin, min(end, begin + self.span.end - self.span.begin + DAY_S))

    def _buckets(self, query: Query, span: Span, interval: str) -> list[Bucket]:
        return [(point.span, point.metrics[0]) for point in series(query, span, interval, self._backend)]

    def rows(self, shown: List) -> Answer:
        """The first rows of a list; of the map all countries."""
        limit = MAX_COUNTRIES if shown.id == MAP else ROWS
        return self._split(shown.dimension, shown.filters, limit=limit)

    def titles(self, name: str, found: Sequence[str]) -> Mapping[str, str]:
        """The titles of these values of a dimension, where its lists show titles: pages by path."""
        if not self.view.titles or name not in OF_PATHS:
            return {}
        return page_titles(self.site.id, self.span, found, self._backend)

    @property
    def country(self) -> str:
        """The code of the country to which the filters limit everything; "" where they do not."""
        return only_value(self.query.filters, COUNTRY)

    @cached_property
    def regions(self) -> list[tuple[str, int]]:
        """The names of the regions of that country with their visitors, the most first; under "" unknown ones."""
        if not self.country:
            return []
        found = self._split("region", limit=MAX_REGIONS).rows
        return [(str(row.dimensions[0]), int(row.metrics[0] or 0)) for row in found]

    @cached_property
    def properties(self) -> list[str]:
        """The names of the properties of the event in the filters, the most frequent first."""
        events = replace(self.query, metrics=("events",), limit=MAX_PROPERTY_SETS)
        return property_names(events, self.span, self._backend)[:MAX_PROPERTIES]

    @property
    def open_property(self) -> str:
        """The property whose values are on show; "" where there is none."""
        chosen = self.view.event_property
        return chosen if chosen in self.properties else next(iter(self.properties), "")

    def values(self, name: str, *, whole: bool = False) -> Answer:
        """The values of a property: the first of them, or all (10,000 at most)."""
        limit = MAX_ROWS if whole else ROWS
        return self._split(f"prop:{name}", (Match("is_not", f"prop:{name}", ("",)),), limit=limit)

    def values_of(self, name: str, text: str = "") -> Answer:
        """The most frequent values of a dimension that contain the text, with their visitors; languages are found by
        their names too, of countries there are any. The database knows only the codes of both.
        """
        if name == COUNTRY:
            return self._split(name, limit=MAX_COUNTRIES)
        if name in BY_CODE:
            found, wanted = self._split(name, limit=MAX_ROWS), text.casefold()
            rows = [row for row in found.rows if wanted in self._names(name, str(row.dimensions[0])).casefold()]
            return replace(found, rows=rows[:MAX_SUGGESTED])
        either = text, idn.in_ascii(text)
        searched = (Match("contains", name, either, exact_case=False),) if text else ()
        return self._split(name, searched, limit=MAX_SUGGESTED)

    def _names(self, name: str, value: str) -> str:
        """How files and how people read a value, in two lines, to search in."""
        return f"{read(name, value)}\n{self._shown(name, value)}"

    def _shown(self, name: str, value: str) -> str:
        with language.writing_in(self.tag):
            return shown_value(name, value)

    def week(self) -> list[list[Hour]]:
        """Visitors by weekday and hour."""
        span = averaged_span(self.span, self._moment, self.zone, self.first)
        points = series(replace(self.query, metrics=("visitors",)), span, "hour", self._backend)
        return hours_of_week(points, self.query.clock)

    @property
    def week_period(self) -> str:
        """The period that `week` covers, within a sentence."""
        looked = averaged_span(self.span, self.now, self.zone, self.first)
        if looked.begin == self.span.begin:
            return self.period
        first, last = days_of(looked, self.zone)
        many = (last - first).days + 1
        with language.writing_in(self.tag):
            if many > MIN_DAYS:
                return _("last 52 weeks")
            if many == MIN_DAYS and looked.end > self.now:
                return _("last 4 weeks")
        return language.dates(first, last, self.tag)

    @property
    def days(self) -> list[date]:
        """The UTC days of the period that are over, at most 400."""
        end = datetime.fromtimestamp(min(self.span.end, self.now), UTC).date()
        many = (end - datetime.fromtimestamp(self.span.begin, UTC).date()).days
        return [end - timedelta(days=back) for back in range(min(many, MAX_USAGE_DAYS), 0, -1)]

    def usage(self) -> list[Usage]:
        """How many people each of these days had; days without anybody, or not counted yet, are left out."""
        return usage.read(self._database, [self.site.id], self.days).get(self.site.id, [])

    # ── details ──────────────────────────────────────────────────────────────────────────────────────────────────────

    def listing(self, one: Details, *, whole: bool = False) -> Listing:
        """The rows of the details' page, or `whole` all that there are (10,000 at most)."""
        if one.of == TIME:
            return self._cut(self._over_time(), one, whole)
        if LISTS[one.of].dimension in BY_CODE:
            return self._cut(self._by_code(one, whole), one, whole)
        return self._sorted_by_database(one, whole)

    def _sorted_by_database(self, one: Details, whole: bool) -> Listing:
        """Searched, sorted and cut by the database."""
        shown = LISTS[one.of]
        filters = shown.filters
        if one.search:
            either = one.search, idn.in_ascii(one.search)
            filters = (*filters, Match("contains", shown.dimension, either, exact_case=False))
        order = Order(shown.dimension if one.order.by == "name" else one.order.by, one.order.descending)
        cut = {"limit": MAX_ROWS} if whole else {"limit": PAGE, "offset": (one.page - 1) * PAGE}
        found = self._split(shown.dimension, filters, metrics=shown.metrics, order=(order,), **cut)
        return Listing(_entries(shown.dimension, found), found.total, self.everybody)

    def _by_code(self, one: Details, whole: bool) -> list[Entry]:
        """All countries or languages; `whole`, for a file, with English names of countries and codes of languages.
        They are searched and sorted here, since the database does not know their names.
        """
        shown, wanted = LISTS[one.of], one.search.casefold()
        found = self._split(shown.dimension, shown.filters, metrics=shown.metrics, limit=MAX_ROWS)
        return [
            entry if whole else entry._replace(name=self._shown(shown.dimension, entry.value))
            for entry in _entries(shown.dimension, found)
            if wanted in self._names(shown.dimension, entry.value).casefold()
        ]

    def _over_time(self) -> list[Entry]:
        interval = interval_of(self.view, self.span)
        write = value(dimension(f"{BY_TIME}{interval}"), self.query.clock)
        points = series(self.query, self.span, interval, self._backend)
        return [
            Entry(self._bucket_name(point.span, interval), write(point.span.begin), point.metrics)
            for point in points
            if point.span.begin <= self.now
        ]

    def _bucket_name(self, span: Span, interval: str) -> str:
        begin, (_first, last) = datetime.fromtimestamp(span.begin, self.zone), days_of(span, self.zone)
        return language.bucket(begin, last, interval, self.tag)

    def _cut(self, entries: list[Entry], one: Details, whole: bool) -> Listing:
        columns = columns_of(one.of)
        if one.order.by == "name":
            entries.sort(key=lambda entry: entry.value if one.of == TIME else entry.name, reverse=one.order.descending)
        else:
            at = columns.index(one.order.by)
            known = [entry for entry in entries if entry.numbers[at] is not None]
            known.sort(key=lambda entry: entry.numbers[at] or 0, reverse=one.order.descending)
            entries = [*known, *(entry for entry in entries if entry.numbers[at] is None)]
        first = 0 if whole else (one.page - 1) * PAGE
        return Listing(entries if whole else entries[first : first + PAGE], len(entries), self.everybody)

    def _split(self, name: str, filters: Sequence[Filter] = (), **fields: Any) -> Answer:
        fields = {"metrics": ("visitors",), "filters": (*self.query.filters, *filters), "dimensions": (name,)} | fields
        return answer(replace(self.query, **fields), self.span, self._backend)


def _entries(name: str, found: Answer) -> list[Entry]:
    return [Entry(read(name, str(row.dimensions[0])), str(row.dimensions[0]), row.metrics) for row in found.rows]
