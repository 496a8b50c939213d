"""Settings, Database: shows the SQL of a watch, installs it, removes it, and keeps the states on the page fresh."""

from __future__ import annotations

import time
from functools import partial
from hashlib import blake2b
from typing import Any
from zoneinfo import ZoneInfo

from dash import Dash, Input, Output, State, no_update
from dash.development.base_component import Component

from analytics.access.roles import ADMIN
from analytics.activity import gauges, watch_fields, watches
from analytics.activity.watch import masked
from analytics.activity.watch_fields import WantedWatch
from analytics.base.words import _
from analytics.sites.site import Site
from callbacks.forms import Fields, FormResult, number, on_send
from callbacks.gate.guard import authorized, authorized_everywhere, current_person
from callbacks.page_context import PageContext
from collector.service import Service
from layouts.components.markup import as_json
from layouts.settings import database as layout


def cards(context: PageContext) -> list[Component]:
    """The cards of the section."""
    service, site = context.service, context.site
    found, kept = watches.of_site(service.database, site.id), gauges.of_site(service.database, site.id)
    may_add = current_person().may_everywhere(ADMIN)
    return layout.cards(site.domain, found, kept, int(time.time()), ZoneInfo(site.timezone), may_add=may_add)


def register(app: Dash, service: Service) -> None:
    """Both steps of the form, the buttons of the rows, and the states."""
    listed = Output(layout.LIST, "children", allow_duplicate=True)
    kept = Output(layout.GAUGES, "children", allow_duplicate=True)
    refresh = service.watching.refresh
    on_send(app, layout.ADD, partial(_add, service), Output(layout.PLAN, "children"), listed, kept, refresh=refresh)
    on_send(app, layout.REMOVE, partial(_remove, service), listed, kept, refresh=refresh)

    @app.callback(
        Output(layout.LIST, "children"),
        Output(layout.GAUGES, "children"),
        Output(layout.DRAWN, "data"),
        Input(layout.TICK, "n_intervals"),
        State(f"{layout.REMOVE}-answer", "data-site"),
        State(layout.DRAWN, "data"),
        running=[(Output(layout.TICK, "disabled"), True, False)],
        prevent_initial_call=True,
    )
    def states(_ticks: object, domain: object, before: object) -> Any:
        """Draws the lists again where they have changed since the last time."""
        site = authorized(service, domain, ADMIN)
        shown = _drawn(service, site)
        digest = _digest("".join(as_json(one) for part in shown for one in part))
        return (no_update, no_update, no_update) if digest == before else (*shown, digest)


def _add(service: Service, domain: object, fields: Fields) -> FormResult:
    """Shows the SQL; installs only what was shown, by the digest that its button sends."""
    authorized_everywhere(ADMIN)
    site = authorized(service, domain, ADMIN)
    wanted, sent = watch_fields.read(fields), fields.get("value", "")
    sql = watches.sql_of(site, wanted.source, wanted.definition, wanted.gauges, service.config.allowed_targets)
    digest = _digest(f"{masked(wanted.source)}\n{sql}")
    if sent == digest:
        return _installed(service, site, wanted)
    said = _("The form was changed: look at the SQL again") if sent else _("Nothing is done yet")
    plan = layout.plan(sql, digest, wanted.source)
    return FormResult({"message": said, "focus": [f"{layout.PLAN}-install"]}, (plan, no_update, no_update))


def _installed(service: Service, site: Site, wanted: WantedWatch) -> FormResult:
    added = watches.add(
        service.database,
        site,
        wanted.source,
        wanted.definition,
        wanted.gauges,
        allowed=service.config.allowed_targets,
        now=int(time.time()),
    )
    said = _("{table} is followed", table=added.definition.table_name)
    return FormResult({"message": said, "clear": True, "focus": [layout.TITLE]}, ([], *_drawn(service, site)))


def _remove(service: Service, domain: object, fields: Fields) -> FormResult:
    site = authorized(service, domain, ADMIN)
    key, forget = number(fields, "key"), fields.get("value") == layout.FORGET
    allowed = service.config.allowed_targets
    gone = watches.remove(service.database, key, site_id=site.id, forget=forget, allowed=allowed)
    table = gone.definition.table_name
    said = _("{table} is forgotten", table=table) if forget else _("{table} is removed, with nothing left", table=table)
    return FormResult({"message": said, "focus": [layout.TITLE]}, tuple(_drawn(service, site)))


def _drawn(service: Service, site: Site) -> list[list[Component]]:
    """The contents of the list and of the gauges."""
    found, kept = watches.of_site(service.database, site.id), gauges.of_site(service.database, site.id)
    zone = ZoneInfo(site.timezone)
    return [layout.lists(found, int(time.time()), zone), layout.kept(found, kept, zone)]


def _digest(text: str) -> str:
    return blake2b(text.encode(), digest_size=16).hexdigest()
