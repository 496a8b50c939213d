"""The all-sites page, and the data from which `assets/pages/sites.js` draws its rows.

The script draws them because 50 rows took the browser 850 ms as Dash components, and a few as plain nodes.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, NamedTuple

from dash import dcc, html

from analytics.base.idn import to_letters
from analytics.live.today_counts import TodayCounts
from layouts.components import figures, states, trend
from layouts.components.address import at
from layouts.components.markup import aria, data, icon

LIST, TOTAL, REQUEST = "sites-list", "sites-total", "sites-asked"
ROWS = 50
TICK_MS = 10_000
SORTED = "active"

COLUMNS = (  # sort key ("" for none), heading, window
    ("domain", "Site", ""),
    ("active", "Active now", "last {window}"),
    ("", "Trend", "last 30 min"),
    ("people", "People", "today"),
    ("visits", "Visits", "today"),
    ("pageviews", "Pageviews", "today"),
    ("", "People", "yesterday, UTC"),
)
SORTS = tuple(sort for sort, _, _ in COLUMNS if sort)


class SiteRow(NamedTuple):
    """One site. `today` is None while it is being counted, `yesterday` without people or before they are counted."""

    domain: str
    name: str
    href: str
    active: int
    today: TodayCounts | None
    yesterday: int | None
    trend: Sequence[int | None]
    demo: bool


class ListPage(NamedTuple):
    """One page of the list. `found` of the `known` sites match the search; pages count from 1."""

    rows: Sequence[SiteRow]
    found: int
    known: int
    page: int
    sort: str
    backwards: bool


def page(window_s: int, first: str, summed: str, *, may_add: bool) -> html.Main:
    """The page with its first rows, as `rows_json` writes them, and the total of all sites."""
    add = html.A([icon("plus"), "Add site"], href=at("/sites/add"), className="ff-btn ff-btn-primary")
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
    whole = html.Span(summed, id=TOTAL, className="ff-sub", role="status")
    head = html.Div([html.H1("Sites"), whole, html.Div(end, className="ff-end")], className="ff-toolbar")
    wires = [dcc.Interval(id="sites-tick", interval=TICK_MS), dcc.Store(id=REQUEST)]
    return html.Main([head, _list(window_s, first), *wires], id="all-sites", className="ff-main")


def pages(found: int) -> int:
    """How many pages that many sites need; at least one."""
    return max(1, -(-found // ROWS))


def total(sites: int, people: int, window_s: int) -> str:
    """`3 sites · 1,204 people active in the last 60 s`."""
    noun = "site" if sites == 1 else "sites"
    return f"{figures.count(sites)} {noun} · {figures.people(people)} active in the last {figures.window(window_s)}"


def _list(window_s: int, first: str) -> html.Section:
    head = html.Thead(html.Tr([_heading(*column, window_s) for column in COLUMNS]))
    none = states.nothing("No such site", "No domain and no name has that in it.", "globe")
    inner = [
        html.Table([head, html.Tbody()], className="ff-table ff-sites", hidden=True),
        html.Div(none, className="ff-none", hidden=True),
        html.Nav([html.Span(), *_turns()], className="ff-turn", hidden=True, **aria(label="Pages of sites")),
    ]
    return html.Section(inner, id=LIST, className="ff-card", **aria(label="All sites"), **data(part=first))


def _heading(sort: str, label: str, window: str, window_s: int) -> html.Th:
    words: list[Any] = [label, html.Small(window.format(window=figures.window(window_s)))] if window else [label]
    side = "" if label in ("Site", "Trend") else "ff-num"
    if not sort:
        return html.Th(html.Span(words), scope="col", className=side)
    button = html.Button([html.Span(words), icon("down", 14)], type="button", **data(sort=sort))
    return html.Th(button, scope="col", className=side)


def _turns() -> list[html.Button]:
    return [html.Button(label, type="button", className="ff-btn") for label in ("Previous", "Next")]


def rows_json(part: ListPage, window_s: int) -> str:
    """One page of the list as JSON: its rows as text, its place among the pages, and its order.

    `upwards`: in ascending order; `to`: the pages before and after, 0 where there is none.
    """
    fields = {
        "rows": [_row(row, window_s) for row in part.rows],
        "words": _where(part),
        "to": [part.page - 1, part.page + 1 if part.page < pages(part.found) else 0],
        "sort": part.sort,
        "upwards": (part.sort == "domain") != part.backwards,
    }
    return json.dumps(fields, separators=(",", ":"))


def _row(row: SiteRow, window_s: int) -> dict[str, object]:
    """A site's domain, other name ("" for none), address and badge, its trend, and its figures with their labels."""
    today = row.today
    people = figures.UNKNOWN if today is None else figures.count(today.people) + ("+" if today.at_least else "")
    cells = [
        (figures.count(row.active), f"last {figures.window(window_s)}"),
        (people, "People today"),
        (figures.UNKNOWN if today is None else figures.count(today.visits), "Visits today"),
        (figures.UNKNOWN if today is None else figures.count(today.pageviews), "Pageviews today"),
        (figures.UNKNOWN if row.yesterday is None else figures.count(row.yesterday), "People yesterday"),
    ]
    return {
        "domain": to_letters(row.domain),
        "name": row.name if row.name not in (row.domain, to_letters(row.domain)) else "",
        "href": row.href,
        "badge": "Demo" if row.demo else "",
        "cells": cells,
        "trend": trend.line((*row.trend, row.active)),
    }


def _where(part: ListPage) -> str:
    """`51–100 of 1,000`; `1–2 of 2 found, of 1,000`."""
    first = (part.page - 1) * ROWS + 1
    of = figures.count(part.found) + ("" if part.found == part.known else f" found, of {figures.count(part.known)}")
    return f"{figures.count(first)}–{figures.count(first + len(part.rows) - 1)} of {of}"
