"""Settings, General: what a site is called, when its days and weeks begin, how visitors are told apart, and its end."""

from __future__ import annotations

from dash import Dash
from dash.development.base_component import Component

from analytics import idn, sites
from analytics.access import ADMIN, OWNER
from analytics.sites import WrongInput
from callbacks.asked import Asked
from callbacks.form import Done, Fields, on_send
from callbacks.guard import asker, authorized
from collector.service import Service
from layouts import general
from layouts.components.address import at

FIELDS = ("name", "timezone", "week_start", "identity", "retention_days")


def cards(asked: Asked) -> list[Component]:
    """The cards of the section."""
    return general.cards(asked.site, may_delete=asker(asked.service).may(OWNER, asked.site.id))


def register(app: Dash, service: Service) -> None:
    """Saves what was changed, and deletes the site."""

    def save(domain: object, fields: Fields) -> Done:
        site = authorized(service, domain, ADMIN)
        sites.change(service.database, site.domain, **{name: fields[name] for name in FIELDS if name in fields})
        return Done()

    def delete(domain: object, fields: Fields) -> Done:
        site = authorized(service, domain, OWNER)
        if idn.to_ascii(fields.get("typed", "").strip()) != site.domain:
            raise WrongInput("that is another name", {"typed": "that is another name"})
        if site.demo:
            service.crowd.vanish()
        else:
            sites.remove(service.database, site.domain)
        return Done({"go": at("/"), "message": "Deleted"})

    on_send(app, service, general.FORM, save)
    on_send(app, service, general.DELETE, delete)
