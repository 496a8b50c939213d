"""Series for forecasts: what the clocks of a zone show decides what an hour counts."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta
from math import sqrt
from zoneinfo import ZoneInfo

from analytics.calendar.period import midnight
from analytics.health.expected import Expected, Forecast, Readings
from analytics.health.forecast import fit

BERLIN = "Europe/Berlin"
MONDAY = date(2026, 6, 1)
HOUR, QUARTER = 3600, 900
Count = Callable[[datetime], float]


def of_the_week(wall: datetime) -> float:
    """A hundred by day and four in the night; half of that at weekends; three times as many from 20:00 to 20:59."""
    count = 100.0 if 8 <= wall.hour < 23 else 4.0
    return count * (0.5 if wall.weekday() > 4 else 1.0) * (3.0 if wall.hour == 20 else 1.0)


def counted(wall: datetime, mean: Count = of_the_week) -> float:
    """The same as it is counted: as it is, or its square root more or less, each in one week of three."""
    usual, week = mean(wall), (wall.toordinal() - 1) // 7
    return usual + sqrt(usual) * (0, 1, -1)[(week + wall.weekday() + wall.hour) % 3]


def moment(day: date, hour: int = 0, minute: int = 0, zone: str = BERLIN, fold: int = 0) -> int:
    """The second (epoch) at which the zone's clocks show that; with `fold` 1 the second time."""
    return int(datetime(day.year, day.month, day.day, hour, minute, fold=fold, tzinfo=ZoneInfo(zone)).timestamp())


def wall(at: int, zone: str = BERLIN) -> datetime:
    """What the zone's clocks show at that second."""
    return datetime.fromtimestamp(at, ZoneInfo(zone))


def series(days: int, count: Count = counted, *, first: date = MONDAY, zone: str = BERLIN, width_s: int = HOUR):
    """The readings of that many whole days of the zone, each of what its clocks show."""
    begin, end = (midnight(day, ZoneInfo(zone)) for day in (first, first + timedelta(days=days)))
    begins = range(begin, end, width_s)
    return Readings(begins, [count(wall(at, zone)) for at in begins], width_s)


def changed(readings: Readings, change: Callable[[int, float], float | None]) -> Readings:
    """The readings with values made of each begin and value; without those that are None."""
    pairs = [(at, change(at, value)) for at, value in zip(readings.begins, readings.values, strict=True)]
    known = [(at, value) for at, value in pairs if value is not None]
    return Readings([at for at, _ in known], [value for _, value in known], readings.width_s)


def joined(*parts: Readings) -> Readings:
    """The readings of several series of one width."""
    begins = [at for one in parts for at in one.begins]
    return Readings(begins, [value for one in parts for value in one.values], parts[0].width_s)


def end_of(readings: Readings) -> int:
    """The second at which the last bucket ends."""
    return max(readings.begins) + readings.width_s


def fitted(readings: Readings, zone: str = BERLIN, now: int | None = None, **options: object) -> Forecast:
    """The forecast when the last bucket has ended; there must be enough history."""
    found = fit(readings, zone, end_of(readings) if now is None else now, **options)  # type: ignore[arg-type]
    assert isinstance(found, Forecast), found
    return found


def by_clock(some: Sequence[Expected], zone: str = BERLIN) -> dict[str, Expected]:
    """The expected buckets by what the clocks show when they begin, like `Mon 20:00`."""
    return {wall(one.begin, zone).strftime("%a %H:%M"): one for one in some}
