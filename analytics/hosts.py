"""Hosts that send events for a site without being on its list: how often, and what the owner decides about them."""

from __future__ import annotations

from typing import NamedTuple

from sqlalchemy import select

from analytics import schema, sites
from analytics.database import Database
from analytics.sites import Site

OTHER = "(other)"
"""What stands for the hosts beyond the first hundred of a site; it can be neither included nor ignored."""

NO_SITE = 0
"""The number in the place of a site's for what names none."""


class UnlistedHost(NamedTuple):
    """One host: how many of its events were left out so far, and when the last one came (to the minute)."""

    host: str
    events: int
    last_at: int


def unlisted(database: Database, site: Site) -> list[UnlistedHost]:
    """The hosts that still wait for a decision, the one with most events first."""
    found = _counted(database, site.id)
    return [one for one in found if not site.allows_host(one.host) and not site.excludes_host(one.host)]


def unknown_sites(database: Database) -> list[UnlistedHost]:
    """The domains of which events came though no site has them, the one with most events first."""
    return _counted(database, NO_SITE)


def _counted(database: Database, site_id: int) -> list[UnlistedHost]:
    table = schema.unlisted_hosts
    asked = select(table.c.host, table.c.count, table.c.last_at).where(table.c.site_id == site_id)
    with database.read() as connection:
        found = [UnlistedHost(*row) for row in connection.execute(asked)]
    return sorted(found, key=lambda one: (-one.events, one.host))


def include(database: Database, domain: str, host: str) -> Site:
    """The site, which counts pages of that host from now on. `WrongInput` for what is no host."""
    site = sites.find(database, domain)
    name = sites.normal_domain(host)
    return sites.change(
        database,
        domain,
        hosts=[*(one for one in site.hosts if one != name), name],
        excluded_hosts=[one for one in site.excluded_hosts if one != name],
    )


def ignore(database: Database, domain: str, host: str) -> Site:
    """The site, which leaves that host out for good: it is among its excluded hosts. `WrongInput` as above."""
    site = sites.find(database, domain)
    name = sites.normal_domain(host)
    return sites.change(
        database,
        domain,
        hosts=[one for one in site.hosts if one != name],
        excluded_hosts=[*(one for one in site.excluded_hosts if one != name), name],
    )


def reconsider(database: Database, domain: str, host: str) -> Site:
    """The site without either decision about that host, which is unlisted again."""
    site = sites.find(database, domain)
    name = sites.normal_domain(host)
    return sites.change(
        database,
        domain,
        hosts=[one for one in site.hosts if one != name],
        excluded_hosts=[one for one in site.excluded_hosts if one != name],
    )
