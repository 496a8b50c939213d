"""Traffic: the outcomes of a site's events, and of events that name no site."""

from __future__ import annotations

import logging
import time
from typing import Any
from zoneinfo import ZoneInfo

import flask
from dash import Dash, Input, Output, State
from dash.development.base_component import Component
from sqlalchemy.exc import SQLAlchemyError

from analytics.access.roles import ADMIN, OWNER
from analytics.base.error_log import describe
from analytics.base.errors import InvalidInput, message
from analytics.base.words import _
from analytics.live import outcome_store
from analytics.live.outcomes import HOUR
from analytics.sites.host import NO_SITE
from analytics.sites.site import Site
from analytics.sites.unlisted_hosts import unknown_sites, unlisted
from callbacks.gate.guard import authorized, authorized_everywhere, current_person
from callbacks.page_context import PageContext, client, parameters
from callbacks.pages import dry_run, unlisted_hosts
from collector.service import Service
from layouts import wrong_address
from layouts.components import hosts, states
from layouts.pages import dry_run as dry_run_page
from layouts.pages import traffic
from layouts.pages.traffic import DAY, PERIOD, PERIODS, WRONG, Drawn, HourRange

log = logging.getLogger("footfall.traffic")


def page(context: PageContext) -> Component:
    """The outcomes of the period in the address."""
    service, site = context.service, context.site
    agent = flask.request.headers.get("User-Agent", "")[:1024]
    waiting = unlisted(service.database, site)
    trying = dry_run_page.cards(site.domain, agent, client(service))
    return traffic.page(site, _drawn(service, site, context.search), hosts.card(site, waiting), trying)


def unassigned(context: PageContext) -> Component:
    """The same of events that name no site, for owners of every site."""
    service = context.service
    return traffic.unassigned(_drawn(service, None, context.search), unknown_sites(service.database))


def register(app: Dash, service: Service) -> None:
    """Redraws on another period and every 30 s; decides about unlisted hosts and tries a pageview."""
    unlisted_hosts.register(app, service)
    dry_run.register(app, service)

    @app.callback(
        Output(PERIOD, "choices"),
        Output(WRONG, "children"),
        *(Output(f"traffic-{part}", "children") for part in ("bars", "outcomes", "robots")),
        Input("url", "search"),
        Input("traffic-tick", "n_intervals"),
        State("traffic", "data-site"),
        prevent_initial_call=True,
        running=[(Output("traffic-tick", "disabled"), True, False)],
    )
    def redraw(search: object, _tick: object, domain: object) -> Drawn:
        return _drawn(service, _site(service, domain), search)


def _drawn(service: Service, site: Site | None, search: object) -> Drawn:
    """The page's answer to the address; the default replaces a period that is none, which a line says."""
    line, hours = None, DAY
    try:
        hours = requested_hours(search)
    except InvalidInput as wrong:
        line = wrong_address.line(**wrong_address.left_out(str(wrong), "period="))
    return Drawn(traffic.choices(hours), line, *_parts(service, site, hours))


def requested_hours(search: object) -> int:
    """The hours of the period in the query of an address, a day's where it names none; raises `InvalidInput`."""
    name = parameters(search).get("period", "")
    if name and name not in PERIODS:
        raise InvalidInput(message("period {given}: {known}", given=repr(name[:40]), known=", ".join(PERIODS)))
    return PERIODS[name] if name else DAY


def _site(service: Service, domain: object) -> Site | None:
    """The site, for its admins; None for events that name no site, for owners of every site."""
    if domain == "":
        authorized_everywhere(OWNER)
        return None
    return authorized(service, domain, ADMIN)


def _parts(service: Service, site: Site | None, hours: int) -> tuple[Any, Any, Any]:
    """Bars, outcomes and robots of the last so many hours, including the running one. None: events without a site."""
    until = int(time.time()) // HOUR * HOUR + HOUR
    span = HourRange(until - hours * HOUR, hours, ZoneInfo(site.timezone if site else "UTC"))
    try:
        found = outcome_store.read(service.database, site.id if site else NO_SITE, span.since, until)
        nowhere = None
        if site and current_person().may_everywhere(OWNER):
            nowhere = outcome_store.read(service.database, NO_SITE, span.since, until).received
    except SQLAlchemyError as away:
        log.error("the counters cannot be read: %s", describe(away))
        failed = states.failed(
            _("Traffic could not be read"), _("The database does not answer. It is asked again soon."), again=False
        )
        return [failed], [], []
    suspect = service.proxies.untrusted.suspect() if current_person().may_everywhere(ADMIN) else None
    proxy = [traffic.untrusted_proxy(*suspect)] if suspect else []
    hint = traffic.NOTHING_YET if site else traffic.ALL_NAMED
    bars = traffic.bars(found, span, hint)
    return [*proxy, *bars], traffic.outcomes(found, nowhere), traffic.robots(found.robots)
