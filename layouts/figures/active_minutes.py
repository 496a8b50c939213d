"""The Live page's line: active people at each of the last 30 minutes, and at the moment of the page."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta, tzinfo

from analytics.base.words import _
from layouts.components import figures
from layouts.figures import template
from layouts.figures.template import Figure

MINUTES = 30
GAP_S = 200  # the latest minutes are stored with a delay; a longer gap between two points is shown as one
Point = tuple[int, int]  # epoch second, people


def points(minutes: Sequence[Point], at: int, active: int) -> list[Point]:
    """The line's points, oldest first; the last is the moment of the page, `at`."""
    return [*(point for point in minutes if at - MINUTES * 60 <= point[0] < at), (at, active)]


def figure(line: Sequence[Point], zone: tzinfo) -> Figure:
    """The line. Times are those of the site's clock; a stretch without a point is a gap."""
    at, people = line[-1]
    end = datetime.fromtimestamp(at, zone)
    spots = list(_with_gaps(line))
    xs = [_local(second, zone) for second, _people in spots]
    hover = _("{time} · {n} active", time=f"%{{x|{template.time_format()}}}", n="%{y:,}") + "<extra></extra>"
    data = [
        {
            "type": "scatter",
            "mode": "lines",
            "x": xs,
            "y": [number for _second, number in spots],
            "line": {"color": template.LIGHT["c1"], "width": 2, "shape": "linear"},
            "hovertemplate": hover,
        },
        {
            "type": "scatter",
            "mode": "markers",
            "x": [xs[-1]],
            "y": [people],
            "marker": {
                "color": template.LIGHT["c1"],
                "size": 10,
                "line": {"color": template.LIGHT["surface"], "width": 2},
            },
            "cliponaxis": False,
            "hoverinfo": "skip",
        },
    ]
    return {
        "data": data,
        "layout": template.layout(
            margin={"l": 30, "r": 6, "t": 8, "b": 20},
            hovermode="x",
            uirevision="minutes",
            xaxis={
                "type": "date",
                "range": [_clock(end - timedelta(minutes=MINUTES)), _clock(end)],
                "nticks": 5,
                "tickformat": template.time_format(),
            },
            yaxis={"nticks": 4, "rangemode": "tozero", "range": [0, _top(line)], "tickformat": ",d"},
        ),
    }


def words(line: Sequence[Point]) -> str:
    """The line in a sentence."""
    numbers = [people for _second, people in line]
    if min(numbers) == max(numbers):
        return _("Active people in each of the last 30 minutes: {n} all the time.", n=figures.count(numbers[0]))
    first, least, most, last = (figures.count(n) for n in (numbers[0], min(numbers), max(numbers), numbers[-1]))
    return _(
        "Active people in each of the last 30 minutes: from {first} to {last}, between {least} and {most}.",
        first=first,
        last=last,
        least=least,
        most=most,
    )


def _top(line: Sequence[Point]) -> float:
    """The end of the scale, which starts at 0: a little above the highest point, and never below 4."""
    return max(4.0, 1.08 * max(people for _second, people in line))


def _with_gaps(line: Sequence[Point]) -> Iterator[tuple[int, int | None]]:
    before = line[0][0]
    for second, people in line:
        if second - before > GAP_S:
            yield before + 1, None
        yield second, people
        before = second


def _local(second: int, zone: tzinfo) -> str:
    return _clock(datetime.fromtimestamp(second, zone))


def _clock(moment: datetime) -> str:
    """The wall clock's time, as plotly reads it: it knows no zones."""
    return moment.strftime("%Y-%m-%d %H:%M:%S")
