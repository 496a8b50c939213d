"""Change capture: which rows of the facts each transaction wrote, one line for each group and site.

A copy of the facts (`analytics.replica.columnar`) reads the new lines and then those rows, however old they are. The
last `MAX_LINES` lines are kept; a copy that is further behind starts again. Nothing here depends on a clock.
"""

from __future__ import annotations

import secrets
import time
from array import array
from collections.abc import Collection, Iterable, Mapping, Sequence
from hashlib import blake2b
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, delete, func, insert, or_, select

from analytics.base.background import PAUSE_PER_BATCH, Pause
from analytics.storage import schema
from analytics.storage.database import Database

MAX_LINES = 100_000
MAX_LATE = 500  # lines before the last one that may appear after it
BATCH = 500  # lines deleted by one transaction

COLUMNS = ("site_id", "visits", "pageviews", "events")
FACTS = COLUMNS[1:]


class Change(NamedTuple):
    """One line: the ids of the rows that were added, changed or deleted, by table; None: any row of the site."""

    id: int
    site_id: int
    rows: Mapping[str, Sequence[int] | None]
    digest: str  # of its content


def record(connection: Connection, site_id: int, **rows: Iterable[int]) -> None:
    """Records the ids of the `visits`, `pageviews` and `events` that this transaction changed or deleted.

    Call it last. Without any of the three, all rows of the site count as changed.
    """
    values = {name: array("q", ids).tobytes() for name, ids in rows.items()}
    if rows:
        values = dict.fromkeys(FACTS, b"") | values
    connection.execute(insert(schema.changes).values(site_id=site_id, **values))


def record_removed_site(connection: Connection, site_id: int) -> None:
    """Records that a site was removed, and deletes the earlier lines of the site. Call it last, instead of `record`."""
    # The new line comes first: else SQLite would reuse the number of a deleted one, which followers have seen.
    key = connection.execute(insert(schema.changes).values(site_id=site_id)).inserted_primary_key
    assert key
    table = schema.changes
    connection.execute(delete(table).where(table.c.site_id == site_id, table.c.id < key[0]))


def write_marker(connection: Connection) -> None:
    """Writes a line that no other database has, of no row: a copy begins there."""
    record(connection, 0, visits=[secrets.randbits(62)])


def newest(connection: Connection, limit: int) -> list[Change]:
    """The last `limit` lines, oldest first."""
    table = schema.changes
    found = connection.execute(select(table).order_by(table.c.id.desc()).limit(limit)).all()
    return [_change(row) for row in reversed(found)]


def version(connection: Connection) -> str:
    """The version of all facts of the database: equal versions have equal facts.

    PostgreSQL numbers a change before its transaction commits, so not the last one alone counts.
    """
    table = schema.changes
    ids = connection.execute(select(table.c.id).order_by(table.c.id.desc()).limit(MAX_LATE)).scalars().all()
    last = find(connection, ids[0]) if ids else None
    return f"database {ids[0]}.{last.digest}.{sum(ids)}" if last else "database"


def find(connection: Connection, change_id: int) -> Change | None:
    """The line of that number; None if it is not there (any more)."""
    row = connection.execute(select(schema.changes).where(schema.changes.c.id == change_id)).first()
    return None if row is None else _change(row)


def after(connection: Connection, seen: int, also: Collection[int], limit: int) -> list[Change]:
    """The lines with a number above `seen` or in `also`, at most `limit`, ordered by number."""
    table = schema.changes
    wanted = table.c.id > seen
    if also:
        wanted = or_(wanted, table.c.id.in_(list(also)))
    return [_change(row) for row in connection.execute(select(table).where(wanted).order_by(table.c.id).limit(limit))]


def _change(row: Row[*tuple[Any, ...]]) -> Change:
    packed = [ids if ids is None else bytes(ids) for ids in (row.visits, row.pageviews, row.events)]
    rows = {name: None if ids is None else array("q", ids) for name, ids in zip(FACTS, packed, strict=True)}
    digest = blake2b(repr((row.site_id, packed)).encode(), digest_size=12).hexdigest()
    return Change(row.id, row.site_id, rows, digest)


def prune(database: Database, pause: Pause, keep: int = MAX_LINES) -> int:
    """Deletes all but the last `keep` lines, in small batches, and returns how many."""
    table, gone = schema.changes, 0
    with database.read() as connection:
        first, last = connection.execute(select(func.min(table.c.id), func.max(table.c.id))).one()
    end = (last or 0) - keep + 1
    for low in range(first or 0, end, BATCH):
        begun = time.monotonic()
        with database.transaction() as connection:
            gone += connection.execute(delete(table).where(table.c.id < min(low + BATCH, end))).rowcount
        if pause((time.monotonic() - begun) * PAUSE_PER_BATCH):
            break
    return gone
