"""How numbers, shares, windows and changes are written."""

from __future__ import annotations

from datetime import datetime, tzinfo

from dash import html

UNKNOWN = "–"
MANY_TIMES = 10  # from here on a percentage says less than a factor


def count(n: int) -> str:
    """`12,345`."""
    return f"{n:,}"


def people(n: int) -> str:
    """`1 person`, `2 people`."""
    return f"{count(n)} {'person' if n == 1 else 'people'}"


def percent(part: int, whole: int) -> str:
    """`27%`; `<1%` and `>99%` where rounding would claim none or all; empty when there is no whole."""
    if not whole:
        return ""
    rounded = round(100 * part / whole)
    if part and not rounded:
        return "<1%"
    return ">99%" if rounded == 100 and part < whole else f"{rounded}%"


def window(seconds: int) -> str:
    """`60 s`; whole minutes from two on: `5 min`."""
    return f"{seconds // 60} min" if seconds >= 120 and seconds % 60 == 0 else f"{seconds} s"


def time_of_day(at: int, zone: tzinfo) -> str:
    """`14:32` of the epoch second `at` in `zone`."""
    return datetime.fromtimestamp(at, zone).strftime("%H:%M")


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
        return _delta("ff-flat", "0%", "unchanged")
    if rounded > 0:
        return _delta("ff-up", f"↑ {rounded}%", f"up {rounded}%, better")
    return _delta("ff-worse", f"↓ {-rounded}%", f"down {-rounded}%, worse")


def _delta(kind: str, seen: str, said: str) -> html.Span:
    shown = html.Span(seen, **{"aria-hidden": "true"})
    return html.Span([shown, html.Span(said, className="ff-vh")], className=f"ff-delta {kind}")
