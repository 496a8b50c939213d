"""How many people were active on a site at each minute, from stored minutes and from heartbeats."""

from __future__ import annotations

import threading
import time
from array import array
from collections import ChainMap
from collections.abc import Iterable, MutableMapping
from datetime import date, datetime, timedelta, tzinfo
from operator import itemgetter
from zoneinfo import ZoneInfo

from analytics.calendar import minute_series
from analytics.calendar.days import day_of, days_between, start_of
from analytics.calendar.minute_series import MINUTE, UNKNOWN, DayOfConcurrents, Minutes, Series, average, peak
from analytics.calendar.period import Span
from analytics.live import minute_store
from analytics.live.minute_query import SETTLED_S, first_beat, people_at
from analytics.live.state import Concurrency
from analytics.sites.site import Site
from analytics.storage.reader import Readable

SHOWN_S = 60 * MINUTE
DAY_S = 86_400
CACHED_S = 2 * DAY_S + 3600  # the days that the daily job may not have counted yet
MINUTE_BATCH = 60  # minutes in one statement
BUDGET_S = 0.15  # how long one call may count minutes of earlier today
YIELD_S = 0.01  # between two batches, so that another thread gets the site's lock
NEVER = 2**40
PEOPLE = itemgetter(0)  # of a minute with its people; the first of several with the most is the peak, as of a whole day


class StillCounting(RuntimeError):
    """Minutes of a large site are still being counted; try again."""


