"""Sparklines: a number over time as a CSS clip path, so that fifty of them cost next to nothing."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from analytics.base.words import _
from layouts.components import figures

MIN_HEIGHT = 4  # of the line, in units of its values, so that a single visitor does not fill it


class Trend(NamedTuple):
    """The CSS shape of the area below the line, and its label for screen readers."""

    shape: str
    label: str


def line(values: Sequence[int | None]) -> Trend:
    """The values from left to right, 0 at the bottom; unknown values at the beginning leave a gap.

    The last value must be known.
    """
    known = [value for value in values if value is not None]
    least, most, last = (figures.count(value) for value in (min(known), max(known), known[-1]))
    label = _("Between {least} and {most}, now {last}", least=least, most=most, last=last)
    return Trend(f"polygon({_corners(values, max(*known, MIN_HEIGHT))})", label)


def _corners(values: Sequence[int | None], highest: int) -> str:
    """The corners of the area, in percent."""
    step = 100 / max(1, len(values) - 1)
    tops = [(n * step, 100 - 100 * value / highest) for n, value in enumerate(values) if value is not None]
    corners = [(tops[0][0], 100.0), *tops, (tops[-1][0], 100.0)]
    return ",".join(f"{left:.4g}% {top:.4g}%" for left, top in corners)
