"""Periods: from what people choose ("last 30 days") to exact seconds, in the zone of the site.

A day is from one local midnight to the next, so it has 23 or 25 hours where clocks change. `now` is always a parameter.
"""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from functools import cache, lru_cache
from itertools import pairwise
from typing import NamedTuple
from zoneinfo import ZoneInfo

from analytics.base.errors import InvalidInput, message
from analytics.base.words import N_
from analytics.base.zones import checked_zone

INTERVALS = (N_("minute"), N_("hour"), N_("day"), N_("week"), N_("month"))
"""The names of intervals, which are their words within a sentence too."""
INTERVAL_LABELS = {
    "minute": N_("Minute"),
    "hour": N_("Hour"),
    "day": N_("Day"),
    "week": N_("Week"),
    "month": N_("Month"),
}
MAX_BUCKETS = 10_000
MAX_DAYS = 3_650  # in "the last so many days"
EARLIEST, LATEST = date(1971, 1, 1), date(2099, 12, 31)  # the range of times in row ids


_checked_zone = cache(checked_zone)  # it reads folders; there are only as many results as zones


class Clock(NamedTuple):
    """How a site counts time: its zone, and the first day of its week (0 is Monday)."""

    zone: str = "UTC"
    week_start: int = 0

    def checked(self) -> Clock:
        """This clock; raises `InvalidInput` for an unknown zone."""
        _checked_zone(self.zone)
        if not 0 <= self.week_start <= 6:
            raise InvalidInput(f"week start {self.week_start}: 0 (Monday) to 6 (Sunday)")
        return self


class Span(NamedTuple):
    """A range of seconds since the epoch: it includes `begin` and excludes `end`."""

    begin: int
    end: int


class Preset(NamedTuple):
    """A period to choose. `label` is English until `words.translated` writes it for a reader.

    `dates` makes its first and last day, both included, from today; None: not made of days."""

    label: str
    interval: str  # the default
    dates: Callable[[date], tuple[date, date]] | None = None
    months: int = 0  # the distance to the previous one, where it is no number of days


def _days(many: int) -> Callable[[date], tuple[date, date]]:
    """The last so many days that are over."""
    return lambda today: (today - timedelta(days=many), today - timedelta(days=1))


def _months(many: int) -> Callable[[date], tuple[date, date]]:
    """The last so many months that are over."""
    return lambda today: (moved(today.replace(day=1), -many), today.replace(day=1) - timedelta(days=1))


def _days_with_today(many: int) -> Callable[[date], tuple[date, date]]:
    return lambda today: (today - timedelta(days=many - 1), today)


def _months_with_today(many: int) -> Callable[[date], tuple[date, date]]:
    return lambda today: (moved(today.replace(day=1), 1 - many), _this_month(today)[1])


def _this_month(today: date) -> tuple[date, date]:
    return today.replace(day=1), today.replace(day=monthrange(today.year, today.month)[1])


# As in Plausible: days and months that are not over are not in "the last so many", unless `:today` follows the name.
PRESETS = {
    "realtime": Preset(message("Last 30 minutes"), "minute"),
    "24h": Preset(message("Last 24 hours"), "hour"),
    "today": Preset(message("Today"), "hour", lambda today: (today, today)),
    "yesterday": Preset(message("Yesterday"), "hour", _days(1)),
    "7d": Preset(message("Last 7 days"), "day", _days(7)),
    "28d": Preset(message("Last 28 days"), "day", _days(28)),
    "30d": Preset(message("Last 30 days"), "day", _days(30)),
    "91d": Preset(message("Last 91 days"), "day", _days(91)),
    "month": Preset(message("This month"), "day", _this_month, 1),
    "year": Preset(message("This year"), "month", lambda today: (date(today.year, 1, 1), date(today.year, 12, 31)), 12),
    "6mo": Preset(message("Last 6 months"), "month", _months(6), 6),
    "12mo": Preset(message("Last 12 months"), "month", _months(12), 12),
    "all": Preset(message("All time"), "month"),
}
"""The presets to choose from; `preset_of` also knows any number of days, `1d` to `3650d`, and `:today` after those."""
WITH_TODAY = ":today"
_LAST = re.compile(r"([1-9][0-9]{0,3})(d|mo)")


@lru_cache(maxsize=256)
def preset_of(name: str) -> Preset | None:
    """The preset of that name, the last so many days for `90d` and the like; None for any other name.

    With `:today` after the name, the last so many days or months end with the running one: `7d:today`, `12mo:today`.
    """
    base = name.removesuffix(WITH_TODAY)
    found = _LAST.fullmatch(base)
    many = int(found[1]) if found else 0
    if base in PRESETS:
        whole: Preset | None = PRESETS[base]
    elif found and found[2] == "d" and many <= MAX_DAYS:
        label = message("Last {n} days", n=f"{many:,}") if many > 1 else message("Last day")
        whole = Preset(label, _interval_of(many), _days(many))
    else:
        whole = None
    if base == name or whole is None:
        return whole
    if not found:
        return None
    if found[2] == "d":
        return whole._replace(label=message("{period}, with today", period=whole.label), dates=_days_with_today(many))
    label = message("{period}, with this month", period=whole.label)
    return whole._replace(label=label, dates=_months_with_today(many))


