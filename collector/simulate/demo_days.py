"""The past of the demo: the visits that ended before it began, written straight into the tables.

Today has its heartbeats, so that Live, the counters of today and the day's work know it. Of the ten weeks before, whose
visitors are long gone, there are no heartbeats; daily usage and the minutes are counted here.
"""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from datetime import date, timedelta
from functools import cache
from itertools import accumulate, count, pairwise
from random import Random
from typing import Any, NamedTuple

import msgspec
from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from analytics.base.background import Pause
from analytics.base.error_log import describe
from analytics.base.ids import LOW_BITS
from analytics.calendar import minute_series
from analytics.calendar.days import HOUR, day_of, days_between, start_of
from analytics.calendar.minute_series import MINUTE, MINUTES
from analytics.live.beat import PageState
from analytics.query.result import Usage
from analytics.storage import changes, schema
from analytics.storage.database import Database
from analytics.storage.upsert import upsert
from collector.ingest import device, page_url, source
from collector.ingest.geo import Places
from collector.ingest.pipeline import STATES as PAGE_STATES
from collector.ingest.pipeline import tab_of, visitor_of
from collector.ingest.visit import Origin, Visit, with_beat, with_event, with_pageview, with_user
from collector.simulate.behaviour import PlannedPage, PlannedVisit, signs_up
from collector.simulate.client import EventBody
from collector.simulate.demo import STATE_WEIGHTS, STATES
from collector.simulate.people import DEMO_DOMAIN, Visitor, random_for, url_of
from collector.simulate.schedule import beat_times
from collector.simulate.traffic import SimulatedTraffic
from collector.store.statements import ADD_OUTCOMES, RowValues, Tables

log = logging.getLogger("footfall.demo")

BATCH = 400  # visits in one transaction, for which real visitors wait


class DemoSite(NamedTuple):
    """The demo site, with what finds the places of its visitors."""

    database: Database
    id: int
    places: Places


class DemoRows(NamedTuple):
    """Rows of the facts, and heartbeats."""

    visits: list[Visit]
    pageviews: list[RowValues]
    events: list[RowValues]
    heartbeats: list[RowValues]


def write_today(site: DemoSite, traffic: SimulatedTraffic, salt: bytes) -> None:
    """Writes today's visits that have ended by now, with today's `salt`: who comes again is the same visitor.

    Call it before a server counts the site's day, which it does once.
    """
    begin = start_of(traffic.today)
    days = [traffic.today - timedelta(days=1), *days_between(traffic.today, day_of(traffic.now) + timedelta(days=1))]
    visits = [visit for day in days for visit in traffic.visits(day) if begin < visit.end <= traffic.now]
    maker = _RowMaker(site, traffic.today, salt, random_for(traffic.seed, "today"), beats_since=begin)
    for some in _batches(visits):
        _store(site, maker.rows(some))


def write_days(site: DemoSite, traffic: SimulatedTraffic, pause: Pause) -> None:
    """Writes the ten weeks before today, the latest day first.

    Pauses after each transaction for as long as that took; ends if `pause` says so or the site is removed. If the
    database fails, logs a warning and leaves out the earlier days.
    """
    begin = start_of(traffic.today)
    try:
        for day, visits, earlier in _latest_first(traffic):
            chance = random_for(traffic.seed, traffic.now, day, "rows")
            maker = _RowMaker(site, day, chance.randbytes(16), chance)
            over = [visit for visit in visits if visit.end <= begin]  # the others are among those of today
            there = [*(visit for visit in earlier if visit.end > start_of(day)), *visits]
            for number, some in enumerate(_batches(over)):
                started = time.monotonic()
                counts = None if number else _DayCounts(day, there)
                if not _store(site, maker.rows(some), counts) or pause(time.monotonic() - started):
                    return
    except SQLAlchemyError as failed:
        log.warning("the demo's earlier days are incomplete: %s", describe(failed))


def _batches(visits: Sequence[PlannedVisit]) -> Iterator[Sequence[PlannedVisit]]:
    return (visits[start : start + BATCH] for start in range(0, len(visits), BATCH))


def _latest_first(traffic: SimulatedTraffic) -> Iterator[tuple[date, list[PlannedVisit], list[PlannedVisit]]]:
    """Each day before today with its visits and those of the day before."""
    days = traffic.earlier_days()[::-1]
    planned = (traffic.visits(day) for day in (*days, days[-1] - timedelta(days=1)))
    for day, (visits, earlier) in zip(days, pairwise(planned), strict=True):
        yield day, visits, earlier


