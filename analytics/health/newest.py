"""The newest sample of each series in memory: what Live shows and rules read."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Select, func, select

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
    """Safe for many threads. It has what came within a day, so at most as many series as the limits of sites allow."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._sites: dict[int, dict[str, dict[str, Sample]]] = {}  # by site, name and tags
        self._names_until = 0  # when names that were restored without samples are a day old

    def take(self, site_id: int, samples: Iterable[Sample]) -> None:
        """Takes stored samples; of two of one second the one that was taken later is the newest."""
        with self._lock:
            names = self._sites.setdefault(site_id, {})
            for one in samples:
                known = names.setdefault(one.name, {})
                if one.tags not in known or known[one.tags].at <= one.at:
                    known[one.tags] = one

    def restore(self, database: Readable, site_ids: Iterable[int], now: int) -> None:
        """Takes what is current, and which names have come within a day: of these sites and of the installation."""
        known = [INSTALLATION, *site_ids]
        with database.read() as connection:
            samples = connection.execute(_newest(known, now - CURRENT_S)).all()
            names = connection.execute(_names(known, now - DAY)).all()
        with self._lock:
            self._names_until = now + DAY
            for site_id, name in names:
                self._sites.setdefault(site_id, {}).setdefault(name, {})
        for site_id, *fields in samples:
            self.take(site_id, [Sample(*fields)])

    def prune(self, now: int) -> None:
        """Drops what has not come for a day."""
        with self._lock:
            for names in self._sites.values():
                for name, known in list(names.items()):
                    names[name] = {tags: one for tags, one in known.items() if one.at > now - DAY}
                    if not names[name] and now >= self._names_until:
                        del names[name]

    def of_site(self, site_id: int, now: int) -> list[NewestSample]:
        """What the metrics of a site are now, by name and tags."""
        with self._lock:
            found = [one for known in self._sites.get(site_id, {}).values() for one in known.values()]
        current = sorted((one for one in found if one.at > now - CURRENT_S), key=lambda one: (one.name, one.tags))
        return [NewestSample(one.name, tags_of(one.tags), one.unit, one.value, one.at) for one in current]

    def values(self, site_id: int, name: str, now: int) -> list[float]:
        """What a metric is now, of each set of tags; those of the installation where the site has none of that name."""
        with self._lock:
            for own in (site_id, INSTALLATION):
                known = self._sites.get(own, {}).get(name, {})
                if found := [one.value for one in known.values() if one.at > now - CURRENT_S]:
                    return found
        return []

    def knows(self, site_id: int, name: str) -> bool:
        """Whether samples of that name have come within a day, of the site or of the installation."""
        with self._lock:
            return any(name in self._sites.get(own, ()) for own in (site_id, INSTALLATION))


def _newest(site_ids: Sequence[int], since: int) -> Select[Any]:
    """Each series of these sites with its newest sample after `since`."""
    rows, names = schema.health_samples.c, schema.health_series.c
    nth = func.row_number().over(partition_by=(rows.site_id, rows.series_id), order_by=rows.at.desc()).label("nth")
    found = (
        select(rows.site_id, rows.series_id, rows.at, rows.value, nth)
        .where(rows.site_id.in_(site_ids), rows.at > since)
        .subquery()
    )
    return (
        select(found.c.site_id, names.name, found.c.value, found.c.at, names.tags, names.unit)
        .join(schema.health_series, names.id == found.c.series_id)
        .where(found.c.nth == 1)
    )


def _names(site_ids: Sequence[int], since: int) -> Select[Any]:
    names = schema.health_series.c
    lately = select(names.site_id, names.name).where(names.site_id.in_(site_ids), names.seen_at > since)
    return lately.distinct()


def joined(name: str, values: Iterable[float], *, lowest: bool = False) -> float | None:
    """One value for a metric of several sets of tags: rates add up, of others it is the highest or lowest one."""
    found = list(values)
    if not found:
        return None
    if is_rate(name):
        return sum(found)
    return min(found) if lowest else max(found)