def with_today(name: str, *, wanted: bool) -> str:
    """The name of the preset that ends with the running day or month, or without `wanted` the one that leaves it out.

    A preset that has no such twin keeps its name.
    """
    base = name.removesuffix(WITH_TODAY)
    twin = base + WITH_TODAY
    return twin if wanted and preset_of(twin) else base


def _interval_of(days: int) -> str:
    return "hour" if days <= 2 else "day" if days <= 120 else "month"


@dataclass(frozen=True, slots=True)
class Period:
    """A preset by its name, or from one date to another, both included. `str()` writes what `parse` reads."""

    preset: str = "30d"
    dates: tuple[date, date] | None = None

    def __post_init__(self) -> None:
        if self.dates is None and preset_of(self.preset) is None:
            wrong = message(
                "period {given}: {known}, any number of days like 90d (1 to {limit}), {with_today} after days or "
                "months to include today, or two dates like 2026-01-01,2026-01-31",
                given=repr(self.preset[:40]),
                known=", ".join(PRESETS),
                limit=f"{MAX_DAYS:,}",
                with_today=WITH_TODAY,
            )
            raise InvalidInput(wrong)
        if self.dates and not EARLIEST <= self.dates[0] <= self.dates[1] <= LATEST:
            wrong = message(
                "period {given}: from {earliest} to {latest}, the earlier date first",
                given=str(self),
                earliest=EARLIEST,
                latest=LATEST,
            )
            raise InvalidInput(wrong)

    @classmethod
    def parse(cls, text: str) -> Period:
        """The period that a preset's name or `2026-01-01,2026-01-31` (or one date alone) stands for."""
        try:
            first, _, last = text.partition(",")
            return cls("custom", (date.fromisoformat(first), date.fromisoformat(last or first)))
        except InvalidInput:
            raise
        except ValueError:
            return cls(text)

    def __str__(self) -> str:
        return f"{self.dates[0]},{self.dates[1]}" if self.dates else self.preset

    @property
    def is_all(self) -> bool:
        """Whether it begins with the first pageview or event."""
        return not self.dates and self.preset == "all"

    @property
    def label(self) -> str:
        """Its name on pages, which `words.translated` writes for a reader."""
        return f"{self.dates[0]} – {self.dates[1]}" if self.dates else self.chosen.label

    @property
    def chosen(self) -> Preset:
        """The preset. Only for a period without dates of its own."""
        found = preset_of(self.preset)
        assert found
        return found

    @property
    def interval(self) -> str:
        """The interval that suits its length."""
        if self.dates is None:
            return self.chosen.interval
        return _interval_of((self.dates[1] - self.dates[0]).days + 1)


class Comparison(NamedTuple):
    """What a period is compared with: the `previous` one, the same one a `year` ago, or another period.

    `weekdays`: moved by whole weeks, so that Mondays are compared with Mondays. `str()` writes what `parse` reads.
    """

    kind: str = "previous"
    period: Period | None = None
    weekdays: bool = False

    @classmethod
    def parse(cls, text: str) -> Comparison:
        """`previous`, `year`, `previous:weekdays`, `year:weekdays`, or two dates."""
        kind, _, rest = text.partition(":")
        if kind in ("previous", "year") and rest in ("", "weekdays"):
            return cls(kind, None, rest == "weekdays")
        if "," in text:
            return cls("custom", Period.parse(text))
        wrong = message(
            "comparison {given}: previous, year, either with :weekdays, or two dates", given=repr(text[:40])
        )
        raise InvalidInput(wrong)

    def __str__(self) -> str:
        return str(self.period) if self.period else self.kind + ":weekdays" * self.weekdays


def span(period: Period, clock: Clock, now: int, first: int = 0) -> Span:
    """The seconds of the period. Days, months and years that are not over count to their end; `all` begins on the
    day of `first`.
    """
    zone = ZoneInfo(clock.zone)
    today = datetime.fromtimestamp(now, zone).date()
    if period.dates:
        return _span_of(*period.dates, zone)
    if dates := period.chosen.dates:
        return _span_of(*dates(today), zone)
    if period.preset == "all":
        began = midnight(datetime.fromtimestamp(min(first, now), zone).date(), zone) if first else 0
        return Span(began, midnight(today + timedelta(days=1), zone))
    if period.preset == "24h":
        begin = _hour(now, zone)
        return Span(_hour(begin - 23 * 3600, zone), _next_hour(begin, zone))
    minute = now // 60 * 60
    return Span(minute - 29 * 60, minute + 60)


def compared(period: Period, comparison: Comparison, clock: Clock, now: int, *, whole: bool = False) -> Span | None:
    """What the period is compared with; None for `all`.

    Only as much of it as has passed of the period by `now`: ten and a half days of a month are compared with the first
    ten and a half days of the other. With `whole` all of it, for a chart.
    """
    if comparison.period:
        return span(comparison.period, clock, now)
    if period.preset == "all":
        return None
    current = span(period, clock, now)
    end = current.end if whole else min(current.end, max(now + 1, current.begin))
    return Span(*(_earlier(moment, period, comparison, current, clock) for moment in (current.begin, end)))