class _Beat(NamedTuple):
    """A beat of a page at that moment (epoch s)."""

    id: int
    at: float
    state: PageState


class _RowMaker:
    """Makes the rows of visits. The ids of neighbouring days differ, since visits last beyond midnight.

    There are heartbeats from `beats_since` (epoch s) on; None: none at all.
    """

    def __init__(self, site: DemoSite, day: date, salt: bytes, chance: Random, beats_since: int | None = None) -> None:
        self._site, self._salt, self._chance, self._beats_since = site, salt, chance, beats_since
        self._low_bits = count((day.toordinal() % 2) << (LOW_BITS - 1))

    def rows(self, visits: Iterable[PlannedVisit]) -> DemoRows:
        """The rows of these visits."""
        rows = DemoRows([], [], [], [])
        for planned in visits:
            visit = self._begin(planned)
            for number, page in enumerate(planned.pages):
                is_last = number == len(planned.pages) - 1
                visit = self._add_page(rows, visit, planned.visitor, page, leaves=planned.leaves or not is_last)
            rows.visits.append(visit)
        return rows

    def _begin(self, planned: PlannedVisit) -> Visit:
        visitor, at = planned.visitor, int(planned.begin)
        number = visitor_of(self._salt, self._site.id, visitor.address, visitor.user_agent)
        entry = path_of(visitor.entry)
        visit = Visit(
            *(self._site.id, self._id(planned.begin), number, None, "", at, at, at, 0, 0, entry, entry),
            origin_of(visitor, self._site.places),
        )
        return _signed_in(visit, visitor) if visitor.signed_in else visit

    def _add_page(self, rows: DemoRows, visit: Visit, visitor: Visitor, page: PlannedPage, *, leaves: bool) -> Visit:
        """Adds the rows of a page, and returns the visit with it."""
        path, at, stay = path_of(page.path), int(page.opened), page.closed - page.opened
        first_id = visit.id if visit.pageviews == 0 else self._id(page.opened)
        view = {**_columns(visit, first_id, at, path), "title": "", **page.reading.totals(stay, stay)}
        rows.pageviews.append(view)
        beats = [_Beat(first_id, page.opened, PageState.ACTIVE)]
        visit = with_pageview(visit, at, path)
        if page.action:
            row_id, at, fields = self._id(page.action.at), int(page.action.at), page.action.fields
            visit = with_event(_signed_in(visit, visitor) if signs_up(fields) else visit, at)
            rows.events.append({**_columns(visit, row_id, at, path), **_details(fields)})
            beats.append(_Beat(row_id, page.action.at, PageState.ACTIVE))
        last_beat = page.closed if leaves else max(beat_times(page.opened, page.closed), default=page.opened)
        visit = with_beat(visit, int(last_beat))
        if self._beats_since is not None:
            beats += self._heartbeats(page, leaves=leaves)
            tab = tab_of(view["page_id"])
            kept = [one for one in beats if one.at >= self._beats_since]
            rows.heartbeats.extend(_beat_row(visit, one, tab, path) for one in kept)
        return visit

    def _heartbeats(self, page: PlannedPage, *, leaves: bool) -> Iterator[_Beat]:
        """The heartbeats of a page, and its leave."""
        for at in beat_times(page.opened, page.closed):
            state = PAGE_STATES[self._chance.choices(STATES, STATE_WEIGHTS)[0]]
            yield _Beat(self._id(at), at, state)
        if leaves:
            yield _Beat(self._id(page.closed), page.closed, PageState.LEFT)

    def _id(self, at: float) -> int:
        """A new row id of that moment."""
        return int(at * 1000) << LOW_BITS | next(self._low_bits)


@cache
def path_of(path: str) -> str:
    """The path of a page of the demo as the collector stores it."""
    page = page_url.read(url_of(path))
    assert page is not None
    return page.path


@cache
def origin_of(visitor: Visitor, places: Places) -> Origin:
    """The origin of a visit of that visitor, as the collector finds it."""
    page = page_url.read(url_of(visitor.entry))
    assert page is not None
    return Origin(
        host=DEMO_DOMAIN,
        **source.classify(page, visitor.referrer)._asdict(),
        **places.find(visitor.address)._asdict(),
        **device.read(visitor.user_agent)._asdict(),
        screen="x".join(map(str, visitor.screen)),
        language=visitor.language,
    )


