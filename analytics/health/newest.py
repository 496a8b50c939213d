"""The newest sample of each series in memory: what Live shows and rules read."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from sqlalchemy import func, select

from analytics.health.sample import Sample, is_rate
from analytics.health.series import INSTALLATION, tags_of
from analytics.storage import schema
from analytics.storage.reader import Readable

CURRENT_S = 120
"""How long a sample says what a metric is now. Most are sent each second, and scraped each 15 to 60 s."""


class NewestSample(NamedTuple):
    """The newest sample of a metric with one set of tags; `at` is in epoch seconds."""

    name: str
    tags: Mapping[str, str]
    unit: str
    value: float
    at: int


class NewestSamples:
    """Safe for many threads. At most `series.MAX_SERIES` for each site a day, of which `prune` drops what is old."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._by_site: dict[int, dict[tuple[str, str], Sample]] = {}

    def take(self, site_id: int, samples: Iterable[Sample]) -> None:
        """Takes stored samples; of two of one second the one that was taken later is the newest."""
        with self._lock:
            known = self._by_site.setdefault(site_id, {})
            for one in samples:
                key = one.name, one.tags
                if key not in known or known[key].at <= one.at:
                    known[key] = one

    def restore(self, database: Readable, site_ids: Iterable[int], now: int) -> None:
        """Takes the samples of the last `CURRENT_S` seconds from the database, of these sites and the installation."""
        rows, names = schema.health_samples.c, schema.health_series.c
        nth = func.row_number().over(partition_by=(rows.site_id, rows.series_id), order_by=rows.at.desc()).label("nth")
        of_sites = rows.site_id.in_([INSTALLATION, *site_ids])
        current = select(rows.site_id, rows.series_id, rows.at, rows.value, nth).where(
            of_sites, rows.at > now - CURRENT_S
        )
        found = current.subquery()
        wanted = (
            select(found.c.site_id, names.name, found.c.value, found.c.at, names.tags, names.unit)
            .join(schema.health_series, names.id == found.c.series_id)
            .where(found.c.nth == 1)
        )
        with database.read() as connection:
            stored = connection.execute(wanted).all()
        for site_id, *fields in stored:
            self.take(site_id, [Sample(*fields)])

    def prune(self, now: int) -> None:
        """Drops what says no longer what is now."""
        with self._lock:
            for site_id, known in list(self._by_site.items()):
                current = {key: one for key, one in known.items() if one.at > now - CURRENT_S}
                if current:
                    self._by_site[site_id] = current
                else:
                    del self._by_site[site_id]

    def of_site(self, site_id: int, now: int) -> list[NewestSample]:
        """What the metrics of a site are now, by name and tags."""
        with self._lock:
            found = sorted(one for one in self._by_site.get(site_id, {}).values() if one.at > now - CURRENT_S)
        return [NewestSample(one.name, tags_of(one.tags), one.unit, one.value, one.at) for one in found]

    def values(self, site_id: int, name: str, now: int) -> list[float]:
        """What a metric is now, of each set of tags; those of the installation where the site has none of that name."""
        with self._lock:
            for own in (site_id, INSTALLATION):
                known = self._by_site.get(own, {}).values()
                if found := [one.value for one in known if one.name == name and one.at > now - CURRENT_S]:
                    return found
        return []


def joined(name: str, values: Iterable[float], *, lowest: bool = False) -> float | None:
    """One value for a metric of several sets of tags: rates add up, of others it is the highest or lowest one."""
    found = list(values)
    if not found:
        return None
    if is_rate(name):
        return sum(found)
    return min(found) if lowest else max(found)
