"""Versions of a site's facts: which change was the last to touch what a question is about."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from analytics.base.ids import time_ms
from analytics.storage.changes import Change

HOUR_MS = 3_600_000
MAX_MARKS = 48  # of one site


class _Mark(NamedTuple):
    """A change, and the hour (since the epoch) of its earliest row."""

    hour: int
    version: str


class Versions:
    """The versions of all sites. One thread writes; any thread may read. Memory: at most 48 marks for a site.

    Row ids begin with the time, so a change whose rows are all later than the end of a question leaves its answer as
    it is: answers about the past stay valid while people are on the site. Hours are precise enough, because days end
    on quarter hours at the latest and a version that changes too often costs a computation, never a wrong answer.
    """

    def __init__(self) -> None:
        self._start = ""
        self._highest: dict[int, int] = {}  # the highest change of each site
        self._marks: dict[int, tuple[_Mark, ...]] = {}  # later changes have later hours

    def begin(self, start: str) -> None:
        """Forgets all changes: `start` is the version of every site until its next one."""
        self._start, self._highest, self._marks = start, {}, {}

    def take(self, changes: Iterable[Change], holes: Iterable[int]) -> None:
        """Takes the changes that the facts now have, in the order in which they were applied, and the missing ones.

        Other processes may apply them in another order. Their version is equal only if they have the same changes.
        """
        missing = ",".join(map(str, holes))
        for change in changes:
            first = _first_hour(change)
            if first is None:
                continue
            highest = self._highest[change.site_id] = max(change.id, self._highest.get(change.site_id, 0))
            mark = _Mark(first, f"{highest}.{change.id}.{change.digest}.{missing}")
            earlier = [one for one in self._marks.get(change.site_id, ()) if one.hour < first]
            if len(earlier) == MAX_MARKS:
                earlier[:2] = [_Mark(0, earlier[1].version)]
            self._marks[change.site_id] = (*earlier, mark)

    def of(self, site_id: int, end: int) -> str:
        """The version of the facts of a site before `end` (epoch s): equal versions have equal facts."""
        for mark in reversed(self._marks.get(site_id, ())):
            if mark.hour * HOUR_MS < end * 1000:
                return mark.version
        return self._start


def _first_hour(change: Change) -> int | None:
    """The hour of the earliest row of a change; 0 for one of the whole site, None for one without rows."""
    if None in change.rows.values():
        return 0
    first = min((min(ids) for ids in change.rows.values() if ids), default=None)
    return None if first is None else time_ms(first) // HOUR_MS
