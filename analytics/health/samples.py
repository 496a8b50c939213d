"""Writes samples, with their minutes and hours in the same transaction.

So a minute is right whenever it is read, also for samples that come late, and nothing has to be counted afterwards.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from sqlalchemy import Connection, Table, func, select

from analytics.health import series
from analytics.health.sample import Sample, WrongSample
from analytics.health.series import HOUR, INSTALLATION
from analytics.storage import locks, partitions, schema
from analytics.storage.row_batches import insert_rows

MINUTE = 60

_Row = tuple[int, int, float]  # series, second, value
_Step = tuple[int, int]  # series, first second of the step
_Sums = tuple[int, float, float, float]  # count, sum, least and greatest value


class SiteSamples(NamedTuple):
    """Samples of one site, or of the installation."""

    site_id: int
    samples: Sequence[Sample]


class SiteRemoved(NamedTuple):
    """The site is not there any more: nothing was stored."""


Refusals = dict[int, WrongSample]
"""Why samples were refused, by their position."""


def store(connection: Connection, groups: Sequence[SiteSamples], now: int) -> list[Refusals | SiteRemoved]:
    """Stores the samples; what of each group was refused, in the same order."""
    site_ids = sorted({group.site_id for group in groups})
    if connection.dialect.name == "postgresql":
        for site_id in site_ids:
            connection.execute(select(func.pg_advisory_xact_lock(locks.SAMPLES, site_id)))
    existing = _existing(connection, site_ids)
    partitions.add_missing(connection, {one.at for group in groups for one in group.samples})
    results: dict[int, Refusals | SiteRemoved] = {}
    for site_id in site_ids:
        own = [number for number, group in enumerate(groups) if group.site_id == site_id]
        if site_id not in existing:
            results |= dict.fromkeys(own, SiteRemoved())
            continue
        found = _store_of_site(connection, site_id, [one for number in own for one in groups[number].samples], now)
        start = 0
        for number in own:
            end = start + len(groups[number].samples)
            results[number] = {place - start: found[place] for place in found if start <= place < end}
            start = end
    return [results[number] for number in range(len(groups))]


def _existing(connection: Connection, site_ids: Sequence[int]) -> set[int]:
    sites = schema.sites
    found = connection.execute(select(sites.c.id).where(sites.c.id.in_(site_ids))).scalars()
    return {INSTALLATION, *found}


def _store_of_site(connection: Connection, site_id: int, samples: Sequence[Sample], now: int) -> Refusals:
    numbers = series.find_or_add(connection, site_id, samples, now)
    refused = {place: found for place, found in enumerate(numbers) if isinstance(found, WrongSample)}
    rows = [
        (number, one.at, one.value) for number, one in zip(numbers, samples, strict=True) if isinstance(number, int)
    ]
    insert_rows(connection, schema.health_samples, [(site_id, *row) for row in rows])
    for table, step in ((schema.health_minutes, MINUTE), (schema.health_hours, HOUR)):
        sums = sorted(_sums(rows, step).items())  # in the order of the key, so that neighbours are together
        insert_rows(connection, table, [(site_id, *key, *found) for key, found in sums], _add_to(table))
    return refused


def _sums(rows: Iterable[_Row], step: int) -> dict[_Step, _Sums]:
    values: dict[_Step, list[float]] = {}
    for number, at, value in rows:
        values.setdefault((number, at - at % step), []).append(value)
    return {key: (len(some), sum(some), min(some), max(some)) for key, some in values.items()}


def _add_to(table: Table) -> str:
    """The clause that adds to a row what its step has already."""
    old = table.name
    return (
        f"ON CONFLICT (site_id, series_id, at) DO UPDATE SET count = {old}.count + excluded.count, "
        f"sum = {old}.sum + excluded.sum, "
        f"min = CASE WHEN excluded.min < {old}.min THEN excluded.min ELSE {old}.min END, "
        f"max = CASE WHEN excluded.max > {old}.max THEN excluded.max ELSE {old}.max END"
    )
