"""A small line without axes: how a number went, drawn by a clip path, so that fifty of them cost next to nothing."""

from __future__ import annotations

from collections.abc import Sequence

from dash import html

from layouts.components import figures

LEAST = 4  # the highest value is never less than that: one visitor is no mountain


def line(values: Sequence[int | None]) -> html.Span | None:
    """The values from left to right, 0 at the bottom; unknown ones at the beginning leave their room. None without any.

    For who cannot see it: the least, the most and the last.
    """
    known = [value for value in values if value is not None]
    if not known:
        return None
    told = f"Between {figures.count(min(known))} and {figures.count(max(known))}, now {figures.count(known[-1])}"
    shape = html.I(style={"clipPath": f"polygon({_shape(values, max(*known, LEAST))})"})
    return html.Span(shape, className="ff-trend", role="img", **{"aria-label": told}, title=told)


def _shape(values: Sequence[int | None], highest: int) -> str:
    """The corners of the area below the line, in percent."""
    step = 100 / max(1, len(values) - 1)
    tops = [(n * step, 100 - 100 * value / highest) for n, value in enumerate(values) if value is not None]
    corners = [(tops[0][0], 100.0), *tops, (tops[-1][0], 100.0)]
    return ",".join(f"{left:.4g}% {top:.4g}%" for left, top in corners)
