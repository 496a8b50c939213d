"""The days before the demo's past hour: simulated visits, by seed, written straight into the tables.

They are whole UTC days, and end before the day in which the past hour begins, so presence and today's figures do not
need them. Their visitors are no longer present, so there are no heartbeats; daily usage is counted here.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from datetime import date, timedelta
from random import Random
from typing import NamedTuple

import msgspec
from msgspec.structs import replace
from sqlalchemy import Connection
from sqlalchemy.exc import SQLAlchemyError

from analytics.base.error_log import describe
from analytics.base.ids import first_id
from analytics.base.redaction import clean_path
from analytics.calendar.days import day_of, days_between, start_of
from analytics.query.result import Usage
from analytics.storage import changes, schema
from analytics.storage.database import Database
from analytics.storage.upsert import upsert
from collector.ingest import device, page_url, source
from collector.ingest.geo import Places
from collector.ingest.pipeline import visitor_of
from collector.ingest.visit import IDLE_MINUTES, Origin, Visit, with_event, with_pageview, with_user
from collector.simulate.behaviour import MAX_STAY_S, SIGNUP, action_share, make_action, make_reading, page_count, stay_s
from collector.simulate.client import EventBody
from collector.simulate.demo import PAST_S
from collector.simulate.people import DEMO_DOMAIN, Visitor, make_people, paths_of, random_for, sample_pages, url_of
from collector.store.statements import RowValues, Tables

log = logging.getLogger("footfall.demo")

DAYS = 70  # the last 30 days, and those they are compared with: the same weekdays 35 days earlier
VISITS = 600  # of a weekday at the end; writing all days took 1.7 s of CPU time on SQLite
GROWTH = 0.25  # from the first day to the last
WEEK = (0.96, 1.0, 1.04, 1.0, 0.92, 0.55, 0.5)  # Monday first
HOURS = (24, 18, 15, 14, 16, 22, 32, 45, 60, 72, 80, 84, 86, 94, 100, 98, 92, 84, 78, 74, 66, 54, 42, 32)  # UTC
DAY_S = 86_400


class ResolvedVisitor(NamedTuple):
    """A demo visitor, with the entry page's path and the origin that the collector would derive."""

    visitor: Visitor
    entry: str
    origin: Origin


class DayRows(NamedTuple):
    """The rows of one day."""

    visits: list[Visit]
    pageviews: list[RowValues]
    events: list[RowValues]


def write(
    database: Database, site_id: int, places: Places, seed: int, stopped: Callable[[], bool], *, now: int
) -> None:
    """Writes the days before `now` (epoch s), the latest first, each in a transaction of its own, until `stopped`.

    Stops if the site is removed. If the database fails, logs a warning and leaves out the earlier days.
    """
    visitors, paths = resolve_visitors(places, seed), [clean_path(path) for path in paths_of(sample_pages())]
    try:
        for day, share in reversed(days_before(now)):
            rows = simulate_day(site_id, visitors, paths, day, round(VISITS * share), seed)
            if stopped() or not _store(database, site_id, day, rows):
                return
    except SQLAlchemyError as failed:
        log.warning("the demo's earlier days are incomplete: %s", describe(failed))


def days_before(now: int) -> list[tuple[date, float]]:
    """The simulated days, oldest first, each with its traffic as a share of `VISITS`."""
    end = day_of(now - PAST_S)
    days = days_between(end - timedelta(days=DAYS), end)
    return [(day, WEEK[day.weekday()] * (1 - GROWTH + GROWTH * nth / DAYS)) for nth, day in enumerate(days, 1)]


def resolve_visitors(places: Places, seed: int) -> list[ResolvedVisitor]:
    """The demo visitors with their origins."""
    return [_resolve(visitor, places) for visitor in make_people(sample_pages(), seed)]


def _resolve(visitor: Visitor, places: Places) -> ResolvedVisitor:
    landed = page_url.read(url_of(visitor.entry))
    assert landed is not None
    origin = Origin(
        host=DEMO_DOMAIN,
        **source.classify(landed, visitor.referrer)._asdict(),
        **places.find(visitor.address)._asdict(),
        **device.read(visitor.user_agent)._asdict(),
        screen="x".join(map(str, visitor.screen)),
        language=visitor.language,
    )
    return ResolvedVisitor(visitor, landed.path, origin)


def simulate_day(
    site_id: int, visitors: Sequence[ResolvedVisitor], paths: Sequence[str], day: date, visits: int, seed: int
) -> DayRows:
    """The rows of about `visits` visits, in the order of their start; the same for the same seed."""
    chance = random_for(seed, day)
    simulation, free_at = _DaySimulation(site_id, day, paths, chance), dict.fromkeys(visitors, 0)
    for began in _visit_starts(day, round(visits * chance.uniform(0.93, 1.07)), chance):
        visitor = chance.choice(visitors)
        if free_at[visitor] < began:  # else their last visit is not over
            free_at[visitor] = simulation.visit(visitor, began) + (IDLE_MINUTES + 1) * 60
    return simulation.rows


