"""UTC days: their numbers, borders, and which of them are due."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta

HOUR = 3600
DUE_S = HOUR  # the day's work is due at 01:00 UTC


def day_of(at: int) -> date:
    """The UTC day of that second (epoch)."""
    return datetime.fromtimestamp(at, UTC).date()


def start_of(day: date) -> int:
    """The first second (epoch) of a UTC day."""
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp())


def due_day(now: int) -> date:
    """The latest day whose work is due: today from 01:00 UTC on, yesterday before."""
    return day_of(now - DUE_S)


def days_between(first: date, end: date) -> list[date]:
    """The days from `first` to the one before `end`."""
    return [first + timedelta(days=step) for step in range((end - first).days)]


def late_days(moments: Iterable[int], now: int) -> set[date]:
    """The UTC days of these moments (epoch s) that are over."""
    today = start_of(day_of(now))
    return {day_of(at) for at in moments if at < today}
