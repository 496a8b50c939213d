"""Settings, General: name, time zone, week and identification of a site, and deleting it."""

from __future__ import annotations

from dash import Dash
from dash.development.base_component import Component

from analytics.access.roles import ADMIN, OWNER
from analytics.activity import watches
from analytics.base import idn
from analytics.base.errors import InvalidInput, message
from analytics.base.words import _
from analytics.sites import store
from callbacks.forms import Fields, FormResult, on_send
from callbacks.gate.guard import authorized, current_person
from callbacks.page_context import PageContext
from collector.service import Service
from layouts.components.address import at
from layouts.settings import general

FIELDS = ("name", "timezone", "week_start", "identity", "retention_days", "overview_period")


def cards(context: PageContext) -> list[Component]:
    """The cards of the section."""
    return general.cards(context.site, may_delete=current_person().may(OWNER, context.site.id))


def register(app: Dash, service: Service) -> None:
    """Saves what was changed, and deletes the site."""

    def save(domain: object, fields: Fields) -> FormResult:
        site = authorized(service, domain, ADMIN)
        store.change(service.database, site, **{name: fields[name] for name in FIELDS if name in fields})
        return FormResult()

    def delete(domain: object, fields: Fields) -> FormResult:
        site = authorized(service, domain, OWNER)
        if idn.to_ascii(fields.get("typed", "").strip()) != site.domain:
            wrong = message("that is another name")
            raise InvalidInput(wrong, {"typed": wrong})
        if site.demo:
            service.demo_traffic.remove()
        else:
            watches.remove_of_site(service.database, site.id, service.config.allowed_targets)
            store.remove(service.database, site.domain)
        return FormResult({"go": at("/"), "message": _("Deleted")})

    on_send(app, general.FORM, save, refresh=service.refresh_settings)
    on_send(app, general.DELETE, delete, refresh=service.refresh)  # its keys and cards are gone too
