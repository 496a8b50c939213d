"""Which page an address shows."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import quote, unquote

from dash import Dash, Input, Output, dcc, html
from dash.development.base_component import Component

from analytics.commands import snippet
from analytics.feed import recent
from analytics.sites import Site
from callbacks.guard import NotYours, authorized
from collector.service import Service
from layouts import first, live, shell, states
from layouts.shell import SiteLink

LIVE = "/live/"


def frame() -> Component:
    """What Dash lays out at first: the address, and the place for its page. It asks nothing."""
    return html.Div([dcc.Location(id="url"), html.Div(id="root")])


def register(
    app: Dash, service: Service, version: str, email: Callable[[], str | None], address: Callable[[], str]
) -> None:
    """Draws the page of an address. `email` is the person's, `address` the server's as people reach it."""

    @app.callback(Output("root", "children"), Input("url", "pathname"))
    def show(pathname: str | None) -> Component:
        known = service.sites.all()
        domain = _domain(pathname or "/", known)
        sites = [SiteLink(site.domain, href(site), service.hub.active(site.id)) for site in known]
        try:
            page, current = _page(service, domain, address()), domain
        except NotYours:
            page, current = states.not_found() if sites else states.no_sites(), ""
        window_s = service.config.active_window_s
        return shell.shell(page, version=version, sites=sites, current=current, email=email(), window_s=window_s)


def href(site: Site) -> str:
    """The address of a site's Live page."""
    return LIVE + quote(site.domain)


def _domain(pathname: str, known: list[Site]) -> str:
    """The site that an address is about; the first one at home."""
    if pathname == "/":
        return known[0].domain if known else ""
    return unquote(pathname.removeprefix(LIVE)) if pathname.startswith(LIVE) else ""


def _page(service: Service, domain: str, address: str) -> Component:
    site = authorized(service, domain)
    if not service.hub.active(site.id) and not recent(service.database, site.id, 1):
        return first.page(site, snippet(address, site.domain))
    return live.page(site, service.config.active_window_s)
