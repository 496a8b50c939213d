"""Sparklines: how many people were active on every site in each of the last 30 minutes, in memory.

Each new minute is taken from presence. Minutes before this process began are counted once from the stored heartbeats,
by the same rule; minutes with a late beat are counted again.
"""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterable, Mapping
from itertools import islice

from analytics.base.background import Pause
from analytics.calendar.minute_series import MINUTE
from analytics.live.minute_query import SETTLED_S, people_on
from analytics.sites.site import Site
from analytics.storage.database import Database

SHOWN = 30  # minutes
LATE_S = 5  # for so long after a minute began, presence still has its number
SITE_BATCH = 10  # sites in one statement; building a statement takes longer than counting a site without people
AGAIN_S = 10  # minutes with late beats are counted again at most this often

Sparkline = tuple[int | None, ...]


class Sparklines:
    """The last 30 minutes of every site. Safe for many threads; stores at most two numbers a site and minute."""

    def __init__(self, database: Database, window_s: int, now: int) -> None:
        self._database = database
        self._window_s = window_s
        self._lock = threading.Lock()
        self._minutes: dict[int, dict[int, int]] = {}  # from presence: by minute (epoch s), people by site if any
        self._begun = (now // MINUTE + 1) * MINUTE  # the first minute that presence has
        self._counted: dict[int, dict[int, int]] = {}  # from the tables: by site, people by minute
        self._restored: set[int] = set()  # sites whose minutes before `_begun` are in `_counted`
        self._late: dict[int, set[int]] = {}  # by site: minutes to be counted again
        self._again = now

    def is_due(self, now: int) -> bool:
        """Whether a minute has just begun that is not noted yet; a missed minute stays unknown."""
        return now >= self._begun and now % MINUTE < LATE_S and now // MINUTE * MINUTE not in self._minutes

    def note(self, active: Mapping[int, int], now: int) -> None:
        """Notes how many people are active, by site, for the minute that has just begun."""
        minute = now // MINUTE * MINUTE
        with self._lock:
            self._minutes[minute] = {site_id: people for site_id, people in active.items() if people}
            shown = minute - SHOWN * MINUTE
            self._minutes = {noted: people for noted, people in self._minutes.items() if noted > shown}
            kept = ((site_id, _later(counted, shown)) for site_id, counted in self._counted.items())
            self._counted = {site_id: counted for site_id, counted in kept if counted}

    def forget(self, site_id: int, at: int, now: int) -> None:
        """Makes the minutes since that second (epoch) be counted again, because a late beat was stored."""
        last = min(now, at + self._window_s - 1)
        minutes = range(max(-(-at // MINUTE), now // MINUTE - SHOWN + 1) * MINUTE, last + 1, MINUTE)
        if minutes:
            with self._lock:
                self._late.setdefault(site_id, set()).update(minutes)

    def read(self, site_ids: Collection[int], now: int) -> dict[int, Sparkline]:
        """The last 30 whole minutes of these sites, oldest first; an unknown minute is None."""
        last = now // MINUTE * MINUTE
        shown = range(last - (SHOWN - 1) * MINUTE, last + 1, MINUTE)
        with self._lock:
            return {site_id: tuple(self._people(site_id, minute) for minute in shown) for site_id in site_ids}

    def _people(self, site_id: int, minute: int) -> int | None:
        counted = self._counted.get(site_id, {}).get(minute)
        noted = self._minutes.get(minute)
        return counted if counted is not None or noted is None else noted.get(site_id, 0)

    def restore(self, sites: Iterable[Site], now: int, pause: Pause) -> None:
        """Counts the minutes before this process began, and those of late beats. `pause` may stop it."""
        if now >= self._begun - MINUTE + SETTLED_S and self._count_before(sites, now, pause):
            return
        if now >= self._again:
            self._again = now + AGAIN_S
            self._count_late(now, pause)

    def _count_before(self, sites: Iterable[Site], now: int, pause: Pause) -> bool:
        """Counts the minutes before this process began; True if it was stopped."""
        minutes = range((now // MINUTE - SHOWN + 1) * MINUTE, self._begun, MINUTE)
        missing = [site.id for site in sites if site.id not in self._restored] if minutes else []
        for start in range(0, len(missing), SITE_BATCH):
            some = missing[start : start + SITE_BATCH]
            self._count(some, minutes)
            self._restored.update(some)
            if pause(0):
                return True
        return False

    def _count_late(self, now: int, pause: Pause) -> None:
        """Counts final minutes again; a minute that gets a beat meanwhile is counted once more."""
        while late := self._take_late(now):
            try:
                self._count(list(late), sorted(set().union(*late.values())))
            except BaseException:
                with self._lock:
                    for site_id, minutes in late.items():
                        self._late.setdefault(site_id, set()).update(minutes)
                raise
            if pause(0):
                return

    def _take_late(self, now: int) -> dict[int, set[int]]:
        """Removes the final minutes of some sites from those that are due, and returns them."""
        with self._lock:
            settled = ((site_id, {at for at in late if at <= now - SETTLED_S}) for site_id, late in self._late.items())
            taken = dict(islice(((site_id, minutes) for site_id, minutes in settled if minutes), SITE_BATCH))
            for site_id, minutes in taken.items():
                self._late[site_id] -= minutes
                if not self._late[site_id]:
                    del self._late[site_id]
        return taken

    def _count(self, site_ids: list[int], minutes: Collection[int]) -> None:
        found = people_on(self._database, site_ids, list(minutes), self._window_s)
        with self._lock:
            for site_id, people in found.items():
                self._counted.setdefault(site_id, {}).update(people)


def _later(counted: Mapping[int, int], than: int) -> dict[int, int]:
    return {minute: people for minute, people in counted.items() if minute > than}
