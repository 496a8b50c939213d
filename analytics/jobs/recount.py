"""Derived numbers of the database counted again from raw rows, as far back as these last, and mended where wanted.

Heartbeats are purged from the oldest on. A site's numbers can be recounted from its first heartbeat that is left, and
only within the retention: what comes later, of long ago, may be alone there. What is older stays as it is.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from math import inf
from typing import Any, NamedTuple

from sqlalchemy import Connection, delete, func, select

from analytics.base.background import Pause, Report
from analytics.base.ids import came_live, time_ms
from analytics.calendar import minute_series
from analytics.calendar.days import start_of
from analytics.jobs import daily_usage as usage
from analytics.jobs import recount_visits
from analytics.jobs.recount_visits import WrongVisit
from analytics.live import minute_store
from analytics.query.stats import Ask
from analytics.storage import schema
from analytics.storage.database import Database
from analytics.storage.job_state import BEGUN
from analytics.storage.upsert import upsert

HOUR = 3600
MAX_REPAIRS = 100_000  # of a kind, at once


class RecountContext(NamedTuple):
    """What it works with; `window_s` is how long after a beat somebody is active, `kept` says by site the first second
    (epoch) whose heartbeats are not purged.
    """

    database: Database
    window_s: int
    kept: Mapping[int, int]
    pause: Pause
    report: Report


class WrongRow(NamedTuple):
    """A row of a table of counts; `right` has its columns as they should be, None where there should be none."""

    site_id: int
    key: str | int  # its day, or its hour
    said: str
    right: dict[str, Any] | None


class Recount(NamedTuple):
    """What differs, by kind; `lost` are lines of what cannot be mended, `domains` has every site's by its number."""

    visits: list[WrongVisit]
    usage: list[WrongRow]
    minutes: list[WrongRow]
    outcomes: list[WrongRow]
    lost: list[str]
    domains: dict[int, str]

    def lines(self) -> Iterator[str]:
        """Each difference in a line."""
        for visit in self.visits:
            for name, stored in visit.stored.items():
                right = "" if visit.right[name] is None else f", {visit.right[name]} by its rows"
                yield f"visits of {_domain(self.domains, visit.site_id)}: visit {visit.id} has {name} {stored}{right}"
        for rows in (self.usage, self.minutes, self.outcomes):
            yield from (row.said for row in rows)
        yield from self.lost


def recount(means: RecountContext, ask: Ask, most: int) -> Recount:
    """Counts again and compares, at most so many of each kind; `ask` answers questions about visits and their facts."""
    sites = schema.sites.c
    with means.database.read() as connection:
        domains = {row.id: row.domain for row in connection.execute(select(sites.id, sites.domain))}
    means.report("counting visits again")
    found = recount_visits.wrong(ask, most)
    lost = [
        f"{table} of {_domain(domains, site_id)}: {rows:,} rows have no visit, or one of another visitor"
        for table, site_id, rows in recount_visits.orphans(ask)
    ]
    with means.database.snapshot() as connection:
        since = {site_id: max(kept, _complete_since(connection, site_id)) for site_id, kept in means.kept.items()}
        found += recount_visits.unseen(connection, most)
        means.report("counting outcomes again")
        outcomes = list(islice(_outcomes_apart(connection, domains, since), most))
        lost += islice(_robots_apart(connection, domains), most)
    days = _Days(means, domains, since)
    return Recount(found, list(islice(days.usage(), most)), list(islice(days.minutes(), most)), outcomes, lost, domains)


def mend(means: RecountContext, found: Recount) -> list[str]:
    """Sets right what can be, each kind in one transaction; what was done, in lines."""
    done = []
    if found.visits:
        done.append(f"visits: {recount_visits.mend(means.database, found.visits):,}")
    tables = (schema.daily_usage, found.usage), (schema.concurrents, found.minutes), (schema.outcomes, found.outcomes)
    for table, rows in tables:
        if rows:
            with means.database.transaction() as connection:
                _mend_rows(connection, table, rows)
            done.append(f"{table.name}: {len(rows):,}")
    return done


def _mend_rows(connection: Connection, table: Any, rows: Sequence[WrongRow]) -> None:
    for row in rows:
        if row.right is None:
            key = table.c.day if "day" in table.c else table.c.hour
            connection.execute(delete(table).where(table.c.site_id == row.site_id, key == row.key, *_stored_of(table)))
    upsert(connection, table, [row.right for row in rows if row.right is not None], overwrite=True)


