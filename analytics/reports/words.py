"""How periods, buckets of time and weekdays read, in a language of `language.LANGUAGES`."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, tzinfo

from analytics.base import language
from analytics.calendar.period import Period, Span, days_of

MONDAY = datetime(2024, 1, 1, tzinfo=UTC)
FIELDS = {"minute": "MMMEd", "hour": "MMMEd", "day": "MMMEd", "month": "yMMMM"}


def period_words(period: Period, tag: str) -> str:
    """The period within a sentence: `last 30 days`."""
    if period.dates:
        return language.dates(*period.dates, tag)
    return period.label[:1].lower() + period.label[1:]


def bucket_name(span: Span, interval: str, zone: tzinfo, tag: str) -> str:
    """`Fri 6 Nov`, `Fri 6 Nov, 14:00`, `2 – 8 Nov 2026`, `November 2026`."""
    if interval == "week":
        return language.dates(*days_of(span, zone), tag)
    begin = datetime.fromtimestamp(span.begin, zone)
    written = language.dated(begin, FIELDS[interval], tag)
    return written if interval in ("day", "month") else f"{written}, {language.time_of_day(begin, tag)}"


def weekday(number: int, tag: str) -> str:
    """`Mon` of 0."""
    return language.dated(MONDAY + timedelta(days=number), "E", tag)
