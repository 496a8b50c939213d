"""Formats numbers, shares, dates, windows and changes in the reader's language."""

from __future__ import annotations

from datetime import UTC, date, datetime, tzinfo
from typing import NamedTuple

from dash import html

from analytics.base import language
from analytics.base.language import written_in
from analytics.base.words import N_, _, ngettext
from analytics.calendar.period import Span, days_of
from analytics.query.metrics import Unit
from layouts.components.markup import aria

UNKNOWN = "–"
FEW = 10  # a change from fewer people or visits says nothing
SMALLEST_JUDGED = 0.01  # part by which a number changes before it is called better or worse
MANY_TIMES = 10  # from this factor on the change is written as a factor, not as a percentage


def count(n: int) -> str:
    """`12,345`."""
    return language.count(n, written_in())


def mean(value: float) -> str:
    """A mean of counts: `1,234`, and `0.4` below 10."""
    return language.mean(value, written_in())


def separators() -> str:
    """The decimal sign and the sign between thousands: `.,`."""
    return language.separators(written_in())


def has_12_hours() -> bool:
    """Whether times are written as `2:32 PM`."""
    return language.has_12_hours(written_in())


def country(code: str) -> str:
    """The name of a country by its two-letter code."""
    return language.country(code, written_in())


def people(n: int) -> str:
    """`1 person`, `2 people`."""
    return ngettext("{n} person", "{n} people", n, n=count(n))


def percent(part: int, whole: int) -> str:
    """`27%`; `<1%` and `>99%` where rounding would claim none or all; empty when there is no whole."""
    if not whole:
        return ""
    rounded = round(100 * part / whole)
    if part and not rounded:
        return f"<{_percent(1)}"
    return f">{_percent(99)}" if rounded == 100 and part < whole else _percent(rounded)


