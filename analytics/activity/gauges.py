"""Keeps the values of gauges: seeded by a query, kept by changes, compared with the query now and then.

A value and its position, the snapshot up to which it is right, are written in one transaction. So a step that was
added before a kill and not pruned is not added again.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from math import isclose, isfinite
from typing import Any

import psycopg
from sqlalchemy import Row, select, update

from analytics.activity import gauge as gauge_values
from analytics.activity import gauge_sql, readings
from analytics.activity.gauge import Gauge
from analytics.activity.gauge_sql import FORGET_STEPS, NEW_STEPS, PRUNE_STEPS, UNREAD_STEPS
from analytics.activity.source import SourceConnection, reason
from analytics.activity.watch import Watch
from analytics.storage import schema
from analytics.storage.database import Database

log = logging.getLogger("footfall.watch")

COMPARE_S = 3600
WINDOW_S = 60  # how often a sliding window is counted
UNCOUNTABLE = (
    psycopg.errors.QueryCanceled,
    psycopg.ProgrammingError,
    psycopg.DataError,
)  # slow, a column gone, too large
SAME = 1e-9  # relative: sums of fractions differ by their order


def of_site(database: Database, site_id: int) -> list[Gauge]:
    """The gauges of the site, oldest first."""
    return _gauges(database, schema.gauges.c.site_id == site_id)


def of_watches(database: Database, watch_ids: Sequence[int]) -> list[Gauge]:
    """The gauges of these watches, oldest first."""
    return _gauges(database, schema.gauges.c.watch_id.in_(watch_ids))


def _gauges(database: Database, condition: Any) -> list[Gauge]:
    wanted = select(schema.gauges).where(condition).order_by(schema.gauges.c.id)
    with database.read() as connection:
        return [_gauge(row) for row in connection.execute(wanted)]


def _gauge(row: Row[Any]) -> Gauge:
    key, definition = gauge_values.from_json(row.definition, row.name, row.currency)
    state = row.value, row.position, row.notice, row.compared_at, row.changed_at
    return Gauge(row.id, row.site_id, row.watch_id, key, definition, *state)


def keep(database: Database, source: SourceConnection, watches: Sequence[Watch], now: int) -> None:
    """Brings the gauges of these watches, all of one database, up to date. Call it once a second or less often."""
    found = of_watches(database, [one.id for one in watches])
    if not found:
        return
    by_id = {one.id: one for one in watches}
    if kept := [one for one in found if one.position]:
        _add_steps(database, source, kept, now)
    if uncounted := [one.key for one in found if not one.position and one.definition.kept_by_changes]:
        source.execute(FORGET_STEPS, [uncounted])  # nobody reads them, and they take the room of changes
    for one in found:
        if _is_due(one, now):
            _count(database, source, by_id[one.watch_id], one, now)
    readings.note_hour(database, list(by_id), now)


def compare_soon(database: Database, watch_ids: Sequence[int]) -> None:
    """Has the gauges of these watches compared with their queries at the next `keep`."""
    with database.transaction() as connection:
        own = schema.gauges.c.watch_id.in_(watch_ids)
        connection.execute(update(schema.gauges).where(own).values(compared_at=None))


def _is_due(one: Gauge, now: int) -> bool:
    every = COMPARE_S if one.definition.kept_by_changes else WINDOW_S
    return one.compared_at is None or now - one.compared_at >= every


def _add_steps(database: Database, source: SourceConnection, found: Sequence[Gauge], now: int) -> None:
    """Adds what changes wrote since the position of each gauge, and prunes it."""
    positions = {one.key: one.position for one in found}
    rows = source.execute(NEW_STEPS, _given(positions)).fetchall()
    steps = {str(key): float(str(step)) for key, step, _ in rows}
    if steps:
        oldest_running = int(str(rows[0][2]))
        with database.transaction() as connection:
            for one in found:
                if one.key in steps and one.value is not None:
                    positions[one.key] = gauge_sql.advanced(one.position, oldest_running)
                    values = {"value": one.value + steps[one.key], "position": positions[one.key], "changed_at": now}
                    own = schema.gauges.c.id == one.id
                    connection.execute(update(schema.gauges).where(own).values(values))
    source.execute(PRUNE_STEPS, _given(positions))  # also what was added before a kill


def _given(positions: Mapping[str, str]) -> dict[str, list[str]]:
    return {"keys": list(positions), "positions": list(positions.values())}


def _count(database: Database, source: SourceConnection, watch: Watch, one: Gauge, now: int) -> None:
    """Counts the gauge by its query; a kept value that differs is corrected with a notice."""
    try:
        with _snapshot(source) as position:
            value = _number(source, gauge_sql.query(watch.definition, one.definition))
            expected = _expected(database, source, one, position)
    except UNCOUNTABLE as failed:
        _cannot_count(database, one, reason(failed), now)
        return
    if not isfinite(value):
        _cannot_count(database, one, "a row has no finite number", now)
        return
    notice = one.notice
    if expected is not None and not isclose(value, expected, rel_tol=SAME, abs_tol=SAME):
        notice = f"corrected from {expected:g} to {value:g}"
        log.warning("gauge %d of watch %d was %s", one.id, one.watch_id, notice)
    values = {"value": value, "notice": notice, "compared_at": now}
    values |= {"position": position} if one.definition.kept_by_changes else {}
    values |= {"changed_at": now} if value != one.value else {}
    _write(database, one, values)


def _cannot_count(database: Database, one: Gauge, why: str, now: int) -> None:
    log.warning("gauge %d of watch %d cannot be counted: %s", one.id, one.watch_id, why)
    _write(database, one, {"notice": f"cannot be counted: {why}", "compared_at": now})


def _write(database: Database, one: Gauge, values: Mapping[str, object]) -> None:
    with database.transaction() as connection:
        connection.execute(update(schema.gauges).where(schema.gauges.c.id == one.id).values(values))


def _expected(database: Database, source: SourceConnection, one: Gauge, position: str) -> float | None:
    """What the gauge is in this snapshot by its steps; None if no changes keep it, or not yet."""
    current = next(iter(_gauges(database, schema.gauges.c.id == one.id)), one)  # with the steps that were just added
    if current.value is None or not current.position or not one.definition.kept_by_changes:
        return None
    if gauge_sql.is_of_later(current.position, int(position.split(":")[1])):
        return None
    row = source.execute(UNREAD_STEPS, [one.key, current.position]).fetchone()
    return current.value + float(str(row[0] if row else 0))


def _number(source: SourceConnection, query: Any) -> float:
    row = source.execute(query).fetchone()
    return float(str(row[0])) if row else 0.0


@contextmanager
def _snapshot(source: SourceConnection) -> Iterator[str]:
    """One consistent state for the length of a block, as a position."""
    with source.transaction():
        source.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")
        row = source.execute("SELECT pg_current_snapshot()::text").fetchone()
        assert row
        yield str(row[0])
