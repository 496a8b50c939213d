"""Trends: how many people were active on every site in each of the last 30 minutes, kept in memory.

A minute that comes is noted from presence. Those before this process began are counted once from the stored
heartbeats, site by site, by the same rule.
"""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterable, Mapping

from analytics.concurrency import MINUTE, SETTLED_S, people_on
from analytics.database import Database
from analytics.jobs import Rest
from analytics.sites import Site

SHOWN = 30  # minutes
LATE_S = 5  # presence so long after a minute still tells of it
AT_ONCE = 10  # sites counted from the tables by one statement; to write one takes longer than to find nobody

Trend = tuple[int | None, ...]


class Trends:
    """The last 30 minutes of every site. Safe for many threads; holds a number for each site and minute."""

    def __init__(self, database: Database, window_s: int, now: int) -> None:
        self._database = database
        self._window_s = window_s
        self._lock = threading.Lock()
        self._minutes: dict[int, dict[int, int]] = {}  # by minute (epoch s): people by site; nobody has no entry
        self._begun = (now // MINUTE + 1) * MINUTE  # the first minute that is noted
        self._recalled: dict[int, dict[int, int]] = {}  # by site: people at the minutes before that

    def is_due(self, now: int) -> bool:
        """Whether a minute has just come that is not noted yet; one that was missed stays unknown."""
        return now >= self._begun and now % MINUTE < LATE_S and now // MINUTE * MINUTE not in self._minutes

    def note(self, active: Mapping[int, int], now: int) -> None:
        """Notes how many people are active by site as of the minute that has come."""
        minute = now // MINUTE * MINUTE
        with self._lock:
            self._minutes[minute] = {site_id: people for site_id, people in active.items() if people}
            for old in [noted for noted in self._minutes if noted <= minute - SHOWN * MINUTE]:
                del self._minutes[old]
            if self._begun <= minute - SHOWN * MINUTE:
                self._recalled = {}

    def read(self, site_ids: Collection[int], now: int) -> dict[int, Trend]:
        """The last 30 whole minutes of these sites, oldest first; a minute that is not known is None."""
        last = now // MINUTE * MINUTE
        shown = range(last - (SHOWN - 1) * MINUTE, last + 1, MINUTE)
        with self._lock:
            return {site_id: tuple(self._people(site_id, minute) for minute in shown) for site_id in site_ids}

    def _people(self, site_id: int, minute: int) -> int | None:
        noted = self._minutes.get(minute)
        return self._recalled.get(site_id, {}).get(minute) if noted is None else noted.get(site_id, 0)

    def recall(self, sites: Iterable[Site], now: int, rest: Rest) -> None:
        """Counts the minutes before the first that is noted; `rest` may stop it between two statements."""
        if now < self._begun - MINUTE + SETTLED_S:
            return
        minutes = range((now // MINUTE - SHOWN + 1) * MINUTE, self._begun, MINUTE)
        missing = [site.id for site in sites if site.id not in self._recalled] if minutes else []
        for start in range(0, len(missing), AT_ONCE):
            found = people_on(self._database, missing[start : start + AT_ONCE], minutes, self._window_s)
            with self._lock:
                self._recalled |= found
            if rest(0):
                return
