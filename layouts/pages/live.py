"""The Live page: a skeleton that queries nothing. A callback fills it with the parts of `live_parts.py`."""

from __future__ import annotations

from collections.abc import Sequence

import dash_bootstrap_components as dbc
from dash import dcc, html
from dash.development.base_component import Component

from analytics.base.words import _
from analytics.live.state import FACTS
from analytics.reports.view import filtered
from analytics.sites.site import Site
from layouts import alerts, wrong_address
from layouts.components import figures, rewind, states
from layouts.components.address import at
from layouts.components.markup import aria, data, icon, sentence
from layouts.components.site import demo_badge, stream_address
from layouts.figures.frame import figure
from layouts.footfall_components.event_cards import EventCards
from layouts.footfall_components.feed import Feed
from layouts.footfall_components.figure_relay import FigureRelay
from layouts.footfall_components.ranking import EmptyState
from layouts.footfall_components.stats import Stats
from layouts.overview import filters
from layouts.pages import live_parts

TITLES = "page-titles"  # the switch, which the browser remembers
TICK_MS = 10_000
LINE_FIGURE, MAP_FIGURE = "trend-figure", "world-figure"
TODAY, TODAY_FAILED = "today", "today-failed"
ACTIVITY, ACTIVITY_PLACE, ACTIVITY_FAILED, ACTIVITY_TICK = (
    "activity",
    "activity-place",
    "activity-failed",
    "activity-tick",
)
FILTER, CHIPS, WRONG = "live-filter", "live-chips", "live-wrong"


def page(site: Site, window_s: int = 60, *, may_embed: bool = False) -> html.Main:
    """The Live page of one site before its first figures; `may_embed`: this person may make cards and set up activity.

    Boxes with an id leave `n_clicks` out: each click within would write it, and draw all that the box holds.
    """
    window = _last(window_s)
    by_title = dbc.Switch(
        id=TITLES, label=_("Titles"), value=False, persistence=True, persistence_type="local", class_name="ff-by-title"
    )
    pages_card = _card(html.Span(_("Active pages")), "pages", window, [by_title])
    sources_card = _card(_turned(_("Sources now"), _("Sources then")), "sources", window)
    lists = html.Div([pages_card, sources_card], className="ff-left")
    return html.Main(
        [
            _toolbar(site, may_embed),
            alerts.strip(site.domain),
            alerts.tick(),
            _notice(),
            _unread(),
            _hero(site.domain, window_s),
            _today(),
            _activity(site.domain, may_embed),
            html.Div([lists, Feed("feed", _("Activity"))], className="ff-grid"),
            _way_out(),
            *_wires(),
        ],
        id="live",
        className="ff-main",
        disable_n_clicks=True,
        **data(
            site=site.domain,
            stream=stream_address(site.domain),
            timezone=site.timezone,
            filters="",
            ticks=f"tick rewind-tick {ACTIVITY_TICK} {alerts.TICK}",
        ),
    )


def _toolbar(site: Site, may_embed: bool) -> Component:
    refresh = html.Button([icon("refresh"), _("Refresh")], id="refresh", type="button", className="ff-btn")
    wall = html.Button([icon("max"), _("Full screen")], id="wall", type="button", className="ff-btn ff-hide-sm")
    cards = at(f"/settings/{site.domain}/cards")
    embed = [html.A([icon("code"), _("Embed")], href=cards, className="ff-btn ff-hide-sm")] if may_embed else []
    clock = html.Span(site.timezone, id="clock", className="ff-sub")
    title = [html.H1(_("Live")), *([demo_badge()] if site.demo else [])]
    chosen = filters.bar(CHIPS, FILTER, FACTS)
    end = html.Div([refresh, *embed, wall], className="ff-end")
    return html.Div([*title, clock, *chosen, end, wrong_address.place(WRONG)], className="ff-toolbar")


def wrong(of_filters: str, of_second: str) -> list[Component]:
    """What is wrong with the filters and the second in the address ("" for nothing), each with a link to remove it."""
    lines: list[Component] = []
    if of_filters:
        said = _("These filters are left out: everybody is shown. {why}.", why=wrong_address.reason(of_filters))
        lines.append(wrong_address.line(said, _("Remove the filters"), filtered(())))
    if of_second:
        said = _("This moment is left out: Live shows now. {why}.", why=wrong_address.reason(of_second))
        lines.append(wrong_address.line(said, _("Remove it"), "at="))
    return lines


def _today() -> Component:
    row = [Stats(id=TODAY, label=_("Today so far")), html.Div(id=TODAY_FAILED, disable_n_clicks=True)]
    return html.Div(row, className="ff-card ff-today")


def _activity(domain: str, may_set: bool) -> Component:
    """The cards of the site's events; hidden from those who can change nothing about there being none."""
    pulse = html.Span(className="ff-pulse", **aria(hidden="true"))
    title = [html.H2(_("Business activity")), html.Span([pulse, _("Live")], className="ff-badge is-ok ff-live-mark")]
    everybody = html.Span(_("all visitors"), className="ff-window ff-activity-all")  # seen while the page is filtered
    age = html.Span(id="activity-age", className="ff-window")
    change = html.A([icon("settings", 14), _("Set up")], href=at(f"/settings/{domain}/activity"), className="ff-link")
    end = [html.Div(change, className="ff-end")] if may_set else []
    inner = [
        html.Header([*title, everybody, age, *end], className="ff-card-head"),
        EventCards(id=ACTIVITY, label=_("Business activity")),
        html.Div(id=ACTIVITY_FAILED, disable_n_clicks=True),
    ]
    return html.Section(inner, id=ACTIVITY_PLACE, className="ff-card ff-activity", disable_n_clicks=True)


