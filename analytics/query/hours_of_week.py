"""Weekday by hour: how many people an hour of the week has on average."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from analytics.calendar.period import Clock, Span, days_of, midnight
from analytics.query.result import Hour, Point

MAX_SPAN_S = 364 * 86_400  # 52 weeks: of a longer period the last 52
WEEK_DAYS, MIN_DAYS = 7, 28  # fewer days than a week have no week to show: the 28 days up to their end


def averaged_span(period: Span, now: int, zone: ZoneInfo, since: int = 0) -> Span:
    """The part of a period over which the hours are averaged: its last 52 weeks, up to now.

    A period of less than 7 days, in the zone, becomes the 28 days that end with it, from a midnight on, without the
    days before the site's first second `since`.
    """
    end = max(period.begin + 1, min(period.end, now + 1))
    begin = max(period.begin, end - MAX_SPAN_S)
    first, last = days_of(Span(begin, end), zone)
    if (last - first).days + 1 < WEEK_DAYS:
        first = max(last - timedelta(days=MIN_DAYS - 1), datetime.fromtimestamp(since, zone).date())
        begin = min(begin, max(0, midnight(first, zone)))
    return Span(begin, end)


def hours_of_week(points: Iterable[Point], clock: Clock) -> list[list[Hour]]:
    """A line of 24 hours for each weekday, from the first day of the clock's week on.

    `points` are visitors by the hour. An hour that a change of the clocks repeats counts as two.
    """
    zone = ZoneInfo(clock.zone)
    found: defaultdict[tuple[int, int], list[int]] = defaultdict(list)
    for point in points:
        wall = datetime.fromtimestamp(point.span.begin, zone)
        found[wall.weekday(), wall.hour].append(int(point.metrics[0] or 0))
    days = [(clock.week_start + day) % 7 for day in range(7)]
    return [[Hour(day, hour, _mean(found.get((day, hour), []))) for hour in range(24)] for day in days]


def _mean(values: list[int]) -> float | None:
    return sum(values) / len(values) if values else None
