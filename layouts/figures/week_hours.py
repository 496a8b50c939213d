"""The heat map of the week: a square for each weekday and hour, darker where there are more people on average."""

from __future__ import annotations

from collections.abc import Sequence

from analytics.base.words import _
from analytics.query.result import Hour
from layouts.components import figures
from layouts.figures import template
from layouts.figures.template import Figure

LABELLED = (0, 6, 12, 18)


def figure(week: Sequence[Sequence[Hour]]) -> Figure:
    """The figure; hours that are not known are as pale as those without anybody, and say so."""
    squares = {
        "type": "heatmap",
        "x": list(range(24)),
        "y": [figures.weekday(day[0].weekday) for day in week],
        "z": [[hour.visitors or 0 for hour in day] for day in week],
        "zmin": 0,
        "zmax": max((hour.visitors or 0 for day in week for hour in day), default=0) or 1,
        "colorscale": [[0, template.LIGHT["heat-0"]], [1, template.LIGHT["heat-1"]]],
        "showscale": False,
        "xgap": 2,
        "ygap": 2,
        "text": [[_said(hour) for hour in day] for day in week],
        "hovertemplate": "%{text}<extra></extra>",
    }
    return {
        "data": [squares],
        "layout": template.layout(
            margin={"l": 40, "r": 2, "t": 20, "b": 2},
            hovermode="closest",
            dragmode=False,
            uirevision="week",
            xaxis={
                "side": "top",
                "fixedrange": True,
                "range": [-0.5, 23.5],
                "tickmode": "array",
                "tickvals": LABELLED,
                "ticktext": [f"{hour:02}" for hour in LABELLED],
            },
            yaxis={"autorange": "reversed", "showgrid": False, "tickmode": "linear", "nticks": 7, "type": "category"},
        ),
    }


def busiest(week: Sequence[Sequence[Hour]]) -> Hour | None:
    """The hour with the most people; None where nobody came."""
    known = [hour for day in week for hour in day if hour.visitors]
    return max(known, key=lambda hour: hour.visitors or 0) if known else None


def words(week: Sequence[Sequence[Hour]]) -> str:
    """The figure in a sentence."""
    most = busiest(week)
    if most is None:
        return _("Nobody came.")
    return _("Visitors an hour on average by weekday and hour. Busiest: {hour}.", hour=_said(most))


def number(value: float | None) -> str:
    """A mean of visitors: whole from 10 on."""
    if value is None:
        return figures.UNKNOWN
    return figures.count(round(value)) if value >= 10 or value == round(value) else figures.number(value, "ratio")


def _said(hour: Hour) -> str:
    return f"{figures.weekday(hour.weekday)} {hour.hour:02}:00, {number(hour.visitors)}"
