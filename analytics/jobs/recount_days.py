"""Recounts stored days: the daily usage from heartbeats and imported pageviews, the minutes from heartbeats."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from itertools import chain
from math import inf
from typing import Any

from sqlalchemy import select

from analytics.calendar import minute_series
from analytics.calendar.days import start_of
from analytics.jobs import daily_usage as usage
from analytics.jobs.recount_types import RecountContext, WrongRow, domain_name
from analytics.live import minute_store
from analytics.storage import schema
from analytics.storage.job_state import BEGUN


class Days:
    """Compares the stored counts of past days with what they were counted from."""

    def __init__(self, context: RecountContext, domains: dict[int, str], since: dict[int, float]) -> None:
        self._context, self._domains, self._since = context, domains, since
        with context.database.read() as connection:
            demo = select(schema.sites.c.id).where(schema.sites.c.demo)
            self._demo = set(connection.execute(demo).scalars())  # their simulated past has no heartbeats

    def usage(self) -> Iterator[WrongRow]:
        """The wrong rows of daily usage."""
        kept = self._stored(schema.daily_usage)
        yield from self._never_counted(schema.daily_usage, usage.JOB, kept)
        for site_id, day in chain(self._countable(usage.JOB, 0, kept), self._imported(kept)):
            right = usage.count(self._context.database, site_id, day)
            stored = kept.get((site_id, day.isoformat()), (0, 0, 0))
            if tuple(stored) != right[2:] and self._still_done(usage.JOB, day):
                ours = f"{stored[0]} people ({stored[1]} signed in, {stored[2]} anonymous)"
                theirs = f"{right.people} ({right.signed_in}, {right.anonymous}) by its rows"
                yield self._row(
                    "daily_usage", site_id, day, f"{ours}, {theirs}", right._asdict() if right.people else None
                )

    def minutes(self) -> Iterator[WrongRow]:
        """The wrong rows of stored minutes."""
        kept = self._stored(schema.concurrents)
        yield from self._never_counted(schema.concurrents, minute_store.JOB, kept)
        for site_id, day in self._countable(minute_store.JOB, self._context.window_s, kept):
            counted = minute_store.count(
                self._context.database, site_id, day, self._context.window_s, self._context.pause
            )
            packed = kept.get((site_id, day.isoformat()))
            stored = minute_series.unpack(packed[0] if packed else minute_series.NOBODY)
            if counted is None:
                return
            # minutes before a site's first heartbeat are stored as unknown
            right = [
                ours if ours == minute_series.UNKNOWN else true for ours, true in zip(stored, counted, strict=True)
            ]
            wrong = sum(ours != true for ours, true in zip(stored, right, strict=True))
            if wrong and self._still_done(minute_store.JOB, day):
                row = {"site_id": site_id, "day": day.isoformat(), "people": minute_series.pack(right)}
                yield self._row(
                    "concurrents", site_id, day, f"{wrong} minutes are not as its heartbeats have them", row
                )

    def _stored(self, table: Any) -> dict[tuple[int, str], tuple[Any, ...]]:
        with self._context.database.read() as connection:
            return {(row[0], row[1]): tuple(row[2:]) for row in connection.execute(select(table))}

    def _counted(self, job: str) -> dict[str, int]:
        """`done_at` of the job, by day."""
        table = schema.jobs
        with self._context.database.read() as connection:
            return {day: at for _, day, at in connection.execute(select(table).where(table.c.name == job))}

    def _never_counted(self, table: Any, job: str, kept: dict[tuple[int, str], Any]) -> Iterator[WrongRow]:
        """Rows of days that no job counted, or of unknown sites."""
        days = self._counted(job)
        for site_id, day in sorted(kept):
            if site_id not in self._domains or (day not in days and site_id not in self._demo):
                where = f"{table.name} of {domain_name(self._domains, site_id)} on {day}"
                yield WrongRow(site_id, day, f"{where}: that day was never counted", None)

    def _countable(self, job: str, window_s: int, kept: dict[tuple[int, str], Any]) -> Iterator[tuple[int, date]]:
        """Sites and days that are counted and have all their heartbeats."""
        done = sorted(date.fromisoformat(day) for day, at in self._counted(job).items() if at > BEGUN)
        for day in done:
            for site_id, since in self._since.items():
                is_complete = since + window_s <= start_of(day) and (site_id not in self._demo or since > -inf)
                if is_complete and (self._has_beats(site_id, day, window_s) or (site_id, day.isoformat()) in kept):
                    self._context.report(f"counting {day} of {self._domains[site_id]} again")
                    yield site_id, day
                if self._context.pause(0):
                    return

    def _imported(self, kept: dict[tuple[int, str], Any]) -> Iterator[tuple[int, date]]:
        """Sites and days without complete heartbeats whose rows were all imported, so that none is purged."""
        done = self._counted(usage.JOB)
        for site_id, name in sorted(kept):
            day = date.fromisoformat(name)
            is_earlier = start_of(day) < self._since.get(site_id, -inf) and done.get(name, BEGUN) > BEGUN
            if is_earlier and not usage.was_live(self._context.database, site_id, day):
                yield site_id, day

    def _has_beats(self, site_id: int, day: date, window_s: int) -> bool:
        beats = schema.heartbeats.c
        begin, end = start_of(day) - window_s, start_of(day + timedelta(days=1))
        some = select(beats.id).where(beats.site_id == site_id, *usage.within(begin, end)).limit(1)
        with self._context.database.read() as connection:
            return connection.execute(some).first() is not None

    def _still_done(self, job: str, day: date) -> bool:
        """Whether no late beat has come since the job was done."""
        return self._counted(job).get(day.isoformat(), BEGUN) > BEGUN

    def _row(self, table: str, site_id: int, day: date, said: str, right: dict[str, Any] | None) -> WrongRow:
        where = f"{table} of {domain_name(self._domains, site_id)} on {day}"
        return WrongRow(site_id, day.isoformat(), f"{where}: {said}", right)
