"""Unlisted hosts: reads how often each sent events for a site, and stores the owner's decision about it."""

from __future__ import annotations

from sqlalchemy import select

from analytics.sites import site as sites_site
from analytics.sites import store
from analytics.sites.host import NO_SITE, UnlistedHost
from analytics.sites.site import Site
from analytics.storage import schema
from analytics.storage.database import Database


def unlisted(database: Database, site: Site) -> list[UnlistedHost]:
    """The hosts without a decision yet, those with most events first."""
    found = _counted(database, site.id)
    return [one for one in found if not site.allows_host(one.host) and not site.excludes_host(one.host)]


def unknown_sites(database: Database) -> list[UnlistedHost]:
    """The domains of events that belong to no site, those with most events first."""
    return _counted(database, NO_SITE)


def _counted(database: Database, site_id: int) -> list[UnlistedHost]:
    table = schema.unlisted_hosts
    counted = select(table.c.host, table.c.count, table.c.last_at).where(table.c.site_id == site_id)
    with database.read() as connection:
        found = [UnlistedHost(*row) for row in connection.execute(counted)]
    return sorted(found, key=lambda one: (-one.events, one.host))


def include(database: Database, domain: str, host: str) -> Site:
    """Adds the host to the site's hosts, so that its pages count, and returns the site. `InvalidInput` if no host."""
    site = store.find(database, domain)
    name = sites_site.normal_domain(host)
    return store.change(
        database,
        site,
        hosts=[*(one for one in site.hosts if one != name), name],
        excluded_hosts=[one for one in site.excluded_hosts if one != name],
    )


def ignore(database: Database, domain: str, host: str) -> Site:
    """Adds the host to the site's excluded hosts and returns the site. `InvalidInput` if it is no host."""
    site = store.find(database, domain)
    name = sites_site.normal_domain(host)
    return store.change(
        database,
        site,
        hosts=[one for one in site.hosts if one != name],
        excluded_hosts=[*(one for one in site.excluded_hosts if one != name), name],
    )


def reconsider(database: Database, domain: str, host: str) -> Site:
    """Takes the decision about the host back, so that it is unlisted again, and returns the site."""
    site = store.find(database, domain)
    name = sites_site.normal_domain(host)
    return store.change(
        database,
        site,
        hosts=[one for one in site.hosts if one != name],
        excluded_hosts=[one for one in site.excluded_hosts if one != name],
    )
