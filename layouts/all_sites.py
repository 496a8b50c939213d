"""The all-sites page: a skeleton that queries nothing, and the list that a callback fills it with.

Rows are plain and few (50 a page): `assets/sites.js` asks for another page, order or search.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from dash import dcc, html
from dash.development.base_component import Component

from analytics.today import Figures
from layouts import states
from layouts.components import figures, trend
from layouts.components.icon import icon

LIST, TOTAL, ASKED = "sites-list", "sites-total", "sites-asked"
ROWS = 50
TICK_MS = 10_000
SORTED = "active"

COLUMNS = (  # what it is sorted by ("" for not), heading, its window
    ("domain", "Site", ""),
    ("active", "Active now", "last {window}"),
    ("", "Trend", "last 30 min"),
    ("people", "Visitors", "today"),
    ("visits", "Visits", "today"),
    ("pageviews", "Pageviews", "today"),
    ("", "Visitors", "yesterday, UTC"),
)
SORTS = tuple(sort for sort, _, _ in COLUMNS if sort)


class Row(NamedTuple):
    """One site. `today` is None while it is being counted, `yesterday` where nobody was or it is not counted yet."""

    domain: str
    name: str
    href: str
    active: int
    today: Figures | None
    yesterday: int | None
    trend: Sequence[int | None]
    demo: bool


class Part(NamedTuple):
    """One page of the list: of `known` sites `found` fit the search; pages count from 1."""

    rows: Sequence[Row]
    found: int
    known: int
    page: int
    last_page: int
    sort: str
    backwards: bool
    window_s: int


def page(window_s: int, *, may_add: bool) -> html.Main:
    """The page before its first figures."""
    add = html.A([icon("plus"), "Add site"], href="/sites/add", className="ff-btn ff-btn-primary")
    refresh = html.Button([icon("refresh"), "Refresh"], id="sites-refresh", type="button", className="ff-btn")
    search = dcc.Input(
        id="sites-words",
        type="search",
        placeholder="Find a site",
        autoComplete="off",
        maxLength=120,
        debounce=True,
    )
    name = html.Label("Find a site", htmlFor="sites-words", className="ff-vh")
    end = [html.Div([name, search], className="ff-field ff-search"), refresh, *([add] if may_add else [])]
    total = html.Span(id=TOTAL, className="ff-sub", role="status")
    head = html.Div([html.H1("Sites"), total, html.Div(end, className="ff-end")], className="ff-toolbar")
    listed = html.Div(states.skeleton(10), id=LIST)
    wires = [dcc.Interval(id="sites-tick", interval=TICK_MS), dcc.Store(id=ASKED)]
    card = html.Section(listed, className="ff-card", **{"aria-label": "All sites"})
    return html.Main([head, card, *wires], id="all-sites", className="ff-main", **{"data-window": str(window_s)})


def total(sites: int, people: int, window_s: int) -> str:
    """`3 sites · 1,204 people active in the last 60 s`."""
    noun = "site" if sites == 1 else "sites"
    return f"{figures.count(sites)} {noun} · {figures.people(people)} active in the last {figures.window(window_s)}"


def listed(part: Part) -> list[Component]:
    """One page of the list, or words where nothing fits."""
    if not part.rows:
        return [states.nothing("No such site", "No domain and no name has that in it.", "globe")]
    head = html.Thead(html.Tr([_heading(part, *column) for column in COLUMNS]))
    rows = html.Tbody([_row(row, part.window_s) for row in part.rows])
    table = html.Table([head, rows], className="ff-table ff-sites")
    return [table, _turning(part)]


def _heading(part: Part, sort: str, label: str, window: str) -> html.Th:
    words = [label, html.Small(window.format(window=figures.window(part.window_s)))] if window else [label]
    side = "" if label in ("Site", "Trend") else "ff-num"
    if not sort:
        return html.Th(html.Span(words), scope="col", className=side)
    is_current = sort == part.sort
    upwards = (sort == "domain") != part.backwards
    order = {"aria-sort": "ascending" if upwards else "descending"} if is_current else {}
    mark = icon("up" if upwards else "down", 14) if is_current else None
    button = html.Button([html.Span(words), mark], type="button", **{"data-sort": sort})
    return html.Th(button, scope="col", className=side, **order)


def _row(row: Row, window_s: int) -> html.Tr:
    name = [html.Bdi(row.domain, className="ff-trunc", title=row.domain)]
    if row.name != row.domain:
        name.append(html.Small(html.Bdi(row.name), className="ff-trunc"))
    badge = [html.Span("Demo", className="ff-badge")] if row.demo else []
    cells = [
        html.Td([html.A(name, href=row.href), *badge]),
        _figure(html.B(figures.count(row.active)), f"last {figures.window(window_s)}"),
        html.Td(trend.line((*row.trend, row.active))),
        *_today(row.today),
        _figure(figures.UNKNOWN if row.yesterday is None else figures.count(row.yesterday), "Visitors yesterday"),
    ]
    return html.Tr(cells)


def _figure(shown: str | Component, label: str, **options: str) -> html.Td:
    """A cell; the label stands below it where there are no columns, on a phone."""
    return html.Td(shown, className="ff-num", **{"data-label": label}, **options)


def _today(today: Figures | None) -> list[html.Td]:
    labels = ("Visitors today", "Visits today", "Pageviews today")
    if today is None:
        return [_figure(figures.UNKNOWN, label, title="Being counted") for label in labels]
    people = figures.count(today.people) + ("+" if today.at_least else "")
    shown = (people, figures.count(today.visits), figures.count(today.pageviews))
    return [_figure(*pair) for pair in zip(shown, labels, strict=True)]


def _turning(part: Part) -> html.Nav | html.P:
    """Which sites these are of how many, and the way to the others."""
    first = (part.page - 1) * ROWS + 1
    of = figures.count(part.found) + ("" if part.found == part.known else f" found, of {figures.count(part.known)}")
    words = html.Span(f"{figures.count(first)}–{figures.count(first + len(part.rows) - 1)} of {of}")
    if part.last_page == 1:
        return html.P(words, className="ff-rest")
    ways = [("Previous", part.page - 1, part.page > 1), ("Next", part.page + 1, part.page < part.last_page)]
    buttons = [
        html.Button(label, type="button", className="ff-btn", disabled=not there, **{"data-page": str(to)})
        for label, to, there in ways
    ]
    return html.Nav([words, *buttons], className="ff-turn", **{"aria-label": "Pages of sites"})
