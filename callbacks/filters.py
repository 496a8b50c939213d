"""Settings, Filters: saves which hosts, addresses and pages count."""

from __future__ import annotations

from dash import Dash
from dash.development.base_component import Component

from analytics import sites
from analytics.access import ADMIN
from analytics.hosts import unlisted
from analytics.households import household
from callbacks.asked import Asked, client
from callbacks.form import Done, Fields, lines, on_send
from callbacks.guard import authorized
from collector.service import Service
from layouts import filters
from layouts.components import hosts

FIELDS = ("hosts", "excluded_hosts", "excluded_addresses", "excluded_paths")


def cards(asked: Asked) -> list[Component]:
    """The cards of the section."""
    waiting = unlisted(asked.service.database, asked.site)
    return filters.cards(
        asked.site, hosts.card(asked.site, waiting) if waiting else None, household(client(asked.service))
    )


def register(app: Dash, service: Service) -> None:
    """Saves each card by itself; what its form does not hold stays as it is."""

    def save(domain: object, fields: Fields) -> Done:
        site = authorized(service, domain, ADMIN)
        sites.change(service.database, site.domain, **{name: lines(fields[name]) for name in FIELDS if name in fields})
        return Done()

    for name in (filters.HOSTS, filters.ADDRESSES, filters.PATHS):
        on_send(app, service, name, save)