def _earlier(moment: int, period: Period, comparison: Comparison, current: Span, clock: Clock) -> int:
    """The moment moved back, keeping its time of day."""
    zone = ZoneInfo(clock.zone)
    begin, end = (datetime.fromtimestamp(one, zone) for one in current)
    days = max(1, (end.date() - begin.date()).days)
    months = 12 if comparison.kind == "year" else 0 if period.dates else period.chosen.months
    if comparison.weekdays:
        months, days = 0, 364 if comparison.kind == "year" else (days + 6) // 7 * 7
    elif not months and period.dates is None and period.chosen.dates is None:
        return moment - (current.end - current.begin)
    wall = datetime.fromtimestamp(moment, zone)
    day = moved(wall.date(), -months) if months else wall.date() - timedelta(days=days)
    return int(wall.replace(year=day.year, month=day.month, day=day.day).timestamp())


def midnight(day: date, zone: ZoneInfo) -> int:
    """The first second of that day in the zone. Where clocks skip midnight, the second at which they do."""
    return int(datetime(day.year, day.month, day.day, tzinfo=zone).timestamp())


def days_of(span: Span, zone: tzinfo) -> tuple[date, date]:
    """The first and the last day that a span touches in the zone."""
    first, after = (datetime.fromtimestamp(one, zone) for one in (span.begin, max(span.begin, span.end - 1)))
    return first.date(), after.date()


def moved(day: date, months: int) -> date:
    """The day so many months later; the last day of a month that is too short."""
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    return date(year, month + 1, min(day.day, monthrange(year, month + 1)[1]))


def _span_of(first: date, last: date, zone: ZoneInfo) -> Span:
    return Span(midnight(first, zone), midnight(last + timedelta(days=1), zone))


# ── buckets ──────────────────────────────────────────────────────────────────────────────────────────────────────


class Run(NamedTuple):
    """Buckets of one length in a row: the first begins at `begin` and has the number `number`."""

    begin: int
    width: int
    number: int


@lru_cache(maxsize=8)
def buckets(whole: Span, interval: str, clock: Clock) -> tuple[Span, ...]:
    """The parts of a span by the zone's clock, in order, without gaps. The span's ends may cut the first and the last.

    Weeks begin on the clock's first weekday. Raises `InvalidInput` for more than 10,000.
    """
    zone = ZoneInfo(clock.zone)
    if interval not in INTERVALS:
        raise InvalidInput(f"interval {interval[:40]!r}: {', '.join(INTERVALS)}")
    shortest = {"minute": 60, "hour": 3600}.get(interval, 20 * 3600)
    if (whole.end - whole.begin) // shortest > MAX_BUCKETS:
        wrong = message(
            "by {interval} this period has more than {limit} points; choose a longer interval",
            interval=interval,
            limit=MAX_BUCKETS,
        )
        raise InvalidInput(wrong)
    inner = _starts(whole, interval, clock.week_start, zone)
    edges = sorted({whole.begin, whole.end, *(one for one in inner if whole.begin < one < whole.end)})
    return tuple(Span(begin, end) for begin, end in pairwise(edges))


def runs(parts: Sequence[Span]) -> list[Run]:
    """The buckets in as few runs as possible. The number of the bucket of `t` is `number + (t - begin) // width` of the
    last run that begins by then. A year of days has five runs where clocks change, a year of months ten.
    """
    found: list[Run] = []
    for number, part in enumerate(parts):
        if not found or found[-1].width != part.end - part.begin:
            found.append(Run(part.begin, part.end - part.begin, number))
    return found


def _starts(whole: Span, interval: str, week_start: int, zone: ZoneInfo) -> list[int]:
    if interval == "minute":
        return list(range(whole.begin // 60 * 60, whole.end, 60))
    if interval == "hour":
        starts = [_hour(whole.begin, zone)]
        while starts[-1] < whole.end:
            starts.append(_next_hour(starts[-1], zone))
        return starts
    first, last = (datetime.fromtimestamp(one, zone).date() for one in (whole.begin, whole.end))
    days = [first + timedelta(days=step) for step in range((last - first).days + 1)]
    if interval == "week":
        days = [day for day in days if day.weekday() == week_start]
    if interval == "month":
        days = [day for day in days if day.day == 1]
    return [midnight(day, zone) for day in days]


def _wall(moment: int, zone: ZoneInfo) -> datetime:
    return datetime.fromtimestamp(moment, zone)


def _hour(moment: int, zone: ZoneInfo) -> int:
    """When the zone's clock last showed a full hour."""
    wall = _wall(moment, zone)
    return moment - wall.minute * 60 - wall.second


def _next_hour(start: int, zone: ZoneInfo) -> int:
    """When the zone's clock next shows another hour. One zone moves its clocks by half an hour."""
    after = start + 3600
    full = _hour(after, zone)
    if _wall(full, zone).minute == 0:
        return full
    again = _wall(after, zone).hour == _wall(start, zone).hour
    return full + 3600 if again else after
