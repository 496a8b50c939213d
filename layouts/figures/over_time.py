"""A metric over time: its line or bars, the comparison, the bucket that is not over, and notes as marks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from math import ceil, log10
from typing import Any, NamedTuple

from analytics.base.words import _
from analytics.calendar.period import days_of
from analytics.query.metrics import Unit
from analytics.reports.values import Bucket, Chart
from layouts.components import figures
from layouts.figures import template
from layouts.figures.template import Figure
from layouts.figures.text import plain

STEPS_UP = 3  # from the lowest line of the grid to the highest
LABELS = 6
SECONDS = (1, 2, 5, 10, 20, 30, 60, 120, 180, 300, 600, 900, 1_200, 1_800, 3_600)
STEPS = (1, 2, 3, 4, 5, 6, 8, 10)
NOTE_ROWS, NOTE_PX, NOTE_LENGTH = 3, 24, 30  # labels close to each other stand in different rows
LINE_PX, COMPARED_PX = 2, 1.5
OFFSET = 4_000  # ticks stand this part of the axis right of their buckets: at a tick, plotly says that, not the name
REPEATED = "\u200b"  # tells an hour that the clocks repeat from the one before

Value = float | int | None


class Scale(NamedTuple):
    """The distance between the lines of the grid, and the number of steps."""

    step: float
    steps: int

    @property
    def highest(self) -> float:
        """The value at the highest line."""
        return self.step * self.steps


def figure(chart: Chart, *, bars: bool = False) -> Figure:
    """The figure; `bars` draws the period itself as bars. The axis of values starts at 0.

    `layout.meta` has the first and the last day of each bucket, so that a stretch of the axis is a period.
    """
    names, known = _names(chart), [value for _span, value in _begun(chart)]
    whole = len(known) - 1 if is_running(chart) else len(known)
    many = max(len(chart.buckets), len(chart.earlier))
    marks = list(_marks(chart))
    data = [
        *_compared(chart, names),
        *(_bars(known, names, whole) if bars else _line(known, names, whole)),
        _spoken(chart, known, names),
    ]
    return {"data": data, "layout": _layout(chart, names, many, marks, bars=bars)}


def is_running(chart: Chart) -> bool:
    """Whether one of the buckets has begun and is not over."""
    return any(span.begin <= chart.now < span.end for span, _value in chart.buckets)


def words(chart: Chart) -> str:
    """The figure in a sentence or two."""
    unit, known = chart.metric.unit, [value for _span, value in _begun(chart) if value is not None]
    what = {"metric": _(chart.metric.label), "interval": _(chart.interval)}
    if known:
        least, most, last = (figures.number(value, unit) for value in (min(known), max(known), known[-1]))
        said = _(
            "{metric} by {interval}: between {least} and {most}, at last {last}.",
            **what,
            least=least,
            most=most,
            last=last,
        )
    else:
        said = _("{metric} by {interval}: nothing is known.", **what)
    if not chart.notes:
        return said
    return " ".join((said, _("Notes: {notes}.", notes="; ".join(text for _at, text in chart.notes))))


def _begun(chart: Chart) -> list[Bucket]:
    return [(span, value) for span, value in chart.buckets if span.begin <= chart.now]


# ── the traces ───────────────────────────────────────────────────────────────────────────────────────────────────────


def _line(known: Sequence[Value], names: Sequence[str], whole: int) -> Iterator[Figure]:
    """The line with its area, and its dotted end in the bucket that is not over."""
    colour = template.LIGHT["c1"]
    yield {
        "type": "scatter",
        "mode": "lines" if len(known) > 1 else "markers",
        "x": names[:whole],
        "y": known[:whole],
        "line": {"color": colour, "width": LINE_PX},
        "marker": {"color": colour, "size": 8},
        "fill": "tozeroy",
        "fillcolor": template.LIGHT["band"],
        "hoverinfo": "skip",
    }
    if whole < len(known):
        yield {
            "type": "scatter",
            "mode": "lines" if whole else "markers",
            "x": names[max(0, whole - 1) : len(known)],
            "y": known[max(0, whole - 1) :],
            "line": {"color": colour, "width": LINE_PX, "dash": "2px,5px"},
            "marker": {"color": colour, "size": 8},
            "fill": "tozeroy",
            "fillcolor": template.LIGHT["band"],
            "hoverinfo": "skip",
        }


def _bars(known: Sequence[Value], names: Sequence[str], whole: int) -> Iterator[Figure]:
    opacity = [1.0] * whole + [0.5] * (len(known) - whole)
    yield {
        "type": "bar",
        "x": names[: len(known)],
        "y": list(known),
        "marker": {"color": template.LIGHT["c1"], "opacity": opacity},
        "hoverinfo": "skip",
    }


def _compared(chart: Chart, names: Sequence[str]) -> Iterator[Figure]:
    """The dashed line of the comparison; its hover text names the bucket of then."""
    if not chart.earlier:
        return
    said = [
        f"{figures.bucket(span, chart.interval, chart.zone)}: {figures.number(value, chart.metric.unit)}"
        for span, value in chart.earlier
    ]
    yield {
        "type": "scatter",
        "mode": "lines",
        "name": "",
        "x": names[: len(said)],
        "y": [value for _span, value in chart.earlier],
        "line": {"color": template.LIGHT["c-prev"], "width": COMPARED_PX, "dash": template.DASHES},
        "customdata": said,
        "hovertemplate": "%{customdata}<extra></extra>",
    }


def _spoken(chart: Chart, known: Sequence[Value], names: Sequence[str]) -> Figure:
    """Invisible points with the hover text of each bucket of the period."""
    unit, label = chart.metric.unit, _(chart.metric.label)
    return {
        "type": "scatter",
        "mode": "markers",
        "name": label,
        "x": names[: len(known)],
        "y": list(known),
        "marker": {"color": template.LIGHT["c1"], "opacity": 0, "size": 8},
        "customdata": [f"{label}: {figures.number(value, unit)}" for value in known],
        "hovertemplate": "%{customdata}<extra></extra>",
    }


# ── the axes ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def _layout(chart: Chart, names: Sequence[str], many: int, marks: Sequence[Figure], *, bars: bool) -> Figure:
    scale, unit = _scale(chart), chart.metric.unit
    values = [number * scale.step for number in range(scale.steps + 1)]
    half = 0.5 if bars or many == 1 else 0
    shown, offset = _labels(chart), max(1, many - 1) / OFFSET
    return template.layout(
        margin={"l": 40, "r": 24, "t": 8, "b": 32},
        hovermode="x unified",
        uirevision=f"{names[0]} {names[-1]} {chart.metric.id} {chart.interval}",
        meta=[[day.isoformat() for day in days_of(span, chart.zone)] for span, _value in chart.buckets],
        bargap=0.25,
        xaxis={
            "type": "category",
            "categoryorder": "array",
            "categoryarray": list(names),
            "range": [-half, (many - 1 if many > 1 else 0) + half + 2 * offset],
            "tickmode": "array",
            "tickvals": [number + offset for number, _text in shown],
            "ticktext": [text for _number, text in shown],
            "tickangle": 0,
            "ticklabelstandoff": 8,
        },
        yaxis={
            "range": [0, scale.highest * 1.02],
            "tickmode": "array",
            "tickvals": values,
            "ticktext": [figures.on_scale(value, unit) for value in values],
        },
        shapes=[mark["shape"] for mark in marks],
        annotations=[mark["label"] for mark in marks],
    )


def _names(chart: Chart) -> list[str]:
    """A name for each bucket, no two the same: places on the axis, and titles of the hover text."""
    names: list[str] = []
    for span, _value in chart.buckets:
        name = figures.bucket(span, chart.interval, chart.zone)
        if span.begin <= chart.now < span.end:
            name = _("{bucket}, so far", bucket=name)
        while name in names[-2:]:
            name += REPEATED
        names.append(name)
    return names


def _labels(chart: Chart) -> list[tuple[int, str]]:
    """What stands below the axis, by the numbers of the buckets; no text twice."""
    if chart.interval in ("minute", "hour"):
        return _hourly(chart)
    fields = "yMMM" if chart.interval == "month" else "MMMd"
    begins = [span.begin for span, _value in chart.buckets]
    return [(number, figures.dated(begins[number], chart.zone, fields)) for number in _spread(len(begins))]


def _hourly(chart: Chart) -> list[tuple[int, str]]:
    """The times of one day. Of several days the dates, each where its day begins, and between a few of them times."""
    begins = [span.begin for span, _value in chart.buckets]
    days = [datetime.fromtimestamp(begin, chart.zone).date() for begin in begins]
    before = [datetime.fromtimestamp(begin - 1, chart.zone).date() for begin in begins]
    starts = [] if days[0] == days[-1] else [number for number, day in enumerate(days) if before[number] < day]
    every = max(1, ceil(len(starts) / LABELS))
    dates = {number: figures.dated(begins[number], chart.zone, "MMMd") for number in starts[::every]}
    if len(starts) >= LABELS / 2:
        return list(dates.items())
    spread = _spread(len(begins))
    near = 0.6 * (spread[1] - spread[0]) if len(spread) > 1 else 0
    times: dict[str, int] = {}
    for number in spread:
        if all(abs(number - start) >= near for start in dates):
            times.setdefault(figures.time_of_day(begins[number], chart.zone), number)
    return sorted([*dates.items(), *((number, text) for text, number in times.items())])


def _spread(many: int) -> list[int]:
    """The numbers of some buckets, evenly, with the first and the last."""
    last = many - 1
    every = max(1, ceil(last / (LABELS - 1)))
    return [number for number in range(0, last, every) if last - number >= every * 0.6] + [last]


def _scale(chart: Chart) -> Scale:
    """The smallest round step with which all values fit; the scale of shares ends at 100%."""
    values = [value for _span, value in (*chart.buckets, *chart.earlier) if value is not None]
    return scale(max(values, default=0), chart.metric.unit)


def scale(most: float, unit: Unit) -> Scale:
    """The scale for values from 0 to `most`."""
    least = most / STEPS_UP
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


# ── notes ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def _marks(chart: Chart) -> Iterator[dict[str, Any]]:
    """A dashed line and a label for each bucket with notes; those of one bucket share a mark."""
    found: dict[int, list[str]] = {}
    for at, text in chart.notes:
        number = next((number for number, (span, _value) in enumerate(chart.buckets) if at < span.end), None)
        if number is not None:
            found.setdefault(number, []).append(text)
    for row, (number, texts) in enumerate(found.items()):
        is_left = 2 * number > len(chart.buckets) - 1
        yield {
            "shape": {
                "type": "line",
                "x0": number,
                "x1": number,
                "yref": "paper",
                "y0": 0,
                "y1": 1,
                "line": {"color": template.LIGHT["line-strong"], "width": 1, "dash": "4px,4px"},
            },
            "label": _label(number, " · ".join(texts), row % NOTE_ROWS, is_left=is_left),
        }


def _label(number: int, text: str, row: int, *, is_left: bool) -> Figure:
    short = text if len(text) <= NOTE_LENGTH else f"{text[: NOTE_LENGTH - 1]}…"
    return {
        "x": number,
        "yref": "paper",
        "y": 1,
        "yanchor": "top",
        "yshift": -NOTE_PX * row,
        "xanchor": "right" if is_left else "left",
        "xshift": -5 if is_left else 5,
        "text": plain(short),
        "hovertext": plain(text),
        "showarrow": False,
        "borderpad": 3,
        "bgcolor": template.LIGHT["surface"],
        "bordercolor": template.LIGHT["line-2"],
        "font": {"size": 12, "color": template.LIGHT["text-2"]},
    }
