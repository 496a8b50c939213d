"""Rows on their way from the truth into the columnar replica: thousands as one text, put together and taken apart
inside the two databases.

Row by row through Python they would hold its lock: DuckDB took 20,000 visits in 0.44 s of processor time as lists of
values, in 0.26 s as JSON, in 0.10 s as text between separators. What visitors send may hold a separator. Then a batch
has more of them than it should, and goes as JSON.
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
# No metric asks for them: the one moves with each heartbeat, the other is a third of a pageview's bytes.
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
    """Some rows as one text. `json`: as lists of lists, else between separators; `last` is the id of the last one."""

    many: int
    last: int
    text: str
    json: bool

    def lines(self) -> str:
        """What DuckDB makes lists of texts of, with the text as `$1`."""
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
    """The columns that the replica has, named as in the truth."""
    return [column for column in table.c if column.name not in LEFT_OUT]


def kind(column: Column[object]) -> str:
    """The column's type in DuckDB."""
    return TYPES[type(column.type)]


def made(table: Table) -> str:
    """The statement that makes the replica's table. No key and no index: they cost more than they give."""
    fields = [f'"{column.name}" {kind(column)}' for column in columns(table)]
    fields += [f"{name} BIGINT DEFAULT 0" for name in facts.first_seen_columns(table)]
    fields += [f"{name} VARCHAR" for name in facts.visit_columns(table)]
    return f"CREATE TABLE {table.name} ({', '.join(fields)})"


# ── out of the truth ─────────────────────────────────────────────────────────────────────────────────────────────────


def after(connection: Connection, table: Table, site_id: int, row_id: int, end: int, most: int) -> Rows | None:
    """The next rows of a site: with ids from above `row_id` up to `end`, at most so many; None for none."""
    where = f"WHERE site_id = {site_id:d} AND id > {row_id:d}"
    some = f"FROM {table.name} {where} AND id <= {end:d} ORDER BY id LIMIT {most:d}"
    if connection.dialect.name == "postgresql":
        return _read(connection, table, f"(SELECT * {some}) AS t")
    # SQLite reads a table in the order of its key. A subquery's rows it copies first, a third of the time.
    return _read(connection, table, f"{table.name} AS t {where} AND id <= (SELECT max(id) FROM (SELECT id {some}))")


def of(connection: Connection, table: Table, keys: Collection[Key]) -> Rows | None:
    """The rows with these keys, as far as they are there; None for none."""
    wanted = ", ".join(f"({site_id:d}, {row_id:d})" for site_id, row_id in keys)
    joined = f"CROSS JOIN {table.name} AS t WHERE t.site_id = w.column1 AND t.id = w.column2"
    return _read(connection, table, f"(SELECT * FROM (VALUES {wanted}) AS v) AS w {joined}")


def _read(connection: Connection, table: Table, source: str) -> Rows | None:
    postgresql = connection.dialect.name == "postgresql"
    fields = [_told(column, postgresql) for column in columns(table)]
    gather = "string_agg" if postgresql else "group_concat"
    asked = f"SELECT count(*), max(t.id), {gather}({_joined(fields, postgresql)}, '{ROW}') FROM {source}"
    many, last, text = connection.exec_driver_sql(asked).one()
    if not many:
        return None
    if text.count(ROW) == many - 1 and text.count(FIELD) == many * (len(fields) - 1):
        return Rows(many, last, text, json=False)
    form = "CAST(json_agg(json_build_array({0})) AS TEXT)" if postgresql else "json_group_array(json_array({0}))"
    asked = f"SELECT count(*), max(t.id), {form.format(', '.join(fields))} FROM {source}"
    many, last, text = connection.exec_driver_sql(asked).one()
    return Rows(many, last, text, json=True) if many else None


def _joined(fields: Sequence[str], postgresql: bool) -> str:
    """The fields of a row as one text. Joined by `||`, SQLite took 9.0 µs for a visit, by `printf` 5.1."""
    if postgresql:
        return f"concat_ws('{FIELD}', {', '.join(fields)})"
    return f"printf('{FIELD.join(['%s'] * len(fields))}', {', '.join(fields)})"


def _told(column: Column[object], exact_casts: bool) -> str:
    """The column as text. What is missing is empty; a text that may be missing has a mark when it is there."""
    name = f't."{column.name}"'
    if isinstance(column.type, Text):
        return f"CASE WHEN {name} IS NULL THEN '' ELSE '=' || {name} END" if column.nullable else name
    if isinstance(column.type, Float) and not exact_casts:
        exact = f"printf('%!.17g', {name})"  # a CAST gives 15 digits
        return f"CASE WHEN {name} IS NULL THEN '' ELSE {exact} END"
    if isinstance(column.type, Boolean):
        return f"CAST(CAST({name} AS INTEGER) AS TEXT)"
    return f"COALESCE(CAST({name} AS TEXT), '')"


