"""The heat map of the week: a square for each weekday and hour, darker where there are more people on average."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dash import html
from dash.development.base_component import Component

from analytics.query.result import Hour
from analytics.reports.lists import HOURS
from layouts.components import figures, states
from layouts.components.markup import Tag, aria, data, icon

SHADES = (0, 25, 50, 75, 100)
WRITTEN = (0, 6, 12, 18)


def card(week: Sequence[Sequence[Hour]], zone: str, period: str) -> list[Any]:
    """The card; `period` is its period in words."""
    known = [hour for day in week for hour in day if hour.visitors]
    head = _head(f"visitors an hour on average, {zone}")
    if not known:
        return [head, states.nothing(f"No visitors in this period: {period}", "When people come appears here.")]
    most = max(known, key=_visitors)
    table = html.Table([_hours(), html.Tbody([_day(day, most.visitors or 1) for day in week])], className="ff-heat")
    busiest = html.Span(
        ["Busiest: ", html.B(f"{figures.weekday(most.weekday)} {most.hour:02}:00"), html.Span(f", {period}")]
    )
    scale: list[Any] = ["0 ", *(html.I(style={"--v": shade}) for shade in SHADES), f" {_number(most.visitors)}"]
    foot = html.Div([busiest, html.Span(scale, className="ff-scale", **aria(hidden="true"))], className="ff-heat-foot")
    return [head, table, foot]


def _head(window: str) -> Component:
    label = "Weekday and hour as CSV"
    file = html.A(
        icon("download", 14), href="#", className="ff-icon", title=label, **aria(label=label), **data(csv=HOURS)
    )
    about = html.Div(html.Span(window, className="ff-window"), className="ff-about")
    return html.Header(
        [html.H2("Weekday and hour"), about, html.Div(file, className="ff-end")], className="ff-card-head"
    )


def _hours() -> Component:
    cells = [
        html.Th(f"{hour:02}" if hour in WRITTEN else html.Span(hour, className="ff-vh"), scope="col")
        for hour in range(24)
    ]
    return html.Thead(html.Tr([html.Th(html.Span("Day", className="ff-vh"), scope="col"), *cells]))


def _day(day: Sequence[Hour], most: float) -> Component:
    name = figures.weekday(day[0].weekday)
    cells: list[Any] = [_cell(hour, name, most) for hour in day]
    return html.Tr([html.Th(name, scope="row"), *cells])


def _cell(hour: Hour, name: str, most: float) -> Tag:
    said = _number(hour.visitors)
    shade = round(100 * (hour.visitors or 0) / most)
    title = f"{name} {hour.hour:02}:00, {said}"
    return Tag("td", {"title": title, "style": {"--v": shade}}, Tag("span", {"class": "ff-vh"}, said))


def _number(value: float | None) -> str:
    if value is None:
        return figures.UNKNOWN
    return figures.count(round(value)) if value >= 10 or value == round(value) else figures.number(value, "ratio")


def _visitors(hour: Hour) -> float:
    return hour.visitors or 0
