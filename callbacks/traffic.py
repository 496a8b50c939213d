"""Traffic: where the events went, and the decisions about hosts."""

from __future__ import annotations

import logging
import time
from typing import Any
from zoneinfo import ZoneInfo

import flask
from dash import Dash, Input, Output, State, ctx
from dash.development.base_component import Component
from sqlalchemy.exc import SQLAlchemyError

from analytics import hosts as all_hosts
from analytics import outcomes
from analytics.access import ADMIN
from analytics.faults import told
from analytics.outcomes import HOUR
from analytics.sites import Site, WrongInput
from callbacks.asked import Asked
from callbacks.form import Done, Fields, on_send
from callbacks.guard import asker, authorized
from collector.request import Request
from collector.service import Service
from layouts import states, traffic, trial
from layouts.traffic import DAY, WEEK, Span

log = logging.getLogger("footfall.traffic")

NOWHERE = 0  # the number under which events are counted that name no site

DECISIONS = {
    "include": (all_hosts.include, "Included", "Its pages count from now on."),
    "ignore": (all_hosts.ignore, "Ignored", "It is an excluded host now."),
    "reconsider": (all_hosts.reconsider, "Unlisted again", ""),
}


def page(asked: Asked) -> Component:
    """The last 24 hours."""
    service, site = asked.service, asked.site
    agent = flask.request.headers.get("User-Agent", "")[:1024]
    listed = _hosts(service, site)
    return traffic.page(site, _parts(service, site, DAY), listed, trial.cards(site.domain, agent, _address(service)))


def register(app: Dash, service: Service) -> None:
    """Redraws on another period and every 30 s; takes decisions about hosts."""

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
        site = authorized(service, domain, ADMIN)
        by_button = {f"traffic-{hours}": hours for hours in (DAY, WEEK)}
        hours = by_button.get(str(ctx.triggered_id), WEEK if week == "true" else DAY)
        pressed = (traffic.pressed(one, hours) for one in (DAY, WEEK))
        return (*_parts(service, site, hours), *pressed)

    def decide(domain: object, fields: Fields) -> Done:
        site = authorized(service, domain, ADMIN)
        host, value = fields.get("key", ""), fields.get("value", "")
        if value not in DECISIONS:
            raise WrongInput("choose Include or Ignore")
        change, told, said = DECISIONS[value]
        changed = change(service.database, site.domain, host)
        return Done({"message": told}, (_hosts(service, changed, (host, said) if said else ("", "")),))

    on_send(app, service, traffic.HOST, decide, Output("hosts", "children"))


def _parts(service: Service, site: Site, hours: int) -> tuple[Any, Any, Any]:
    """Bars, outcomes and robots of the last so many hours, the running one among them."""
    until = int(time.time()) // HOUR * HOUR + HOUR
    span = Span(until - hours * HOUR, hours, ZoneInfo(site.timezone))
    try:
        found = outcomes.read(service.database, site.id, span.since, until)
        nowhere = None
        if asker(service).may_everywhere(ADMIN):
            nowhere = outcomes.read(service.database, NOWHERE, span.since, until).received
    except SQLAlchemyError as away:
        log.error("the counters cannot be read: %s", told(away))
        failed = states.failed(
            "Traffic could not be read", "The database does not answer. It is asked again soon.", again=False
        )
        return [failed], [], []
    return traffic.bars(found, span), traffic.outcomes(found, nowhere), traffic.robots(found.robots)


def _hosts(service: Service, site: Site, decided: tuple[str, str] = ("", "")) -> list[Component]:
    return traffic.hosts(all_hosts.unlisted(service.database, site), site.timezone, decided)


def _address(service: Service) -> str:
    """Whoever asks' own address, past the trusted proxies."""
    asked = flask.request
    headers = {name.lower(): value for name, value in asked.headers.items()}
    return service.proxies.client(Request(asked.method, asked.path, "", headers, asked.remote_addr or "127.0.0.1"))
