"""Concurrency: how many people were active at each minute, told from the stored heartbeats."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable, Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy import Integer, Select, String, case, cast, column, func, select, true, values

from analytics import schema
from analytics.beat import State
from analytics.database import Database
from analytics.ids import LOW_BITS, time_ms
from analytics.live import Concurrency
from analytics.sites import Site

MINUTE = 60
SHOWN_S = 60 * MINUTE
SETTLED_S = 2  # a beat is committed within milliseconds: two seconds later a minute does not change any more
AT_ONCE = 60  # minutes a statement
BUDGET_S = 0.15  # how long one question may spend on minutes of earlier today


def people_at(database: Database, site_id: int, moments: Sequence[int], window_s: int) -> dict[int, int]:
    """How many people were active on a site at each of these moments (epoch s); moments without anybody are 0."""
    return people_on(database, [site_id], moments, window_s)[site_id]


def people_on(
    database: Database, site_ids: Sequence[int], moments: Sequence[int], window_s: int
) -> dict[int, dict[int, int]]:
    """How many people were active on each of these sites at each of these moments: the rule of `analytics.presence`.

    A tab counts by its last beat within the window unless that was a leave; a visitor is the person of the latest
    such beat; a person counts once. Moments without anybody are 0.
    """
    found = {site_id: dict.fromkeys(moments, 0) for site_id in site_ids}
    if not moments or not site_ids:
        return found
    with database.read() as connection:
        for site_id, t, people in connection.execute(_counted(site_ids, moments, window_s)):
            found[int(site_id)][int(t)] = int(people)
    return found


def _counted(site_ids: Sequence[int], moments: Sequence[int], window_s: int) -> Select[int, int, int]:
    """Site, moment and people, for those with anybody."""
    beats = schema.heartbeats
    sites = values(column("site", Integer), name="asked_sites").data([(one,) for one in site_ids]).cte("sites_asked")
    asked = values(column("t", Integer), name="asked").data([(moment,) for moment in moments]).cte("moments")
    site, moment = cast(sites.c.site, beats.c.site_id.type), cast(asked.c.t, beats.c.at.type)
    step = 1000 << LOW_BITS
    tabs = (
        select(sites.c.site, asked.c.t, func.max(beats.c.id).label("last"))
        .select_from(sites.join(asked, true()))
        .join(
            beats,
            (beats.c.site_id == site)
            & (beats.c.id >= (moment - (window_s - 1)) * step)
            & (beats.c.id < (moment + 1) * step),
        )
        .group_by(sites.c.site, asked.c.t, beats.c.tab)
        .cte("tabs")
    )
    visitors = (
        select(tabs.c.site, tabs.c.t, beats.c.visitor, func.max(tabs.c.last).label("last"))
        .join_from(tabs, beats, (beats.c.site_id == tabs.c.site) & (beats.c.id == tabs.c.last))
        .where(beats.c.state != State.LEFT)
        .group_by(tabs.c.site, tabs.c.t, beats.c.visitor)
        .cte("visitors")
    )
    person = case(
        (beats.c.user_id.is_(None), "v" + cast(beats.c.visitor, String)), else_="u" + func.coalesce(beats.c.user_id, "")
    )
    return (
        select(visitors.c.site, visitors.c.t, func.count(person.distinct()))
        .join_from(visitors, beats, (beats.c.site_id == visitors.c.site) & (beats.c.id == visitors.c.last))
        .group_by(visitors.c.site, visitors.c.t)
    )


def first_beat(database: Database, site_id: int) -> int | None:
    """The second (epoch) of a site's oldest stored heartbeat, None where there is none."""
    oldest = select(func.min(schema.heartbeats.c.id)).where(schema.heartbeats.c.site_id == site_id)
    with database.read() as connection:
        row_id = connection.execute(oldest).scalar()
    return None if row_id is None else time_ms(row_id) // 1000


class History:
    """Concurrency of each site, every settled minute counted once and then kept, for a day, in memory."""

    def __init__(self, database: Database, window_s: int) -> None:
        self._database = database
        self._window_s = window_s
        self._locks: dict[int, threading.Lock] = {}  # one a site: a large one does not hold up the others
        self._known: dict[int, dict[int, int]] = {}

    def read(self, site: Site, now: int) -> Concurrency:
        """The last 60 minutes (a point a minute, as far as beats are stored), one hour ago, today's peak.

        The peak is None until all of today has been counted: a large site's first questions after a start count
        a part of it each.
        """
        with self._locks.setdefault(site.id, threading.Lock()):
            first = first_beat(self._database, site.id)
            if first is None:
                return Concurrency((), None, None)
            known = self._known.setdefault(site.id, {})
            last = (now - SETTLED_S) // MINUTE * MINUTE
            midnight = _midnight(site, now)
            hour_ago = (now - 3600) // MINUTE * MINUTE
            shown = [minute for minute in range(last - SHOWN_S, last + 1, MINUTE) if minute >= first]
            today = range(max(midnight, -(-first // MINUTE) * MINUTE), last + 1, MINUTE)
            self._count(site.id, known, [*shown, *([hour_ago] if hour_ago >= first else [])])
            complete = self._count_slowly(site.id, known, today)
            for minute in [minute for minute in known if minute < min(midnight, last - SHOWN_S)]:
                del known[minute]
            peak = max(((known[minute], minute) for minute in today), default=(0, now)) if complete else None
            return Concurrency(
                points=tuple((minute, known[minute]) for minute in shown), hour_ago=known.get(hour_ago), peak=peak
            )

    def forget(self, site_id: int, at: int) -> None:
        """Counts the minutes around that second anew: a beat of the past has come in."""
        known = self._known.get(site_id)
        if known is not None:
            kept = known.copy()  # somebody may be reading: the writer's thread neither waits nor takes minutes away
            for minute in range(at // MINUTE * MINUTE, at + self._window_s + MINUTE, MINUTE):
                kept.pop(minute, None)
            self._known[site_id] = kept

    def _count(self, site_id: int, known: dict[int, int], minutes: Iterable[int]) -> None:
        missing = [minute for minute in minutes if minute not in known]
        for start in range(0, len(missing), AT_ONCE):
            known |= people_at(self._database, site_id, missing[start : start + AT_ONCE], self._window_s)

    def _count_slowly(self, site_id: int, known: dict[int, int], minutes: Iterable[int]) -> bool:
        missing = [minute for minute in minutes if minute not in known]
        until = time.monotonic() + BUDGET_S
        while missing and time.monotonic() < until:
            self._count(site_id, known, missing[-AT_ONCE:])
            del missing[-AT_ONCE:]
        return not missing


def _midnight(site: Site, now: int) -> int:
    """The first second of the site's day."""
    local = datetime.fromtimestamp(now, ZoneInfo(site.timezone))
    return int(local.replace(hour=0, minute=0, second=0, microsecond=0, fold=0).timestamp())
