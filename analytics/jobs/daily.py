"""The day's work: the daily jobs in their order, done by one of the processes that share a database.

It is due at 01:00 UTC; missed work is done later. Each job may be killed anywhere and run again.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import date
from typing import NamedTuple

from sqlalchemy import Connection

from analytics.base.background import Pause, Report
from analytics.calendar.days import HOUR, day_of, due_day, late_days
from analytics.jobs import daily_usage, purge
from analytics.live import minute_store
from analytics.query.result import Usage
from analytics.sites import salt_store, store
from analytics.storage.database import Database
from analytics.storage.job_state import AGAIN, done_days, mark

PURGE, COUNTERS, SAMPLES = "purge", "purge counters", "purge samples"
LOOK_S = 0.2  # how often to check whether another process has finished


class Work(NamedTuple):
    """What the jobs work with."""

    database: Database
    now: int  # epoch s
    retention_days: int  # of heartbeats, for sites without a setting of their own
    pause: Pause
    report: Report
    window_s: int = 60  # how long after a beat a person is active
    sample_days: int = 7  # how long samples of metrics are kept


def count_usage(work: Work) -> str:
    """Counts the people of every past day that is not counted yet."""
    return _counted(_count_days(work, daily_usage.missing(work.database, day_of(work.now))))


def _count_days(work: Work, days: Iterable[date]) -> dict[date, list[Usage]]:
    kept = purge.cutoffs(work.database, work.now, work.retention_days)
    counted: dict[date, list[Usage]] = {}
    for day in days:
        work.report(f"counting the people of {day}")
        found = daily_usage.count_day(
            work.database, day, work.now, lambda site_id: kept.get(site_id, work.now), work.pause
        )
        if found is not None:
            counted[day] = found
        if work.pause(0):
            break
    return counted


def _counted(counted: dict[date, list[Usage]]) -> str:
    if not counted:
        return ""
    people = sum(one.people for found in counted.values() for one in found)
    each = "" if len(counted) == 1 else ", each day for itself"
    return f"Counted the people of {_days(counted)}: {people:,}{each}."


def count_minutes(work: Work) -> str:
    """Counts the people at every minute of each past day that is not counted yet."""
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
    """Deletes heartbeats that are past their retention, if their days are counted."""
    uncounted = min(missing(work.database, day_of(work.now)), default=None)
    purged = purge.purge(work.database, work.now, work.retention_days, uncounted, work.pause, work.report)
    if purged.whole and uncounted is None:
        with work.database.transaction() as connection:
            mark(connection, PURGE, [due_day(work.now)], work.now)
    return f"Purged {_many(purged.rows, 'heartbeat')} past their retention." if purged.rows else ""


def purge_counters(work: Work) -> str:
    """Deletes counters older than `MAX_COUNTER_DAYS`."""
    purged = purge.purge_counters(work.database, work.now, work.pause, work.report)
    if purged.whole:
        with work.database.transaction() as connection:
            mark(connection, COUNTERS, [due_day(work.now)], work.now)
    return f"Purged {_many(purged.rows, 'counter')} older than {purge.MAX_COUNTER_DAYS} days." if purged.rows else ""


def purge_samples(work: Work) -> str:
    """Deletes samples of metrics that are past their retention, and what was made of older ones."""
    purged = purge.purge_samples(work.database, work.now, work.sample_days, work.pause, work.report)
    if purged.whole:
        with work.database.transaction() as connection:
            mark(connection, SAMPLES, [due_day(work.now)], work.now)
    return f"Purged {_many(purged.rows, 'row')} of samples past their retention." if purged.rows else ""


def destroy_salts(work: Work) -> str:
    """Destroys the salts of earlier days that no open visit needs."""
    destroyed = salt_store.destroy_old(work.database, store.all_sites(work.database), work.now)
    if destroyed.salts:
        work.database.scrub_deleted()
    return f"Destroyed {_many(destroyed.salts, 'old salt')}." if destroyed.salts else ""


def _many(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


JOBS: Sequence[Callable[[Work], str]] = (
    count_usage,
    count_minutes,
    purge_heartbeats,
    purge_counters,
    purge_samples,
    destroy_salts,
)


def missing(database: Database, end: date) -> set[date]:
    """The days before `end` whose heartbeats still have to be counted."""
    return {*daily_usage.missing(database, end), *minute_store.missing(database, end)}


def count_again(connection: Connection, moments: Sequence[int], now: int) -> None:
    """Makes the past days of these moments (epoch s) be counted again; call it in the transaction of the late beats."""
    if days := late_days(moments, now):
        mark(connection, daily_usage.JOB, days, AGAIN)
        # a beat in the last minutes of a day counts in the first minutes of the next day too
        mark(connection, minute_store.JOB, late_days([*moments, *(at + HOUR for at in moments)], now), AGAIN)


def due(database: Database, now: int) -> bool:
    """Whether work is due: since 01:00 UTC, or missed earlier."""
    day = due_day(now)
    purged = all(done_days(database, name, day) for name in (PURGE, COUNTERS, SAMPLES))
    return not purged or bool(missing(database, day))


def run(work: Work) -> list[str]:
    """Does the day's work and returns a line for each job that did something. Waits for another process at work."""
    while True:
        with work.database.daily_work_lock() as locked:
            if locked:
                return [line for job in JOBS if (line := job(work))]
        work.report("another process is at it")
        if work.pause(LOOK_S):
            return []


def count_imported_days(work: Work) -> None:
    """Counts the people of past days that an import has changed, unless another process does the day's work."""
    with work.database.daily_work_lock() as locked:
        if locked:
            _count_days(work, sorted(daily_usage.unfinished(work.database, day_of(work.now))))


def run_if_due(work: Work) -> list[str]:
    """Does the day's work if it is due and no other process does it; returns lines as `run`."""
    if not due(work.database, work.now):
        return []
    with work.database.daily_work_lock() as locked:
        if not locked or not due(work.database, work.now):
            return []
        return [line for job in JOBS if (line := job(work))]
