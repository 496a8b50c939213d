"""Series: a metric of a site with one set of tags. Samples have the number of theirs.

A name or a set of tags takes a place within the limits of its site until no sample has come for a day.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, Row, func, insert, select, update

from analytics.health.sample import Fault, Sample, WrongSample
from analytics.storage import schema
from analytics.storage.reader import Readable

INSTALLATION = 0
"""In place of a site's id: of the whole installation. Footfall's own samples are, and those of a key of every site."""

MAX_NAMES = 200
MAX_SERIES = 2_000
HOUR, DAY = 3600, 86_400

_table = schema.health_series
_Key = tuple[str, str]  # a name, and tags as a sample has them


class Series(NamedTuple):
    """A metric with one set of tags. `seen_at` is the first second of the hour in which a sample came last (epoch)."""

    id: int
    name: str
    tags: Mapping[str, str]
    unit: str
    seen_at: int


def of_site(database: Readable, site_id: int) -> list[Series]:
    """The series of a site, or of the installation, by name and tags; also those that get no samples any more."""
    found = select(_table).where(_table.c.site_id == site_id).order_by(_table.c.name, _table.c.tags)
    with database.read() as connection:
        return [_series(row) for row in connection.execute(found)]


def names(database: Readable, site_id: int) -> list[str]:
    """The names of which samples have come, of the site and of the installation, in their order."""
    found = select(_table.c.name).where(_table.c.site_id.in_((site_id, INSTALLATION))).distinct()
    with database.read() as connection:
        return sorted(connection.execute(found).scalars())


def is_known(connection: Connection, site_id: int, name: str) -> bool:
    """Whether a sample of that name has come, of the site or of the installation."""
    wanted = select(_table.c.id).where(_table.c.site_id.in_((site_id, INSTALLATION)), _table.c.name == name)
    return connection.execute(wanted.limit(1)).first() is not None


def tags_of(text: str) -> Mapping[str, str]:
    """The tags in the form that samples have."""
    found: Mapping[str, str] = json.loads(text) if text else {}
    return found


def find_or_add(connection: Connection, site_id: int, samples: Sequence[Sample], now: int) -> list[int | WrongSample]:
    """For each sample the number of its series, or why it is refused: for its unit, or beyond a limit.

    New series are added. The caller holds the site's lock `locks.SAMPLES`.
    """
    names = {one.name for one in samples}
    wanted = select(_table).where(_table.c.site_id == site_id, _table.c.name.in_(names))
    known = _Known(connection.execute(wanted).all(), now)
    refused = [known.refusal(one) for one in samples]
    fits = [one for one, wrong in zip(samples, refused, strict=True) if wrong is None]
    over = _beyond_limits(connection, site_id, dict.fromkeys((one.name, one.tags) for one in fits), known)
    keys = {(one.name, one.tags) for one in fits} - over.keys()
    numbers = _write(connection, site_id, keys, known) | over
    return [wrong or numbers[one.name, one.tags] for one, wrong in zip(samples, refused, strict=True)]


class _Known:
    """The series of some names. `units` has the unit of each name, "" where it is not known."""

    def __init__(self, rows: Sequence[Row[Any]], now: int) -> None:
        self.now = now
        self.rows = {(row.name, row.tags): row for row in rows}
        self.current_names = {row.name for row in rows if self.is_current(row)}
        self.stored_units = {row.name: row.unit for row in rows}
        self.units = dict(self.stored_units)

    def is_current(self, row: Row[Any] | None) -> bool:
        """Whether the series has its place within the limits."""
        return row is not None and row.seen_at > self.now - DAY

    def refusal(self, sample: Sample) -> WrongSample | None:
        """Why the unit of the sample is not that of its name; the first one that is said stays."""
        unit = self.units.get(sample.name, "")
        if sample.unit and unit and sample.unit != unit:
            why = f"`{sample.name}` is measured in {unit}, not in {sample.unit}"
            return WrongSample(Fault.WRONG_FIELD, why, "unit")
        self.units[sample.name] = unit or sample.unit
        return None


def _beyond_limits(
    connection: Connection, site_id: int, keys: Mapping[_Key, None], known: _Known
) -> dict[_Key, WrongSample]:
    """Which of these new series would be too many, and why; in the order in which they came."""
    new = [key for key in keys if not known.is_current(known.rows.get(key))]
    if not new:
        return {}
    counts = select(func.count(_table.c.name.distinct()), func.count()).where(
        _table.c.site_id == site_id, _table.c.seen_at > known.now - DAY
    )
    names, series = connection.execute(counts).one()
    current, over = set(known.current_names), {}
    for name, tags in new:
        if name not in current and names >= MAX_NAMES:
            why = f"metric_names: there are {MAX_NAMES} already, the most that a site has in a day"
            over[name, tags] = WrongSample(Fault.OVER_LIMIT, why, "name", "metric_names")
        elif series >= MAX_SERIES:
            why = f"tag_sets: there are {MAX_SERIES:,} already, the most that a site has in a day over all its metrics"
            over[name, tags] = WrongSample(Fault.OVER_LIMIT, why, "tags", "tag_sets")
        else:
            names, series = names + (name not in current), series + 1
            current.add(name)
    return over


def _write(connection: Connection, site_id: int, keys: set[_Key], known: _Known) -> dict[_Key, int | WrongSample]:
    """Adds those of the series that are missing, and notes that they were seen; their numbers."""
    hour = known.now // HOUR * HOUR
    found: dict[_Key, int | WrongSample] = {key: known.rows[key].id for key in keys if key in known.rows}
    missing = [
        {"site_id": site_id, "name": name, "tags": tags, "unit": known.units[name], "seen_at": hour}
        for name, tags in sorted(keys - known.rows.keys())
    ]
    if missing:
        adding = insert(_table).returning(_table.c.id, _table.c.name, _table.c.tags)
        found |= {(row.name, row.tags): row.id for row in connection.execute(adding, missing)}
    if unseen := [known.rows[key].id for key in keys & known.rows.keys() if known.rows[key].seen_at < hour]:
        connection.execute(update(_table).where(_table.c.id.in_(sorted(unseen))).values(seen_at=hour))
    for name in sorted({name for name, _ in keys}):
        if known.stored_units.get(name) == "" and known.units[name]:
            own = _table.c.site_id == site_id, _table.c.name == name
            connection.execute(update(_table).where(*own).values(unit=known.units[name]))
    return found


def _series(row: Row[Any]) -> Series:
    return Series(row.id, row.name, tags_of(row.tags), row.unit, row.seen_at)
