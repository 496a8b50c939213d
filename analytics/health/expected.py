"""What is expected of a series: values without numpy, so that pages and rules can import them."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from enum import Enum
from operator import attrgetter
from typing import NamedTuple

_ROUNDING = 1e-9  # a reading on the edge of its range is within it


class Readings(NamedTuple):
    """A count in each bucket of `width_s` seconds, by the bucket's first second (epoch), in any order.

    A bucket that is missing, or whose value is NaN, is a gap: nobody knows. One in which nothing came has a 0.
    """

    begins: Sequence[int]
    values: Sequence[float]
    width_s: int


class Expected(NamedTuple):
    """What is expected of the bucket that begins then (epoch s), and the range in which the stated share lies."""

    begin: int
    value: float
    low: float
    high: float


class Side(Enum):
    """Where a reading lies."""

    BELOW = "below"
    WITHIN = "within"
    ABOVE = "above"


class Backtest(NamedTuple):
    """How well earlier buckets were foreseen, each from what was known before it.

    `error` is the mean absolute error, `naive_error` that of seasonal naive (the same clock time a week before) over
    the same `readings`. `within`: the share of readings within their range. `naive_share`: for which share seasonal
    naive was used, because it had been the better one. All are None where `readings` is 0.
    """

    readings: int
    error: float | None = None
    naive_error: float | None = None
    within: float | None = None
    naive_share: float | None = None

    @property
    def mase(self) -> float | None:
        """The error as a multiple of that of seasonal naive: below 1 is better. None where that has no error."""
        return self.error / self.naive_error if self.error is not None and self.naive_error else None


@dataclass(frozen=True, slots=True)
class TooShort:
    """Not enough history: readings for so many days, of those that are needed."""

    days: float
    needed: int


@dataclass(frozen=True, slots=True)
class Forecast:
    """The expected ranges of a series as of `now` (epoch s), in order of time.

    `past`: the buckets that had ended by `now`, each expected from what was known when its hour began. Later readings
    do not change it. Excluded buckets, and those of which nothing was known before, are left out. `ahead`: the next
    24 hours, from the bucket that is still open, as known by `now`.

    `hour_ahead` is the back-test of `past`, `day_ahead` that of `ahead`: of forecasts made 24 hours before. `share` of
    the readings is to be within the range. `clock_changes`: the dates whose day has 23 or 25 hours, oldest first.
    """

    now: int
    width_s: int
    share: float
    past: Sequence[Expected]
    ahead: Sequence[Expected]
    hour_ahead: Backtest
    day_ahead: Backtest
    clock_changes: Sequence[date]

    def expected(self, begin: int) -> Expected | None:
        """What was expected of the ended bucket that begins then; None where nothing was, or where it is still open."""
        place = bisect_left(self.past, begin, key=attrgetter("begin"))
        found = self.past[place] if place < len(self.past) else None
        return found if found and found.begin == begin else None


class Peak(NamedTuple):
    """The highest expected bucket of the next 24 hours, by its first second (epoch), with its range.

    `begin` is up to `now` where it is the bucket that is open. `times` is the expected value as a multiple of the
    current one; None where that is 0 or unknown.
    """

    begin: int
    value: float
    low: float
    high: float
    times: float | None


def side(forecast: Forecast, begin: int, value: float) -> Side | None:
    """Where the reading of an ended bucket lies. None where nothing was expected of it: it is open, excluded or too
    early.
    """
    expected = forecast.expected(begin)
    if expected is None:
        return None
    rounding = _ROUNDING * max(1.0, abs(value))
    if value < expected.low - rounding:
        return Side.BELOW
    return Side.ABOVE if value > expected.high + rounding else Side.WITHIN


def next_peak(forecast: Forecast, current: float | None) -> Peak | None:
    """The next peak, compared with the current value; the first one of equal ones. None where nothing is expected, or
    nothing but 0.
    """
    highest = max(forecast.ahead, key=attrgetter("value"), default=None)
    if highest is None or highest.value <= 0:
        return None
    return Peak(*highest, times=highest.value / current if current else None)
