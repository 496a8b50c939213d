"""The time that a site's event rules may take of the writer, so that no site's rules stop the collection of others."""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import NamedTuple

from analytics.base.rate_limit import RateLimit

log = logging.getLogger("footfall.rules")

SHARE = 0.1  # of the time
MAX_SPENT_S = 0.5  # at once; it comes back at that share
MAX_MATCHES = 1_000  # of a site in a batch: each may be a notification, which takes some 0.2 ms
REPORTED_S = 60


class UncheckedEvents(NamedTuple):
    """So many `events` of a site that no rule has checked, up to a minute ago, from one epoch second to another."""

    events: int
    since: int
    last_at: int


class RuleBudget:
    """What the rules of each site may take: half a second of the processor at once, then a tenth of all time.

    In one batch they match `max_matches` times, and what the event that reaches this matches. Not thread-safe.

    `clock` and `used` return seconds: of all time, and of this thread's processor time.
    """

    def __init__(
        self,
        clock: Callable[[], float] = time.monotonic,
        used: Callable[[], float] = time.thread_time,
        max_matches: int = MAX_MATCHES,
    ) -> None:
        self._clock, self._used, self._max_matches = clock, used, max_matches
        self._spent: dict[int, tuple[float, float]] = {}  # by site: the seconds that were left to make up for, and when
        self._reports = RateLimit(1, REPORTED_S)
        self._left_out: Counter[int] = Counter()  # by site: the events since its last report

    def is_spent(self, site_id: int, matches: int) -> bool:
        """Whether the rules of the site, which have matched so often in this batch, check no more events of it."""
        return matches >= self._max_matches or self._left_to_make_up(site_id) >= MAX_SPENT_S

    @contextmanager
    def spending(self, site_id: int) -> Iterator[None]:
        """Counts the time of a block for the site."""
        began = self._used()
        try:
            yield
        finally:
            self._spent[site_id] = self._left_to_make_up(site_id) + self._used() - began, self._clock()

    def report(self, site_id: int, events: int) -> int:
        """Counts events of the site that were left out. Once a minute for each site it logs them and returns how many
        there were since the last time; else 0.
        """
        self._left_out[site_id] += events
        if self._reports.take(str(site_id), int(self._clock())):
            return 0
        many = self._left_out.pop(site_id)
        log.error("the rules of site %d take too long: %d events were not checked", site_id, many)
        return many

    def _left_to_make_up(self, site_id: int) -> float:
        spent, at = self._spent.get(site_id, (0.0, 0.0))
        return max(0.0, spent - SHARE * (self._clock() - at))
