"""The all-sites page: every site that this person may see, with active people and today's figures, from memory."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple
from urllib.parse import quote

from dash import Dash, Input, Output
from dash.development.base_component import Component

from analytics.access.roles import ADMIN
from analytics.base.errors import InvalidInput
from analytics.live.today_counts import TodayCounts
from analytics.query import usage
from analytics.query.query import Order
from analytics.reports.view import order_of, page_of
from analytics.sites.site import Site
from callbacks.gate.guard import current_person, visible
from callbacks.page_context import PageContext, parameters
from collector.service import Service
from layouts import wrong_address
from layouts.components import states
from layouts.components.address import at
from layouts.footfall_components.site_list import SitePage, WrongAddress
from layouts.pages import all_sites

MAX_SEARCH_LENGTH = 120

Yesterday = Callable[[Sequence[int]], Mapping[int, int]]  # yesterday's people of these sites
Drawn = tuple[SitePage, str, WrongAddress | None]  # the list, the sum of all sites, what is wrong in the address


class ListView(NamedTuple):
    """The part of the list to show: `words` search for a site, pages count from 1. `wrong` says what is left out."""

    words: str = ""
    order: Order = order_of(all_sites.SORTED, all_sites.SORTS)
    page: int = 1
    wrong: WrongAddress | None = None


def page(context: PageContext) -> Component:
    """The page of the address from memory, without a database query; or a text where there is no site yet."""
    service, known = context.service, visible(context.service)
    may_add = current_person().may_everywhere(ADMIN)
    if not known:
        return states.no_sites(may_add)
    first = _render(service, known, parse_view(context.search), lambda _: {})
    return all_sites.page(service.config.active_window_s, *first, may_add=may_add)


def register(app: Dash, service: Service) -> None:
    """Redraws the list every 10 s, on Refresh, and when the address changes; never twice at once."""

    @app.callback(
        Output(all_sites.LIST, "page"),
        Output(all_sites.LIST, "total"),
        Output(all_sites.LIST, "wrong"),
        Input("url", "search"),
        Input("sites-tick", "n_intervals"),
        Input("sites-refresh", "n_clicks"),
        running=[
            (Output("sites-tick", "disabled"), True, False),
            (Output("sites-refresh", "aria-busy"), "true", "false"),
        ],
    )
    def redraw(search: object, _tick: object, _clicks: object) -> Drawn:
        return _render(service, visible(service), parse_view(search), lambda ids: _yesterday(service, ids))


def _yesterday(service: Service, ids: Sequence[int]) -> dict[int, int]:
    """How many people there were yesterday, where that is counted."""
    found = usage.read(service.database, ids, usage.last_days(int(time.time()), 1))
    return {site_id: sum(one.people for one in days) for site_id, days in found.items()}


def parse_view(search: object) -> ListView:
    """The view in the query of an address; the default replaces an order or a page that makes no sense."""
    given = parameters(search)
    view = ListView(given.get("search", "")[:MAX_SEARCH_LENGTH].strip().lower())
    try:
        if "sort" in given:
            view = view._replace(order=order_of(given["sort"], all_sites.SORTS))
    except InvalidInput as wrong:
        return view._replace(wrong=wrong_address.left_out(str(wrong), "sort=&page="))
    try:
        return view._replace(page=page_of(given.get("page", "1")))
    except InvalidInput as wrong:
        return view._replace(wrong=wrong_address.left_out(str(wrong), "page="))


def _render(service: Service, known: Sequence[Site], view: ListView, yesterday: Yesterday) -> Drawn:
    """The part of the list on show, for which alone spark lines and yesterday are read; and the rest of the page."""
    now, window_s = int(time.time()), service.config.active_window_s
    active = service.hub.active_by_site()
    today = service.today.read([site.id for site in known], now)
    found = _found(known, active, today, view)
    number = min(view.page, all_sites.pages(len(found)))
    shown = found[(number - 1) * all_sites.ROWS : number * all_sites.ROWS]
    ids = [site.id for site in shown]
    trends, before = service.sparklines.read(ids, now), yesterday(ids)
    rows = [
        all_sites.ListedSite(
            domain=site.domain,
            name=site.name,
            href=at(f"/live/{quote(site.domain)}"),
            active=active.get(site.id, 0),
            today=today.get(site.id),
            yesterday=before.get(site.id),
            trend=trends[site.id],
            demo=site.demo,
        )
        for site in shown
    ]
    sort = "-" * view.order.descending + view.order.by
    part = all_sites.ListPage(rows, len(found), len(known), number, sort, str(time.time_ns()))
    people = sum(active.get(site.id, 0) for site in known)
    return all_sites.list_page(part, window_s), all_sites.total(len(known), people, window_s), view.wrong


def _found(
    known: Sequence[Site], active: Mapping[int, int], today: Mapping[int, TodayCounts], view: ListView
) -> list[Site]:
    """The sites that match the search, in order."""
    found = [site for site in known if any(view.words in name for name in _names(site))]
    by, descending = view.order.by, view.order.descending
    if by == "domain":  # which is their order already
        return found[::-1] if descending else found
    found.sort(key=lambda site: _figure(site, active, today, by), reverse=descending)
    return found


def _names(site: Site) -> tuple[str, ...]:
    """The texts in which the search looks for a site."""
    return site.domain, site.shown_domain, site.name.lower()


def _figure(site: Site, active: Mapping[int, int], today: Mapping[int, TodayCounts], sort: str) -> int:
    """The number by which a site is sorted; sites with the same number stay sorted by domain."""
    if sort == "active":
        return active.get(site.id, 0)
    figures = today.get(site.id)
    return -1 if figures is None else int(getattr(figures, sort))