def _visit_starts(day: date, visits: int, chance: Random) -> list[int]:
    """When the visits of a day start (epoch s), in order; early enough for the first page to end within the day."""
    latest = DAY_S - int(MAX_STAY_S) - 1
    hours = chance.choices(range(24), HOURS, k=visits)
    return sorted(start_of(day) + min(latest, hour * 3600 + chance.randrange(3600)) for hour in hours)


class _DaySimulation:
    """Simulates the visits of one day and collects their rows."""

    def __init__(self, site_id: int, day: date, paths: Sequence[str], chance: Random) -> None:
        self.rows = DayRows([], [], [])
        self._site_id, self._paths, self._chance = site_id, paths, chance
        self._end = start_of(day + timedelta(days=1))
        self._salt = f"{chance.random()}".encode()
        self._ids = 0

    def visit(self, resolved: ResolvedVisitor, began: int) -> int:
        """Adds a visit that starts at `began` (epoch s). Returns when it ends."""
        chance, visitor = self._chance, resolved.visitor
        number = visitor_of(self._salt, self._site_id, visitor.address, visitor.user_agent)
        visit = Visit(
            *(self._site_id, self._id(began), number, None, "", began, began, began, 0, 0, resolved.entry, ""),
            resolved.origin,
        )
        visit = _signed_in(visit, visitor) if visitor.signed_in else visit
        path, at = resolved.entry, began
        for _ in range(page_count(chance)):
            stay = int(stay_s(chance))
            visit = self._page(visit, visitor, path, at, stay)
            path, at = chance.choice(self._paths), at + stay
            if at >= self._end - MAX_STAY_S:
                break
        visit = replace(visit, seen_at=at)
        self.rows.visits.append(visit)
        return at

    def _page(self, visit: Visit, visitor: Visitor, path: str, at: int, stay: int) -> Visit:
        """The visit with one more page and the action on it, if any."""
        row_id = visit.id if visit.pageviews == 0 else self._id(at)
        totals = make_reading(self._chance).totals(stay, stay)
        self.rows.pageviews.append(
            {
                **self._columns(visit, row_id, at, path),
                "title": "",
                "engaged_ms": totals["engaged_ms"],
                "scroll": totals["scroll"],
            }
        )
        visit = with_pageview(visit, at, path)
        share = action_share(self._chance)
        return visit if share is None else self._action(visit, visitor, path, at + int(stay * share))

    def _action(self, visit: Visit, visitor: Visitor, path: str, at: int) -> Visit:
        action = make_action(visitor, self._chance, signed_in=visit.user_id is not None)
        visit = with_event(_signed_in(visit, visitor) if action["name"] == SIGNUP else visit, at)
        self.rows.events.append({**self._columns(visit, self._id(at), at, path), **_details(action)})
        return visit

    def _columns(self, visit: Visit, row_id: int, at: int, path: str) -> RowValues:
        """The columns that pageviews and events share."""
        return {
            "site_id": self._site_id,
            "id": row_id,
            "page_id": f"{row_id:016x}",
            "at": at,
            "visit_id": visit.id,
            "visitor": visit.visitor,
            "user_id": visit.user_id,
            "host": DEMO_DOMAIN,
            "path": path,
        }

    def _id(self, at: int) -> int:
        """A new row id of that second. Unique, because nothing else writes rows of these days."""
        self._ids += 1
        return first_id(at) + self._ids


def _signed_in(visit: Visit, visitor: Visitor) -> Visit:
    return with_user(visit, visitor.user_id, visitor.user_type)


def _details(action: EventBody) -> RowValues:
    """The columns that only events have."""
    return {
        "name": action["name"],
        "props": msgspec.json.encode(action.get("props", {})).decode(),
        "value": action.get("value"),
        "currency": action.get("currency", ""),
        "description": action["description"],
        "user_name": action.get("user_name", ""),
        "interactive": True,
    }


def _store(database: Database, site_id: int, day: date, rows: DayRows) -> bool:
    """Writes the rows of a day in one transaction. False, without writing, if the site was removed."""
    with database.transaction() as connection:
        tables = Tables(connection)
        tables.lock_sites({site_id})
        if not tables.existing_sites({site_id}):
            return False
        tables.write_visits(rows.visits)
        tables.insert("pageviews", rows.pageviews)
        tables.insert("events", rows.events)
        upsert(connection, schema.daily_usage, [_usage(site_id, day, rows.visits)._asdict()], overwrite=False)
        _record_change(connection, site_id, rows)
    return True


def _usage(site_id: int, day: date, visits: Sequence[Visit]) -> Usage:
    """The people of a day, counted as in `analytics.jobs.daily_usage`."""
    users = {visit.user_id for visit in visits if visit.user_id}
    anonymous = {visit.visitor for visit in visits} - {visit.visitor for visit in visits if visit.user_id}
    return Usage(site_id, day.isoformat(), len(users) + len(anonymous), len(users), len(anonymous))


def _record_change(connection: Connection, site_id: int, rows: DayRows) -> None:
    ids = {"pageviews": [row["id"] for row in rows.pageviews], "events": [row["id"] for row in rows.events]}
    changes.record(connection, site_id, visits=[visit.id for visit in rows.visits], **ids)
