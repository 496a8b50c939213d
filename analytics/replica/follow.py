"""The replica follows the database: rows that changed are deleted and inserted again, by id.

PostgreSQL numbers a change before its transaction commits, so a lower number may appear after a higher one; until then
it is a hole. A hole is checked for `HOLE_S`; a number that is still missing then was rolled back.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from typing import NamedTuple

import duckdb
from sqlalchemy import Connection, Table

from analytics.replica import codec, first_seen
from analytics.replica.codec import TABLES, Key
from analytics.replica.first_seen import Touched
from analytics.storage import changes, schema
from analytics.storage.changes import Change

HOLE_S = 60.0  # a transaction writes its change last, so the commit follows within milliseconds
MAX_HOLES = 500
MAX_CHANGES = 1_000  # in one pass
ROW_BATCH = 5_000  # rows in one statement: a few MB
COPY_BATCH = 20_000  # visits or pageviews, when copying all; at 5,000 a third of the cost is per statement
MAX_TEXT = 16_000_000  # characters in one statement, except the first: a visit may have 7 kB of addresses
LAST_ID = 2**63 - 1

CREATE_FOLLOWED = "CREATE TABLE followed (shape VARCHAR, change BIGINT, digest VARCHAR, holes VARCHAR)"


class Position(NamedTuple):
    """How far the replica has followed: the highest change, and the holes below it.

    Each hole has the second of a monotonic clock at which it was first missed.
    """

    seen: int
    digest: str
    holes: Mapping[int, float]


def start(source: Connection, now: float) -> Position:
    """The position of a copy that reads all rows after this call; there has to be a change (`changes.write_marker`)."""
    newest = changes.newest(source, MAX_HOLES)
    known, last = {change.id for change in newest}, newest[-1]
    missing = _near(newest[0].id, last) - known
    return Position(last.id, last.digest, dict.fromkeys(missing, now))


def save(replica: duckdb.DuckDBPyConnection, shape: str, position: Position) -> None:
    """Stores the position in the replica, in the replica's transaction."""
    replica.execute("DELETE FROM followed")
    holes = ",".join(map(str, position.holes))
    replica.execute("INSERT INTO followed VALUES ($1, $2, $3, $4)", [shape, position.seen, position.digest, holes])


def load(replica: duckdb.DuckDBPyConnection, shape: str, source: Connection, now: float) -> Position | None:
    """The stored position; None if the replica has another shape or did not follow this database."""
    stored = replica.execute("SELECT change, digest, holes FROM followed WHERE shape = $1", [shape]).fetchone()
    if stored is None:
        return None
    seen, digest, holes = stored
    last = changes.find(source, seen)
    if last is None or last.digest != digest:
        return None  # the change was pruned, or the database was restored from a backup, or it is another one
    return Position(seen, digest, {int(hole): now for hole in holes.split(",") if hole})


def follow(
    source: Connection, replica: duckdb.DuckDBPyConnection, shape: str, position: Position, now: float
) -> tuple[Position, Sequence[Change]]:
    """Applies the next changes, at most `MAX_CHANGES`. Returns the new position, the same one if there are none, and
    the changes that were applied.
    """
    found = changes.after(source, position.seen, position.holes, MAX_CHANGES)
    moved = _moved(position, found, now)
    if moved == position:
        return position, found
    replica.execute("BEGIN")
    try:
        touched: list[Touched] = []
        for table in TABLES:
            touched += _apply(source, replica, table, found)
        first_seen.update(replica, touched)
        for site_id in sorted(_whole_sites(found)):
            first_seen.update_all(replica, site_id)
        save(replica, shape, moved)
        replica.execute("COMMIT")
    except BaseException:
        replica.execute("ROLLBACK")
        raise
    return moved, found


def _moved(position: Position, found: Sequence[Change], now: float) -> Position:
    there = {change.id for change in found}
    holes = {hole: since for hole, since in position.holes.items() if hole not in there and now - since < HOLE_S}
    if not found or found[-1].id <= position.seen:
        return position._replace(holes=holes)
    last = found[-1]
    missing = _near(position.seen + 1, last) - there
    return Position(last.id, last.digest, holes | dict.fromkeys(missing, now))


def _near(first: int, last: Change) -> set[int]:
    """The numbers from `first` to the one before the last change, at most `MAX_HOLES` of them.

    Removing a site may have deleted long ranges of numbers.
    """
    return set(range(max(first, last.id - MAX_HOLES), last.id))


def _apply(
    source: Connection, replica: duckdb.DuckDBPyConnection, table: Table, found: Sequence[Change]
) -> list[Touched]:
    """Deletes the changed rows of a table and inserts them again; returns those that are not of whole sites."""
    sites = _whole_sites(found)
    for site_id in sites:
        codec.delete_site(replica, table, site_id)
        copy_site(source, replica, table, site_id)
    keys = {(change.site_id, row_id) for change in found for row_id in change.rows[table.name] or ()}
    waiting = iter(sorted(key for key in keys if key[0] not in sites))
    touched: list[Touched] = []
    while some := list(islice(waiting, ROW_BATCH)):
        touched += _replace(source, replica, table, some)
    return touched


def _whole_sites(found: Sequence[Change]) -> set[int]:
    return {change.site_id for change in found if None in change.rows.values()}


def _replace(
    source: Connection, replica: duckdb.DuckDBPyConnection, table: Table, keys: Sequence[Key]
) -> list[Touched]:
    touched = codec.delete(replica, table, keys)
    if rows := codec.read_keys(source, table, keys):
        touched += codec.insert_changed(replica, table, rows)
    return touched


def copy_site(source: Connection, replica: duckdb.DuckDBPyConnection, table: Table, site_id: int) -> None:
    """Copies all rows of a site into the replica."""
    for rows in batches(source, table, site_id, LAST_ID):
        codec.insert(replica, table, rows)


def batches(source: Connection, table: Table, site_id: int, end: int) -> Iterable[codec.Rows]:
    """The rows of a site up to the id `end`, ordered by id, some thousand at a time."""
    rows = codec.read_after(source, table, site_id, -1, end, batch_size(table))
    while rows is not None:
        yield rows
        rows = codec.read_after(source, table, site_id, rows.last, end, batch_size(table, rows))


def batch_size(table: Table, before: codec.Rows | None = None) -> int:
    """How many rows one statement copies or compares: fewer if the batch `before` was a large text.

    An event may have 60 kB of properties.
    """
    if before is None or len(before.text) <= MAX_TEXT:
        return ROW_BATCH if table is schema.events else COPY_BATCH
    return max(1, before.row_count * MAX_TEXT // len(before.text))
