"""Daily usage: the people of each UTC day, signed in and anonymous, as the daily work counted them, without filters."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from typing import Any

from dash import html
from dash.development.base_component import Component

from analytics.query.result import Usage
from analytics.reports.lists import USAGE
from layouts.components import figures, states
from layouts.components.markup import aria, data, icon

KINDS = (("is-stored", "signed in"), ("is-out", "anonymous"))


def card(found: Sequence[Usage], days: Sequence[date]) -> list[Any]:
    """A bar for each day; days without people, or not counted yet, have none."""
    if not found:
        hint = "The people of a day are counted at 01:00 UTC of the next."
        return [_head([]), states.nothing("No day of this period is counted", hint)]
    by_day = {one.day: one for one in found}
    most = max(found, key=lambda one: one.people)
    columns = [_column(by_day.get(day.isoformat()), day, most.people) for day in days]
    said = f"At most {figures.people(most.people)}, on {_day(date.fromisoformat(most.day))}. The file has every day."
    plot = html.Div(columns, className="ff-bars", role="img", **aria(label=said))
    ends = [html.Span(_day(day)) for day in (days[0], days[len(days) // 2], days[-1])]
    highest = html.Span(figures.count(most.people), className="ff-bars-most", **aria(hidden="true"))
    return [_head(_legend()), html.Div([highest, plot, html.Div(ends, className="ff-bars-x")], className="ff-bars-box")]


def _head(legend: list[Component]) -> Component:
    label = "Daily usage as CSV"
    file = html.A(
        icon("download", 14), href="#", className="ff-icon", title=label, **aria(label=label), **data(csv=USAGE)
    )
    window = html.Span("everybody, by UTC days", className="ff-window")
    about = html.Div([window, *legend], className="ff-about")
    return html.Header([html.H2("Daily usage"), about, html.Div(file, className="ff-end")], className="ff-card-head")


def _legend() -> list[Component]:
    return [html.Span([html.I(className=kind), said.capitalize()], className="ff-bars-key") for kind, said in KINDS]


def _column(one: Usage | None, day: date, most: int) -> Component:
    if one is None:
        return html.Span(title=f"{_day(day)}: nobody")
    counts = [(kind, said, many) for (kind, said), many in zip(KINDS, (one.signed_in, one.anonymous), strict=True)]
    parts = [html.I(className=kind, style={"flex": many}) for kind, _, many in counts if many]
    counted = ", ".join(f"{figures.count(many)} {said}" for _, said, many in counts)
    height = f"{100 * one.people / most:.1f}%"
    return html.Span(
        html.Span(parts, style={"height": height}), title=f"{_day(day)}: {figures.people(one.people)}, {counted}"
    )


def _day(day: date) -> str:
    return figures.day_text(int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp()))
