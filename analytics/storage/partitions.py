"""Partitions of the samples of metrics on PostgreSQL, a table for each day: one past its retention goes at once.

SQLite has none; there the functions find nothing and make nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

from sqlalchemy import Connection, func, select, text

from analytics.storage import locks, schema

DAY = 86_400
PREFIX = f"{schema.health_samples.name}_"
_NAMES = text(
    "SELECT child.relname FROM pg_inherits JOIN pg_class AS child ON child.oid = inhrelid "
    "WHERE inhparent = CAST(:parent AS regclass) ORDER BY child.relname"
)


def names(connection: Connection) -> list[str]:
    """The partitions, oldest first."""
    if connection.dialect.name != "postgresql":
        return []
    return list(connection.execute(_NAMES, {"parent": schema.health_samples.name}).scalars())


def add_missing(connection: Connection, moments: Iterable[int]) -> None:
    """Adds the partitions in which samples of these moments (epoch s) lie.

    Call it before the transaction writes samples: a new partition locks all of them, once a day for some milliseconds.
    """
    if connection.dialect.name != "postgresql":
        return
    days = {at // DAY * DAY for at in moments}
    if not (missing := {_name(day): day for day in days}).keys() - set(names(connection)):
        return
    connection.execute(select(func.pg_advisory_xact_lock(locks.PARTITIONS)))
    for name in sorted(missing.keys() - set(names(connection))):
        span = f"FROM ({missing[name]}) TO ({missing[name] + DAY})"
        connection.execute(text(f"CREATE TABLE {name} PARTITION OF {schema.health_samples.name} FOR VALUES {span}"))


def before(connection: Connection, end: int) -> list[str]:
    """The partitions that have nothing but samples of before `end` (epoch s), oldest first."""
    return [one for one in names(connection) if one < _name(end // DAY * DAY)]


def size(connection: Connection, name: str) -> int:
    """How many samples a partition has."""
    return int(connection.execute(text(f"SELECT count(*) FROM {name}")).scalar_one())


def drop(connection: Connection, name: str) -> None:
    """Removes a partition with its samples."""
    connection.execute(text(f"DROP TABLE {name}"))


def _name(day: int) -> str:
    return f"{PREFIX}{datetime.fromtimestamp(day, UTC):%Y%m%d}"
