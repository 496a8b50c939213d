"""The frame of a figure: the graph, its name, its words, and the same numbers as a table and as a file."""

from __future__ import annotations

import json
from typing import Any

from dash import dcc, html
from dash.development.base_component import Component

from analytics.base.words import _
from layouts.components.markup import aria, data, icon
from layouts.figures import bundle, template
from layouts.figures.template import Figure
from layouts.footfall_components.address_link import AddressLink

CHART_BUTTONS = [["zoomIn2d", "zoomOut2d", "resetScale2d", "toImage"]]
MAP_BUTTONS = [["zoomInGeo", "zoomOutGeo", "resetGeo", "toImage"]]
FIXED_BUTTONS = [["toImage"]]


def figure(
    name: str,
    title: str,
    *,
    height: int,
    figure: Figure | None = None,
    words: str = "",
    table: Any = None,
    table_name: str = "",
    csv: str = "",
    is_map: bool = False,
    is_fixed: bool = False,
    hint: str = "",
) -> html.Figure:
    """A figure in its frame, `height` px high; `height=0` lets the stylesheet say it.

    Callbacks fill its parts by their ids:

    - `NAME`: the `dcc.Graph`; `figure` is a plain dict that one of `layouts/figures/` makes. Give it a `uirevision`
      that is the same as long as the reader's zoom should stay.
    - `NAME-words`: the figure in a sentence, for screen readers. plotly.js is loaded as soon as a figure of the page
      has its words, so they come from the callback that brings the numbers, not from one of the figure.
    - `NAME-table`: the same numbers as a table. If it is long, leave `table` out and fill it when `NAME-open`, the
      summary above it, is pressed (`n_clicks`). `table=False`: the page has the numbers as a table already.
      `table_name` says what its rows are if they are not the points of the figure.

    A callback with the graph as an Input or State starts only when plotly.js is there. Let no numbers depend on one.
    `title` is the accessible name and the name of downloaded pictures. `csv` is the address of the numbers as a file;
    the query string of the page is added. `is_fixed`: its axes cannot be zoomed, so it has no buttons for that. `hint`
    says to screen readers what keys do here besides those below.

    assets/lib/figures.js loads plotly.js, adds the keys, and says so if it cannot be loaded. Arrow keys move the hover
    point of a chart, in a heat map also up and down; on a map arrows pan, + and - zoom, 0 resets, Page Up and Page Down
    go from dot to dot, or from country to country; where a click on one filters, Enter does too, and Shift and Enter
    exclude it.
    """
    settings = _config(title, MAP_BUTTONS if is_map else FIXED_BUTTONS if is_fixed else CHART_BUTTONS, wheel=is_map)
    graph = dcc.Graph(id=name, figure=figure or {}, config=settings, responsive=True, className="ff-graph")
    wait = html.P(_("Loading the figure …"), className="ff-figure-wait", **aria(hidden="true"))
    said = html.P(className="ff-vh", role="status")
    plot = html.Div(
        [graph, wait, said],
        className="ff-figure-plot",
        tabIndex=0,
        role="group",
        style={"height": f"{height}px"} if height else {},
        **aria(label=title, describedby=f"{name}-words {name}-hint" if hint else f"{name}-words"),
    )
    about = [html.P(words, id=f"{name}-words", className="ff-vh")]
    about += [html.P(hint, id=f"{name}-hint", className="ff-vh")] if hint else []
    more = html.Div([*_table(name, title, table, table_name), *_file(csv, title)], className="ff-figure-more")
    return html.Figure(
        [plot, *about, *([more] if more.children else [])],
        className="ff-figure is-map" if is_map else "ff-figure",
        **data(dark=json.dumps(template.dark_of_light()), bundle=bundle.address(bundle.SCRIPT), title=title),
    )


def _config(title: str, buttons: list[list[str]], *, wheel: bool) -> dcc.Graph.Config:
    return {
        "displaylogo": False,
        "displayModeBar": "hover",
        "modeBarButtons": buttons,
        "toImageButtonOptions": {"format": "png", "scale": 2, "filename": title},
        "scrollZoom": wheel,
        "topojsonURL": bundle.address(),
        "showTips": False,
        "doubleClick": "reset",
    }


def _table(name: str, title: str, table: Any, table_name: str) -> list[Component]:
    if table is False:
        return []
    summary = html.Summary(table_name or _("As a table"), id=f"{name}-open")
    label = aria(label=f"{title} ({table_name})" if table_name else title)
    rows = html.Div(table, id=f"{name}-table", className="ff-figure-table", role="region", **label)
    return [html.Details([summary, rows])]


def _file(csv: str, title: str) -> list[Component]:
    label = _("{list} as CSV", list=title)
    return [AddressLink([icon("download", 14), "CSV"], file=csv, look="ff-link", label=label)] if csv else []
