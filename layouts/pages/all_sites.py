"""The all-sites page: the list of sites with their figures in words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from dash import dcc, html

from analytics.base.idn import to_letters
from analytics.base.words import N_, _, ngettext
from analytics.live.today_counts import TodayCounts
from layouts import alerts
from layouts.components import figures, trend
from layouts.components.address import at
from layouts.components.markup import data, icon
from layouts.footfall_components.site_list import SiteColumn, SiteList, SitePage, SiteRow, WrongAddress

LIST = "sites"
ROWS = 50
TICK_MS = 10_000
SORTED = "-active"

COLUMNS = (  # order of the first click ("" for none), heading, window
    ("domain", N_("Site"), ""),
    ("-active", N_("Active now"), N_("last {window}")),
    ("", N_("Trend"), N_("last 30 min")),
    ("-people", N_("People"), N_("today")),
    ("-visits", N_("Visits"), N_("today")),
    ("-pageviews", N_("Pageviews"), N_("today")),
    ("", N_("People"), N_("yesterday, UTC")),
)
SORTS = tuple(sort.removeprefix("-") for sort, *_heading in COLUMNS if sort)


class ListedSite(NamedTuple):
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
    """One page of the list. `found` of the `known` sites match the search; pages count from 1. `sort`, `at`: see
    `SitePage`.
    """

    rows: Sequence[ListedSite]
    found: int
    known: int
    page: int
    sort: str
    at: str = ""


def page(window_s: int, first: SitePage, summed: str, wrong: WrongAddress | None = None, *, may_add: bool) -> html.Div:
    """The page with its rows, as `list_page` makes them, the total of all sites, and what is wrong in the address."""
    add = html.A([icon("plus"), _("Add site")], href=at("/sites/add"), className="ff-btn ff-btn-primary")
    refresh = html.Button([icon("refresh"), _("Refresh")], id="sites-refresh", type="button", className="ff-btn")
    columns = [_column(*column, window_s) for column in COLUMNS]
    whole = SiteList([refresh, *([add] if may_add else [])], LIST, _("Sites"), summed, columns, first, wrong)
    ticks = [dcc.Interval(id="sites-tick", interval=TICK_MS), alerts.tick()]
    return html.Div([alerts.strip(), whole, *ticks], **data(ticks=f"sites-tick {alerts.TICK}"))


def pages(found: int) -> int:
    """How many pages that many sites need; at least one."""
    return max(1, -(-found // ROWS))


def total(sites: int, people: int, window_s: int) -> str:
    """`3 sites · 1,204 people active in the last 60 s`."""
    return _(
        "{sites} · {people} active in the last {window}",
        sites=ngettext("{n} site", "{n} sites", sites, n=figures.count(sites)),
        people=figures.people(people),
        window=figures.window(window_s),
    )


def _column(sort: str, label: str, window: str, window_s: int) -> SiteColumn:
    shown = _(window, window=figures.window(window_s))
    return {"sort": sort, "label": _(label), "window": shown, "numeric": label not in (COLUMNS[0][1], COLUMNS[2][1])}


def list_page(part: ListPage, window_s: int) -> SitePage:
    """One page of the list in words."""
    return {
        "rows": [_row(row, window_s) for row in part.rows],
        "words": _where(part),
        "to": [part.page - 1, part.page + 1 if part.page < pages(part.found) else 0],
        "sort": part.sort,
        "at": part.at,
    }


def _row(row: ListedSite, window_s: int) -> SiteRow:
    today = row.today
    people = figures.UNKNOWN if today is None else figures.count(today.people) + ("+" if today.at_least else "")
    cells = [
        (figures.count(row.active), _("last {window}", window=figures.window(window_s))),
        (people, _("People today")),
        (figures.UNKNOWN if today is None else figures.count(today.visits), _("Visits today")),
        (figures.UNKNOWN if today is None else figures.count(today.pageviews), _("Pageviews today")),
        (figures.UNKNOWN if row.yesterday is None else figures.count(row.yesterday), _("People yesterday")),
    ]
    return {
        "domain": to_letters(row.domain),
        "name": row.name if row.name not in (row.domain, to_letters(row.domain)) else "",
        "href": row.href,
        "badge": _("Demo") if row.demo else "",
        "cells": cells,
        "trend": trend.line((*row.trend, row.active)),
    }


def _where(part: ListPage) -> str:
    """`51–100 of 1,000`; `1–2 of 2 found, of 1,000`."""
    first = (part.page - 1) * ROWS + 1
    shown = {"first": figures.count(first), "last": figures.count(first + len(part.rows) - 1)}
    if part.found == part.known:
        return _("{first}–{last} of {all}", **shown, all=figures.count(part.known))
    return _(
        "{first}–{last} of {found} found, of {all}",
        **shown,
        found=figures.count(part.found),
        all=figures.count(part.known),
    )
