"""Test data: plain functions with defaults, so that a test names only the values that matter to it."""

from __future__ import annotations

import itertools
import sqlite3
from collections.abc import Container, Iterator, Sequence
from contextlib import closing, contextmanager
from typing import Any
from urllib.parse import urlsplit

import psycopg
from msgspec.structs import replace
from sqlalchemy import Table, func, insert, select

from analytics.base.config import Config
from analytics.base.ids import Ids, first_id
from analytics.live.beat import Beat, PageState
from analytics.live.feed import FeedItem, public_visitor_id
from analytics.sites import store as sites
from analytics.sites.directory import Directory
from analytics.sites.salt_store import SaltStore
from analytics.sites.salts import LogSalts
from analytics.sites.site import Site
from analytics.storage import schema
from analytics.storage.database import Database
from collector.ingest.accepted import Accepted
from collector.ingest.event import Event
from collector.ingest.geo import Places
from collector.ingest.outcomes import Outcome, Stored
from collector.ingest.pipeline import Hit, Kit, accept
from collector.ingest.rate import Rate
from collector.ingest.spam import Spammers
from collector.ingest.visit import Origin, Visit
from collector.store.batch import store
from collector.store.leaves import NO_TABS, Leaves, Tab
from collector.store.outcome_counters import OutcomeCounts

NOW = 1_800_000_000  # 2027-01-15 08:00:00 UTC, a full minute
MINUTE = 60
DAY = 86_400
AGENT = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36"
SECRET = b"k" * 48
NO_KIT = Kit(None, LogSalts(SECRET), None, Rate(0), SECRET, Spammers(()))  # type: ignore[arg-type]  # for accepted events
HOME = Origin(
    host="example.com",
    source="Google",
    channel="Organic Search",
    country="DE",
    city="Berlin",
    lat=52.5,
    lon=13.4,
    browser="Firefox",
    device="Desktop",
)


# ── sites ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def site(domain: str = "example.com", **fields: Any) -> Site:
    """A site that is in no database."""
    return Site(**{"id": 1, "domain": domain, "name": domain, "timezone": "UTC"} | fields)


def added_site(database: Database, domain: str = "example.com", timezone: str = "UTC") -> Site:
    """A site that is in the database."""
    return sites.add(database, domain, timezone=timezone, now=NOW)


# ── accepted events ──────────────────────────────────────────────────────────────────────────────────────────────────


def accepted(
    kind: str = "pageview",
    page_id: str = "page-0001",
    *,
    at: float = NOW,
    site_id: int = 1,
    visitor: int = 1,
    before: int | None = None,
    path: str = "/",
    origin: Origin = HOME,
    **fields: Any,
) -> Accepted:
    """An accepted event. `page_id` is the event's id; for heartbeats and leaves the pageview's."""
    named = (
        {"id": page_id, "url": f"https://example.com{path}"} if kind in ("pageview", "event") else {"pageview": page_id}
    )
    if kind == "event":
        named["name"] = "Signup"
    event = Event(site="example.com", type=kind, **named | fields)  # type: ignore[arg-type]
    one = accept(Hit(event, site(id=site_id), None, "", "", {}, int(at * 1000)), NO_KIT)
    page = {"host": "example.com", "path": path} if event.url else {}
    return replace(one, visitor=visitor, visitor_before=before, origin=lambda: origin, **page)


def heartbeat(page_id: str = "page-0001", **fields: Any) -> Accepted:
    """A heartbeat of that pageview; with a `url` it may come before the pageview."""
    return accepted("heartbeat", page_id, **fields)


def leave(page_id: str = "page-0001", **fields: Any) -> Accepted:
    """A leave of that pageview."""
    return accepted("leave", page_id, **fields)


def event(event_id: str = "event-0001", **fields: Any) -> Accepted:
    """An event."""
    return accepted("event", event_id, **fields)


