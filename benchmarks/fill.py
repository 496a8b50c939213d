"""Rows written straight into the tables, on either database."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import islice
from typing import Any

from analytics.storage import schema
from analytics.storage.database import Database
from collector.ingest.visit import Origin
from collector.store.statements import VISIT_FIELDS

INSERT_BATCH = 50_000  # rows
COLUMNS = {
    table.name: [column.name for column in table.c if column.computed is None]
    for table in (schema.pageviews, schema.events, schema.heartbeats)
} | {"visits": [*VISIT_FIELDS, *Origin._fields]}


def fill(database: Database, table: str, rows: Iterable[tuple[Any, ...]]) -> int:
    """Writes the rows, in the order of `COLUMNS`; returns how many there were."""
    columns, rest, written = COLUMNS[table], iter(rows), 0
    while some := list(islice(rest, INSERT_BATCH)):
        with database.transaction() as connection:
            cursor: Any = connection.connection.cursor()
            if database.embedded:
                marks = ", ".join("?" * len(columns))
                cursor.executemany(f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})", some)
            else:
                with cursor.copy(f"COPY {table} ({', '.join(columns)}) FROM STDIN") as copy:
                    for row in some:
                        copy.write_row(row)
        written += len(some)
    return written
