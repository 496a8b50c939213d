"""The store of sites: reads, adds, changes and removes them, for the command line and the pages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import uuid4

from sqlalchemy import Row, delete, func, insert, select, update

from analytics.base import idn, paths
from analytics.base.addresses import network
from analytics.base.errors import InvalidInput, checked, message
from analytics.base.program import command
from analytics.base.wildcards import Wildcards
from analytics.sites.checks import ADDS, CHANGES
from analytics.sites.site import Site, normal_domain, other_form
from analytics.storage import changes, locks, schema
from analytics.storage.database import Database
from analytics.storage.reader import Readable


def site_of(row: Row[Any]) -> Site:
    """The site of a row of `schema.sites`."""
    excluded = tuple(row.excluded_paths.split())
    return Site(
        id=row.id,
        domain=row.domain,
        name=row.name,
        timezone=row.timezone,
        identity=row.identity,
        week_start=row.week_start,
        hosts=tuple(row.hosts.split()),
        excluded_addresses=tuple(network(text) for text in row.excluded_addresses.split()),
        excluded_paths=excluded,
        excluded_hosts=tuple(row.excluded_hosts.split()),
        retention_days=row.retention_days,
        demo=row.demo,
        uuid=row.uuid or "",
        overview_period=row.overview_period,
        wildcards=Wildcards(map(paths.readable, excluded)) if excluded else None,
    )


def all_sites(database: Readable) -> list[Site]:
    """Every site, ordered by domain."""
    return [site_of(row) for row in rows(database)]


def rows(database: Readable) -> Sequence[Row[Any]]:
    """Every row of `schema.sites`, ordered by domain."""
    with database.read() as connection:
        return connection.execute(select(schema.sites).order_by(schema.sites.c.domain)).all()


def find(database: Readable, domain: str) -> Site:
    """The site of the domain, else the one with or without `www.`. `InvalidInput`, if unknown, lists known sites."""
    wanted = normal_domain(domain)
    forms = (wanted, other_form(wanted))
    with database.read() as connection:
        either = select(schema.sites).where(schema.sites.c.domain.in_(forms))
        found = {row.domain: row for row in connection.execute(either)}
    for form in forms:
        if form in found:
            return site_of(found[form])
    raise _unknown(database, wanted)


def _unknown(database: Readable, domain: str) -> InvalidInput:
    known = all_sites(database)
    listed = ", ".join(site.shown_domain for site in known[:10])
    none = message("none yet; {command} adds one", command=command("site add DOMAIN"))
    return InvalidInput(
        message("there is no site {site}; known: {known}", site=idn.to_letters(domain), known=listed or none)
    )


def add(
    database: Database, domain: str, name: str = "", timezone: str = "UTC", *, now: int, demo: bool = False
) -> Site:
    """The new site, named by its domain unless a name is passed.

    `InvalidInput` names every wrong field of `ADDS`, or says that the site exists already.
    """
    values = checked(ADDS, {"domain": domain, "name": name, "timezone": timezone})
    with database.transaction() as connection:
        taken = select(schema.sites.c.id).where(schema.sites.c.domain == values["domain"])
        if connection.execute(taken).first():
            there = message("the site {site} is there already", site=idn.to_letters(values["domain"]))
            raise InvalidInput(there, {"domain": there})
        values |= {"name": values["name"] or idn.to_letters(values["domain"]), "created_at": now, "demo": demo}
        values |= {"uuid": str(uuid4())}
        return site_of(connection.execute(insert(schema.sites).values(values).returning(schema.sites)).one())


def change(database: Database, site: Site, **changes: Any) -> Site:
    """The site with these settings changed: any of `CHANGES`, the last four as lists, the others as text.

    `InvalidInput` names every wrong field; then nothing is changed.
    """
    values = checked(CHANGES, changes)
    if not values:
        return site
    with database.transaction() as connection:
        sites = schema.sites.c
        others = select(sites.domain).where(sites.uuid == values.get("uuid", ""), sites.id != site.id)
        if other := connection.execute(others).scalar():
            taken = f"the UUID is that of the site {idn.to_letters(other)}"
            raise InvalidInput(taken, {"uuid": taken})
        changing = update(schema.sites).where(sites.id == site.id).values(values).returning(schema.sites)
        row = connection.execute(changing).first()
    if row is None:  # it has been removed meanwhile
        raise _unknown(database, site.domain)
    return site_of(row)


def remove(database: Database, domain: str) -> Site:
    """Removes a site with all its rows and returns it.

    `domain` must be spelled as it was added, `www.` included; else `InvalidInput`.
    """
    site = find(database, domain)
    if site.domain != normal_domain(domain):
        raise InvalidInput(f"there is no site {domain}; is {site.shown_domain} meant?")
    with database.transaction() as connection:
        if not database.embedded:  # waits for transactions that store for the site
            for lock in (locks.SITE, locks.SAMPLES):
                connection.execute(select(func.pg_advisory_xact_lock(lock, site.id)))
        for table in reversed(schema.metadata.sorted_tables):
            if "site_id" in table.c and table is not schema.changes:
                connection.execute(delete(table).where(table.c.site_id == site.id))
        connection.execute(delete(schema.sites).where(schema.sites.c.id == site.id))
        changes.record_removed_site(connection, site.id)
    return site
