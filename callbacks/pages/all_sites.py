"""The all-sites page: every site that whoever asks may see, with who is there now and today's figures, from memory."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple
from urllib.parse import quote

from dash import Dash, Input, Output
from dash.development.base_component import Component

from analytics.access.roles import ADMIN
from analytics.jobs import daily_usage
from analytics.live.today_counts import TodayCounts
from analytics.sites.site import Site
from callbacks.gate.guard import asker, visible
from callbacks.page_context import Asked
from collector.service import Service
from layouts.components import states
from layouts.components.address import at
from layouts.pages import all_sites

LONGEST_WORDS = 120

Yesterday = Callable[[Sequence[int]], Mapping[int, int]]  # yesterday's people of these sites


class Asking(NamedTuple):
    """What of the list is to be seen: `words` look for a site, pages count from 1."""

    words: str = ""
    sort: str = all_sites.SORTED
    backwards: bool = False
    page: int = 1


def page(asked: Asked) -> Component:
    """The page with what memory knows, without a question to the database; or words where there is no site yet."""
    service, known = asked.service, visible(asked.service)
    may_add = asker(service).may_everywhere(ADMIN)
    if not known:
        return states.no_sites(may_add)
    first = _drawn(service, known, Asking(), lambda _: {})
    return all_sites.page(service.config.active_window_s, *first, may_add=may_add)


def register(app: Dash, service: Service) -> None:
    """Redraws the list every 10 s, on Refresh, and when it is searched, sorted or turned; never twice at once."""

    @app.callback(
        Output(all_sites.LIST, "data-part"),
        Output(all_sites.TOTAL, "children"),
        Input(all_sites.ASKED, "data"),
        Input("sites-tick", "n_intervals"),
        Input("sites-refresh", "n_clicks"),
        running=[
            (Output("sites-tick", "disabled"), True, False),
            (Output("sites-refresh", "aria-busy"), "true", "false"),
        ],
    )
    def redraw(data: object, _tick: object, _clicks: object) -> tuple[Any, ...]:
        return _drawn(service, visible(service), _asking(data), lambda ids: _yesterday(service, ids))


def _yesterday(service: Service, ids: Sequence[int]) -> dict[int, int]:
    """How many people there were yesterday, where that is counted."""
    found = daily_usage.read(service.database, ids, daily_usage.last_days(int(time.time()), 1))
    return {site_id: sum(one.people for one in days) for site_id, days in found.items()}


def _asking(data: object) -> Asking:
    """What the page's script has sent; what it could not have sent counts as not sent."""
    given: dict[Any, Any] = data if isinstance(data, dict) else {}
    words, sort, page = given.get("words"), given.get("sort"), given.get("page")
    return Asking(
        words=words[:LONGEST_WORDS].strip().lower() if isinstance(words, str) else "",
        sort=sort if isinstance(sort, str) and sort in all_sites.SORTS else all_sites.SORTED,
        backwards=given.get("backwards") is True,
        page=page if isinstance(page, int) and 1 <= page <= 1_000_000 else 1,
    )


def _drawn(service: Service, known: Sequence[Site], asking: Asking, yesterday: Yesterday) -> tuple[str, str]:
    """The list that is asked for, and the sum of all; only for the sites of that part are lines and yesterday read."""
    now, window_s = int(time.time()), service.config.active_window_s
    active = service.hub.active_by_site()
    today = service.today.read([site.id for site in known], now)
    found = _found(known, active, today, asking)
    turned = min(asking.page, all_sites.pages(len(found)))
    shown = found[(turned - 1) * all_sites.ROWS : turned * all_sites.ROWS]
    ids = [site.id for site in shown]
    trends, before = service.sparklines.read(ids, now), yesterday(ids)
    rows = [
        all_sites.Row(
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
    part = all_sites.Part(rows, len(found), len(known), turned, asking.sort, asking.backwards)
    people = sum(active.get(site.id, 0) for site in known)
    return all_sites.drawn(part, window_s), all_sites.total(len(known), people, window_s)


def _found(
    known: Sequence[Site], active: Mapping[int, int], today: Mapping[int, TodayCounts], asking: Asking
) -> list[Site]:
    """The sites that fit the search, as they are to be sorted."""
    found = [site for site in known if any(asking.words in name for name in _names(site))]
    if asking.sort == "domain":  # as they come
        return found[::-1] if asking.backwards else found
    found.sort(key=lambda site: _figure(site, active, today, asking.sort), reverse=not asking.backwards)
    return found


def _names(site: Site) -> tuple[str, ...]:
    """What a site is found by."""
    return site.domain, site.shown_domain, site.name.lower()


def _figure(site: Site, active: Mapping[int, int], today: Mapping[int, TodayCounts], sort: str) -> int:
    """What a site is sorted by; equals stay by domain."""
    if sort == "active":
        return active.get(site.id, 0)
    figures = today.get(site.id)
    return -1 if figures is None else int(getattr(figures, sort))