# ── into the replica ─────────────────────────────────────────────────────────────────────────────────────────────────


def add(replica: duckdb.DuckDBPyConnection, table: Table, rows: Rows) -> None:
    """Puts many rows into the replica's table, with what their visits carry, which have to be there; sorted."""
    further = facts.visit_columns(table)
    told = denormalised.beside(table, _selected(table, rows))
    replica.execute(f"INSERT INTO {table.name} ({_names(table, further)}) {told}", [rows.text])


def add_some(replica: duckdb.DuckDBPyConnection, table: Table, rows: Rows) -> list[Touched]:
    """Puts the rows into the replica's table, without what their visits carry; whose rows they are."""
    added = f"INSERT INTO {table.name} ({_names(table)}) {_selected(table, rows)} RETURNING {_touched(table)}"
    return replica.execute(added, [rows.text]).fetchall()


def _touched(table: Table) -> str:
    began = "started_at" if table is schema.visits else '"at"'
    return f"site_id, visitor, {began}"


def _names(table: Table, further: Sequence[str] = ()) -> str:
    return ", ".join([*(f'"{column.name}"' for column in columns(table)), *further])


def _selected(table: Table, rows: Rows) -> str:
    numbered = enumerate(columns(table), 1)
    fields = ", ".join(f'{_taken(column, number)} AS "{column.name}"' for number, column in numbered)
    return f"SELECT {fields} FROM ({rows.lines()})"


def _taken(column: Column[object], number: int) -> str:
    field = f"r[{number}]"
    if isinstance(column.type, Text):
        return f"CASE WHEN {field} = '' THEN NULL ELSE substr({field}, 2) END" if column.nullable else field
    if isinstance(column.type, Boolean):
        return f"{field} = '1'"
    return f"CAST(nullif({field}, '') AS {kind(column)})"


def remove(replica: duckdb.DuckDBPyConnection, table: Table, keys: Collection[Key]) -> list[Touched]:
    """Takes these rows out of the replica's table, as far as they are there; whose they were."""
    sites, ids = (",".join(map(str, part)) for part in zip(*keys, strict=True))
    wanted = "SELECT unnest(string_split($1, ','))::INTEGER AS s, unnest(string_split($2, ','))::BIGINT AS i"
    low, high = min(row_id for _, row_id in keys), max(row_id for _, row_id in keys)
    gone = replica.execute(
        f"DELETE FROM {table.name} USING ({wanted}) AS w "
        f"WHERE site_id = w.s AND id = w.i AND id BETWEEN {low:d} AND {high:d} RETURNING {_touched(table)}",
        [sites, ids],
    )
    return gone.fetchall()


def remove_site(replica: duckdb.DuckDBPyConnection, table: Table, site_id: int) -> None:
    """Takes the site's rows out of the replica's table."""
    replica.execute(f"DELETE FROM {table.name} WHERE site_id = {site_id:d}")


# ── out of the replica, to compare ───────────────────────────────────────────────────────────────────────────────────


def copied(replica: duckdb.DuckDBPyConnection, table: Table, site_id: int, row_id: int, end: int) -> str:
    """The replica's rows of a site with ids from above `row_id` up to `end`, as `Rows.text` has them."""
    joined = _joined([_told(column, exact_casts=True) for column in columns(table)], postgresql=True)
    asked = f"SELECT string_agg({joined}, '{ROW}' ORDER BY t.id) FROM {_between(table, site_id, row_id, end)}"
    (text,) = replica.execute(asked).fetchall()[0]
    return text or ""


def copied_fields(
    replica: duckdb.DuckDBPyConnection, table: Table, site_id: int, row_id: int, end: int
) -> list[tuple[str, ...]]:
    """The same rows as texts, as `Rows.fields` has them."""
    fields = ", ".join(_told(column, exact_casts=True) for column in columns(table))
    return replica.execute(f"SELECT {fields} FROM {_between(table, site_id, row_id, end)}").fetchall()


def _between(table: Table, site_id: int, row_id: int, end: int) -> str:
    return f"{table.name} AS t WHERE t.site_id = {site_id:d} AND t.id > {row_id:d} AND t.id <= {end:d}"