class MinuteHistory:
    """People at each minute of each site. Safe for many threads.

    Minutes that the daily job has not counted yet are counted here, each once it is final, and cached for two days.
    """

    def __init__(self, database: Readable, window_s: int) -> None:
        self._database = database
        self._window_s = window_s
        self._locks: dict[int, threading.Lock] = {}  # one a site, so that a large site does not block the others
        self._cached: dict[int, dict[int, int]] = {}  # by site and minute

    def read(self, site: Site, now: int) -> Concurrency:
        """The last 60 minutes (a point a minute, as far back as beats are stored), one hour ago, and today's peak.

        The peak is None until all of today is counted: after a start, each of the first calls for a large site counts
        a part. `now` may be in the past.
        """
        with self._locks.setdefault(site.id, threading.Lock()):
            first = first_beat(self._database, site.id)
            if first is None:
                return Concurrency((), None, None)
            last = (now - SETTLED_S) // MINUTE * MINUTE
            midnight = _midnight(site, now)
            hour_ago = (now - 3600) // MINUTE * MINUTE
            shown = [minute for minute in range(last - SHOWN_S, last + 1, MINUTE) if minute >= first]
            today = range(max(midnight, -(-first // MINUTE) * MINUTE), last + 1, MINUTE)
            stored = self._stored(site.id, day_of(min(midnight, hour_ago)), now)
            people = ChainMap(self._cache_of(site.id, now), stored)
            self._count(site.id, people, [*shown, *([hour_ago] if hour_ago >= first else [])])
            complete = self._count_within(BUDGET_S, site.id, people, today)
            counted = ((people[minute], minute) for minute in today)
            most = max(counted, key=PEOPLE, default=(0, now)) if complete else None
            return Concurrency(
                points=tuple((minute, people[minute]) for minute in shown), hour_ago=people.get(hour_ago), peak=most
            )

    def then(self, site: Site, at: int, now: int) -> Concurrency:
        """What `read` returned at `at` (epoch s), as far as it is known at `now`; counts nothing."""
        midnight, minute = _midnight(site, at), at // MINUTE * MINUTE
        begin = min(midnight, minute - SHOWN_S)
        found, complete = self.people(site.id, begin, minute + MINUTE, now, budget_s=0)
        points = [(begin + nth * MINUTE, people) for nth, people in enumerate(found) if people != UNKNOWN]
        most = max(((people, when) for when, people in points if when >= midnight), key=PEOPLE, default=None)
        return Concurrency(
            points=tuple(point for point in points if point[0] >= minute - SHOWN_S),
            hour_ago=next((people for when, people in points if when == minute - SHOWN_S), None),
            peak=most if complete else None,
        )

    def people(self, site_id: int, begin: int, end: int, now: int, budget_s: float = BUDGET_S) -> tuple[Series, bool]:
        """People at each minute from `begin` to before `end` (epoch s, whole minutes), and whether that is complete.

        Minutes in the future, not counted yet or not countable any more are UNKNOWN. `budget_s` is how long missing
        minutes may be counted.
        """
        with self._locks.setdefault(site_id, threading.Lock()):
            days = minute_store.read(self._database, site_id, day_of(begin), day_of(end - 1) + timedelta(days=1))
            found = minute_series.between(days, begin, end)
            first = first_beat(self._database, site_id)
            if first is None:
                return found, True
            last = (now - SETTLED_S) // MINUTE * MINUTE
            since = max(begin, -(-max(first, now - CACHED_S) // MINUTE) * MINUTE)  # the daily job counts the others
            until = min(end, last + MINUTE)
            open_minutes = [
                minute
                for day in days_between(day_of(since), day_of(until) + timedelta(days=1))
                if day not in days
                for minute in range(max(since, start_of(day)), min(until, start_of(day) + DAY_S), MINUTE)
            ]
            cached = self._cache_of(site_id, now)
            complete = self._count_within(budget_s, site_id, cached, open_minutes)
            for minute in open_minutes:
                found[(minute - begin) // MINUTE] = cached.get(minute, UNKNOWN)
            return found, complete

    def day(self, site: Site, day: date, now: int) -> DayOfConcurrents:
        """A day of the site's zone."""
        zone = ZoneInfo(site.timezone)
        begin, end = _begin(day, zone), _begin(day + timedelta(days=1), zone)
        people, complete = self.people(site.id, begin, end, now)
        earlier = [a_week_before(minute, zone) for minute in range(begin, end, MINUTE)]
        week_before, is_whole = self.people(site.id, min(earlier), max(earlier) + MINUTE, now)
        before = array("i", (week_before[(minute - min(earlier)) // MINUTE] for minute in earlier))
        most = peak(people)
        at = None if most is None else (most, begin + people.index(most) * MINUTE)
        return DayOfConcurrents(begin, end, people, before, at, average(people), complete and is_whole)

    def minutes(self, site_id: int, span: Span, now: int, patience_s: float) -> Minutes:
        """People at each minute of a span, as far as known at `now`; 2 MB a year.

        `StillCounting` if it takes longer than `patience_s`, or if the daily job still has to count a day of the span.
        Each call leaves less to count.
        """
        since = self._since(site_id)
        begin, end = (-(-edge // MINUTE) * MINUTE for edge in (max(span.begin, since), min(span.end, now)))
        if missing := self._missing(site_id, begin, end, now):
            raise StillCounting(f"the minutes of {missing} are still to be counted: the day's work does it")
        until = time.monotonic() + patience_s
        while begin < end:
            people, complete = self.people(site_id, begin, end, now, min(BUDGET_S, patience_s))
            if complete:
                return Minutes(begin, people)
            if time.monotonic() >= until:
                raise StillCounting("minutes of this period are still being counted; ask again in a moment")
            time.sleep(YIELD_S)
        return Minutes(begin, array("i"))

    def _missing(self, site_id: int, begin: int, end: int, now: int) -> date | None:
        """The first of these days that only the daily job counts and that it has not counted yet."""
        for day in minute_store.missing(self._database, day_of(now - CACHED_S)):
            touched = begin < start_of(day) + DAY_S and start_of(day) < end
            if touched and not minute_store.read(self._database, site_id, day, day + timedelta(days=1)):
                return day
        return None

    def _since(self, site_id: int) -> int:
        """The second (epoch) before which no minute is known; NEVER if none is."""
        day, beat = minute_store.first_day(self._database, site_id), first_beat(self._database, site_id)
        return min(NEVER if day is None else start_of(day), NEVER if beat is None else beat)

    def forget(self, site_id: int, at: int) -> None:
        """Makes the minutes around that second (epoch) be counted again, because a late beat was stored."""
        cached = self._cached.get(site_id)
        if cached is not None:
            others = cached.copy()  # a reader may use the dict; the writer's thread neither waits nor changes it
            for minute in range(at // MINUTE * MINUTE, at + self._window_s + MINUTE, MINUTE):
                others.pop(minute, None)
            self._cached[site_id] = others

    def _cache_of(self, site_id: int, now: int) -> dict[int, int]:
        """The cached minutes, without those that are too old."""
        cached = self._cached.setdefault(site_id, {})
        for minute in [minute for minute in cached if minute < now - CACHED_S]:
            del cached[minute]
        return cached

    def _stored(self, site_id: int, first: date, now: int) -> dict[int, int]:
        """The stored minutes of the days from `first` to yesterday."""
        if first >= day_of(now):
            return {}
        days = minute_store.read(self._database, site_id, first, day_of(now))
        return {
            start_of(day) + MINUTE * nth: people
            for day, series in days.items()
            for nth, people in enumerate(series)
            if people != UNKNOWN
        }

    def _count(self, site_id: int, known: MutableMapping[int, int], minutes: Iterable[int]) -> None:
        missing = [minute for minute in minutes if minute not in known]
        for start in range(0, len(missing), MINUTE_BATCH):
            known.update(people_at(self._database, site_id, missing[start : start + MINUTE_BATCH], self._window_s))

    def _count_within(
        self, budget_s: float, site_id: int, known: MutableMapping[int, int], minutes: Iterable[int]
    ) -> bool:
        """Counts missing minutes, the latest first, until the time is up; returns whether all are known now."""
        missing = [minute for minute in minutes if minute not in known]
        until = time.monotonic() + budget_s
        while missing and time.monotonic() < until:
            self._count(site_id, known, missing[-MINUTE_BATCH:])
            del missing[-MINUTE_BATCH:]
        return not missing


def a_week_before(at: int, zone: tzinfo) -> int:
    """The second (epoch) seven days earlier with the same time on the zone's clocks."""
    return int((datetime.fromtimestamp(at, zone) - timedelta(days=7)).timestamp())


def _midnight(site: Site, now: int) -> int:
    """The first second of the site's day."""
    zone = ZoneInfo(site.timezone)
    return _begin(datetime.fromtimestamp(now, zone).date(), zone)


def _begin(day: date, zone: tzinfo) -> int:
    """The first second of a day of that zone."""
    return int(datetime(day.year, day.month, day.day, tzinfo=zone).timestamp())