def _stored_of(table: Any) -> Sequence[Any]:
    return _stored(table.c) if table is schema.outcomes else ()


def _complete_since(connection: Connection, site_id: int) -> float:
    """The second (epoch) from which on all heartbeats of the site are there: -inf where none was ever purged, inf where
    none is left.
    """
    beats, visits = schema.heartbeats.c, schema.visits.c
    oldest = connection.execute(select(func.min(beats.id)).where(beats.site_id == site_id)).scalar()
    live = visits.site_id == site_id, came_live(visits.id)
    first = connection.execute(select(visits.id).where(*live).order_by(visits.id).limit(1)).scalar()
    if first is None:
        return -inf
    if oldest is None:
        return inf
    return -inf if time_ms(oldest) <= time_ms(first) else time_ms(oldest) // 1000 + 1


# ── by day ───────────────────────────────────────────────────────────────────────────────────────────────────────────


class _Days:
    """What is kept of the days that are over, compared with their heartbeats."""

    def __init__(self, means: RecountContext, domains: dict[int, str], since: dict[int, float]) -> None:
        self._means, self._domains, self._since = means, domains, since
        with means.database.read() as connection:
            demo = select(schema.sites.c.id).where(schema.sites.c.demo)
            self._demo = set(connection.execute(demo).scalars())  # its past has no heartbeats

    def usage(self) -> Iterator[WrongRow]:
        """Rows of daily usage that are wrong."""
        kept = self._kept(schema.daily_usage)
        yield from self._never_counted(schema.daily_usage, usage.JOB, kept)
        for site_id, day in self._tellable(usage.JOB, 0, kept):
            right = usage.count(self._means.database, site_id, day)
            stored = kept.get((site_id, day.isoformat()), (0, 0, 0))
            if tuple(stored) != right[2:] and self._still_done(usage.JOB, day):
                said = f"{stored[0]} people ({stored[1]} signed in, {stored[2]} anonymous)"
                truth = f"{right.people} ({right.signed_in}, {right.anonymous}) by its heartbeats"
                yield self._row(
                    "daily_usage", site_id, day, f"{said}, {truth}", right._asdict() if right.people else None
                )

    def minutes(self) -> Iterator[WrongRow]:
        """Kept minutes that are wrong."""
        kept = self._kept(schema.concurrents)
        yield from self._never_counted(schema.concurrents, minute_store.JOB, kept)
        for site_id, day in self._tellable(minute_store.JOB, self._means.window_s, kept):
            counted = minute_store.count(self._means.database, site_id, day, self._means.window_s, self._means.pause)
            packed = kept.get((site_id, day.isoformat()))
            stored = minute_series.unpack(packed[0] if packed else minute_series.NOBODY)
            if counted is None:
                return
            # minutes before a site's first heartbeat are kept as unknown
            right = [
                ours if ours == minute_series.UNKNOWN else true for ours, true in zip(stored, counted, strict=True)
            ]
            wrong = sum(ours != true for ours, true in zip(stored, right, strict=True))
            if wrong and self._still_done(minute_store.JOB, day):
                row = {"site_id": site_id, "day": day.isoformat(), "people": minute_series.pack(right)}
                yield self._row(
                    "concurrents", site_id, day, f"{wrong} minutes are not as its heartbeats have them", row
                )

    def _kept(self, table: Any) -> dict[tuple[int, str], tuple[Any, ...]]:
        with self._means.database.read() as connection:
            return {(row[0], row[1]): tuple(row[2:]) for row in connection.execute(select(table))}

    def _counted(self, job: str) -> dict[str, int]:
        """By day that was ever counted when it was, or that it is to be counted again."""
        table = schema.jobs
        with self._means.database.read() as connection:
            return {day: at for _, day, at in connection.execute(select(table).where(table.c.name == job))}

    def _never_counted(self, table: Any, job: str, kept: dict[tuple[int, str], Any]) -> Iterator[WrongRow]:
        """Rows of days that no job has counted, or of a site that is none."""
        days = self._counted(job)
        for site_id, day in sorted(kept):
            if site_id not in self._domains or (day not in days and site_id not in self._demo):
                where = f"{table.name} of {_domain(self._domains, site_id)} on {day}"
                yield WrongRow(site_id, day, f"{where}: that day was never counted", None)

    def _tellable(self, job: str, window_s: int, kept: dict[tuple[int, str], Any]) -> Iterator[tuple[int, date]]:
        """Sites and days that are counted, and whose heartbeats are all there."""
        done = sorted(date.fromisoformat(day) for day, at in self._counted(job).items() if at > BEGUN)
        for day in done:
            for site_id, since in self._since.items():
                told = since + window_s <= start_of(day) and (site_id not in self._demo or since > -inf)
                if told and (self._has_beats(site_id, day, window_s) or (site_id, day.isoformat()) in kept):
                    self._means.report(f"counting {day} of {self._domains[site_id]} again")
                    yield site_id, day
                if self._means.pause(0):
                    return

    def _has_beats(self, site_id: int, day: date, window_s: int) -> bool:
        beats = schema.heartbeats.c
        begin, end = start_of(day) - window_s, start_of(day + timedelta(days=1))
        some = select(beats.id).where(beats.site_id == site_id, *usage.within(begin, end)).limit(1)
        with self._means.database.read() as connection:
            return connection.execute(some).first() is not None

    def _still_done(self, job: str, day: date) -> bool:
        """Whether nobody has come late meanwhile."""
        return self._counted(job).get(day.isoformat(), BEGUN) > BEGUN

    def _row(self, table: str, site_id: int, day: date, said: str, right: dict[str, Any] | None) -> WrongRow:
        where = f"{table} of {_domain(self._domains, site_id)} on {day}"
        return WrongRow(site_id, day.isoformat(), f"{where}: {said}", right)


