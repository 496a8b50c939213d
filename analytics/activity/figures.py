"""The figures of a site's cards, through the one `answer`.

Counts and amounts of events can be added up, so a span is asked for in parts that end at full hours: the whole hours
are answered from the kept answers until the next hour begins, and only the rest is counted each time.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from itertools import pairwise
from typing import NamedTuple
from zoneinfo import ZoneInfo

from analytics.activity.card import COUNT, GAUGE, STAT, TICKER, TODAY, Card
from analytics.activity.figure import HOUR_S, Figure, Figures, hour_of
from analytics.activity.newest import newest
from analytics.activity.readings import GaugeReading
from analytics.calendar.period import Clock, Period, Span, buckets, midnight, moved, span
from analytics.query.answer import answer
from analytics.query.backend import Backend, compute
from analytics.query.filters import Match
from analytics.query.metrics import PAGEVIEW
from analytics.query.query import MAX_ROWS, Query
from analytics.query.result import Answer, Row
from analytics.sites.site import Site

DAY_S, HOURS = 86_400, 24
EARLIER: Sequence[Mapping[str, int]] = ({"days": 1}, {"days": 7}, {"months": 1})
SETTLED_S = 2  # the replica has what happened before
MOMENT_S = 5  # people who look at the same time ask the same, and it is kept
CUSTOM = Match("is_not", "event", (PAGEVIEW,))
CENT = 6  # decimals of an amount: sums of parts have no other


class _What(NamedTuple):
    """What a card counts: events of a name ("": of any), or their amounts in a currency."""

    event: str
    currency: str


Sums = Mapping[_What, float]
NO_GAUGES: Mapping[int, GaugeReading] = {}


def read_figures(
    site: Site, cards: Sequence[Card], backend: Backend, now: int, gauges: Mapping[int, GaugeReading] = NO_GAUGES
) -> Figures:
    """The contents of the cards as they are now: of events that are two to seven seconds old, and of the `gauges`,
    with what they were at the `gauge_hours` of now.
    """
    until = (now - SETTLED_S) // MOMENT_S * MOMENT_S
    return _read(_Reader(site, cards, backend, until, gauges, gauge_hours(site, now)))


def figures_at(
    site: Site, cards: Sequence[Card], backend: Backend, at: int, gauges: Mapping[int, GaugeReading] = NO_GAUGES
) -> Figures:
    """The contents of the cards as they were at the end of that second of the past (epoch); of the `gauges` what they
    were when its hour began, so they need the `gauge_hours` of that second.

    Only answers of whole hours are kept: the next question is of another second.
    """
    then = {number: one._replace(value=one.hours.get(hour_of(at))) for number, one in gauges.items()}
    reader = _Reader(site, cards, backend, at + 1, then, gauge_hours(site, at))
    reader.of_rest = backend._replace(keep=compute)
    return _read(reader)


def gauge_hours(site: Site, at: int) -> list[int]:
    """The hours whose readings of gauges the cards of that second show: the last 24, and those of earlier days."""
    last = [hour_of(at) - back * HOUR_S for back in range(HOURS - 1, -1, -1)]
    return [*(hour_of(same_time(at, ZoneInfo(site.timezone), **back)) for back in EARLIER), *last]


def _read(reader: _Reader) -> Figures:
    until = reader.until
    today = datetime.fromtimestamp(until, reader.zone).date()
    ends = midnight(today + timedelta(days=1), reader.zone)
    return Figures(until, ends, tuple(map(reader.figure, reader.cards)))


def same_time(moment: int, zone: ZoneInfo, *, days: int = 0, months: int = 0) -> int:
    """The second at which the clocks of the zone showed the same time so many days and months earlier.

    The last day of a month that is too short. Where clocks skipped that time, as many seconds after the change.
    """
    wall = datetime.fromtimestamp(moment, zone)
    day = moved(wall.date(), -months) - timedelta(days=days)
    return int(wall.replace(year=day.year, month=day.month, day=day.day).timestamp())


class _Reader:
    """Reads each span once, for all cards together."""

    def __init__(
        self,
        site: Site,
        cards: Sequence[Card],
        backend: Backend,
        until: int,
        gauges: Mapping[int, GaugeReading],
        hours: Sequence[int],
    ) -> None:
        self.site, self.cards, self.backend, self.until = site, cards, backend, until
        self.gauges, self.hours = gauges, hours
        self.of_rest = backend  # answers for parts of hours
        self.clock = Clock(site.timezone, site.week_start)
        self.zone = ZoneInfo(site.timezone)
        counted = [card for card in cards if card.kind not in (TICKER, GAUGE)]
        self._names = tuple(sorted({card.event for card in counted if card.event}))
        self._any = any(not card.event for card in counted)
        self._sums: dict[Span, Sums] = {}
        self._lines: list[Sums] = []

    def figure(self, card: Card) -> Figure:
        if card.kind == TICKER:
            return Figure(card, newest=tuple(newest(self.site.id, card.event, self.until, self.backend.fetch)))
        if card.kind == GAUGE:
            return self._gauge(card)
        now = self._value(card, self.until)
        if card.kind != STAT:
            return Figure(card, now)
        moments = (same_time(self.until, self.zone, **back) for back in EARLIER)
        return Figure(card, now, tuple(self._value(card, moment) for moment in moments), self._line(card))

    def _gauge(self, card: Card) -> Figure:
        found = self.gauges.get(card.gauge_id or 0)
        if found is None:
            return Figure(card, None)
        kept = [found.hours.get(hour) for hour in self.hours]
        earlier, line = kept[: len(EARLIER)], kept[len(EARLIER) :]
        known = tuple(value for value in line if value is not None)
        return Figure(card, found.value, tuple(earlier), known, changed_at=found.changed_at)

    def _value(self, card: Card, until: int) -> float:
        """The card's number of the span that ends then."""
        begin = midnight(datetime.fromtimestamp(until, self.zone).date(), self.zone)
        whole = Span(begin if card.span == TODAY else until - DAY_S, until)
        if whole not in self._sums:
            self._sums[whole] = self._sum(whole)
        return _rounded(card, self._sums[whole])

    def _sum(self, whole: Span) -> Sums:
        sums: Counter[_What] = Counter()
        for part in parts(whole):
            for row in self._rows(part):
                _add(sums, row.dimensions, row.metrics)
        return sums

    def _line(self, card: Card) -> tuple[float, ...]:
        """The card's number of each of the last 24 whole hours."""
        if not self._lines:
            self._lines = self._by_hour()
        return tuple(_rounded(card, sums) for sums in self._lines)

    def _by_hour(self) -> list[Sums]:
        running = buckets(span(Period("24h"), self.clock, self.until), "hour", self.clock)[-1]
        whole = Span(running.begin - DAY_S, running.begin)
        hours: dict[int, Counter[_What]] = {part.begin: Counter() for part in buckets(whole, "hour", self.clock)}
        for row in self._rows(whole, "time:hour"):
            _add(hours[int(row.dimensions[0])], row.dimensions[1:], row.metrics)
        return list(hours.values())

    def _rows(self, whole: Span, *first: str) -> Iterator[Row]:
        """Rows by currency and name, behind the `first` dimensions; with the name "" those of all events.

        A statement takes longer to build than to run, so there is one where one will do: all events by their names.
        """
        if self._any:
            found = self._answer(whole, (*first, "currency", "event"), CUSTOM)
            if found.total <= len(found.rows):
                yield from found.rows
                yield from (Row((*row.dimensions[:-1], ""), row.metrics) for row in found.rows)
                return
            for row in self._answer(whole, (*first, "currency"), CUSTOM).rows:
                yield Row((*row.dimensions, ""), row.metrics)
        if self._names:
            named = Match("is", "event", self._names)
            yield from self._answer(whole, (*first, "currency", "event"), named).rows

    def _answer(self, whole: Span, by: tuple[str, ...], events: Match) -> Answer:
        metrics = ("events", "total_revenue")
        query = Query.of(self.site, metrics=metrics, dimensions=by, filters=(events,), limit=MAX_ROWS)
        is_of_hours = whole.begin % HOUR_S == whole.end % HOUR_S == 0
        return answer(query, whole, self.backend if is_of_hours else self.of_rest)


def parts(whole: Span) -> list[Span]:
    """The span in at most three parts: until a full hour, the whole hours, the rest. Empty for an empty span."""
    first = min(-(-whole.begin // HOUR_S) * HOUR_S, whole.end)
    last = max(first, whole.end // HOUR_S * HOUR_S)
    edges = (whole.begin, first, last, whole.end)
    return [Span(begin, end) for begin, end in pairwise(edges) if begin < end]


def _add(sums: Counter[_What], dimensions: Sequence[str | int], metrics: Iterable[float | None]) -> None:
    """Adds one row: its events, and what they were worth in its currency."""
    currency, name = map(str, dimensions)
    events, amount = metrics
    sums[_What(name, "")] += int(events or 0)
    if currency:
        sums[_What(name, currency)] += amount or 0  # type: ignore[assignment]  # a Counter adds floats as well


def _rounded(card: Card, sums: Sums) -> float:
    if card.measure == COUNT:
        return sums.get(_What(card.event, ""), 0)
    return round(sums.get(_What(card.event, card.currency), 0), CENT)
