"""The newest sample of each series in memory: what Live shows and rules read."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from sqlalchemy import func, select

from analytics.health.sample import Sample, is_rate
from analytics.health.series import DAY, INSTALLATION, tags_of
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
    """Safe for many threads. It has as many series and names as the limits of sites allow in a day, at most; `prune`
    drops what is no longer current.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._by_site: dict[int, dict[tuple[str, str], Sample]] = {}
        self._names: dict[int, set[str]] = {}

    def take(self, site_id: int, samples: Iterable[Sample]) -> None:
        """Takes stored samples; of two of one second the one that was taken later is the newest."""
        with self._lock:
            known, names = self._by_site.setdefault(site_id, {}), self._names.setdefault(site_id, set())
            for one in samples:
                names.add(one.name)
                key = one.name, one.tags
                if key not in known or known[key].at <= one.at:
                    known[key] = one

    def restore(self, database: Readable, site_ids: Iterable[int], now: int) -> None:
        """Takes what is current, and the names of the last day: those of these sites and of the installation."""
        rows, names = schema.health_samples.c, schema.health_series.c
        nth = func.row_number().over(partition_by=(rows.site_id, rows.series_id), order_by=rows.at.desc()).label("nth")
        known = [INSTALLATION, *site_ids]
        current = select(rows.site_id, rows.series_id, rows.at, rows.value, nth).where(
            rows.site_id.in_(known), rows.at > now - CURRENT_S
        )
        found = current.subquery()
        wanted = (
            select(found.c.site_id, names.name, found.c.value, found.c.at, names.tags, names.unit)
            .join(schema.health_series, names.id == found.c.series_id)
            .where(found.c.nth == 1)
        )
        lately = select(names.site_id, names.name).where(names.site_id.in_(known), names.seen_at > now - DAY)
        with database.read() as connection:
            stored, named = connection.execute(wanted).all(), connection.execute(lately.distinct()).all()
        with self._lock:
            for site_id, name in named:
                self._names.setdefault(site_id, set()).add(name)
        for site_id, *fields in stored:
            self.take(site_id, [Sample(*fields)])

    def knows(self, site_id: int, name: str) -> bool:
        """Whether samples of that name have come, of the site or of the installation, since a day before the start."""
        with self._lock:
            return any(name in self._names.get(own, ()) for own in (site_id, INSTALLATION))

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
