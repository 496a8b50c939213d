"""Traffic: the outcomes of a site's events, and of events that name no site."""

from __future__ import annotations

import logging
import time
from typing import Any
from zoneinfo import ZoneInfo

import flask
from dash import Dash, Input, Output, State, ctx
from dash.development.base_component import Component
from sqlalchemy.exc import SQLAlchemyError

from analytics.access.roles import ADMIN, OWNER
from analytics.base.error_log import describe
from analytics.base.words import _
from analytics.live import outcome_store
from analytics.live.outcomes import HOUR
from analytics.sites.host import NO_SITE
from analytics.sites.site import Site
from analytics.sites.unlisted_hosts import unknown_sites, unlisted
from callbacks.gate.guard import authorized, authorized_everywhere, current_person
from callbacks.page_context import PageContext, client
from callbacks.pages import dry_run, unlisted_hosts
from collector.service import Service
from layouts.components import hosts, states
from layouts.pages import dry_run as dry_run_page
from layouts.pages import traffic
from layouts.pages.traffic import DAY, WEEK, HourRange

log = logging.getLogger("footfall.traffic")


def page(context: PageContext) -> Component:
    """The last 24 hours."""
    service, site = context.service, context.site
    agent = flask.request.headers.get("User-Agent", "")[:1024]
    waiting = unlisted(service.database, site)
    trying = dry_run_page.cards(site.domain, agent, client(service))
    return traffic.page(site, _parts(service, site, DAY), hosts.card(site, waiting), trying)


def unassigned(context: PageContext) -> Component:
    """The last 24 hours of events that name no site, for owners of every site."""
    service = context.service
    return traffic.unassigned(_parts(service, None, DAY), unknown_sites(service.database))


def register(app: Dash, service: Service) -> None:
    """Redraws on another period and every 30 s; decides about unlisted hosts and tries a pageview."""
    unlisted_hosts.register(app, service)
    dry_run.register(app, service)

    @app.callback(
        *(Output(f"traffic-{part}", "children") for part in ("bars", "outcomes", "robots")),
        *(Output(f"traffic-{hours}", "aria-pressed") for hours in (DAY, WEEK)),
        *(Input(f"traffic-{hours}", "n_clicks") for hours in (DAY, WEEK)),
        Input("traffic-tick", "n_intervals"),
        State(f"traffic-{WEEK}", "aria-pressed"),
        State("traffic", "data-site"),
        prevent_initial_call=True,
        running=[(Output("traffic-tick", "disabled"), True, False)],
    )
    def redraw(_day: object, _week: object, _tick: object, week: object, domain: object) -> tuple[Any, ...]:
        site = _site(service, domain)
        by_button = {f"traffic-{hours}": hours for hours in (DAY, WEEK)}
        hours = by_button.get(str(ctx.triggered_id), WEEK if week == "true" else DAY)
        pressed = (traffic.pressed(one, hours) for one in (DAY, WEEK))
        return (*_parts(service, site, hours), *pressed)


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
