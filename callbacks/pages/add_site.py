"""Adding a site: the page with its form, and the callback."""

from __future__ import annotations

import time

from dash import Dash
from dash.development.base_component import Component

from analytics.access.roles import ADMIN
from analytics.base import errors, zones
from analytics.base.words import _
from analytics.sites import checks, store
from callbacks.forms import Fields, FormResult, on_send
from callbacks.gate.guard import authorized_everywhere
from callbacks.page_context import PageContext
from collector.service import Service
from layouts.components.address import at
from layouts.pages import add_site

CHECKS = {**checks.ADDS, "timezone": zones.canonical}


def page(_context: PageContext) -> Component:
    """The empty form."""
    return add_site.page(zones.names())


def register(app: Dash, service: Service) -> None:
    """Adds the site and leads to its snippet."""

    def add(_domain: object, fields: Fields) -> FormResult:
        authorized_everywhere(ADMIN)
        values = errors.checked(CHECKS, {name: fields.get(name, "") for name in CHECKS})
        site = store.add(service.database, **values, now=int(time.time()))
        return FormResult({"go": at(f"/settings/{site.domain}/snippet"), "message": _("Added")})

    on_send(app, add_site.FORM, add, refresh=service.refresh_sites)
