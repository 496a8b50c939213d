"""DuckDB beside the truth: a copy of its rows in memory, asked with the same statements."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import duckdb
from sqlalchemy import BigInteger, Boolean, Column, Float, Integer, Select, SmallInteger, Table, Text, select

from analytics import schema
from analytics.database import Database
from analytics.dialects import DuckDBDialect
from analytics.stats import Ask

FACTS = schema.visits, schema.pageviews, schema.events
TYPES = {
    BigInteger: "BIGINT",
    Boolean: "BOOLEAN",
    Float: "DOUBLE",
    Integer: "INTEGER",
    SmallInteger: "SMALLINT",
    Text: "VARCHAR",
}


def of_copy(database: Database) -> Ask:
    """Asks a copy of the facts that the database has at the first question."""
    copies: list[duckdb.DuckDBPyConnection] = []

    def ask(statement: Select[Any]) -> Sequence[Sequence[Any]]:
        if not copies:
            copies.append(_copied(database))
        compiled = statement.compile(dialect=DuckDBDialect(), compile_kwargs={"render_postcompile": True})
        values = [compiled.params[name] for name in compiled.positiontup or ()]
        return copies[0].execute(str(compiled), values).fetchall()

    return ask


def _copied(database: Database) -> duckdb.DuckDBPyConnection:
    connection = duckdb.connect()
    for table in FACTS:
        _copy(database, table, connection)
    return connection


def _copy(database: Database, table: Table, connection: duckdb.DuckDBPyConnection) -> None:
    columns = ", ".join(map(_column, table.c))
    connection.execute(f"CREATE TABLE {table.name} ({columns})")
    with database.read() as reading:
        rows = [tuple(row) for row in reading.execute(select(table))]
    if rows:
        marks = ", ".join("?" * len(table.c))
        connection.executemany(f"INSERT INTO {table.name} VALUES ({marks})", rows)


def _column(column: Column[Any]) -> str:
    return f'"{column.name}" {TYPES[type(column.type)]}'
