"""Samples of metrics: how a host application and its machine are doing."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Float, Index, Integer, Table, Text, UniqueConstraint

from analytics.storage.tables.columns import CLUSTERED, NEVER_AGAIN, id_column, metadata, text_column

# The names of metrics, each with each set of tags that came with it: samples have the number.
health_series = Table(
    "health_series",
    metadata,
    id_column(),
    Column("site_id", Integer, nullable=False),  # 0: of the whole installation
    Column("name", Text, nullable=False),
    text_column("tags"),  # a JSON object of texts, its names in order; "" for none
    text_column("unit"),  # the same in all rows of a name; "": not known
    Column("seen_at", BigInteger, nullable=False),  # the first second of the hour in which the last sample came
    UniqueConstraint("site_id", "name", "tags"),
    **NEVER_AGAIN,
)

# Append only and without a key: two samples of a series may be equal, and both count. On PostgreSQL each day is a
# partition (analytics.storage.partitions).
health_samples = Table(
    "health_samples",
    metadata,
    Column("site_id", Integer, nullable=False),
    Column("series_id", Integer, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("value", Float, nullable=False),
    Index(None, "site_id", "at"),
    postgresql_partition_by="RANGE (at)",
)


def _roll_up(name: str) -> Table:
    """A row for each series and step of time; `at` is the first second of the step."""
    return Table(
        name,
        metadata,
        Column("site_id", Integer, primary_key=True, autoincrement=False),
        Column("series_id", Integer, primary_key=True, autoincrement=False),
        Column("at", BigInteger, primary_key=True, autoincrement=False),
        Column("count", BigInteger, nullable=False),
        Column("sum", Float, nullable=False),
        Column("min", Float, nullable=False),
        Column("max", Float, nullable=False),
        **CLUSTERED,
    )


health_minutes = _roll_up("health_minutes")
health_hours = _roll_up("health_hours")
