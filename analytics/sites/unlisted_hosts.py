"""Hosts that send events for a site without being on its list: how often, and what the owner decides about them."""

from __future__ import annotations

from sqlalchemy import select

from analytics.sites import site as sites_site
from analytics.sites import store
from analytics.sites.host import NO_SITE, UnlistedHost
from analytics.sites.site import Site
from analytics.storage import schema
from analytics.storage.database import Database


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
    """The site, which counts pages of that host from now on. `InvalidInput` for what is no host."""
    site = store.find(database, domain)
    name = sites_site.normal_domain(host)
    return store.change(
        database,
        domain,
        hosts=[*(one for one in site.hosts if one != name), name],
        excluded_hosts=[one for one in site.excluded_hosts if one != name],
    )


def ignore(database: Database, domain: str, host: str) -> Site:
    """The site, which leaves that host out for good: it is among its excluded hosts. `InvalidInput` as above."""
    site = store.find(database, domain)
    name = sites_site.normal_domain(host)
    return store.change(
        database,
        domain,
        hosts=[one for one in site.hosts if one != name],
        excluded_hosts=[*(one for one in site.excluded_hosts if one != name), name],
    )


def reconsider(database: Database, domain: str, host: str) -> Site:
    """The site without either decision about that host, which is unlisted again."""
    site = store.find(database, domain)
    name = sites_site.normal_domain(host)
    return store.change(
        database,
        domain,
        hosts=[one for one in site.hosts if one != name],
        excluded_hosts=[one for one in site.excluded_hosts if one != name],
    )
