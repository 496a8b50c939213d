"""Inserting many rows with few statements.

Each statement releases the GIL once, and getting it back from a busy event loop costs up to a switch interval. So a
statement has many rows, where `executemany` would run one for each.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import Any

from sqlalchemy import Connection, Table

ROW_BATCH = 250


def insert_rows(connection: Connection, table: Table, rows: Sequence[Sequence[Any]], conflict: str = "") -> None:
    """Inserts rows, whose values are in the order of the table's columns; `conflict` is an ON CONFLICT clause."""
    mark = "%s" if connection.dialect.name == "postgresql" else "?"
    names = ", ".join(column.name for column in table.c)
    marks = f"({', '.join([mark] * len(table.c))})"
    for start in range(0, len(rows), ROW_BATCH):
        batch = rows[start : start + ROW_BATCH]
        statement = f"INSERT INTO {table.name} ({names}) VALUES {', '.join([marks] * len(batch))} {conflict}"
        connection.exec_driver_sql(statement, tuple(chain.from_iterable(batch)))