def window(seconds: int) -> str:
    """`60 s`; whole minutes from two on: `5 min`."""
    if seconds >= 120 and seconds % 60 == 0:
        return _("{n} min", n=seconds // 60)
    return _("{n} s", n=seconds)


def time_of_day(at: int, zone: tzinfo) -> str:
    """`14:32` of the epoch second `at` in `zone`; `02:32 CET` where clocks that are set back show it twice that day."""
    return language.time_of_day(datetime.fromtimestamp(at, zone), written_in()) + told_apart(at, zone)


def told_apart(at: int, zone: tzinfo) -> str:
    """` CET`, the zone of a second at which the clocks show a time that they show twice that day; else ""."""
    then = datetime.fromtimestamp(at, zone)
    is_twice = then.replace(fold=0).utcoffset() != then.replace(fold=1).utcoffset()
    return f" {then.tzname()}" if is_twice else ""


def day_text(at: int, zone: tzinfo = UTC) -> str:
    """`20 Nov 2026` of the epoch second `at` in `zone`."""
    return language.day(datetime.fromtimestamp(at, zone), written_in())


def moment(at: int, zone: tzinfo) -> str:
    """A day and a time: `20 Nov 2026, 14:32`."""
    return f"{day_text(at, zone)}, {time_of_day(at, zone)}"


def day(at: int, zone: tzinfo = UTC) -> html.Time:
    """That day as a `<time>` element."""
    return html.Time(day_text(at, zone), dateTime=datetime.fromtimestamp(at, zone).isoformat())


def number(value: float | None, unit: Unit) -> str:
    """A metric's value in its unit: `148,209`, `2.16`, `48.2%`, `2m 41s`; a dash for None."""
    if value is None:
        return UNKNOWN
    if unit == "count":
        return count(int(value))
    if unit == "share":
        return language.share(value, written_in())
    if unit == "seconds":
        return duration(value)
    if unit == "percent":
        return _percent(round(value))
    return language.decimal(value, 2, written_in())


def duration(seconds: float, *, is_short: bool = False) -> str:
    """`41s`, `2m 41s`, `1h 2m`; `is_short` leaves a second part of 0 out."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return _("{h}h", h=hours) if is_short and not minutes else _("{h}h {m}m", h=hours, m=minutes)
    if minutes:
        return _("{m}m", m=minutes) if is_short and not rest else _("{m}m {s}s", m=minutes, s=rest)
    return _("{s}s", s=rest)


def on_scale(value: float, unit: Unit) -> str:
    """A value on the scale of a chart, as short as possible: `9K`, `2.5`, `50%`, `3m`."""
    if unit == "count":
        return language.compact(int(value), written_in())
    if unit == "seconds":
        return duration(value, is_short=True)
    if unit == "share":
        return _percent(round(100 * value))
    return number(value, unit) if value % 1 else count(int(value))


def dated(at: int, zone: tzinfo, fields: str) -> str:
    """The epoch second `at` in `zone` formatted with CLDR fields: "MMMEd" is `Fri 20 Nov`."""
    return language.dated(datetime.fromtimestamp(at, zone), fields, written_in())


def dates(first: date, last: date) -> str:
    """`22 Oct – 20 Nov 2026`."""
    return language.dates(first, last, written_in())


def bucket(span: Span, interval: str, zone: tzinfo) -> str:
    """A bucket of time: `Fri 6 Nov`, `Fri 6 Nov, 14:00`, `2 – 8 Nov 2026`, `November 2026`."""
    begin, (_, last) = datetime.fromtimestamp(span.begin, zone), days_of(span, zone)
    return language.bucket(begin, last, interval, written_in())


def weekday(number: int) -> str:
    """`Mon` of 0."""
    return language.weekday(number, written_in())


class Delta(NamedTuple):
    """A change: its CSS class, as it is seen, and as screen readers say it."""

    look: str
    seen: str
    said: str


def change(
    now: float, before: float | None, *, better: int = 1, fine: bool = False, is_few: bool = False
) -> html.Span | None:
    """A `delta` as an element; screen readers get its sentence instead of the arrow."""
    found = delta(now, before, better=better, fine=fine, is_few=is_few)
    if found is None:
        return None
    shown = html.Span(found.seen, **aria(hidden="true"))
    return html.Span([shown, html.Span(found.said, className="ff-vh")], className=f"ff-delta {found.look}")


def delta(
    now: float, before: float | None, *, better: int = 1, fine: bool = False, is_few: bool = False
) -> Delta | None:
    """An arrow and a figure for `now` compared with `before`; None where `before` is 0 or unknown.

    `better` says whether more is good news (1), bad news (-1) or neither (0); `fine`: with one decimal. The sentence
    has direction and judgement in words. A change of less than 1%, or from a few (`is_few`), is not judged, and many
    times a few are left out.
    """
    if not before:
        return None
    ratio = (now - before) / before
    rounded = round(ratio, 3) if fine else round(ratio, 2)
    written = _share(abs(rounded)) if fine else _percent(round(100 * abs(rounded)))
    if rounded == 0:
        return Delta("ff-flat", _percent(0), _("unchanged"))
    is_small = is_few or abs(ratio) < SMALLEST_JUDGED
    judgement = 0 if is_small else better if rounded > 0 else -better
    look = _LOOKS[judgement]
    if now >= MANY_TIMES * before:
        if is_few:
            return None
        times = count(round(now / before))
        return Delta(look, f"↑ ×{times}", _(_TIMES[judgement], times=times))
    arrow, said = ("↑", _UP) if rounded > 0 else ("↓", _DOWN)
    return Delta(look, f"{arrow} {written}", _(said[judgement], share=written))


# By the judgement: good news, neither, bad news.
_LOOKS = {1: "ff-up", 0: "ff-flat", -1: "ff-worse"}
_UP = {1: N_("up {share}, better"), 0: N_("up {share}"), -1: N_("up {share}, worse")}
_DOWN = {1: N_("down {share}, better"), 0: N_("down {share}"), -1: N_("down {share}, worse")}
_TIMES = {
    1: N_("{times} times as many, better"),
    0: N_("{times} times as many"),
    -1: N_("{times} times as many, worse"),
}


def _share(part: float) -> str:
    return language.share(part, written_in())


def _percent(whole: int) -> str:
    return language.percent(whole, written_in())
