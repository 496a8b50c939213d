"""The days before the demo's crowd: made-up visits, by seed, written straight into the tables.

They are whole UTC days before the one in which the crowd's hour begins, so neither presence nor today's figures have to
know of them. Nobody is there any more, so they have no heartbeats; who came each day is counted here.
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
from collector.simulate.behaviour import LONGEST_STAY_S, SIGNUP, deed_of, moment_of, pages_of, reading_of, stay_of
from collector.simulate.client import Body
from collector.simulate.demo import PAST_S
from collector.simulate.people import DEMO_DOMAIN, Visitor, cast, chance_of, excerpt, paths_of, url_of
from collector.store.statements import RowValues, Tables

log = logging.getLogger("footfall.demo")

DAYS = 70  # the last 30 and what they are compared with: weekday with weekday, 35 days earlier
VISITS = 600  # of a weekday at the end; all the days took 1.7 s of processor time on SQLite
GROWTH = 0.25  # since the first day
WEEK = (0.96, 1.0, 1.04, 1.0, 0.92, 0.55, 0.5)  # Monday first
HOURS = (24, 18, 15, 14, 16, 22, 32, 45, 60, 72, 80, 84, 86, 94, 100, 98, 92, 84, 78, 74, 66, 54, 42, 32)  # UTC
DAY_S = 86_400


class Guest(NamedTuple):
    """Somebody of the crowd, the page on which they enter, and what the collector makes of them."""

    visitor: Visitor
    entry: str
    origin: Origin


class Day(NamedTuple):
    """What is stored of one day."""

    visits: list[Visit]
    pageviews: list[RowValues]
    events: list[RowValues]


def write(
    database: Database, site_id: int, places: Places, seed: int, stopped: Callable[[], bool], *, now: int
) -> None:
    """Writes the days before `now` (epoch s), the latest first, each in a transaction of its own, until `stopped`.

    A site that is gone gets none. Where the database fails the log says so, and earlier days are missing.
    """
    guests, paths = guests_of(places, seed), [clean_path(path) for path in paths_of(excerpt())]
    try:
        for day, share in reversed(days_before(now)):
            made = made_day(site_id, guests, paths, day, round(VISITS * share), seed)
            if stopped() or not _keep(database, site_id, day, made):
                return
    except SQLAlchemyError as failed:
        log.warning("the demo's earlier days are incomplete: %s", describe(failed))


def days_before(now: int) -> list[tuple[date, float]]:
    """Those days, oldest first, and how much is going on compared with the best of the last weekdays."""
    end = day_of(now - PAST_S)
    days = days_between(end - timedelta(days=DAYS), end)
    return [(day, WEEK[day.weekday()] * (1 - GROWTH + GROWTH * nth / DAYS)) for nth, day in enumerate(days, 1)]


def guests_of(places: Places, seed: int) -> list[Guest]:
    """The crowd as the collector would see it."""
    return [_guest(visitor, places) for visitor in cast(excerpt(), seed)]


def _guest(visitor: Visitor, places: Places) -> Guest:
    landed = page_url.read(url_of(visitor.entry))
    assert landed is not None
    came, place = source.classify(landed, visitor.referrer), places.find(visitor.address)
    browser = *device.read(visitor.user_agent), "x".join(map(str, visitor.screen)), visitor.language
    return Guest(visitor, landed.path, Origin(DEMO_DOMAIN, *came, *place, *browser))


def made_day(site_id: int, guests: Sequence[Guest], paths: Sequence[str], day: date, many: int, seed: int) -> Day:
    """About so many visits, in the order of their beginning; the same for the same seed."""
    chance = chance_of(seed, day)
    work, gone = _Work(site_id, day, paths, chance), dict.fromkeys(guests, 0)
    for began in _moments(day, round(many * chance.uniform(0.93, 1.07)), chance):
        guest = chance.choice(guests)
        if gone[guest] < began:  # else they are still there
            gone[guest] = work.visit(guest, began) + (IDLE_MINUTES + 1) * 60
    return work.made


def _moments(day: date, many: int, chance: Random) -> list[int]:
    """When visits of that day begin (epoch s), in order; so early that the first page ends within it."""
    latest = DAY_S - int(LONGEST_STAY_S) - 1
    hours = chance.choices(range(24), HOURS, k=many)
    return sorted(start_of(day) + min(latest, hour * 3600 + chance.randrange(3600)) for hour in hours)


class _Work:
    """Makes the visits of one day; lives as long as that."""

    def __init__(self, site_id: int, day: date, paths: Sequence[str], chance: Random) -> None:
        self.made = Day([], [], [])
        self._site_id, self._paths, self._chance = site_id, paths, chance
        self._end = start_of(day + timedelta(days=1))
        self._salt = f"{chance.random()}".encode()
        self._rows = 0

    def visit(self, guest: Guest, began: int) -> int:
        """Makes a visit, and says when it was over."""
        chance, who = self._chance, guest.visitor
        visitor = visitor_of(self._salt, self._site_id, who.address, who.user_agent)
        visit = Visit(
            *(self._site_id, self._id(began), visitor, None, "", began, began, began, 0, 0, guest.entry, ""),
            guest.origin,
        )
        visit = _signed_in(visit, who) if who.signed_in else visit
        path, at = guest.entry, began
        for _ in range(pages_of(chance)):
            stay = int(stay_of(chance))
            visit = self._page(visit, who, path, at, stay)
            path, at = chance.choice(self._paths), at + stay
            if at >= self._end - LONGEST_STAY_S:
                break
        visit = replace(visit, seen_at=at)
        self.made.visits.append(visit)
        return at

    def _page(self, visit: Visit, who: Visitor, path: str, at: int, stay: int) -> Visit:
        """The visit with one more page, and with what was done there."""
        row_id = visit.id if visit.pageviews == 0 else self._id(at)
        totals = reading_of(self._chance).totals(stay, stay)
        self.made.pageviews.append(
            {
                **self._columns(visit, row_id, at, path),
                "title": "",
                "engaged_ms": totals["engaged_ms"],
                "scroll": totals["scroll"],
            }
        )
        visit = with_pageview(visit, at, path)
        share = moment_of(self._chance)
        return visit if share is None else self._event(visit, who, path, at + int(stay * share))

    def _event(self, visit: Visit, who: Visitor, path: str, at: int) -> Visit:
        what = deed_of(who, self._chance, signed_in=visit.user_id is not None)
        visit = with_event(_signed_in(visit, who) if what["name"] == SIGNUP else visit, at)
        self.made.events.append({**self._columns(visit, self._id(at), at, path), **_details(what)})
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
        """A new id of that second: nobody else has written anything of these days."""
        self._rows += 1
        return first_id(at) + self._rows


def _signed_in(visit: Visit, who: Visitor) -> Visit:
    return with_user(visit, who.user_id, who.user_type)


def _details(what: Body) -> RowValues:
    """The columns that only an event has."""
    return {
        "name": what["name"],
        "props": msgspec.json.encode(what.get("props", {})).decode(),
        "value": what.get("value"),
        "currency": what.get("currency", ""),
        "description": what["description"],
        "user_name": what.get("user_name", ""),
        "interactive": True,
    }


def _keep(database: Database, site_id: int, day: date, made: Day) -> bool:
    """Writes it; False, and nothing is written, where the site is gone."""
    with database.transaction() as connection:
        tables = Tables(connection)
        tables.lock_sites({site_id})
        if not tables.existing_sites({site_id}):
            return False
        tables.write_visits(made.visits)
        tables.insert("pageviews", made.pageviews)
        tables.insert("events", made.events)
        upsert(connection, schema.daily_usage, [_usage(site_id, day, made.visits)._asdict()], overwrite=False)
        _note(connection, site_id, made)
    return True


def _usage(site_id: int, day: date, visits: Sequence[Visit]) -> Usage:
    """The people of a day, as `analytics.jobs.daily_usage` would count them."""
    users = {visit.user_id for visit in visits if visit.user_id}
    strangers = {visit.visitor for visit in visits} - {visit.visitor for visit in visits if visit.user_id}
    return Usage(site_id, day.isoformat(), len(users) + len(strangers), len(users), len(strangers))


def _note(connection: Connection, site_id: int, made: Day) -> None:
    ids = {"pageviews": [row["id"] for row in made.pageviews], "events": [row["id"] for row in made.events]}
    changes.record(connection, site_id, visits=[visit.id for visit in made.visits], **ids)
