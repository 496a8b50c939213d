"""The queries of gauges: of the table itself, and of the steps that its triggers wrote."""

from __future__ import annotations

from psycopg.sql import SQL, Composed

from analytics.activity import install_sql
from analytics.activity.gauge import GaugeDefinition
from analytics.activity.watch import WatchDefinition


def query(one: WatchDefinition, gauge: GaugeDefinition) -> Composed:
    """The SELECT of the gauge's value, from the table itself."""
    return SQL("SELECT {} FROM {}{}").format(
        install_sql.measure(gauge), install_sql.table_of(one), install_sql.where(gauge)
    )


# Of each gauge with steps that are not in its value yet: key, sum, and the oldest running transaction, below which
# every step is final.
NEW_STEPS = """
SELECT g.key, sum(o.step), pg_snapshot_xmin(pg_current_snapshot())::text::bigint
FROM unnest(%(keys)s::text[], %(positions)s::text[]) AS g(key, position)
JOIN footfall.outbox o ON o.watch = g.key
WHERE o.step IS NOT NULL AND o.xid < pg_snapshot_xmin(pg_current_snapshot())
AND NOT pg_visible_in_snapshot(o.xid, g.position::pg_snapshot)
GROUP BY g.key
"""

# The steps that are in the value of their gauge.
PRUNE_STEPS = """
DELETE FROM footfall.outbox o USING unnest(%(keys)s::text[], %(positions)s::text[]) AS g(key, position)
WHERE o.step IS NOT NULL AND o.watch = g.key AND pg_visible_in_snapshot(o.xid, g.position::pg_snapshot)
"""

# The steps of gauges that have no value yet: the snapshot of the one that will be counted has them all.
FORGET_STEPS = """
DELETE FROM footfall.outbox
WHERE step IS NOT NULL AND watch = ANY(%s) AND xid < pg_snapshot_xmin(pg_current_snapshot())
"""

# In one snapshot with the value: what the steps that were not read yet add to it.
UNREAD_STEPS = """
SELECT coalesce(sum(step), 0) FROM footfall.outbox
WHERE watch = %s AND step IS NOT NULL AND NOT pg_visible_in_snapshot(xid, %s::text::pg_snapshot)
"""


def advanced(position: str, oldest_running: int) -> str:
    """The position once every transaction below `oldest_running` is in the value too. Positions are PostgreSQL's
    snapshots as text, `xmin:xmax:running`.
    """
    xmin, xmax, running = position.split(":")
    if oldest_running <= int(xmin):
        return position
    if oldest_running >= int(xmax):
        return f"{oldest_running}:{oldest_running}:"
    still = [number for number in running.split(",") if number and int(number) >= oldest_running]
    return f"{oldest_running}:{xmax}:{','.join(still)}"


def is_of_later(position: str, next_transaction: int) -> bool:
    """Whether the position is ahead of its server: the database was restored elsewhere, or an earlier state of it."""
    return int(position.split(":")[1]) > next_transaction
