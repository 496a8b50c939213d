"""The outbox as a source of changes: what the triggers of watches wrote, in the order in which it was committed.

The order of a sequence is not that of commits, so that "after the last id" would miss rows. Each row has the number of
its transaction, and only rows below the oldest running transaction are read: no further row can appear there.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import takewhile

from analytics.activity import source
from analytics.activity.change import RowChange
from analytics.activity.change_source import BacklogSize, UnreadChanges
from analytics.activity.install_sql import CHANNEL
from analytics.activity.source_guard import Allowed
from analytics.activity.watch import KEY_HEX_DIGITS, MAX_UNREAD
from analytics.storage import locks

MAX_NESTED = 100  # levels of an array or object in a column; a deeper one is left out
MAX_DIGITS = 300  # of a whole number; a longer one is text

READ = """
SELECT watch, id, xid::text::bigint, (extract(epoch FROM at) * 1000000)::bigint, operation, old::text, new::text
FROM footfall.outbox
WHERE step IS NULL AND watch = ANY(%s) AND xid < pg_snapshot_xmin(pg_current_snapshot())
ORDER BY xid, id LIMIT %s
"""
FORGET = """
DELETE FROM footfall.outbox o USING unnest(%s::text[], %s::bigint[]) AS w(xid, id)
WHERE o.xid = w.xid::xid8 AND o.id = w.id
"""
BACKLOGS = """
WITH unread AS (SELECT left(watch, %s) AS key, count(*) AS rows, min(at) AS oldest FROM footfall.outbox GROUP BY 1)
SELECT w.key, coalesce(extract(epoch FROM clock_timestamp() - u.oldest), 0)::float8, coalesce(u.rows, 0)
FROM unnest(%s::text[]) AS w(key) LEFT JOIN unread u USING (key)
"""
SIZE = """
SELECT pg_total_relation_size('footfall.outbox'), greatest(n.last_value - r.last_value, 0)
FROM footfall.outbox_id_seq n, footfall.room r
"""
# Room for as many more rows as the limit leaves; written only if it differs, since each time costs a record of the log.
MAKE_ROOM = """
WITH wanted AS (
    SELECT n.last_value + %(limit)s - (SELECT count(*) FROM footfall.outbox) AS number FROM footfall.outbox_id_seq n
)
SELECT setval('footfall.room', w.number) FROM wanted w, footfall.room r
WHERE abs(w.number - r.last_value) * 100 > %(limit)s
"""
# Rows of transactions that this server never had: the database was copied from another one. They are written again,
# with their ids and moments, so that an event that came already is recognised.
ADOPT = """
WITH foreign_rows AS (
    DELETE FROM footfall.outbox WHERE xid >= pg_snapshot_xmax(pg_current_snapshot()) RETURNING *
)
INSERT INTO footfall.outbox (id, watch, at, operation, old, new, step)
SELECT id, watch, at, operation, old, new, step FROM foreign_rows
"""


class Outbox:
    """The outbox of one database, over a connection of its own. Not thread-safe; close it at the end.

    It is a `ChangeSource`. Every method raises psycopg's errors.
    """

    def __init__(self, url: str, allowed: Allowed = None) -> None:
        self.connection = source.connect(url, allowed)
        try:
            self.connection.execute(f"LISTEN {CHANNEL}")
        except BaseException:
            self.close()
            raise

    def claim(self, keys: Collection[str]) -> set[str]:
        """Which of these watches this connection follows: those that no other process does. Until it is closed."""
        taking = (
            "SELECT key FROM unnest(%s::text[]) AS w(key) WHERE pg_try_advisory_lock(%s, ('x' || key)::bit(32)::int)"
        )
        return {str(key) for (key,) in self.connection.execute(taking, [sorted(keys), locks.WATCH])}

    def adopt(self) -> int:
        """Makes rows readable that were copied here from another server; returns how many."""
        return self.connection.execute(ADOPT).rowcount

    def read(self, keys: Collection[str], limit: int) -> list[RowChange]:
        """The oldest committed changes of these watches, about `limit`: whole transactions, of one that is larger a
        part by id.
        """
        rows = self.connection.execute(READ, [sorted(keys), limit + 1]).fetchall()
        found = [_change(row) for row in rows]
        if len(found) <= limit:
            return found
        whole = list(takewhile(lambda one: one.xid != found[-1].xid, found))
        return whole or found[:limit]

    def forget(self, changes: Sequence[RowChange]) -> None:
        """Removes changes that have been delivered."""
        if changes:
            pairs = [str(one.xid) for one in changes], [one.id for one in changes]
            self.connection.execute(FORGET, pairs)

    def backlogs(self, keys: Collection[str]) -> Mapping[str, UnreadChanges]:
        """What of each of these watches is unread.

        It grows while a transaction of that server stays open: what was committed after its begin has to wait.
        """
        rows = self.connection.execute(BACKLOGS, [KEY_HEX_DIGITS, sorted(keys)])
        return {str(key): UnreadChanges(float(str(age)), int(str(many))) for key, age, many in rows}

    def size(self) -> BacklogSize:
        """How large the outbox is, with its index, and whether it was full."""
        row = self.connection.execute(SIZE).fetchone()
        assert row
        return BacklogSize(*(int(str(value)) for value in row))

    def make_room(self, limit: int = MAX_UNREAD) -> bool:
        """Lets the triggers write until `limit` rows are unread; returns whether that was not so before."""
        return self.connection.execute(MAKE_ROOM, {"limit": limit}).rowcount > 0

    def wait(self, seconds: float) -> None:
        """Waits until a change was committed, but not longer than that; a change may come without a notice."""
        for _ in self.connection.notifies(timeout=seconds, stop_after=1):
            return

    def close(self) -> None:
        """Closes the connection, which releases its watches."""
        self.connection.close()


def _change(row: Sequence[object]) -> RowChange:
    key, number, xid, at_us, operation, old, new = row
    return RowChange(str(key), int(str(number)), int(str(xid)), int(str(at_us)), str(operation), _row(old), _row(new))


def _row(text: object) -> Mapping[str, object] | None:
    """The copied columns of a row; without those that Python cannot read, which must not hold up all later changes."""
    if text is None:
        return None
    try:
        found = json.loads(str(text), parse_int=_integer)
    except (ValueError, RecursionError):
        return {}
    return {name: value for name, value in found.items() if not _is_deep(value)} if isinstance(found, dict) else {}


def _integer(text: str) -> int | str:
    return int(text) if len(text) <= MAX_DIGITS else text


def _is_deep(value: object) -> bool:
    level = [value]
    for _ in range(MAX_NESTED):
        level = [inner for one in level for inner in _inside(one)]
        if not level:
            return False
    return True


def _inside(value: object) -> Iterable[object]:
    return value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
