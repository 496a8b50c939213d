"""How the columnar replica follows the truth: what changed is deleted and inserted again, by id.

Numbers of changes are given before their transactions are committed. On PostgreSQL a lower one may appear after a
higher one; until then it is a hole. A hole is looked at for `HOLE_S`; what is missing then was rolled back.
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

HOLE_S = 60.0  # the change is the last that a transaction writes: its commit takes milliseconds
MAX_HOLES = 500
MAX_CHANGES = 1_000  # in one pass
ROW_BATCH = 5_000  # in one statement: a few MB
COPY_BATCH = 20_000  # visits and pageviews that are all copied: at 5,000 a third of the cost does not depend on them
MAX_TEXT = 16_000_000  # of one statement, but for the first: a visit may have 7 kB of addresses
LAST_ID = 2**63 - 1

CREATE_FOLLOWED = "CREATE TABLE followed (shape VARCHAR, change BIGINT, digest VARCHAR, holes VARCHAR)"


class Position(NamedTuple):
    """How far it has followed: the highest change, and lower ones that have not appeared, each with the second of
    a monotonic clock at which it was missed.
    """

    seen: int
    digest: str
    holes: Mapping[int, float]


def start(truth: Connection, now: float) -> Position:
    """Where a copy begins that reads every row after this; there has to be a change (`changes.mark`)."""
    newest = changes.newest(truth, MAX_HOLES)
    known, last = {change.id for change in newest}, newest[-1]
    missing = _near(newest[0].id, last) - known
    return Position(last.id, last.digest, dict.fromkeys(missing, now))


def save(replica: duckdb.DuckDBPyConnection, shape: str, position: Position) -> None:
    """Keeps the position in the replica, in its transaction."""
    replica.execute("DELETE FROM followed")
    holes = ",".join(map(str, position.holes))
    replica.execute("INSERT INTO followed VALUES ($1, $2, $3, $4)", [shape, position.seen, position.digest, holes])


def load(replica: duckdb.DuckDBPyConnection, shape: str, truth: Connection, now: float) -> Position | None:
    """The position of a replica that was closed; None where it is of another shape or did not follow this truth."""
    kept = replica.execute("SELECT change, digest, holes FROM followed WHERE shape = $1", [shape]).fetchone()
    if kept is None:
        return None
    seen, digest, holes = kept
    last = changes.find(truth, seen)
    if last is None or last.digest != digest:
        return None  # pruned since, or restored from a copy, or another database
    return Position(seen, digest, {int(hole): now for hole in holes.split(",") if hole})


def follow(
    truth: Connection, replica: duckdb.DuckDBPyConnection, shape: str, position: Position, now: float
) -> Position:
    """Brings the next changes into the replica, at most `MOST_CHANGES`; the position itself where there were none."""
    found = changes.after(truth, position.seen, position.holes, MAX_CHANGES)
    moved = _moved(position, found, now)
    if moved == position:
        return position
    replica.execute("BEGIN")
    try:
        touched: list[Touched] = []
        for table in TABLES:
            touched += _renew(truth, replica, table, found)
        first_seen.renew(replica, touched)
        for site_id in sorted(_whole_sites(found)):
            first_seen.renew_all(replica, site_id)
        save(replica, shape, moved)
        replica.execute("COMMIT")
    except BaseException:
        replica.execute("ROLLBACK")
        raise
    return moved


def _moved(position: Position, found: Sequence[Change], now: float) -> Position:
    there = {change.id for change in found}
    holes = {hole: since for hole, since in position.holes.items() if hole not in there and now - since < HOLE_S}
    if not found or found[-1].id <= position.seen:
        return position._replace(holes=holes)
    last = found[-1]
    missing = _near(position.seen + 1, last) - there
    return Position(last.id, last.digest, holes | dict.fromkeys(missing, now))


def _near(first: int, last: Change) -> set[int]:
    """The numbers from the first on before the last change, at most `MOST_HOLES` of them: whole stretches may be gone,
    where a site was removed.
    """
    return set(range(max(first, last.id - MAX_HOLES), last.id))


def _renew(
    truth: Connection, replica: duckdb.DuckDBPyConnection, table: Table, found: Sequence[Change]
) -> list[Touched]:
    """Whose rows came, went or changed, but for those of whole sites."""
    sites = _whole_sites(found)
    for site_id in sites:
        codec.remove_site(replica, table, site_id)
        copy_site(truth, replica, table, site_id)
    keys = {(change.site_id, row_id) for change in found for row_id in change.rows[table.name] or ()}
    waiting = iter(sorted(key for key in keys if key[0] not in sites))
    touched: list[Touched] = []
    while some := list(islice(waiting, ROW_BATCH)):
        touched += _replace(truth, replica, table, some)
    return touched


def _whole_sites(found: Sequence[Change]) -> set[int]:
    return {change.site_id for change in found if None in change.rows.values()}


def _replace(truth: Connection, replica: duckdb.DuckDBPyConnection, table: Table, keys: Sequence[Key]) -> list[Touched]:
    touched = codec.remove(replica, table, keys)
    if rows := codec.of(truth, table, keys):
        touched += codec.add_some(replica, table, rows)
    return touched


def copy_site(truth: Connection, replica: duckdb.DuckDBPyConnection, table: Table, site_id: int) -> None:
    """Adds all rows of a site to the replica."""
    for rows in batches(truth, table, site_id, LAST_ID):
        codec.add(replica, table, rows)


def batches(truth: Connection, table: Table, site_id: int, end: int) -> Iterable[codec.Rows]:
    """The rows of a site up to the id `end`, in the order of their ids, some thousand at a time."""
    rows = codec.after(truth, table, site_id, -1, end, at_once(table))
    while rows is not None:
        yield rows
        rows = codec.after(truth, table, site_id, rows.last, end, at_once(table, rows))


def at_once(table: Table, before: codec.Rows | None = None) -> int:
    """How many rows are copied or compared in one statement: fewer where those before made a large text.

    An event may have 60 kB of properties.
    """
    most = ROW_BATCH if table is schema.events else COPY_BATCH
    if before is None or len(before.text) <= MAX_TEXT:
        return most
    return max(1, before.many * MAX_TEXT // len(before.text))
