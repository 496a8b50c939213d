"""The chart over time, drawn as SVG. Each bucket has the text of its tip, which assets/lib/tip.js shows."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import timedelta
from math import ceil, log10
from typing import Any, NamedTuple

from dash import html
from dash.development.base_component import Component

from analytics.calendar.period import Span
from analytics.query.metrics import Unit
from analytics.reports.values import Chart
from layouts.components import figures
from layouts.components.markup import Tag, aria, data
from layouts.overview.notes import Mark, marks

STEPS_UP = 3  # from the lowest line of the grid to the highest
LABELS = 6
SECONDS = (1, 2, 5, 10, 20, 30, 60, 120, 180, 300, 600, 900, 1_200, 1_800, 3_600)
STEPS = (1, 2, 3, 4, 5, 6, 8, 10)

Value = float | int | None


class Scale(NamedTuple):
    """The distance between the lines of the grid, and the number of steps."""

    step: float
    steps: int

    @property
    def highest(self) -> float:
        """The value at the highest line."""
        return self.step * self.steps


class Line(NamedTuple):
    """Points of a line in percent, from the left and from the top; None where nothing is known."""

    points: list[tuple[float, float] | None]


def plot(chart: Chart, label: str) -> Component:
    """The plot with its axes; `label` describes it to screen readers."""
    scale = _scale(chart)
    known = [(span, value) for span, value in chart.buckets if span.begin <= chart.now]
    many = max(2, len(chart.buckets), len(chart.earlier))
    now, before = (_line([value for _, value in line], many, scale.highest) for line in (known, chart.earlier))
    whole = len(known) - 1 if known and chart.now < known[-1][0].end else len(known)
    picture: Any = Tag(
        "svg",
        {"viewBox": "0 0 1000 100", "preserveAspectRatio": "none", "aria-hidden": "true"},
        [*_grid(scale), *_shapes(now, before, whole)],
    )
    return html.Div(
        html.Div(
            [
                picture,
                *_y_axis(scale, chart.metric.unit),
                *_x_axis(chart, many),
                *_dots(now),
                *marks(_marked(chart, many)),
            ],
            className="ff-plot",
            role="img",
            tabIndex=0,
            **aria(label=label),
            **data(metric=chart.metric.label, spots=_spots_json(chart, now)),
        ),
        className="ff-chart",
    )


def is_running(chart: Chart) -> bool:
    """Whether one of the buckets has begun and is not over."""
    return any(span.begin <= chart.now < span.end for span, _ in chart.buckets)


# ── the scale ────────────────────────────────────────────────────────────────────────────────────────────────────────


def _scale(chart: Chart) -> Scale:
    """The smallest round step with which all values fit; the scale of shares ends at 100%."""
    values = [value for _, value in (*chart.buckets, *chart.earlier) if value is not None]
    unit, least = chart.metric.unit, max(values, default=0) / STEPS_UP
    if unit == "seconds" and least <= SECONDS[-1]:
        return Scale(next(one for one in SECONDS if one >= least), STEPS_UP)
    step = _round_up(least) or 1.0
    if unit == "share" and step * STEPS_UP > 1:
        return Scale(0.5, 2)
    return Scale(max(1.0, step) if unit == "count" else step, STEPS_UP)


def _round_up(value: float) -> float:
    if value <= 0:
        return 0
    power = 10.0 ** (ceil(log10(value)) - 1)
    return next(one * power for one in (*STEPS, 20) if one * power >= value * (1 - 1e-9))


def _line(values: Sequence[Value], many: int, highest: float) -> Line:
    found = [
        None if value is None else (100 * number / (many - 1), 100 - 100 * value / highest)
        for number, value in enumerate(values)
    ]
    return Line(found)


# ── the picture ──────────────────────────────────────────────────────────────────────────────────────────────────────


def _grid(scale: Scale) -> list[Tag]:
    heights = (100 * number / scale.steps for number in range(scale.steps + 1))
    return [Tag("line", {"class": "ff-gl", "x1": 0, "x2": 1000, "y1": f"{y:.3f}", "y2": f"{y:.3f}"}) for y in heights]


def _shapes(now: Line, before: Line, whole: int) -> Iterator[Tag]:
    """The area, the comparison and the line. The line is dashed into a bucket that is not over."""
    for stretch in _stretches(now.points):
        first, last = stretch[0][0], stretch[-1][0]
        yield Tag("path", {"class": "ff-area", "d": f"M{10 * first:.1f} 100L{_corners(stretch)}L{10 * last:.1f} 100Z"})
    yield from (_path(stretch, "ff-ln-prev") for stretch in _stretches(before.points))
    yield from (_path(stretch, "ff-ln") for stretch in _stretches(now.points[:whole]))
    if 0 < whole < len(now.points):
        yield from (_path(stretch, "ff-ln is-open") for stretch in _stretches(now.points[whole - 1 :]))


def _stretches(points: Sequence[tuple[float, float] | None]) -> Iterator[list[tuple[float, float]]]:
    """Runs of known points."""
    stretch: list[tuple[float, float]] = []
    for point in (*points, None):
        if point is not None:
            stretch.append(point)
        elif stretch:
            yield stretch
            stretch = []


def _path(stretch: list[tuple[float, float]], kind: str) -> Tag:
    return Tag("path", {"class": kind, "d": f"M{_corners(stretch)}"})


def _corners(stretch: Sequence[tuple[float, float]]) -> str:
    return "L".join(f"{10 * left:.1f} {top:.2f}" for left, top in stretch)


def _dots(now: Line) -> list[Component]:
    """Dots for points without a known neighbour, which make no line."""
    alone = [stretch[0] for stretch in _stretches(now.points) if len(stretch) == 1]
    where = [{"left": f"{left:.2f}%", "top": f"{top:.2f}%"} for left, top in alone[:200]]
    return [html.Span(className="ff-now-dot", style=style) for style in where]


def _y_axis(scale: Scale, unit: Unit) -> list[Component]:
    return [
        html.Span(
            figures.on_scale(number * scale.step, unit),
            className="ff-ax ff-ax-y",
            style={"top": f"{100 - 100 * number / scale.steps:.2f}%"},
        )
        for number in range(scale.steps + 1)
    ]


def _x_axis(chart: Chart, many: int) -> list[Component]:
    last = len(chart.buckets) - 1
    every = max(1, ceil(last / (LABELS - 1)))
    shown = [number for number in range(0, last, every) if last - number >= every * 0.6] + [last]
    return [_tick(chart, number, 100 * number / (many - 1), last) for number in shown]


def _tick(chart: Chart, number: int, left: float, last: int) -> Component:
    edge = " is-first" if not number and last else " is-last" if number == last and last else ""
    words = _short(chart.buckets[number][0], chart)
    return html.Span(words, className=f"ff-ax ff-ax-x{edge}", style={"left": f"{left:.2f}%"})


def _short(span: Span, chart: Chart) -> str:
    whole = chart.buckets[-1][0].end - chart.buckets[0][0].begin
    if chart.interval == "month":
        return figures.dated(span.begin, chart.zone, "yMMM")
    if whole <= timedelta(hours=26).total_seconds():
        return figures.time_of_day(span.begin, chart.zone)
    return figures.dated(span.begin, chart.zone, "MMMd")


def _marked(chart: Chart, many: int) -> list[Mark]:
    """The marks of the notes; the notes of one bucket share a mark."""
    found: dict[int, list[str]] = {}
    for at, text in chart.notes:
        number = next((number for number, (span, _) in enumerate(chart.buckets) if at < span.end), None)
        if number is not None:
            found.setdefault(number, []).append(text)
    return [Mark(100 * number / (many - 1), " · ".join(texts)) for number, texts in found.items()]


# ── the tip ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def _spots_json(chart: Chart, now: Line) -> str:
    return json.dumps(list(_spots(chart, now)), separators=(",", ":"), ensure_ascii=False)


def _spots(chart: Chart, now: Line) -> Iterator[list[object]]:
    """The tip of each bucket: second, position, name, value; with a comparison also the name and value of that."""
    unit = chart.metric.unit
    for number, ((span, value), point) in enumerate(zip(chart.buckets, now.points, strict=False)):
        title = figures.bucket(span, chart.interval, chart.zone) + (", so far" if span.end > chart.now else "")
        left, top = point or (100 * number / max(1, len(chart.buckets) - 1), 100.0)
        spot: list[object] = [span.begin, round(left, 2), round(top, 2), title, figures.number(value, unit)]
        if number < len(chart.earlier):
            then, before = chart.earlier[number]
            spot += [figures.bucket(then, chart.interval, chart.zone), figures.number(before, unit)]
        yield spot