def _columns(visit: Visit, row_id: int, at: int, path: str) -> dict[str, Any]:
    """The columns that pageviews and events share."""
    return {
        "site_id": visit.site_id,
        "id": row_id,
        "page_id": f"{row_id:016x}",
        "at": at,
        "visit_id": visit.id,
        "visitor": visit.visitor,
        "user_id": visit.user_id,
        "host": DEMO_DOMAIN,
        "path": path,
    }


def _beat_row(visit: Visit, beat: _Beat, tab: int, path: str) -> RowValues:
    return {
        "site_id": visit.site_id,
        "id": beat.id,
        "at": int(beat.at),
        "visit_id": visit.id,
        "visitor": visit.visitor,
        "tab": tab,
        "user_id": visit.user_id,
        "user_type": visit.user_type,
        "state": int(beat.state),
        "path": path,
    }


def _signed_in(visit: Visit, visitor: Visitor) -> Visit:
    return with_user(visit, visitor.user_id, visitor.user_type)


def _details(fields: EventBody) -> RowValues:
    """The columns that only events have."""
    return {
        "name": fields["name"],
        "props": msgspec.json.encode(fields.get("props", {})).decode(),
        "value": fields.get("value"),
        "currency": fields.get("currency", ""),
        "description": fields["description"],
        "user_name": fields.get("user_name", ""),
        "interactive": True,
    }


class _DayCounts(NamedTuple):
    """The counts of a UTC day on which these visits were there, as the day's work counts them from heartbeats."""

    day: date
    visits: Sequence[PlannedVisit]

    def write(self, connection: Connection, site_id: int) -> None:
        """Writes the counts of the day, unless they are there."""
        minutes = {"site_id": site_id, "day": self.day.isoformat(), "people": minute_series.pack(self.minutes())}
        upsert(connection, schema.daily_usage, [self.usage(site_id)._asdict()], overwrite=False)
        upsert(connection, schema.concurrents, [minutes], overwrite=False)

    def usage(self, site_id: int) -> Usage:
        """How many people there were."""
        users = {visit.visitor.user_id for visit in self.visits if visit.signed_in}
        browsers = {(visit.visitor.address, visit.visitor.user_agent): False for visit in self.visits}
        for visit in self.visits:
            browsers[visit.visitor.address, visit.visitor.user_agent] |= visit.signed_in
        anonymous = sum(not signed_in for signed_in in browsers.values())
        return Usage(site_id, self.day.isoformat(), len(users) + anonymous, len(users), anonymous)

    def minutes(self) -> Sequence[int]:
        """How many people there were at each minute."""
        begin, changed = start_of(self.day), [0] * (MINUTES + 1)
        for visit in self.visits:
            for moment, change in ((visit.begin, 1), (visit.end, -1)):
                changed[min(MINUTES, max(0, -int(-(moment - begin) // MINUTE)))] += change
        return list(accumulate(changed[:MINUTES]))


def _store(site: DemoSite, rows: DemoRows, counts: _DayCounts | None = None) -> bool:
    """Writes rows in one transaction, and the counts of their day. False, without writing, if the site was removed."""
    with site.database.transaction() as connection:
        tables = Tables(connection)
        tables.lock_sites({site.id})
        if not tables.existing_sites({site.id}):
            return False
        tables.write_visits(rows.visits)
        tables.insert("pageviews", rows.pageviews)
        tables.insert("events", rows.events)
        tables.insert("heartbeats", rows.heartbeats)
        tables.insert("outcomes", _outcomes(site.id, rows.heartbeats), ADD_OUTCOMES)
        if counts:
            counts.write(connection, site.id)
        _record_change(connection, site.id, rows)
    return True


def _outcomes(site_id: int, heartbeats: Sequence[RowValues]) -> list[RowValues]:
    """How many events were stored in each hour: each has a heartbeat."""
    hours = Counter(beat["at"] // HOUR * HOUR for beat in heartbeats)
    return [
        {"site_id": site_id, "hour": hour, "outcome": "stored", "reason": "", "count": number}
        for hour, number in hours.items()
    ]


def _record_change(connection: Connection, site_id: int, rows: DemoRows) -> None:
    ids = {"pageviews": [row["id"] for row in rows.pageviews], "events": [row["id"] for row in rows.events]}
    changes.record(connection, site_id, visits=[visit.id for visit in rows.visits], **ids)
