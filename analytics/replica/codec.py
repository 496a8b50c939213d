"""The codec of rows on their way from the database into the replica: thousands of rows as one text.

The two databases encode and decode the text, because handling each row in Python would hold the GIL: DuckDB took 20,000
visits in 0.44 s of processor time as lists of values, in 0.26 s as JSON, in 0.10 s as text with separators. Visitors'
data may contain a separator. Then the batch has more separators than expected and is sent as JSON.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import NamedTuple

import duckdb
import msgspec
from sqlalchemy import BigInteger, Boolean, Column, Connection, Float, Integer, SmallInteger, Table, Text

from analytics.query import facts
from analytics.replica import denormalised
from analytics.replica.first_seen import Touched
from analytics.storage import schema

TABLES: tuple[Table, ...] = (schema.visits, schema.pageviews, schema.events)
# No metric uses them: the one changes with each heartbeat, the other is a third of a pageview's bytes.
LEFT_OUT = {"seen_at", "page_id"}
TYPES = {
    BigInteger: "BIGINT",
    SmallInteger: "SMALLINT",
    Integer: "INTEGER",
    Boolean: "BOOLEAN",
    Float: "DOUBLE",
    Text: "VARCHAR",
}
FIELD, ROW = "\x1f", "\x1e"

Key = tuple[int, int]  # site_id, id


class Rows(NamedTuple):
    """Some rows as one text: lists of lists in `json`, else fields and rows with separators. `last` is the last id."""

    row_count: int
    last: int
    text: str
    json: bool

    def lines(self) -> str:
        """The DuckDB query that splits the text, its parameter `$1`, into lists of texts."""
        if self.json:
            return "SELECT unnest(from_json($1, '[[\"VARCHAR\"]]')) AS r"
        return "SELECT string_split(line, chr(31)) AS r FROM (SELECT unnest(string_split($1, chr(30))) AS line)"

    def fields(self) -> list[list[str]]:
        """The rows as lists of texts."""
        if self.json:
            found: list[list[str]] = msgspec.json.decode(self.text)
            return found
        return [line.split(FIELD) for line in self.text.split(ROW)]


def columns(table: Table) -> list[Column[object]]:
    """The columns that the replica copies, named as in the database."""
    return [column for column in table.c if column.name not in LEFT_OUT]


def duckdb_type(column: Column[object]) -> str:
    """The column's type in DuckDB."""
    return TYPES[type(column.type)]


def create_table(table: Table) -> str:
    """The statement that creates the replica's table. It has no key and no index: they cost more than they save."""
    fields = [f'"{column.name}" {duckdb_type(column)}' for column in columns(table)]
    fields += [f"{name} BIGINT DEFAULT 0" for name in facts.first_seen_columns(table)]
    fields += [f"{name} VARCHAR" for name in facts.visit_columns(table)]
    return f"CREATE TABLE {table.name} ({', '.join(fields)})"


# ── from the database ────────────────────────────────────────────────────────────────────────────────────────────────


def read_after(connection: Connection, table: Table, site_id: int, row_id: int, end: int, limit: int) -> Rows | None:
    """The next rows of a site with ids above `row_id` and up to `end`, at most `limit`; None if there are none."""
    where = f"WHERE site_id = {site_id:d} AND id > {row_id:d}"
    some = f"FROM {table.name} {where} AND id <= {end:d} ORDER BY id LIMIT {limit:d}"
    if connection.dialect.name == "postgresql":
        return _read(connection, table, f"(SELECT * {some}) AS t")
    # SQLite reads a table in the order of its key. The rows of a subquery it copies first: a third of the time.
    return _read(connection, table, f"{table.name} AS t {where} AND id <= (SELECT max(id) FROM (SELECT id {some}))")


def read_keys(connection: Connection, table: Table, keys: Collection[Key]) -> Rows | None:
    """The existing rows with these keys; None if there are none."""
    wanted = ", ".join(f"({site_id:d}, {row_id:d})" for site_id, row_id in keys)
    joined = f"CROSS JOIN {table.name} AS t WHERE t.site_id = w.column1 AND t.id = w.column2"
    return _read(connection, table, f"(SELECT * FROM (VALUES {wanted}) AS v) AS w {joined}")


def _read(connection: Connection, table: Table, source: str) -> Rows | None:
    postgresql = connection.dialect.name == "postgresql"
    fields = [_as_text(column, postgresql) for column in columns(table)]
    gather = "string_agg" if postgresql else "group_concat"
    query = f"SELECT count(*), max(t.id), {gather}({_joined(fields, postgresql)}, '{ROW}') FROM {source}"
    row_count, last, text = connection.exec_driver_sql(query).one()
    if not row_count:
        return None
    if text.count(ROW) == row_count - 1 and text.count(FIELD) == row_count * (len(fields) - 1):
        return Rows(row_count, last, text, json=False)
    form = "CAST(json_agg(json_build_array({0})) AS TEXT)" if postgresql else "json_group_array(json_array({0}))"
    query = f"SELECT count(*), max(t.id), {form.format(', '.join(fields))} FROM {source}"
    row_count, last, text = connection.exec_driver_sql(query).one()
    return Rows(row_count, last, text, json=True) if row_count else None


