"""Inserting many rows of numbers with few statements.

Each statement releases the GIL once, and getting it back from a busy event loop costs up to a switch interval. So a
statement has many rows, where `executemany` would run one for each. On PostgreSQL it has one text for each column,
because its driver takes 10 ms to read a statement with a thousand parameters.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain

from sqlalchemy import Connection, Table

Number = int | float
ROW_BATCH = 250  # of SQLite, which takes 32,766 parameters


def insert_rows(connection: Connection, table: Table, rows: Sequence[Sequence[Number]], conflict: str = "") -> None:
    """Inserts rows, whose values are in the order of the table's columns; `conflict` is an ON CONFLICT clause."""
    if not rows:
        return
    into = f"INSERT INTO {table.name} ({', '.join(column.name for column in table.c)})"
    if connection.dialect.name == "postgresql":
        lists = ", ".join(f"%s::{column.type.compile(connection.dialect)}[]" for column in table.c)
        statement = f"{into} SELECT * FROM unnest({lists}) {conflict}"
        connection.exec_driver_sql(statement, tuple(map(_array, zip(*rows, strict=True))))
        return
    marks = f"({', '.join(['?'] * len(table.c))})"
    for start in range(0, len(rows), ROW_BATCH):
        batch = rows[start : start + ROW_BATCH]
        values = ", ".join([marks] * len(batch))
        connection.exec_driver_sql(f"{into} VALUES {values} {conflict}", tuple(chain.from_iterable(batch)))


def _array(values: Sequence[Number]) -> str:
    """The values as PostgreSQL writes an array."""
    return f"{{{','.join(map(repr, values))}}}"