# ── what is stored ───────────────────────────────────────────────────────────────────────────────────────────────────


IDS = Ids()
NUMBERS = itertools.count()


def with_sites(database: Database, *site_ids: int) -> None:
    """Adds the sites with these numbers where they are missing: nothing is stored for a missing site."""
    with database.transaction() as connection:
        known = set(connection.execute(select(schema.sites.c.id)).scalars())
        for site_id in sorted(set(site_ids) - known):
            domain = f"site-{site_id}.example"
            row = {"id": site_id, "domain": domain, "name": domain, "timezone": "UTC", "created_at": NOW}
            connection.execute(insert(schema.sites).values(row))


def stored(
    database: Database, *events: Accepted, counts: OutcomeCounts | None = None, left: Container[Tab] = NO_TABS
) -> list[Outcome]:
    """The outcomes of these events as one group."""
    with_sites(database, *(event.site_id for event in events))
    with database.transaction() as connection:
        return store(connection, events, IDS, OutcomeCounts() if counts is None else counts, left=left)


def one_by_one(database: Database, *events: Accepted) -> list[Outcome]:
    """The outcomes of these events, each as a group of its own."""
    return [outcome for one in events for outcome in stored(database, one)]


def in_groups(database: Database, events: Sequence[Accepted], size: int) -> list[Outcome]:
    """Their outcomes in groups of that size; leaves are remembered from group to group, as the writer does."""
    left, outcomes = Leaves(), []
    for start in range(0, len(events), size):
        group = stored(database, *events[start : start + size], left=left)
        for one in group:
            if isinstance(one, Stored) and one.beat.state == PageState.LEFT:
                left.add((one.beat.site_id, one.beat.tab))
        outcomes += group
    return outcomes


def rows(database: Database, table: Table, *names: str) -> list[tuple[Any, ...]]:
    """The rows of a table by id (or key), only these columns."""
    columns = [table.c[name] for name in names] if names else list(table.c)
    with database.read() as connection:
        return [tuple(row) for row in connection.execute(select(*columns).order_by(*table.primary_key.columns))]


def count(database: Database, table: Table) -> int:
    """How many rows a table has."""
    with database.read() as connection:
        return connection.execute(select(func.count()).select_from(table)).scalar_one()


def outcome_counts(database: Database) -> dict[tuple[str, str], int]:
    """The outcome counters of all sites and hours: (outcome, reason) -> how many."""
    table = schema.outcomes
    counters = select(table.c.outcome, table.c.reason, func.sum(table.c.count)).group_by(
        table.c.outcome, table.c.reason
    )
    with database.read() as connection:
        return {(outcome, reason): int(many) for outcome, reason, many in connection.execute(counters)}


# ── beats ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def beat(
    visitor: int = 1,
    tab: int | None = None,
    *,
    at: int = NOW,
    nth: int = 0,
    user_id: str | None = None,
    state: PageState = PageState.ACTIVE,
    path: str = "/",
    **fields: Any,
) -> Beat:
    """A beat. `nth` orders beats within a second. A visitor's first tab and visit have the visitor's number."""
    values = {
        "site_id": 1,
        "id": first_id(at) + nth,
        "at": at,
        "visit_id": visitor,
        "visitor": visitor,
        "tab": visitor if tab is None else tab,
        "user_id": user_id,
        "user_type": "",
        "state": int(state),
        "path": path,
        "source": "Google",
        "country": "DE",
        "city": "",
        "lat": 51.0,
        "lon": 10.0,
    }
    return Beat(**values | fields)


def keep_beats(database: Database, beats: Sequence[Beat]) -> None:
    """Inserts these beats, with the visits that they need."""
    visits = {(one.site_id, one.visit_id): one for one in beats}
    with database.transaction() as connection:
        for one in visits.values():
            connection.execute(
                schema.visits.insert(),
                {name: getattr(one, name) for name in ("site_id", "visitor", "source", "country", "city", "lat", "lon")}
                | {"id": one.visit_id, "started_at": one.at, "last_at": one.at, "seen_at": one.at}
                | {"pageviews": 1, "events": 0},
            )
        names = [column.name for column in schema.heartbeats.c]
        if beats:
            connection.execute(
                schema.heartbeats.insert(), [{name: getattr(one, name) for name in names} for one in beats]
            )


