"""Recounts minutes and hours of samples from the samples, as far back as these are kept, and repairs them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from math import isclose
from typing import Any, NamedTuple

from sqlalchemy import Connection, Select, Table, delete, func, literal_column, select

from analytics.jobs.recount_types import domain_name
from analytics.storage import locks, schema
from analytics.storage.database import Database
from analytics.storage.upsert import upsert

MINUTE, HOUR = 60, 3600
WINDOW_S = 6 * HOUR  # of all series of a site, at once in memory
REPAIR_BATCH = 200
STEPS: tuple[tuple[Table, int], ...] = ((schema.health_minutes, MINUTE), (schema.health_hours, HOUR))

_samples, _series = schema.health_samples.c, schema.health_series.c
_Key = tuple[int, int]  # series, first second of the step
_Sums = tuple[int, float, float, float]  # count, sum, min, max


class WrongStep(NamedTuple):
    """A step of a series whose row is not what its samples add up to."""

    table: Table
    step_s: int
    site_id: int
    series_id: int
    at: int
    description: str


def wrong_steps(connection: Connection, domains: dict[int, str], since: int) -> Iterator[WrongStep]:
    """The minutes and hours that differ from their samples, of those that begin at `since` (epoch s) or later.

    Steps before the first sample are left out where older samples were purged.
    """
    for site_id in connection.execute(select(_series.site_id).distinct().order_by(_series.site_id)).scalars().all():
        for table, step_s in STEPS:
            begin, end = _range(connection, table, site_id, since, step_s)
            for at in range(begin, end, WINDOW_S):
                yield from _wrong(connection, domains, table, step_s, site_id, (at, min(at + WINDOW_S, end)))


def _range(connection: Connection, table: Table, site_id: int, since: int, step_s: int) -> tuple[int, int]:
    """From the first step to check to the end of the last one."""
    of_site = select(func.min(_samples.at), func.max(_samples.at)).where(_samples.site_id == site_id)
    first, last = connection.execute(of_site).one()
    steps = select(func.min(table.c.at), func.max(table.c.at)).where(table.c.site_id == site_id)
    first_step, last_step = connection.execute(steps).one()
    if first is None:
        return 0, 0  # all are purged
    is_complete = first_step is None or first_step >= first - first % step_s
    begin = max(since, first - first % step_s if is_complete else first + 1)
    return -(-begin // step_s) * step_s, max(last, last_step or last) // step_s * step_s + step_s


def _wrong(
    connection: Connection, domains: dict[int, str], table: Table, step_s: int, site_id: int, span: tuple[int, int]
) -> Iterator[WrongStep]:
    right, stored = _counted(connection, site_id, step_s, span), _stored(connection, table, site_id, span)
    for series_id, at in sorted(right.keys() | stored.keys()):
        ours, theirs = stored.get((series_id, at)), right.get((series_id, at))
        if not _same(ours, theirs):
            owner = domain_name(domains, site_id) if site_id else "the installation"
            where = f"{table.name} of {owner}: series {series_id} at {datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M}"
            yield WrongStep(table, step_s, site_id, series_id, at, f"{where} has {ours}, {theirs} by its samples")


def _same(ours: _Sums | None, theirs: _Sums | None) -> bool:
    """Whether both are equal but for the last digits of the sums, which depend on the order."""
    if ours is None or theirs is None:
        return ours is theirs
    scale = max(abs(theirs[2]), abs(theirs[3])) * theirs[0]
    return (ours[0], *ours[2:]) == (theirs[0], *theirs[2:]) and isclose(ours[1], theirs[1], abs_tol=1e-9 * scale)


def _counted(connection: Connection, site_id: int, step_s: int, span: tuple[int, int]) -> Mapping[_Key, _Sums]:
    found = connection.execute(_sums(site_id, step_s, span))
    return {(series_id, at): (count, *sums) for series_id, at, count, *sums in found}


def _sums(site_id: int, step_s: int, span: tuple[int, int]) -> Select[Any]:
    step, value = (_samples.at // literal_column(str(step_s)) * literal_column(str(step_s))), _samples.value
    return (
        select(_samples.series_id, step.label("step"), func.count(), func.sum(value), func.min(value), func.max(value))
        .where(_samples.site_id == site_id, _samples.at >= span[0], _samples.at < span[1])
        .group_by(_samples.series_id, literal_column("step"))
    )


def _stored(connection: Connection, table: Table, site_id: int, span: tuple[int, int]) -> Mapping[_Key, _Sums]:
    columns = table.c
    own = select(_series.id).where(_series.site_id == site_id)  # so that each series is looked up by the key
    found = connection.execute(
        select(columns.series_id, columns.at, *(columns[name] for name in ("count", "sum", "min", "max"))).where(
            columns.site_id == site_id, columns.series_id.in_(own), columns.at >= span[0], columns.at < span[1]
        )
    )
    return {(series_id, at): (count, *sums) for series_id, at, count, *sums in found}


def repair(database: Database, wrong: Sequence[WrongStep]) -> None:
    """Counts these steps again and writes them, under the lock of their site."""
    for start in range(0, len(wrong), REPAIR_BATCH):
        with database.transaction() as connection:
            batch = wrong[start : start + REPAIR_BATCH]
            if not database.embedded:
                for site_id in sorted({one.site_id for one in batch}):
                    connection.execute(select(func.pg_advisory_xact_lock(locks.SAMPLES, site_id)))
            for one in batch:
                _repair(connection, one)


def _repair(connection: Connection, one: WrongStep) -> None:
    counted = _sums(one.site_id, one.step_s, (one.at, one.at + one.step_s)).where(_samples.series_id == one.series_id)
    row = connection.execute(counted).first()
    key = {"site_id": one.site_id, "series_id": one.series_id, "at": one.at}
    if row is None:
        columns = one.table.c
        own = (columns[name] == value for name, value in key.items())
        connection.execute(delete(one.table).where(*own))
        return
    values = dict(zip(("count", "sum", "min", "max"), row[2:], strict=True))
    upsert(connection, one.table, [key | values], overwrite=True)


def done(wrong: Sequence[WrongStep]) -> Iterator[str]:
    """A line for each table that was repaired."""
    names = [one.table.name for one in wrong]
    yield from (f"{table.name}: {names.count(table.name):,}" for table, _ in STEPS if table.name in names)
