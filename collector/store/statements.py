"""The statements by which a group is read and written, on the driver's cursor.

Few, of many rows each: a statement gives up the interpreter lock once, and taking it back from a busy event loop costs
up to a switch interval (32 events by `executemany` took 280 ms beside a busy thread, as multi-row statements 29 ms).
SQLAlchemy's execution would cost a group of 16 a quarter of its time.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain
from typing import Any, NamedTuple

from sqlalchemy import Connection, Table

from analytics.storage import changes, locks, schema
from collector.ingest.visit import Origin, Visit

VISIT_COLUMNS = [
    *(name for name in Visit.__struct_fields__ if name != "origin"),
    *Origin._fields,
]
CHANGE_VISIT = "ON CONFLICT (site_id, id) DO UPDATE SET " + ", ".join(
    f"{name} = excluded.{name}"
    for name in (
        *("user_id", "user_type", "started_at", "last_at", "seen_at"),
        *("pageviews", "events", "entry_page", "exit_page"),
    )
)
COLUMNS = {
    table.name: [column.name for column in table.c if column.computed is None]
    for table in (schema.visits, schema.pageviews, schema.events, schema.heartbeats, schema.outcomes)
}
COLUMNS["visits"] = VISIT_COLUMNS
COLUMNS["changes"] = list(changes.COLUMNS)
ROWS_AT_ONCE = 128  # 34 columns of a visit stay below SQLite's 32,766 parameters


class Driver(NamedTuple):
    """The driver's cursor of a transaction, and which database it speaks to."""

    cursor: Any
    postgresql: bool

    @property
    def mark(self) -> str:
        """What stands for a parameter."""
        return "%s" if self.postgresql else "?"


def driver_of(connection: Connection) -> Driver:
    """The driver under a SQLAlchemy connection; it takes part in the connection's transaction."""
    return Driver(connection.connection.cursor(), connection.dialect.name == "postgresql")


def take_turns(driver: Driver, site_ids: Iterable[int]) -> None:
    """Makes the processes of one PostgreSQL database take turns at a site, in one order for all."""
    for site_id in sorted(site_ids):
        driver.cursor.execute("SELECT pg_advisory_xact_lock(%s, %s)", (locks.SITE, site_id))


def known_sites(driver: Driver, site_ids: set[int]) -> set[int]:
    """Which of these sites are still there: one may have been removed since the first step."""
    marks = ",".join([driver.mark] * len(site_ids))
    found = driver.cursor.execute(f"SELECT id FROM sites WHERE id IN ({marks})", tuple(site_ids))
    return {site_id for (site_id,) in found.fetchall()}


def matching(
    driver: Driver, table: str, columns: str, key: str, kind: str, wanted: set[Any], since: int = 0
) -> list[Any]:
    """The rows of `table` whose (site_id, key) is wanted, from the id `since` on; one index look-up each."""
    if not wanted:
        return []
    source, parameters = _source(driver, kind, wanted)
    # CROSS JOIN keeps SQLite from turning the loops round, INDEXED BY from taking the clustered key and scanning it.
    index = " INDEXED BY ix_visits_site_id_visitor_id" if since and not driver.postgresql else ""
    statement = (
        f"SELECT {columns} FROM {source} CROSS JOIN {table} AS t{index} "
        f"WHERE t.site_id = w.site AND t.{key} = w.key AND t.id >= {since:d}"
    )
    return list(driver.cursor.execute(statement, parameters).fetchall())


def latest(driver: Driver, columns: str, wanted: set[tuple[int, str]]) -> list[Any]:
    """The pageview with the greatest id of its page's own among those that begin with each (site, 16 hex digits)."""
    if not wanted:
        return []
    source, parameters = _source(driver, "text", wanted)
    greatest = (
        "(SELECT max(p.page_id) FROM pageviews AS p "
        "WHERE p.site_id = w.site AND p.page_id > w.key AND p.page_id < w.key || 'g')"  # after f
    )
    statement = (
        f"SELECT {columns} FROM {source} CROSS JOIN pageviews AS t WHERE t.site_id = w.site AND t.page_id = {greatest}"
    )
    return list(driver.cursor.execute(statement, parameters).fetchall())


def _source(driver: Driver, kind: str, wanted: set[Any]) -> tuple[str, tuple[Any, ...]]:
    """The wanted (site, key) as a table `w`, and its parameters."""
    if driver.postgresql:
        return f"unnest(%s::int[], %s::{kind}[]) AS w(site, key)", (
            [site for site, _ in wanted],
            [key for _, key in wanted],
        )
    rows = f"(SELECT column1 AS site, column2 AS key FROM (VALUES {_marks(len(wanted), 2, '?')})) AS w"
    return rows, tuple(chain.from_iterable(wanted))


def _marks(rows: int, columns: int, mark: str) -> str:
    return ",".join(["(" + ",".join([mark] * columns) + ")"] * rows)


def insert(driver: Driver, table: Table, rows: Sequence[tuple[Any, ...]], conflict: str = "") -> None:
    """Adds rows, each in the order of `COLUMNS`."""
    columns = COLUMNS[table.name]
    for start in range(0, len(rows), ROWS_AT_ONCE):
        some = rows[start : start + ROWS_AT_ONCE]
        marks = _marks(len(some), len(columns), driver.mark)
        statement = f"INSERT INTO {table.name} ({', '.join(columns)}) VALUES {marks} {conflict}"
        driver.cursor.execute(statement, tuple(chain.from_iterable(some)))


def update_totals(driver: Driver, rows: Sequence[tuple[int, int, int, int, str]]) -> None:
    """Sets what beats change of pageviews, each as (site, id, engaged ms, scroll, title)."""
    for start in range(0, len(rows), ROWS_AT_ONCE):
        some = rows[start : start + ROWS_AT_ONCE]
        statement = (
            "UPDATE pageviews SET engaged_ms = w.column3, scroll = w.column4, title = w.column5 "
            f"FROM (VALUES {_marks(len(some), 5, driver.mark)}) AS w "
            "WHERE pageviews.site_id = w.column1 AND pageviews.id = w.column2"
        )
        driver.cursor.execute(statement, tuple(chain.from_iterable(some)))
