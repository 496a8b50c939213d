"""Samples of metrics, for tests."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from analytics.health.sample import Sample
from analytics.health.samples import Refusals, SiteRemoved, SiteSamples, store
from analytics.health.series import of_site
from analytics.storage import schema
from analytics.storage.database import Database
from tests.support.factories import NOW, rows

CPU, RATE = "cpu_percent", "requests_per_second"


def sample(value: float = 41, name: str = CPU, *, at: int = NOW, tags: str = "", unit: str = "") -> Sample:
    """A sample of the present."""
    return Sample(name, value, at, tags, unit)


def instance(name: str) -> str:
    """The tags of a sample that names its instance."""
    return f'{{"instance":"{name}"}}'


def stored_samples(database: Database, *samples: Sample, site_id: int = 0, now: int = NOW) -> Refusals:
    """Stores the samples as one group; those that were refused."""
    with database.transaction() as connection:
        (refused,) = store(connection, [SiteSamples(site_id, samples)], now)
    assert not isinstance(refused, SiteRemoved)
    return refused


def series_id(database: Database, name: str = CPU, tags: dict[str, str] | None = None, site_id: int = 0) -> int:
    """The number of a series."""
    (found,) = [one.id for one in of_site(database, site_id) if one.name == name and one.tags == (tags or {})]
    return found


Sums = tuple[int, float, float, float]


def recounted(database: Database, step: int) -> dict[tuple[int, int, int], Sums]:
    """What the samples add up to, by site, series and step: how many, the sum, the least, the greatest."""
    values: dict[tuple[int, int, int], list[float]] = defaultdict(list)
    for site_id, series, at, value in rows(database, schema.health_samples):
        values[site_id, series, at // step * step].append(value)
    return {key: _sums(some) for key, some in values.items()}


def _sums(values: Sequence[float]) -> Sums:
    return len(values), sum(values), min(values), max(values)
