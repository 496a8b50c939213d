"""Returning visitors are counted once: the replica's own columns, with late, changed and removed rows."""

from __future__ import annotations

import random
from typing import Any

import pytest
from sqlalchemy import delete, select, update

from analytics.calendar.period import Clock, Period
from analytics.query.answer import answer
from analytics.query.backend import fetch_from
from analytics.query.dialects import DUCKDB
from analytics.query.filters import parse
from analytics.query.query import Query
from analytics.replica import denormalised, first_seen
from analytics.replica.columnar import Columnar
from analytics.sites import store
from analytics.storage import changes, schema
from tests.support.factories import HOME, accepted, added_site, event, stored
from tests.support.history import at
from tests.support.replica import NEVER, facts

pytestmark = pytest.mark.slow

SPLITS = ("", "source", "country", "browser", "entry_page", "page", "event", "time:hour", "time:day")
PERIODS = ("2026-03-28", "2026-03-29,2026-03-30")
FITTING = {"event": [["is_not", "event", ["pageview"]]], "source": [["is", "source", ["Google", "news"]]]}
CARRIED = (
    [["is", "country", ["DE"]], ["is_not", "browser", ["Chrome"]]],
    [["or", [["is", "country", ["FR"]], ["is", "source", [""]]]], ["is", "page", ["/1"]]],
    [["not", ["contains", "source", ["oo"]]], ["is", "city", ["Berlin"]]],
    [["or", [["is", "country", ["FR"]], ["is", "page", ["/2"]]]]],
    [["has_done", ["is", "browser", ["Firefox"]]]],
)
FILTERS = ([], [["is", "country", ["DE"]]], [["is_not", "page", ["/0"]]])
NOW = at(31, 12)


@pytest.fixture
def kept(database, config):
    added_site(database)
    columnar = Columnar(database, config)
    columnar.follow(NEVER)
    yield columnar
    columnar.close()


def answers(ask) -> dict[Any, Any]:
    """Visitors by everything that the replica computes in its own way, around a change of clocks."""
    found: dict[Any, Any] = {}
    for by in SPLITS:
        for period in PERIODS:
            query = _query(period, by)
            found[by, period] = answer(query, query.span(NOW), facts(ask))
        if by in FITTING:
            query = _query(PERIODS[1], by, "visits", FITTING[by])
            found[by, "filtered"] = answer(query, query.span(NOW), facts(ask))
        if by in ("", "page", "source"):
            for number, given in enumerate(CARRIED):
                query = _query(PERIODS[1], by, "pageviews", given)
                found[by, "carried", number] = answer(query, query.span(NOW), facts(ask))
        if by.startswith("time"):
            for number, given in enumerate(FILTERS):
                query = _query(PERIODS[1], by, "visits", given)
                found[by, number] = answer(query, query.span(NOW), facts(ask))
    return found


def _query(period: str, by: str, metric: str = "percentage", filters: Any = ()) -> Query:
    split = (by,) if by else ()
    return Query(1, Clock("Europe/Berlin"), Period.parse(period), ("visitors", metric), split, parse([*filters]))


def assert_same(kept, database) -> None:
    kept.follow(NEVER)
    assert [*first_seen.wrong(kept._replica, 10), *denormalised.wrong(kept._replica, 10)] == []
    assert answers(kept.rows) == answers(fetch_from(database))


def crowd(chance: random.Random, many: int, name: str) -> list[Any]:
    """Pageviews and events of a few visitors in three days, in no order."""
    origins = [
        HOME._replace(source=source, country=country, browser=browser)
        for source in ("Google", "", "news")
        for country in ("DE", "FR")
        for browser in ("Firefox", "Chrome")
    ]
    return [
        accepted(
            chance.choice(["pageview", "pageview", "event"]),
            f"{name}-{number:04}",
            at=chance.randrange(at(27), at(31)),
            visitor=chance.randrange(15),
            path=f"/{chance.randrange(4)}",
            origin=chance.choice(origins),
        )
        for number in range(many)
    ]


def test_rows_that_come_in_any_order_are_counted_once(kept, database):
    chance = random.Random(3)
    for group in range(4):
        stored(database, *crowd(chance, 40, f"group-{group}"))
        assert_same(kept, database)


def test_after_rows_were_erased_and_corrected_the_next_ones_are_the_first(kept, database):
    chance = random.Random(4)
    stored(database, *crowd(chance, 120, "page"))
    assert_same(kept, database)
    with database.transaction() as connection:
        gone, kept_ids = {}, {}
        for table in (schema.visits, schema.pageviews, schema.events):
            ids = list(connection.execute(select(table.c.id).order_by(table.c.id)).scalars())
            gone[table.name], kept_ids[table.name] = ids[::3], [row_id for row_id in ids if row_id not in ids[::3]]
            connection.execute(delete(table).where(table.c.id.in_(ids[::3])))
        other = kept_ids["visits"][::2]
        connection.execute(update(schema.visits).where(schema.visits.c.id.in_(other)).values(country="US"))
        changes.record(connection, 1, **gone | {"visits": [*gone["visits"], *other]})
    assert_same(kept, database)


def test_the_columns_of_a_whole_changed_site_are_updated(kept, database):
    chance = random.Random(5)
    stored(database, *crowd(chance, 60, "page"))
    kept.follow(NEVER)
    with database.transaction() as connection:
        connection.execute(update(schema.pageviews).values(path="/one"))
        changes.record(connection, 1)
    assert_same(kept, database)


def test_a_rebuilt_replica_is_right(database, config, monkeypatch):
    monkeypatch.setattr(first_seen, "ROW_BATCH", 7)
    added_site(database)
    added_site(database, "other.example")
    chance = random.Random(6)
    stored(database, *crowd(chance, 80, "page"), event(site_id=2, at=at(28)))
    columnar = Columnar(database, config)
    assert_same(columnar, database)
    store.remove(database, "other.example")
    assert_same(columnar, database)
    columnar.close()


def test_a_visit_without_a_pageview_was_not_there(kept, database):
    stored(
        database,
        accepted("heartbeat", "lost-page-1", at=at(28, 1), url="https://example.com/lost"),
        accepted("pageview", "page-0001", at=at(28, 5)),
    )
    assert_same(kept, database)


@pytest.mark.parametrize(("by", "column"), [("", "before"), ("source", "before_source"), ("page", "before_page")])
def test_distinct_visitors_are_counted_by_a_first_seen_column(by, column):
    statements: list[str] = []

    def ask(statement):
        statements.append(str(statement.compile(dialect=DUCKDB)))
        return []

    query = _query(PERIODS[0], by)
    answer(query, query.span(NOW), facts(ask))
    assert column in statements[0]
    assert "DISTINCT" not in statements[0]
