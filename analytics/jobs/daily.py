"""Maintenance: the day's work, in the order in which it is done, by one process of all that share a database.

It is due at 01:00 UTC and made up when it was missed. Each job may be killed anywhere and run again.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from datetime import date
from typing import NamedTuple

from sqlalchemy import Connection

from analytics.base.background import Pause, Report
from analytics.calendar.days import HOUR, day_of, due_day, late_days
from analytics.jobs import daily_usage, purge, usage
from analytics.live import minute_store
from analytics.sites import salts, store
from analytics.storage.database import Database
from analytics.storage.job_state import AGAIN, done_days, mark

PURGE, COUNTERS = "purge", "purge counters"
LOOK_S = 0.2  # how often one looks whether another has finished


class Work(NamedTuple):
    """What the jobs work with.

    `rest(seconds)` waits and says whether to stop now; `tell` hears how far it is, often.
    """

    database: Database
    now: int  # epoch s
    retention_days: int  # of heartbeats, where the site says nothing of its own
    pause: Pause
    report: Report
    window_s: int = 60  # how long after a beat somebody is active


def count_usage(work: Work) -> str:
    """Counts the people of every day that is over and not counted yet."""
    kept = purge.cutoffs(work.database, work.now, work.retention_days)
    counted: dict[date, list[usage.Usage]] = {}
    for day in daily_usage.missing(work.database, day_of(work.now)):
        work.report(f"counting the people of {day}")
        found = daily_usage.count_day(
            work.database, day, work.now, lambda site_id: kept.get(site_id, work.now), work.pause
        )
        if found is not None:
            counted[day] = found
        if work.pause(0):
            break
    return _counted(counted)


def _counted(counted: dict[date, list[usage.Usage]]) -> str:
    if not counted:
        return ""
    people = sum(one.people for found in counted.values() for one in found)
    each = "" if len(counted) == 1 else ", each day for itself"
    return f"Counted the people of {_days(counted)}: {people:,}{each}."


def count_concurrents(work: Work) -> str:
    """Counts how many people were there at every minute of each day that is over and not counted yet."""
    kept = purge.cutoffs(work.database, work.now, work.retention_days)
    counted = []
    for day in minute_store.missing(work.database, day_of(work.now)):
        work.report(f"counting the minutes of {day}")
        found = minute_store.count_day(
            work.database, day, work.now, work.window_s, lambda site_id: kept.get(site_id, work.now), work.pause
        )
        if found is not None:
            counted.append(day)
        if work.pause(0):
            break
    return f"Counted the minutes of {_days(counted)}." if counted else ""


def _days(days: Collection[date]) -> str:
    first, last = min(days), max(days)
    return f"{first}" if first == last else f"{len(days)} days, {first} to {last}"


def purge_heartbeats(work: Work) -> str:
    """Deletes heartbeats past their retention, of days that are counted."""
    uncounted = min(missing(work.database, day_of(work.now)), default=None)
    purged = purge.purge(work.database, work.now, work.retention_days, uncounted, work.pause, work.report)
    if purged.whole and uncounted is None:
        with work.database.transaction() as connection:
            mark(connection, PURGE, [due_day(work.now)], work.now)
    return f"Purged {_many(purged.rows, 'heartbeat')} past their retention." if purged.rows else ""


def purge_counters(work: Work) -> str:
    """Deletes counters that are older than anybody looks back."""
    purged = purge.purge_counters(work.database, work.now, work.pause, work.report)
    if purged.whole:
        with work.database.transaction() as connection:
            mark(connection, COUNTERS, [due_day(work.now)], work.now)
    return f"Purged {_many(purged.rows, 'counter')} older than {purge.COUNTER_DAYS} days." if purged.rows else ""


def destroy_salts(work: Work) -> str:
    """Destroys the salts of earlier days that no open visit needs."""
    destroyed = salts.destroy_old(work.database, store.all_sites(work.database), work.now)
    if destroyed.salts:
        work.database.scrub_deleted()
    return f"Destroyed {_many(destroyed.salts, 'old salt')}." if destroyed.salts else ""


def _many(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


JOBS: Sequence[Callable[[Work], str]] = (
    count_usage,
    count_concurrents,
    purge_heartbeats,
    purge_counters,
    destroy_salts,
)


def missing(database: Database, end: date) -> set[date]:
    """The days before `end` of which something has to be counted from heartbeats."""
    return {*daily_usage.missing(database, end), *minute_store.missing(database, end)}


def count_again(connection: Connection, moments: Sequence[int], now: int) -> None:
    """Has the days of these moments (epoch s) counted once more where they are over: beats of then have come late, in
    this very transaction.
    """
    if days := late_days(moments, now):
        mark(connection, daily_usage.JOB, days, AGAIN)
        # who came in the last minutes of a day is still there in the first ones of the next
        mark(connection, minute_store.JOB, late_days([*moments, *(at + HOUR for at in moments)], now), AGAIN)


def due(database: Database, now: int) -> bool:
    """Whether there is work that was due by now: at 01:00 UTC, or earlier and missed."""
    day = due_day(now)
    purged = all(done_days(database, name, day) for name in (PURGE, COUNTERS))
    return not purged or bool(missing(database, day))


def run(work: Work) -> list[str]:
    """Does the day's work and says what was done, a line each, none for nothing. Waits where another is at it."""
    while True:
        with work.database.daily_work_lock() as alone:
            if alone:
                return [said for job in JOBS if (said := job(work))]
        work.report("another process is at it")
        if work.pause(LOOK_S):
            return []


def run_if_due(work: Work) -> list[str]:
    """Does the day's work where it is due and nobody else is at it."""
    if not due(work.database, work.now):
        return []
    with work.database.daily_work_lock() as alone:
        if not alone or not due(work.database, work.now):
            return []
        return [said for job in JOBS if (said := job(work))]
