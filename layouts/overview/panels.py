"""The panels: lists with a bar, a number and a share in each row, whose labels filter everything."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dash import html
from dash.development.base_component import Component

from analytics.query.filters import Filter
from analytics.query.result import Answer, Row
from analytics.reports.lists import EVENTS, MAP, PROPERTY_VALUES, List, Panel, list_of, read, written
from analytics.reports.view import change, excluded, filtered, narrowed
from layouts.components import figures, states
from layouts.components.markup import aria, data, icon
from layouts.overview import worldmap


def panel(
    one: Panel, shown: List, answer: Answer, everybody: int, current: tuple[Filter, ...], period: str
) -> list[Any]:
    """A panel with one of its lists open; `everybody` is the number of visitors of the whole question."""
    tabs = [_tab(one, each, each is shown) for each in one.lists]
    whole = list_of("country") if shown.id == MAP else shown
    head = _head(html.Div(tabs, role="tablist", className="ff-ptabs", **aria(label=one.label)), whole)
    inner = _inner(shown, answer, everybody, current, period)
    body = html.Div(inner, role="tabpanel", className="ff-panel-body", **aria(label=shown.label))
    return [head, body]


def events(
    answer: Answer, everybody: int, current: tuple[Filter, ...], period: str, properties: Sequence[Any] = ()
) -> list[Any]:
    """The panel of events, and below it the properties of the event that the filters name."""
    head = _head(html.H2(EVENTS.label), EVENTS)
    return [
        head,
        html.Div([*_inner(EVENTS, answer, everybody, current, period), *properties], className="ff-panel-body"),
    ]


def properties(
    names: Sequence[str], shown: str, answer: Answer, everybody: int, current: tuple[Filter, ...]
) -> list[Any]:
    """The names of an event's properties, and the values of the one that is shown."""
    chips = [
        html.Button(
            html.Bdi(name),
            type="button",
            className="ff-chip",
            **aria(pressed="true" if name == shown else "false"),
            **data(change=change(property=name), keep=f"property-{name}"),
        )
        for name in names
    ]
    choice = html.Div(chips, className="ff-chips", role="group", **aria(label="Property"))
    head = html.Div([html.H3("Properties"), _file(PROPERTY_VALUES, shown), choice], className="ff-properties")
    return [head, _table(shown, f"prop:{shown}", answer.rows, everybody, current)]


def no_properties() -> list[Any]:
    """The text for an event without properties."""
    return [html.P("This event has no properties.", className="ff-rest")]


def _head(title: Component, shown: List) -> Component:
    whole = html.A(
        ["Details", icon("right", 14)],
        href="#",
        className="ff-details",
        **aria(label=f"Details: {shown.label}"),
        **data(change=change(details=shown.id), keep=f"details-{shown.id}"),
    )
    ends = [whole, _file(shown.id, shown.label)]
    return html.Header([title, html.Div(ends, className="ff-end")], className="ff-card-head")


def _file(name: str, what: str) -> Component:
    label = f"{what} as CSV"
    marks: dict[str, Any] = {"data-csv": name, "aria-label": label}
    return html.A(icon("download", 14), href="#", className="ff-icon", title=label, **marks)


def _tab(one: Panel, shown: List, is_open: bool) -> Component:
    return html.Button(
        shown.label,
        role="tab",
        type="button",
        tabIndex=0 if is_open else -1,
        **aria(selected="true" if is_open else "false"),
        **data(change=change(**{one.id: "" if shown is one.lists[0] else shown.id}), keep=f"tab-{shown.id}"),
    )


def _inner(shown: List, answer: Answer, everybody: int, current: tuple[Filter, ...], period: str) -> list[Any]:
    if not answer.rows:
        return [states.nothing(f"No {shown.rows} in this period: {period}", shown.empty)]
    if shown.id == MAP:
        return worldmap.choropleth(answer.rows, current)
    return [_table(shown.heading, shown.dimension, answer.rows, everybody, current)]


def _table(heading: str, name: str, rows: Sequence[Row], everybody: int, current: tuple[Filter, ...]) -> Component:
    titles = [
        html.Th(html.Bdi(heading), scope="col"),
        html.Th("Visitors", scope="col", className="ff-num ff-val"),
        html.Td(className="ff-outs"),
    ]
    most = max((int(row.metrics[0] or 0) for row in rows), default=1) or 1
    lines = [_row(name, str(row.dimensions[0]), int(row.metrics[0] or 0), most, everybody, current) for row in rows]
    return html.Table([html.Thead(html.Tr(titles)), html.Tbody(lines)], className="ff-table ff-barred")


def _row(name: str, value: str, people: int, most: int, everybody: int, current: tuple[Filter, ...]) -> Component:
    label = read(name, value)
    fill = html.Span(className="ff-fill", style={"--w": f"{people / most:.3f}"})
    share = figures.number(people / everybody, "share") if everybody else ""
    number: list[Any] = [html.Span(share, className="ff-pct"), " ", html.B(figures.count(people))]
    return html.Tr(
        [
            html.Td([fill, link(name, value, current)], title=label),
            html.Td(number, className="ff-num"),
            html.Td(exclude(name, value, current), className="ff-outs"),
        ]
    )


def link(name: str, value: str, current: tuple[Filter, ...]) -> Component:
    """The label of a row. A click filters everything by it; with Shift the click excludes it."""
    return html.A(
        html.Bdi(read(name, value)),
        href="#",
        className="ff-lbl",
        **data(
            change=filtered(narrowed(current, name, written(name, value))),
            out=filtered(excluded(current, name, written(name, value))),
            keep=f"{name}={value}",
        ),
    )


def exclude(name: str, value: str, current: tuple[Filter, ...]) -> Component:
    """The button that excludes a row, for touch screens and keyboards."""
    said = f"Exclude {read(name, value)}"
    return html.Button(
        icon("x", 12),
        type="button",
        className="ff-out",
        title=said,
        **aria(label=said),
        **data(change=filtered(excluded(current, name, written(name, value)))),
    )
