"""The all-sites page: every site that this person may see, with active people and today's figures, from memory."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple
from urllib.parse import quote

from dash import Dash, Input, Output
from dash.development.base_component import Component

from analytics.access.roles import ADMIN
from analytics.live.today_counts import TodayCounts
from analytics.query import usage
from analytics.sites.site import Site
from callbacks.gate.guard import current_person, visible
from callbacks.page_context import PageContext
from collector.service import Service
from layouts.components import states
from layouts.components.address import at
from layouts.footfall_components.site_list import SitePage
from layouts.pages import all_sites

MAX_SEARCH_LENGTH = 120

Yesterday = Callable[[Sequence[int]], Mapping[int, int]]  # yesterday's people of these sites


class ListView(NamedTuple):
    """The part of the list to show: `words` search for a site, pages count from 1."""

    words: str = ""
    sort: str = all_sites.SORTED
    backwards: bool = False
    page: int = 1


def page(context: PageContext) -> Component:
    """The page from memory, without a database query; or a text where there is no site yet."""
    service, known = context.service, visible(context.service)
    may_add = current_person().may_everywhere(ADMIN)
    if not known:
        return states.no_sites(may_add)
    first = _render(service, known, ListView(), lambda _: {})
    return all_sites.page(service.config.active_window_s, *first, may_add=may_add)


def register(app: Dash, service: Service) -> None:
    """Redraws the list every 10 s, on Refresh, and when it is searched, sorted or turned; never twice at once."""

    @app.callback(
        Output(all_sites.LIST, "page"),
        Output(all_sites.LIST, "total"),
        Input(all_sites.LIST, "request"),
        Input("sites-tick", "n_intervals"),
        Input("sites-refresh", "n_clicks"),
        running=[
            (Output("sites-tick", "disabled"), True, False),
            (Output("sites-refresh", "aria-busy"), "true", "false"),
        ],
    )
    def redraw(request: object, _tick: object, _clicks: object) -> tuple[SitePage, str]:
        return _render(service, visible(service), _parsed(request), lambda ids: _yesterday(service, ids))


def _yesterday(service: Service, ids: Sequence[int]) -> dict[int, int]:
    """How many people there were yesterday, where that is counted."""
    found = usage.read(service.database, ids, usage.last_days(int(time.time()), 1))
    return {site_id: sum(one.people for one in days) for site_id, days in found.items()}


def _parsed(request: object) -> ListView:
    """The view that the list requests; the default replaces a value that it cannot send."""
    fields: dict[Any, Any] = request if isinstance(request, dict) else {}
    words, sort, page = fields.get("words"), fields.get("sort"), fields.get("page")
    return ListView(
        words=words[:MAX_SEARCH_LENGTH].strip().lower() if isinstance(words, str) else "",
        sort=sort if isinstance(sort, str) and sort in all_sites.SORTS else all_sites.SORTED,
        backwards=fields.get("backwards") is True,
        page=page if isinstance(page, int) and 1 <= page <= 1_000_000 else 1,
    )


def _render(service: Service, known: Sequence[Site], view: ListView, yesterday: Yesterday) -> tuple[SitePage, str]:
    """The part of the list on show, and the sum of all sites; spark lines and yesterday are read for that part only."""
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
    part = all_sites.ListPage(rows, len(found), len(known), number, view.sort, view.backwards, str(time.time_ns()))
    people = sum(active.get(site.id, 0) for site in known)
    return all_sites.list_page(part, window_s), all_sites.total(len(known), people, window_s)


def _found(
    known: Sequence[Site], active: Mapping[int, int], today: Mapping[int, TodayCounts], view: ListView
) -> list[Site]:
    """The sites that match the search, in order."""
    found = [site for site in known if any(view.words in name for name in _names(site))]
    if view.sort == "domain":  # which is their order already
        return found[::-1] if view.backwards else found
    found.sort(key=lambda site: _figure(site, active, today, view.sort), reverse=not view.backwards)
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
