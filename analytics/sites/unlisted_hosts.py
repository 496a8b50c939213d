"""Unlisted hosts: reads how often each sent events for a site, and stores the owner's decision about it."""

from __future__ import annotations

from sqlalchemy import select

from analytics.sites import store
from analytics.sites.host import NO_SITE, UnlistedHost
from analytics.sites.site import Site, normal_domain
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
    return _decide(database, domain, host, "hosts")


def ignore(database: Database, domain: str, host: str) -> Site:
    """Adds the host to the site's excluded hosts and returns the site. `InvalidInput` if it is no host."""
    return _decide(database, domain, host, "excluded_hosts")


def reconsider(database: Database, domain: str, host: str) -> Site:
    """Takes the decision about the host back, so that it is unlisted again, and returns the site."""
    return _decide(database, domain, host, "")


def _decide(database: Database, domain: str, host: str, listed: str) -> Site:
    """Puts the host on this list of the site alone, or on none of them."""
    site, name = store.find(database, domain), normal_domain(host)
    lists = {"hosts": site.hosts, "excluded_hosts": site.excluded_hosts}
    changes = {field: [one for one in hosts if one != name] for field, hosts in lists.items()}
    if listed:
        changes[listed].append(name)
    return store.change(database, site, **changes)
