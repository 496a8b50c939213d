"""Upserts: rows written by primary key, on SQLite and on PostgreSQL."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Connection, Table
from sqlalchemy.dialects import postgresql, sqlite


def upsert(connection: Connection, table: Table, rows: Sequence[Mapping[str, Any]], *, overwrite: bool) -> None:
    """Upserts rows by primary key; with `overwrite=False` existing rows stay."""
    if not rows:
        return
    dialect = postgresql if connection.dialect.name == "postgresql" else sqlite
    statement, key = dialect.insert(table), [column.name for column in table.primary_key]
    values = {column.name: statement.excluded[column.name] for column in table.c if not column.primary_key}
    statement = (
        statement.on_conflict_do_update(index_elements=key, set_=values)
        if overwrite
        else statement.on_conflict_do_nothing(index_elements=key)
    )
    connection.execute(statement, list(rows))
