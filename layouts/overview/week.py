"""The card of the week: its head, its foot, and its hours as a table. Its picture is in `layouts/figures/`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dash import html
from dash.development.base_component import Component

from analytics.base.words import _
from analytics.query.result import Hour
from analytics.reports.lists import HOURS
from layouts.components import figures, states
from layouts.components.markup import icon, sentence
from layouts.components.scale import scale
from layouts.figures import week_hours
from layouts.footfall_components.address_link import AddressLink


def head(zone: str, files: str) -> Component:
    """The head of the card; `files` is the address below which the files of the Overview are."""
    label = _("Weekday and hour as CSV")
    file = AddressLink(icon("download", 14), file=f"{files}/{HOURS}.csv", look="ff-icon", title=label, label=label)
    window = html.Span(_("visitors an hour on average, {zone}", zone=zone), className="ff-window")
    about, title = html.Div(window, className="ff-about"), html.H2(_("Weekday and hour"))
    return html.Header([title, about, html.Div(file, className="ff-end")], className="ff-card-head")


def nothing(period: str) -> Component:
    """In place of the picture of a period, in words, in which nobody came."""
    return states.nothing(_("No visitors in this period: {period}", period=period), _("When people come appears here."))


def foot(week: Sequence[Sequence[Hour]], period: str) -> Component:
    """The busiest hour, and what the shades mean; `period` is the period in words."""
    most = week_hours.busiest(week)
    if most is None:
        return nothing(period)
    when = f"{figures.weekday(most.weekday)} {most.hour:02}:00"
    busiest = html.Span(sentence(_("Busiest: {hour}, {period}"), hour=html.B(when), period=period))
    return html.Div([busiest, scale(week_hours.number(most.visitors))], className="ff-heat-foot")


def table(week: Sequence[Sequence[Hour]]) -> dict[str, Any]:
    """The props of the `PlainTable`: a row for each hour, a column for each day."""
    columns = [_("Hour"), *(figures.weekday(day[0].weekday) for day in week)]
    rows = [[f"{hour:02}:00", *(week_hours.number(day[hour].visitors) for day in week)] for hour in range(24)]
    return {"columns": columns, "rows": rows}
