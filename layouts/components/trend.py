"""A small line without axes: how a number went, as a clip path, so that fifty of them cost next to nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from layouts.components import figures

LEAST = 4  # the highest value is never less than that: one visitor is no mountain


class Trend(NamedTuple):
    """The CSS shape of the area below the line, and what it says to who cannot see it."""

    shape: str
    told: str


def line(values: Sequence[int | None]) -> Trend:
    """The values from left to right, 0 at the bottom; unknown ones at the beginning leave their room.

    The last value has to be known.
    """
    known = [value for value in values if value is not None]
    least, most, last = (figures.count(value) for value in (min(known), max(known), known[-1]))
    return Trend(f"polygon({_corners(values, max(*known, LEAST))})", f"Between {least} and {most}, now {last}")


def _corners(values: Sequence[int | None], highest: int) -> str:
    """The corners of the area, in percent."""
    step = 100 / max(1, len(values) - 1)
    tops = [(n * step, 100 - 100 * value / highest) for n, value in enumerate(values) if value is not None]
    corners = [(tops[0][0], 100.0), *tops, (tops[-1][0], 100.0)]
    return ",".join(f"{left:.4g}% {top:.4g}%" for left, top in corners)
