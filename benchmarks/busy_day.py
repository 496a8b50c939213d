"""Rows of a busy day, written straight into the tables: a million heartbeats, fifty thousand people still active."""

from __future__ import annotations

import random
from bisect import bisect_right
from collections.abc import Sequence
from itertools import count
from typing import Any, NamedTuple

from msgspec.structs import astuple

from analytics.base.ids import first_id
from analytics.live.beat import PageState
from analytics.storage.database import Database
from benchmarks.fill import COLUMNS
from collector.ingest.visit import Origin, Visit

BEAT_S = 30
ROOM = first_id(1)  # ids per second
ACTIVE_BEATS, PAST_BEATS = 6, 10  # heartbeats of a visit that goes on, and of one that is over
PAST_S = 6 * 3600
PATHS = [f"/articles/{number:04d}" for number in range(5_000)]
SOURCES = ("", "Google", "Hacker News", "Newsletter", "GitHub", "Bing", "Mastodon", "DuckDuckGo", "Reddit", "YouTube")
CITIES = [
    ("DE", "Berlin", 52.5, 13.4),
    ("US", "New York", 40.7, -74.0),
    ("GB", "London", 51.5, -0.1),
    ("FR", "Paris", 48.9, 2.4),
    ("IN", "Mumbai", 19.1, 72.9),
    ("BR", "São Paulo", -23.6, -46.6),
    ("JP", "Tokyo", 35.7, 139.7),
    ("AU", "Sydney", -33.9, 151.2),
]


class Past(NamedTuple):
    """The written rows; `last_seen` is the second of each active person's last beat, in order."""

    heartbeats: int
    last_seen: Sequence[int]

    def active(self, at: int, window_s: int = 60) -> int:
        """How many people are active at that second, computed without the code that is measured."""
        return len(self.last_seen) - bisect_right(self.last_seen, at - window_s)


class _Walk(NamedTuple):
    """One visit with the seconds of its beats."""

    visitor: int
    user_id: str | None
    path: str
    beats: list[int]


def write(database: Database, site_id: int, now: int, beats: int, people: int) -> Past:
    """Writes about `beats` heartbeats with their visits and pageviews, up to `now`. All of `people` are active then, by
    a last beat in the 30 seconds before.
    """
    chance = random.Random(11)
    past = (beats - people * ACTIVE_BEATS) // PAST_BEATS
    walks = [
        _walk(
            chance,
            number,
            now - chance.random() * BEAT_S if number < people else _earlier(chance, now),
            number < people,
        )
        for number in range(people + past)
    ]
    walks.sort(key=lambda walk: walk.beats[0])
    tables = _rows(walks, site_id)
    for table, rows in tables.items():
        _insert(database, table, rows)
    last_seen = sorted(walk.beats[-1] for walk in walks if walk.beats[-1] > now - BEAT_S - 1)
    return Past(len(tables["heartbeats"]), last_seen[-people:])


def _earlier(chance: random.Random, now: int) -> float:
    return now - 120 - chance.random() * PAST_S


def _walk(chance: random.Random, number: int, last: float, active: bool) -> _Walk:
    beats = ACTIVE_BEATS if active else PAST_BEATS
    path = PATHS[int(len(PATHS) * chance.random() ** 3)]  # an eighth of the people share the first ten pages
    user_id = f"user-{number}" if number % 10 == 0 else None
    return _Walk(number + 1, user_id, path, [int(last) - BEAT_S * back for back in range(beats - 1, -1, -1)])


def _rows(walks: Sequence[_Walk], site_id: int) -> dict[str, list[tuple[Any, ...]]]:
    """The rows of visits, pageviews and heartbeats; a visit's first beat is its pageview's."""
    counter = count()
    visits, pageviews, heartbeats = [], [], []
    for number, walk in enumerate(walks):
        first, last = walk.beats[0], walk.beats[-1]
        row_ids = [first_id(at) + next(counter) % ROOM for at in walk.beats]
        country, city, lat, lon = CITIES[number % len(CITIES)]
        source = SOURCES[number % len(SOURCES)]
        origin = Origin("example.com", source, country=country, city=city, lat=lat, lon=lon, browser="Chrome")
        kind = "customer" if walk.user_id else ""
        visit = Visit(
            *(site_id, row_ids[0], walk.visitor, walk.user_id, kind, first, first, last, 1, 0, walk.path, walk.path),
            origin,
        )
        visits.append((*astuple(visit)[:-1], *origin))
        page = (site_id, row_ids[0], f"past-{number:09d}", first, row_ids[0], walk.visitor, walk.user_id)
        pageviews.append((*page, "example.com", walk.path, "An article", 1000 * (last - first), 50))
        for at, row_id in zip(walk.beats, row_ids, strict=True):
            who = (row_ids[0], walk.visitor, walk.visitor, walk.user_id, kind)
            heartbeats.append((site_id, row_id, at, *who, int(PageState.ACTIVE), walk.path))
    return {"visits": visits, "pageviews": pageviews, "heartbeats": sorted(heartbeats, key=_row_id)}


def _row_id(row: tuple[Any, ...]) -> int:
    return int(row[1])


def _insert(database: Database, table: str, rows: Sequence[tuple[Any, ...]]) -> None:
    columns = COLUMNS[table]
    marks = ", ".join("?" * len(columns))
    with database.transaction() as connection:
        cursor = connection.connection.cursor()
        cursor.executemany(f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})", rows)
