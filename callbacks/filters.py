"""Settings, Filters: saves which hosts, addresses and pages count, and decides about unlisted hosts."""

from __future__ import annotations

import ipaddress

from dash import Dash
from dash.development.base_component import Component

from analytics import hosts, sites
from analytics.access import ADMIN
from analytics.sites import WrongInput
from callbacks.asked import Asked, client
from callbacks.form import Done, Fields, lines, on_send
from callbacks.guard import authorized
from collector.service import Service
from layouts import filters

FIELDS = ("hosts", "excluded_hosts", "excluded_addresses", "excluded_paths")
DECISIONS = {filters.INCLUDE: hosts.include, filters.IGNORE: hosts.ignore}
V6_NETWORK = 64  # within it the browsers of one household change their address every day


def cards(asked: Asked) -> list[Component]:
    """The cards of the section."""
    waiting = [
        filters.Unlisted(*one, decidable=one.host != hosts.OTHER)
        for one in hosts.unlisted(asked.service.database, asked.site)
    ]
    return filters.cards(asked.site, waiting, _network(client(asked.service)))


def register(app: Dash, service: Service) -> None:
    """Saves each card by itself; what its form does not hold stays as it is."""

    def save(domain: object, fields: Fields) -> Done:
        site = authorized(service, domain, ADMIN)
        sites.change(service.database, site.domain, **{name: lines(fields[name]) for name in FIELDS if name in fields})
        return Done()

    def decide(domain: object, fields: Fields) -> Done:
        site = authorized(service, domain, ADMIN)
        decision = DECISIONS.get(fields.get("value", ""))
        if decision is None:
            raise WrongInput("include the host, or ignore it")
        decision(service.database, site.domain, fields.get("key", ""))
        return Done({"go": f"/settings/{site.domain}/filters", "message": "Saved"})

    for name in (filters.HOSTS, filters.ADDRESSES, filters.PATHS):
        on_send(app, service, name, save)
    on_send(app, service, filters.UNLISTED, decide)


def _network(address: str) -> str:
    """The address itself, of IPv6 the network of its household."""
    parsed = ipaddress.ip_address(address)
    return address if parsed.version == 4 else str(ipaddress.ip_network((address, V6_NETWORK), strict=False))
