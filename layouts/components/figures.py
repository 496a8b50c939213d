"""How numbers, shares, dates, windows and changes are written: in the language of whoever reads the page.

Which that is, the gate says once for each request (`write_in`); it holds in the request's own context.
"""

from __future__ import annotations

from contextvars import ContextVar
from datetime import UTC, datetime, tzinfo

from dash import html

from analytics import language

UNKNOWN = "–"
MANY_TIMES = 10  # from here on a percentage says less than a factor

_language: ContextVar[str] = ContextVar("language", default=language.DEFAULT)


def write_in(tag: str) -> None:
    """From here on figures are written in that language, one of `language.LANGUAGES`."""
    _language.set(tag)


def written_in() -> str:
    """The language in which figures are written."""
    return _language.get()


def count(n: int) -> str:
    """`12,345`."""
    return language.count(n, _language.get())


def mean(value: float) -> str:
    """A mean of counts: `1,234`, and `0.4` below 10."""
    return language.mean(value, _language.get())


def people(n: int) -> str:
    """`1 person`, `2 people`."""
    return f"{count(n)} {'person' if n == 1 else 'people'}"


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
    return f"{seconds // 60} min" if seconds >= 120 and seconds % 60 == 0 else f"{seconds} s"


def time_of_day(at: int, zone: tzinfo) -> str:
    """`14:32` of the epoch second `at` in `zone`."""
    return language.time_of_day(datetime.fromtimestamp(at, zone), _language.get())


def day_text(at: int, zone: tzinfo = UTC) -> str:
    """`20 Nov 2026` of the epoch second `at` in `zone`."""
    return language.day(datetime.fromtimestamp(at, zone), _language.get())


def day(at: int, zone: tzinfo = UTC) -> html.Time:
    """The same as an element that carries the moment."""
    return html.Time(day_text(at, zone), dateTime=datetime.fromtimestamp(at, zone).isoformat())


def change(now: int, before: int | None) -> html.Span | None:
    """An arrow and a figure for `now` against `before`; None when there is nothing to divide by.

    More is better. The arrow is for the eye; a hidden sentence says direction and judgement in words.
    """
    if not before:
        return None
    rounded = round(100 * (now - before) / before)
    if now >= MANY_TIMES * before:
        times = count(round(now / before))
        return _delta("ff-up", f"↑ ×{times}", f"{times} times as many, better")
    if rounded == 0:
        return _delta("ff-flat", _percent(0), "unchanged")
    if rounded > 0:
        return _delta("ff-up", f"↑ {_percent(rounded)}", f"up {_percent(rounded)}, better")
    return _delta("ff-worse", f"↓ {_percent(-rounded)}", f"down {_percent(-rounded)}, worse")


def _percent(whole: int) -> str:
    return language.percent(whole, _language.get())


def _delta(kind: str, seen: str, said: str) -> html.Span:
    shown = html.Span(seen, **{"aria-hidden": "true"})
    return html.Span([shown, html.Span(said, className="ff-vh")], className=f"ff-delta {kind}")
