"""Today: people, visits and pageviews of every site since its midnight, in memory, updated with every beat.

People count as in `analytics.jobs.daily_usage`: each user id once, and a visitor with a user id on any beat of the day
is that user. A visit counts on the day on which it began. Rows from before this process began are counted once from
the tables.
"""

from __future__ import annotations

import threading
from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from hashlib import blake2b
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Connection, Table, func, select

from analytics.base.background import Pause
from analytics.base.ids import NO_VISITOR, came_live, first_id
from analytics.live.beat import Beat
from analytics.live.feed import FeedItem
from analytics.live.today_counts import TodayCounts
from analytics.sites.site import Site
from analytics.storage import schema
from analytics.storage.database import Database

SETTLED_S = 2  # beats are committed within milliseconds, so two seconds later a moment is final
MAX_PEOPLE = 2_000_000  # of all sites together; beyond it new people are not counted
ROW_BATCH = 1_000  # rows read at once: the writer waits at most for as long as these take
MAX_ATTEMPTS = 3

NOBODY = TodayCounts(0, 0, 0)


class _Day:
    """The counts of one site's day, `[begin, end)` in seconds since the epoch.

    Rows from the id `own` on are counted as they come, earlier ones from the tables. `whole`: the earlier rows have
    been counted. `disturbed`: another early row has come since that count began.
    """

    def __init__(self, zone: str, now: int, own_since: int) -> None:
        place = ZoneInfo(zone)
        day = datetime.fromtimestamp(now, place).date()
        self.zone = zone
        self.begin, self.end = (
            int(datetime(one.year, one.month, one.day, tzinfo=place).timestamp())
            for one in (day, day + timedelta(days=1))
        )
        self.own = first_id(max(self.begin, own_since))
        self.whole = own_since <= self.begin
        self.disturbed = False
        self.at_least = False
        self.visits = self.pageviews = 0
        self.users: set[int] = set()
        self.visitors_of_users: set[int] = set()
        self.strangers: set[int] = set()

    @property
    def people(self) -> int:
        return len(self.users) + len(self.strangers)

    def take(self, beat: Beat, is_pageview: bool, full: bool) -> None:
        """Counts a beat, unless it is counted from the tables."""
        if beat.id < self.own and not self.whole:
            self.disturbed = True
            return
        self.visits += beat.id == beat.visit_id
        self.pageviews += is_pageview
        self.meet(beat.visitor, beat.user_id, full)

    def meet(self, visitor: int, user_id: str | None, full: bool) -> None:
        """Counts a person; with `full`, only one who is known already."""
        user = None if user_id is None else _number(user_id)
        if user is None and (visitor in self.visitors_of_users or visitor in self.strangers):
            return
        if full and user not in self.users:
            self.at_least = True
        elif user is None:
            self.strangers.add(visitor)
        else:
            self.users.add(user)
            self.visitors_of_users.add(visitor)
            self.strangers.discard(visitor)


def _number(user_id: str) -> int:
    """A user id in eight bytes."""
    return int.from_bytes(blake2b(user_id.encode("utf-8", "surrogatepass"), digest_size=8).digest(), "big")


class Today:
    """Today's counts of every site, of at most `max_people` people. Safe for many threads.

    Call `prepare` with the sites, `take` with every committed beat, and `restore` to count earlier rows.
    """

    def __init__(self, database: Database, max_people: int = MAX_PEOPLE) -> None:
        self._database = database
        self._max_people = max_people
        self._lock = threading.Lock()
        self._days: dict[int, _Day] = {}
        self._full = False

    def read(self, site_ids: Collection[int], now: int) -> dict[int, TodayCounts]:
        """Today's counts by site; a site that is not counted yet (seconds after a start) is left out."""
        found = {}
        with self._lock:
            for site_id in site_ids:
                day = self._days.get(site_id)
                if day is not None and now >= day.end:
                    found[site_id] = NOBODY
                elif day is not None and day.whole:
                    found[site_id] = TodayCounts(day.people, day.visits, day.pageviews, day.at_least)
        return found

    def prepare(self, sites: Iterable[Site], now: int) -> None:
        """Begins a day for new sites, sites with a changed zone, and every site at its midnight."""
        zones = {site.id: site.timezone for site in sites}
        with self._lock:
            for site_id in self._days.keys() - zones.keys():
                del self._days[site_id]
            for site_id, zone in zones.items():
                day = self._days.get(site_id)
                if day is None or day.zone != zone:
                    self._days[site_id] = _Day(zone, now, own_since=now + SETTLED_S)
                elif now >= day.end:
                    self._days[site_id] = _Day(zone, now, own_since=day.end)
            self._full = sum(day.people for day in self._days.values()) >= self._max_people

    def forget(self, site_id: int) -> None:
        """Begins the site's day again at the next `prepare`: call it when rows were stored that `take` did not see."""
        with self._lock:
            self._days.pop(site_id, None)

    def take(self, stored: Iterable[tuple[Beat, FeedItem | None, object]]) -> None:
        """Counts committed beats of today, each with its item of the feed."""
        with self._lock:
            for beat, item, _ in stored:
                if beat.visitor == NO_VISITOR:
                    continue
                day = self._days.get(beat.site_id)
                if day is not None and beat.at >= day.end:
                    day = self._days[beat.site_id] = _Day(day.zone, beat.at, own_since=day.end)
                if day is not None and beat.at >= day.begin:
                    day.take(beat, item is not None and item.type == "pageview", self._full)

    def restore(self, now: int, pause: Pause) -> None:
        """Counts the rows that were stored before `prepare` began the day. `pause` may stop it between sites."""
        with self._lock:
            waiting = [(site_id, day) for site_id, day in self._days.items() if not day.whole]
        for site_id, day in waiting:
            if day.own <= first_id(now - SETTLED_S):
                self._restore(site_id, day)
            if pause(0):
                return

    def _restore(self, site_id: int, day: _Day) -> None:
        for tries_left in reversed(range(MAX_ATTEMPTS)):
            with self._lock:
                day.disturbed = False
            with self._database.read_without_timeout() as connection:
                visits, pageviews = (_rows(connection, t, site_id, day) for t in (schema.visits, schema.pageviews))
                self._meet(connection, site_id, day)
            with self._lock:
                if not day.disturbed or not tries_left:
                    day.visits += visits
                    day.pageviews += pageviews
                    day.whole = True
                    return

    def _meet(self, connection: Connection, site_id: int, day: _Day) -> None:
        beats = schema.heartbeats
        pairs = select(beats.c.visitor, beats.c.user_id).where(*_before_own(beats, site_id, day)).distinct()
        for some in connection.execution_options(yield_per=ROW_BATCH).execute(pairs).partitions():
            with self._lock:
                for visitor, user_id in some:
                    day.meet(visitor, user_id, self._full)


def _before_own(table: Table, site_id: int, day: _Day) -> tuple[ColumnElement[bool], ...]:
    own = table.c.site_id == site_id, table.c.id >= first_id(day.begin), table.c.id < day.own
    return *own, came_live(table.c.id)


def _rows(connection: Connection, table: Table, site_id: int, day: _Day) -> int:
    count = select(func.count()).select_from(table).where(*_before_own(table, site_id, day))
    return connection.execute(count).scalar_one()