# ── by hour ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def _outcomes_apart(connection: Connection, domains: dict[int, str], since: dict[int, float]) -> Iterator[WrongRow]:
    """What was stored in each hour: a heartbeat each, as long as those last. What came after a leave left none, and is
    counted under a reason of its own.
    """
    table, beats = schema.outcomes.c, schema.heartbeats.c
    hour = (beats.at - beats.at % HOUR).label("hour")
    counted = select(beats.site_id, hour, func.count()).group_by(beats.site_id, hour)
    right = {(site_id, int(at)): many for site_id, at, many in connection.execute(counted)}
    asked = select(table.site_id, table.hour, func.sum(table.count)).where(*_stored(table))
    stored = {(row[0], row[1]): int(row[2]) for row in connection.execute(asked.group_by(table.site_id, table.hour))}
    for site_id, at in sorted(stored.keys() | right.keys()):
        ours, theirs = stored.get((site_id, at), 0), right.get((site_id, at), 0)
        if ours != theirs and since.get(site_id, inf if site_id else -inf) <= at:
            said = f"outcomes of {_domain(domains, site_id)} at {_hour(at)}: {ours} stored, {theirs} by its heartbeats"
            row = {"site_id": site_id, "hour": at, "outcome": "stored", "reason": "", "count": theirs}
            yield WrongRow(site_id, at, said, row if theirs else None)


def _stored(outcomes: Any) -> tuple[Any, Any]:
    return outcomes.outcome == "stored", outcomes.reason == ""


def _robots_apart(connection: Connection, domains: dict[int, str]) -> Iterator[str]:
    """Robots of each hour, counted by name and in all."""
    names, table = schema.robots.c, schema.outcomes.c
    by_name = select(names.site_id, names.hour, func.sum(names.count)).group_by(names.site_id, names.hour)
    right = {(row[0], row[1]): int(row[2]) for row in connection.execute(by_name)}
    begun = min((at for _, at in right), default=None)
    if begun is None:
        return
    bots = table.outcome == "filtered", table.reason == "bot", table.hour > begun
    stored = {
        (row[0], row[1]): row[2]
        for row in connection.execute(select(table.site_id, table.hour, table.count).where(*bots))
    }
    for site_id, at in sorted(stored.keys() | {key for key in right if key[1] > begun}):
        ours, theirs = stored.get((site_id, at), 0), right.get((site_id, at), 0)
        if ours != theirs:
            where = f"robots of {_domain(domains, site_id)} at {_hour(at)}"
            yield f"{where}: {ours} in all, {theirs} by name; it cannot be told which of the two is wrong"


def _domain(domains: dict[int, str], site_id: int) -> str:
    return domains.get(site_id, f"the removed site {site_id}" if site_id else "no site")


def _hour(at: int) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M")
