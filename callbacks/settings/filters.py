"""Settings, Filters: saves which hosts, addresses and pages count."""

from __future__ import annotations

from dash import Dash
from dash.development.base_component import Component

from analytics.access.roles import ADMIN
from analytics.base.address_prefix import address_prefix
from analytics.sites import store
from analytics.sites.unlisted_hosts import unlisted
from callbacks.forms import Fields, FormResult, lines, on_send
from callbacks.gate.guard import authorized
from callbacks.page_context import PageContext, client
from collector.service import Service
from layouts.components import hosts
from layouts.settings import filters

FIELDS = ("hosts", "excluded_hosts", "excluded_addresses", "excluded_paths")


def cards(context: PageContext) -> list[Component]:
    """The cards of the section."""
    waiting = unlisted(context.service.database, context.site)
    return filters.cards(
        context.site, hosts.card(context.site, waiting) if waiting else None, address_prefix(client(context.service))
    )


def register(app: Dash, service: Service) -> None:
    """Saves each card on its own; settings that are not in its form stay unchanged."""

    def save(domain: object, fields: Fields) -> FormResult:
        site = authorized(service, domain, ADMIN)
        store.change(service.database, site, **{name: lines(fields[name]) for name in FIELDS if name in fields})
        return FormResult()

    for name in (filters.HOSTS, filters.ADDRESSES, filters.PATHS):
        on_send(app, name, save, refresh=service.refresh_settings)