def _joined(fields: Sequence[str], postgresql: bool) -> str:
    """SQL: the fields of a row as one text. With `||` SQLite took 9.0 µs for a visit, with `printf` 5.1."""
    if postgresql:
        return f"concat_ws('{FIELD}', {', '.join(fields)})"
    return f"printf('{FIELD.join(['%s'] * len(fields))}', {', '.join(fields)})"


def _as_text(column: Column[object], exact_casts: bool) -> str:
    """SQL: the column as text. NULL is empty; a text of a nullable column gets the prefix "="."""
    name = f't."{column.name}"'
    if isinstance(column.type, Text):
        return f"CASE WHEN {name} IS NULL THEN '' ELSE '=' || {name} END" if column.nullable else name
    if isinstance(column.type, Float) and not exact_casts:
        exact = f"printf('%!.17g', {name})"  # a CAST has 15 digits only
        return f"CASE WHEN {name} IS NULL THEN '' ELSE {exact} END"
    if isinstance(column.type, Boolean):
        return f"CAST(CAST({name} AS INTEGER) AS TEXT)"
    return f"COALESCE(CAST({name} AS TEXT), '')"


# ── into the replica ─────────────────────────────────────────────────────────────────────────────────────────────────


def insert(replica: duckdb.DuckDBPyConnection, table: Table, rows: Rows) -> None:
    """Inserts many rows, sorted, with the columns of their visits, which have to be in the replica already."""
    further = facts.visit_columns(table)
    selected = denormalised.with_visit_columns(table, _selected(table, rows))
    replica.execute(f"INSERT INTO {table.name} ({_names(table, further)}) {selected}", [rows.text])


def insert_changed(replica: duckdb.DuckDBPyConnection, table: Table, rows: Rows) -> list[Touched]:
    """Inserts some rows, without the columns of their visits; returns site, visitor and second of each."""
    added = f"INSERT INTO {table.name} ({_names(table)}) {_selected(table, rows)} RETURNING {_touched(table)}"
    return replica.execute(added, [rows.text]).fetchall()


def _touched(table: Table) -> str:
    began = "started_at" if table is schema.visits else '"at"'
    return f"site_id, visitor, {began}"


def _names(table: Table, further: Sequence[str] = ()) -> str:
    return ", ".join([*(f'"{column.name}"' for column in columns(table)), *further])


def _selected(table: Table, rows: Rows) -> str:
    numbered = enumerate(columns(table), 1)
    fields = ", ".join(f'{_parsed(column, number)} AS "{column.name}"' for number, column in numbered)
    return f"SELECT {fields} FROM ({rows.lines()})"


def _parsed(column: Column[object], number: int) -> str:
    field = f"r[{number}]"
    if isinstance(column.type, Text):
        return f"CASE WHEN {field} = '' THEN NULL ELSE substr({field}, 2) END" if column.nullable else field
    if isinstance(column.type, Boolean):
        return f"{field} = '1'"
    return f"CAST(nullif({field}, '') AS {duckdb_type(column)})"


def delete(replica: duckdb.DuckDBPyConnection, table: Table, keys: Collection[Key]) -> list[Touched]:
    """Deletes the existing rows with these keys; returns site, visitor and second of each."""
    sites, ids = (",".join(map(str, part)) for part in zip(*keys, strict=True))
    wanted = "SELECT unnest(string_split($1, ','))::INTEGER AS s, unnest(string_split($2, ','))::BIGINT AS i"
    low, high = min(row_id for _, row_id in keys), max(row_id for _, row_id in keys)
    gone = replica.execute(
        f"DELETE FROM {table.name} USING ({wanted}) AS w "
        f"WHERE site_id = w.s AND id = w.i AND id BETWEEN {low:d} AND {high:d} RETURNING {_touched(table)}",
        [sites, ids],
    )
    return gone.fetchall()


def delete_site(replica: duckdb.DuckDBPyConnection, table: Table, site_id: int) -> None:
    """Deletes the site's rows."""
    replica.execute(f"DELETE FROM {table.name} WHERE site_id = {site_id:d}")


# ── from the replica, to compare ─────────────────────────────────────────────────────────────────────────────────────


def replica_text(replica: duckdb.DuckDBPyConnection, table: Table, site_id: int, row_id: int, end: int) -> str:
    """The replica's rows of a site with ids above `row_id` and up to `end`, encoded as in `Rows.text`."""
    joined = _joined([_as_text(column, exact_casts=True) for column in columns(table)], postgresql=True)
    query = f"SELECT string_agg({joined}, '{ROW}' ORDER BY t.id) FROM {_between(table, site_id, row_id, end)}"
    (text,) = replica.execute(query).fetchall()[0]
    return text or ""


def replica_fields(
    replica: duckdb.DuckDBPyConnection, table: Table, site_id: int, row_id: int, end: int
) -> list[tuple[str, ...]]:
    """The same rows as lists of texts, as `Rows.fields` returns them."""
    fields = ", ".join(_as_text(column, exact_casts=True) for column in columns(table))
    return replica.execute(f"SELECT {fields} FROM {_between(table, site_id, row_id, end)}").fetchall()


def _between(table: Table, site_id: int, row_id: int, end: int) -> str:
    return f"{table.name} AS t WHERE t.site_id = {site_id:d} AND t.id > {row_id:d} AND t.id <= {end:d}"
