"""The Overview page before its first answer: a place for each part, which callbacks fill.

`names` of a part are the names in the address on which it depends, besides those of the question.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from dash import dcc, html
from dash.development.base_component import Component

from analytics.base.words import _
from analytics.reports.lists import EVENT_PANEL, EVENTS, HOURS, PAGES, PANELS, PLACES, TIME, USAGE
from analytics.reports.view import CLOSED, MAX_SEARCH_LENGTH, change
from analytics.sites.site import Site
from layouts.components.address import at
from layouts.components.markup import data, icon
from layouts.figures import frame
from layouts.footfall_components.address_default import AddressDefault
from layouts.footfall_components.address_link import AddressLink
from layouts.footfall_components.choices import Choices
from layouts.footfall_components.details_table import DetailsTable
from layouts.footfall_components.dialog import Dialog
from layouts.footfall_components.part import Part
from layouts.footfall_components.plain_table import PlainTable
from layouts.footfall_components.ranking import Ranking
from layouts.footfall_components.stats import Stats
from layouts.overview import notes, segments, toolbar, usage, week
from layouts.overview.segments import May

PAGE, BODY, PANELS_BOX = "overview", "overview-body", "overview-panels"
AGAIN, SAID, TICK = "overview-again", "overview-said", "overview-tick"
STATS, CHART_BOX, TITLE, LEGEND, INTERVALS, SHAPES = (
    f"overview-{name}" for name in ("stats", "figure", "title", "legend", "intervals", "shapes")
)
DAYS, WEEK_ROWS = "overview-days", "overview-week-rows"
DETAILS, DIALOG = "overview-rows", "overview-details"
WEEK_BOX, WEEK_FOOT = "overview-week-box", "overview-week-foot"
CHART, MAP, WEEK = "overview-chart", "overview-map", "overview-week"
MAP_NOTE = "overview-map-note"
CHART_PX, WEEK_PX = 264, 270
SHARED = ("period", "compare", "filters")

FAILED = "!"  # what `answered` of a part begins with that could not be read

NAMES = {
    "top": ("metric", "interval", "draw"),
    "chart": ("metric", "interval", "draw"),
    "map": (PLACES.id,),
    **{panel.id: (panel.id,) for panel in PANELS},
    PAGES.id: (PAGES.id, "names"),
    EVENT_PANEL: ("property",),
    HOURS: (),
    USAGE: (),
    "rows": ("details", "search", "sort", "page", "names"),
}
LISTS = (*(panel.id for panel in PANELS), EVENT_PANEL)


def address(domain: str) -> str:
    """The address below which a site's Overview has its files."""
    return at(f"/overview/{quote(domain, safe='')}")


def depends(name: str) -> tuple[str, ...]:
    """The names in the address on which a part depends."""
    return (*SHARED, *NAMES[name])


def page(site: Site, may: May, today: str, opens: str = "") -> html.Main:
    """The page, which queries nothing, on the day `today` of the site's zone (YYYY-MM-DD).

    `opens` is the period of an address that names none, "" for the usual one.

    Boxes with an id leave `n_clicks` out: each click within would write it, and draw all that the box holds.
    """
    files = address(site.domain)
    return html.Main(
        [
            *([AddressDefault(name="period", value=opens)] if opens else []),
            dcc.Store(id=AGAIN),
            dcc.Interval(id=TICK, interval=toolbar.NOW_MS),
            html.Div(toolbar.bar(site.domain, may), id="toolbar", className="ff-toolbar", disable_n_clicks=True),
            html.Div(
                [
                    _part(
                        "top",
                        _("Numbers"),
                        "ff-card ff-top",
                        [
                            Stats(id=STATS, label=_("Draw in the chart")),
                            _chart(files, notes.menu(today, hidden=not may.share)),
                        ],
                    ),
                    html.Div(_panels(site, files), id=PANELS_BOX, className="ff-overview", disable_n_clicks=True),
                ],
                id=BODY,
                disable_n_clicks=True,
            ),
            *segments.connections(site.domain),
            *notes.connections(site.domain),
            html.P("", id=SAID, className="ff-vh", role="status"),
            Dialog(
                _part(
                    "rows", None, "", DetailsTable(id=DETAILS, closes=CLOSED, longest=MAX_SEARCH_LENGTH), only="details"
                ),
                id=DIALOG,
                label=_("Details"),
                look="ff-dialog ff-sheet",
                name="details",
                closes=CLOSED,
            ),
        ],
        id=PAGE,
        className="ff-main",
        disable_n_clicks=True,
        **data(site=site.domain, opens=opens, ticks=TICK),
    )


def _panels(site: Site, files: str) -> list[Component]:
    return [
        *(_panel(panel.id, _(panel.label)) for panel in PANELS),
        _panel(EVENT_PANEL, _(EVENTS.label)),
        _part(HOURS, _("Weekday and hour"), "ff-card ff-panel", _week(site, files), graph=WEEK),
        _part(USAGE, _("Daily usage"), "ff-card ff-panel is-wide", [usage.head(files), usage.chart(DAYS)]),
    ]


def _panel(name: str, label: str) -> Component:
    ranking = Ranking(_map() if name == PLACES.id else None, id={"ranking": name}, label=label)
    return Part(ranking, id={"lists": name}, look="ff-card ff-panel", **_framed(name, label))


def _chart(files: str, notes_menu: Component) -> Component:
    table = AddressLink(
        _("Table"), change=change(details=TIME), look="ff-details", label=_("Chart as a table"), name="details-time"
    )
    label = _("Chart as CSV")
    file = AddressLink(icon("download"), file=f"{files}/{TIME}.csv", look="ff-icon", title=label, label=label)
    choices = [Choices(id=INTERVALS, label=_("Interval")), Choices(id=SHAPES, label=_("Shape"))]
    ends = [*choices, notes_menu, table, file]
    head = html.Div(
        [html.H2(id=TITLE), html.Span(id=LEGEND, className="ff-legend"), html.Div(ends, className="ff-end")],
        className="ff-card-tools",
    )
    graph = frame.figure(CHART, _("Chart over time"), height=CHART_PX, table=False)
    return html.Div(
        [head, _part("chart", None, "", graph, graph=CHART)],
        id=CHART_BOX,
        className="ff-main-chart",
        disable_n_clicks=True,
    )


def _map() -> Component:
    hint = _("Page Up and Page Down choose a country or a region, Enter filters by it, Shift and Enter exclude it.")
    graph = frame.figure(MAP, _("Visitors by country"), height=0, table=False, is_map=True, hint=hint)
    return _part("map", None, "ff-choro", [graph, html.Div(id=MAP_NOTE, className="ff-map-note")], graph=MAP)


def _week(site: Site, files: str) -> list[Component]:
    rows = PlainTable(id=WEEK_ROWS)
    graph = frame.figure(WEEK, _("Visitors by weekday and hour"), height=WEEK_PX, table=rows, is_fixed=True)
    foot = html.Div(id=WEEK_FOOT, className="ff-week-foot")
    return [week.head(site.timezone, files), html.Div(graph, id=WEEK_BOX, className="ff-week"), foot]


def _part(
    name: str, label: str | None, look: str, inner: Any, *, graph: str | None = None, only: str | None = None
) -> Component:
    return Part(inner, id={"part": name}, look=look, graph=graph, only=only, **_framed(name, label))


def _framed(name: str, label: str | None) -> dict[str, Any]:
    return {"name": name, "label": label, "names": depends(name), "again": AGAIN}
