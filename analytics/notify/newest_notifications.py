"""The ids of the newest notifications of several sites, in few reads however many there are."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import (
    BigInteger,
    BindParameter,
    Connection,
    Integer,
    Select,
    column,
    func,
    literal,
    select,
    true,
    values,
)
from sqlalchemy.sql.expression import ColumnElement

from analytics.notify.sight import SightPart
from analytics.storage import schema

Conditions = Sequence[ColumnElement[bool]]


def newest_ids(
    connection: Connection, part: SightPart, after: int, wanted: Conditions, limit: int
) -> Select[tuple[int]]:
    """The ids of this part's newest that are wanted and higher than `after`, newest first, at most `limit`."""
    of_part = _ids_on_sqlite if connection.dialect.name == "sqlite" else _ids_on_postgresql
    return of_part(part, literal(after, BigInteger), wanted, limit)


def _ids_on_sqlite(part: SightPart, after: BindParameter[int], wanted: Conditions, limit: int) -> Select[tuple[int]]:
    """SQLite would sort all of several sites, so it reads none older than those of the site that has enough first."""
    table, sites = schema.notifications, schema.sites
    known = select(table.c.id).where(table.c.audience == part.audience, *wanted).order_by(table.c.id.desc())
    of_site = known.where(table.c.site_id == sites.c.id, table.c.id > after).offset(limit - 1).limit(1)
    before = func.coalesce(func.max(of_site.scalar_subquery() - 1), after)
    of_sites = select(before).where(sites.c.id.in_(part.site_ids)).scalar_subquery()
    return known.where(table.c.site_id.in_(part.site_ids), table.c.id > of_sites).limit(limit)


def _ids_on_postgresql(
    part: SightPart, after: BindParameter[int], wanted: Conditions, limit: int
) -> Select[tuple[int]]:
    """PostgreSQL would read the newest of all sites until it has enough, so it reads those of one site after the other.

    They are ordered by their audience too, of which each has the same: only the indexes of sites have that order.
    """
    table, sites = schema.notifications, values(column("id", Integer), name="own")
    sites = sites.data([(site_id,) for site_id in part.site_ids])
    audience = table.c.audience >= part.audience, table.c.audience <= part.audience  # by = it would leave the order out
    known = select(table.c.id).where(table.c.site_id == sites.c.id, table.c.id > after, *audience, *wanted)
    of_site = known.order_by(table.c.audience.desc(), table.c.id.desc()).limit(limit).lateral()
    found = select(of_site.c.id).select_from(sites.join(of_site, true()))
    return found.order_by(of_site.c.id.desc()).limit(limit)
