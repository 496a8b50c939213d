"""Settings, API keys: adds and removes them."""

from __future__ import annotations

import time

from dash import Dash, Output
from dash.development.base_component import Component

from analytics.access import api_keys as all_keys
from analytics.access.roles import ADMIN, OWNER
from analytics.base.errors import InvalidInput, message
from analytics.base.words import _
from analytics.sites.site import Site
from callbacks.forms import Fields, FormResult, number, on_send
from callbacks.gate.guard import NotEnough, authorized, current_person
from callbacks.page_context import PageContext
from collector.service import Service
from layouts.settings import keys


def cards(context: PageContext) -> list[Component]:
    """The cards of the section."""
    return keys.cards(context.site.domain, _listed(context.service, context.site))


def register(app: Dash, service: Service) -> None:
    """Adds and removes keys of the page's site; owners of every site may also remove the keys for every site."""

    def add(domain: object, fields: Fields) -> FormResult:
        site = authorized(service, domain, ADMIN)
        name, scope = fields.get("name", ""), fields.get("scope", "")
        plain = all_keys.add(service.database, name, scope, site.id, now=int(time.time()))
        answer = {"once": {keys.KEY: plain}, "message": _("The key is below"), "clear": True}
        return FormResult(answer, (keys.lists(_listed(service, site)),))

    def remove(domain: object, fields: Fields) -> FormResult:
        site, wanted = authorized(service, domain, ADMIN), number(fields, "key")
        row = next((one for one in _listed(service, site) if one.id == wanted), None)
        if row is None:
            raise InvalidInput(message("that key is not here any more; reload the page"))
        if not row.may_remove:
            raise NotEnough(OWNER)
        removed = all_keys.remove_number(service.database, row.id)
        answer = {"message": _("{name} is removed", name=removed.name)}
        return FormResult(answer, (keys.lists(_listed(service, site)),))

    for name, do in ((keys.ADD, add), (keys.REMOVE, remove)):
        listed = Output(keys.LIST, "children", allow_duplicate=True)
        on_send(app, name, do, listed, refresh=service.keys.refresh)


def _listed(service: Service, site: Site) -> list[keys.KeyRow]:
    """The keys that open the site; only owners of every site may remove a key for every site."""
    of_all = current_person().may_everywhere(OWNER)
    return [
        keys.KeyRow(one.id, one.name, one.scope, one.created_at, one.site_id is None, one.site_id is not None or of_all)
        for one in all_keys.all_keys(service.database)
        if one.site_id in {None, site.id}
    ]