def keep_heartbeats(database: Database, *beats: Beat) -> None:
    """Inserts heartbeats without visits, and their sites where they are missing. They get ids of their own; those of
    one second are in the order of the arguments.
    """
    with_sites(database, *(one.site_id for one in beats))
    names = [column.name for column in schema.heartbeats.c]
    rows = [{name: getattr(one, name) for name in names} | {"id": first_id(one.at) + next(NUMBERS)} for one in beats]
    with database.transaction() as connection:
        connection.execute(schema.heartbeats.insert(), rows)


def feed_item(row_id: int, **fields: Any) -> FeedItem:
    """A feed item of that row."""
    values: dict[str, Any] = {
        "id": str(row_id),
        "type": "pageview",
        "visitor_id": public_visitor_id(1),
        "user_id": None,
        "user_type": "",
        "path": "/",
        "title": "",
        "source": "Google",
        "country": "DE",
        "city": "",
        "device": "Desktop",
        "browser": "Firefox",
        "timestamp": row_id >> 21,
    }
    return FeedItem(**values | fields)


def stored_outcome(visitor: int = 1, *, at: int = NOW, nth: int = 0, path: str = "/", **fields: Any) -> Stored:
    """The value that the writer passes to the hub for a committed pageview."""
    one = beat(visitor, at=at, nth=nth, path=path, **fields)
    return Stored(one, feed_item(one.id, path=path, timestamp=at, visitor_id=public_visitor_id(visitor)))


def visit(**fields: Any) -> Visit:
    """A visit of one pageview at `NOW`."""
    values: dict[str, Any] = {
        "site_id": 1,
        "id": 1,
        "visitor": 1,
        "user_id": None,
        "user_type": "",
        "started_at": NOW,
        "last_at": NOW,
        "seen_at": NOW,
        "pageviews": 1,
        "events": 0,
        "entry_page": "/",
        "exit_page": "/",
        "origin": HOME,
    }
    return Visit(**values | fields)


# ── kits and faults ──────────────────────────────────────────────────────────────────────────────────────────────────


class FreshDirectory(Directory):
    """Reads the sites at every question, so that a test need not refresh it after a change."""

    def get(self, domain: str) -> Site | None:
        self.refresh()
        return super().get(domain)

    def refresh(self) -> None:
        super().refresh()
        self.prepared = {}


def kit(database: Database, places: Places, *, per_minute: int = 0) -> Kit:
    """What the steps of the pipeline need; without a rate limit unless `per_minute` sets one."""
    return Kit(FreshDirectory(database), SaltStore(database, SECRET), places, Rate(per_minute), SECRET)


@contextmanager
def away(database: Database, config: Config) -> Iterator[None]:
    """A real fault for the length of a block: another process holds SQLite's lock, PostgreSQL hangs up on us."""
    with _locked(database, config) if config.embedded else _hung_up(config):
        yield


@contextmanager
def _locked(database: Database, config: Config) -> Iterator[None]:
    with database.transaction() as connection:
        connection.exec_driver_sql("PRAGMA busy_timeout=20")
    with closing(sqlite3.connect(config.data_dir / "footfall.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        yield


@contextmanager
def _hung_up(config: Config) -> Iterator[None]:
    """The database accepts no connections and ends the existing ones."""
    name = urlsplit(config.database_url).path.strip("/")
    with psycopg.connect(config.database_url.replace(f"/{name}?", "/postgres?"), autocommit=True) as other:
        other.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
        other.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name])
        try:
            yield
        finally:
            other.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")