def no_activity(domain: str) -> EmptyState:
    """The words where there was no event yet, for those who may set the cards up."""
    return {
        "title": _("No event yet"),
        "hint": _("Signups, payments, bookings: what your pages or servers send is counted here as it happens."),
        "link": _("How events get here"),
        "href": at(f"/settings/{domain}/activity"),
    }


def _way_out() -> Component:
    """The button that leaves wall mode (assets/pages/wall.js); hidden elsewhere."""
    return html.Button([icon("x"), _("Leave full screen")], id="wall-leave", type="button", className="ff-btn")


def _notice() -> Component:
    since = html.Span("–", id="notice-since")
    again = html.Button(_("Try now"), id="try-now", type="button", className="ff-link")
    said = sentence(_("Not connected since {since}. The numbers are from then. {again}"), since=since, again=again)
    return _alert("notice", [icon("off"), html.Span(said)])


def _unread() -> Component:
    """The notice while the lists cannot be redrawn; the numbers may be live all the same."""
    since = html.Span(id="unread-since")
    again = html.Button(_("Try again"), type="button", className="ff-link ff-retry")
    words = html.Span([_("The lists could not be read."), " ", since, again], role="status")
    return _alert("unread", [icon("alert"), words])


def _alert(name: str, inner: list[Component]) -> Component:
    return html.Div(inner, id=name, className="ff-alert is-warn", hidden=True, disable_n_clicks=True)


def _hero(domain: str, window_s: int) -> Component:
    now = html.Div([_headline(window_s), _who(), _line(domain)], className="ff-now")
    parts = [now, _map(domain, window_s), rewind.bar()]
    return html.Section(parts, className="ff-card ff-hero", **aria(label=_("Active now and where")))


def _turned(now: str, then: str) -> Component:
    """Words that assets/pages/live.js replaces while the page is rewound."""
    return html.Span(now, **data(then=then))


def _headline(window_s: int) -> Component:
    window = figures.window(window_s)
    seen = _turned(
        _("seen in the last {window}", window=window),
        _("seen in the {window} before", window=window),
    )
    pulse = html.Span(className="ff-pulse", **aria(hidden="true"))
    number = html.Div(
        [
            html.H2([pulse, _turned(_("Active now"), _("Active then"))], className="ff-label"),
            html.P("", id="active-now", className="ff-big"),
            html.P(seen, className="ff-window"),
            html.P(id="active-said", className="ff-vh", role="status"),
        ]
    )
    facts = html.Dl(live_parts.no_facts(), id="facts", className="ff-facts")
    return html.Div([number, facts], className="ff-now-top")


def _who() -> Component:
    types = html.Ul(id="user-types", className="ff-types", **aria(label=_("Active now by user type")))
    return html.Div([html.Div(live_parts.no_split(), id="split"), types], className="ff-split")


def _line(domain: str) -> Component:
    window = html.Span(live_parts.line_of(is_filtered=False), id="trend-of", className="ff-window")
    whole = html.A([_("Whole day"), icon("right", 14)], href=at(f"/concurrents/{domain}"), className="ff-link ff-end")
    caption = [html.H3(_turned(_("Last 30 minutes"), _("30 minutes before"))), window, whole]
    file = at(f"/live/{domain}/minutes.csv")
    graph = figure("trend", _("Active people in each of the last 30 minutes"), height=150, csv=file)
    return html.Div([html.Div(caption, className="ff-cap"), graph], className="ff-sparkbox")


def _map(domain: str, window_s: int) -> Component:
    window = html.Span(_last(window_s), className="ff-window")
    title = html.Div(
        [html.H2(_turned(_("Where they are"), _("Where they were")), id="map-title"), window, " ", _age()],
        className="ff-map-title",
    )
    file = at(f"/live/{domain}/places.csv")
    dots = figure("world", _("Map of active people"), height=0, is_map=True, csv=file)
    return html.Section(
        [title, dots, html.Div(id="map", className="ff-map-in", disable_n_clicks=True)],
        className="ff-map",
        **aria(labelledby="map-title"),
    )


def _last(window_s: int) -> str:
    return _("last {window}", window=figures.window(window_s))


def _card(title: Component, body: str, window: str, tools: Sequence[Component] = ()) -> Component:
    head = [
        html.H2(title, id=f"{body}-title"),
        html.Div([*tools, html.Span(window, className="ff-window"), _age()], className="ff-end"),
    ]
    return html.Section(
        [
            html.Header(head, className="ff-card-head"),
            html.Div(states.skeleton(live_parts.ROWS), id=body, disable_n_clicks=True),
        ],
        className="ff-card ff-list",
        **aria(labelledby=f"{body}-title"),
    )


def _age() -> Component:
    """How old a list is, where the number is of another moment; assets/pages/live.js writes it."""
    return html.Span(className="ff-window ff-age")


def _wires() -> list[Component]:
    return [
        dcc.Interval(id="tick", interval=TICK_MS),
        dcc.Interval(id=ACTIVITY_TICK, interval=TICK_MS),
        dcc.Store(id="nudge"),
        dcc.Store(id="today-filters"),
        dcc.Store(id="drawing"),
        dcc.Store(id="fallback"),
        FigureRelay(LINE_FIGURE, graph="trend"),
        FigureRelay(MAP_FIGURE, graph="world"),
        dcc.Interval(id="rewind-tick", interval=rewind.TICK_MS),
    ]
