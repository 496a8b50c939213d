"""Every number of `tests/support/history.py`, written out by hand: on SQLite, PostgreSQL and the replica of either."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import psycopg
import pytest
from sqlalchemy import event as signals

from analytics.base.config import Config
from analytics.calendar.period import Clock, Period, Span, buckets
from analytics.query.answer import answer, first_second, property_names, series
from analytics.query.backend import Fetch, fetch_from
from analytics.query.dimensions import DIMENSIONS
from analytics.query.filters import parse
from analytics.query.metrics import METRICS, Grain
from analytics.query.query import Order, Query
from analytics.query.result import Answer, Point, Row
from analytics.storage import schema
from analytics.storage.database import Database
from tests.support.factories import HOME, accepted, count, stored
from tests.support.factories import rows as kept
from tests.support.history import at, keep_history
from tests.support.replica import ENGINES, answering, facts, numbers_of

BOTH = "2026-03-10,2026-03-11"
NOW = at(12, 12)
ALL = tuple(
    name for name, one in METRICS.items() if one.grains
)  # what facts tell; tests/database/test_answer_minutes.py has the rest
EMPTY = dict.fromkeys(ALL) | {"visitors": 0, "visits": 0, "pageviews": 0, "events": 0}


@pytest.fixture(scope="session")
def past_rooms(postgresql_server, migrated_template) -> str:
    """The address of a database on PostgreSQL for `past`."""
    with psycopg.connect(postgresql_server.format(name="postgres"), autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE past TEMPLATE {migrated_template}")
    return postgresql_server.format(name="past")


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def past(request, tmp_path_factory) -> Iterator[Database]:
    """A database in which the visits of `tests/support/history.py` have taken place; nobody writes to it any more."""
    url = request.getfixturevalue("past_rooms") if request.param == "postgresql" else ""
    database = Database(Config(data_dir=tmp_path_factory.mktemp("past"), database_url=url))
    if not count(database, schema.visits):
        keep_history(database)
    yield database
    database.close()


@pytest.fixture(scope="session", params=ENGINES)
def history(request, past, tmp_path_factory) -> Iterator[Fetch]:
    """As `ask`, of that database."""
    with answering(request.param, past, Config(data_dir=tmp_path_factory.mktemp("replica"))) as ask:
        yield ask


def asked(*metrics: str, by: str | tuple[str, ...] = (), period: str = BOTH, filters: Any = (), **fields: Any) -> Query:
    split = (by,) if isinstance(by, str) else by
    return Query(
        1,
        period=Period.parse(period),
        metrics=metrics or ALL,
        dimensions=split,
        filters=parse([*filters]),
        **fields,
    )


def numbers(ask, *metrics: str, **fields: Any) -> dict[str, Any]:
    query = asked(*metrics, **fields)
    return numbers_of(query, query.span(NOW), facts(ask))


def rows(ask, *metrics: str, **fields: Any) -> list[tuple[Any, ...]]:
    query = asked(*metrics, **fields)
    return [(*row.dimensions, *row.metrics) for row in answer(query, query.span(NOW), facts(ask)).rows]


# ── every metric ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_every_metric_of_two_days(history):
    assert numbers(history) == {
        "visitors": 4,  # 1 to 4: visitor 1 came twice
        "visits": 5,  # A to E
        "pageviews": 7,  # 2 + 1 + 2 + 2 + 0
        "views_per_visit": 7 / 5,
        "bounce_rate": 1 / 5,  # B; E has no pageview, but an event
        "visit_duration": 492.0,  # (600 + 0 + 1800 + 60 + 0) / 5
        "events": 10,  # 7 pageviews, Signup, Purchase, Download
        "time_on_page": 50.0,  # (30 + 90 + 10 + 60 + 60) / 5: D's two views of / are one visit's
        "scroll_depth": 62.0,  # (50 + 100 + 20 + 80 + 60) / 5
        "percentage": 1.0,
        "total_revenue": 50.0,
        "average_revenue": 25.0,
    }


def test_a_visit_across_midnight_belongs_to_both_days(history):
    assert numbers(history, period="2026-03-10") == {
        "visitors": 3,  # A, B, C
        "visits": 3,
        "pageviews": 4,  # C's second was on the 11th
        "views_per_visit": 5 / 3,  # of whole visits
        "bounce_rate": 1 / 3,
        "visit_duration": 800.0,  # (600 + 0 + 1800) / 3
        "events": 5,
        "time_on_page": 47.5,  # (30 + 90 + 10 + 60) / 4
        "scroll_depth": 62.5,  # (50 + 100 + 20 + 80) / 4
        "percentage": 1.0,
        "total_revenue": None,
        "average_revenue": None,
    }
    assert numbers(history, period="2026-03-11") == {
        "visitors": 3,  # C, D, E; not G, which is only a heartbeat
        "visits": 3,
        "pageviews": 3,
        "views_per_visit": 4 / 3,
        "bounce_rate": 0.0,
        "visit_duration": 620.0,
        "events": 5,
        "time_on_page": 60.0,
        "scroll_depth": 60.0,
        "percentage": 1.0,
        "total_revenue": 50.0,
        "average_revenue": 25.0,
    }


def test_an_empty_period_has_counts_of_zero_and_no_means(history):
    assert numbers(history, period="2026-03-09") == EMPTY
    assert rows(history, by="source", period="2026-03-09") == []
    query = asked(by="source", period="2026-03-09")
    assert answer(query, query.span(NOW), facts(history)) == Answer([], 0, query)


def test_an_empty_database_has_an_answer(ask):
    assert numbers(ask, period="all") == EMPTY
    assert first_second(1, facts(ask)) == 0


def test_all_time_begins_with_the_first_visit(history):
    assert first_second(1, facts(history)) == at(10, 10)
    assert numbers(history, "visits", "pageviews", period="all") == {"visits": 6, "pageviews": 8}


def test_each_metric_alone_is_the_same_as_among_the_others(history):
    together = numbers(history)
    assert {name: numbers(history, name)[name] for name in ALL} == together


def test_sums_in_several_currencies_are_no_sum(database, ask):
    prices = [("one", 5.0, "EUR"), ("two", 7.0, "JPY"), ("three", 1.0, "EUR"), ("four", 9.0, None)]
    stored(
        database,
        *(
            accepted("event", f"event-{name}", at=at(11), path=f"/{name}", value=value, currency=currency)
            for name, value, currency in prices
        ),
    )
    money = "total_revenue", "average_revenue"
    assert numbers(ask, *money) == {"total_revenue": None, "average_revenue": None}
    assert rows(ask, *money, by="currency") == [("JPY", 7.0, 7.0), ("EUR", 6.0, 3.0), ("", None, None)]


# ── by time ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_days_count_who_was_there_and_the_visits_that_began(history):
    query = asked("visitors", "visits", "pageviews", "bounce_rate", "visit_duration", "total_revenue")
    assert series(query, query.span(NOW), "day", facts(history)) == [
        Point(Span(at(10), at(11)), (3, 3, 4, 1 / 3, 800.0, None)),
        Point(Span(at(11), at(12)), (3, 3, 3, 0.0, 30.0, 50.0)),  # D and E began; C only went on
    ]


def test_hours_in_which_nothing_happened_are_there(history):
    query = asked("visitors", "events", "bounce_rate", period="2026-03-11")
    found = series(query, query.span(NOW), "hour", facts(history))
    assert [point.span for point in found] == [Span(at(11, hour), at(11, hour) + 3600) for hour in range(24)]
    assert {number: point.metrics for number, point in enumerate(found) if point.metrics != (0, 0, None)} == {
        0: (1, 2, 0.0),  # the rest of C: it began before the first hour, which counts it
        9: (1, 2, 0.0),
        12: (1, 1, 0.0),
    }


def test_minutes_of_the_last_half_hour(history):
    query = Query(1, period=Period("realtime"), metrics=("visitors", "pageviews"))
    found = series(query, query.span(at(10, 10, 20)), "minute", facts(history))
    assert len(found) == 30
    assert [(point.span.begin, point.metrics) for point in found if point.metrics != (0, 0)] == [
        (at(10, 10), (1, 1)),
        (at(10, 10, 5), (1, 1)),
        (at(10, 10, 10), (1, 0)),
    ]


@pytest.mark.parametrize(
    ("zone", "day", "hours"),
    [
        ("Europe/Berlin", "2026-03-29", 23),
        ("Europe/Berlin", "2026-10-25", 25),
        ("Asia/Kathmandu", "2026-05-01", 24),
        ("Australia/Lord_Howe", "2026-04-05", 24),
        ("America/New_York", "2028-02-29", 24),
    ],
)
def test_each_hour_and_day_has_its_own_whatever_clocks_do(database, ask, zone, day, hours):
    """One pageview in the first second of each hour and one in the last; and one in the second on either side."""
    clock = Clock(zone)
    span = Query(1, clock, Period.parse(day)).span(NOW)
    starts = [part.begin for part in buckets(span, "hour", clock)]
    moments = [*starts, *(start - 1 for start in starts), span.end - 1, span.end]
    stored(database, *(accepted(page_id=f"view-{n:04}", at=when, visitor=n) for n, when in enumerate(moments)))
    query = Query(1, clock, Period.parse(day), metrics=("visitors", "visits", "pageviews"))
    assert len(starts) == hours
    assert [point.metrics for point in series(query, span, "hour", facts(ask))] == [(2, 2, 2)] * hours
    around = Query(1, clock, Period("custom", (_day(span.begin - 1, zone), _day(span.end, zone))), query.metrics)
    found = series(around, around.span(NOW), "day", facts(ask))
    assert [point.metrics for point in found] == [(1, 1, 1), (2 * hours,) * 3, (1, 1, 1)]


def _day(moment: int, zone: str) -> Any:
    return datetime.fromtimestamp(moment, ZoneInfo(zone)).date()


def test_weeks_that_begin_on_sunday(database, ask):
    days = [datetime(2026, 11, day, 12, tzinfo=UTC) for day in range(1, 22)]
    stored(database, *(accepted(page_id=f"view-{one.day:04}", at=one.timestamp(), visitor=one.day % 7) for one in days))
    by_week = {"period": "2026-11-01,2026-11-21", "by": "time:week"}
    sunday = [(at_november(1), 7, 7), (at_november(8), 7, 7), (at_november(15), 7, 7)]
    assert rows(ask, "visitors", "pageviews", **by_week, clock=Clock("UTC", 6)) == sunday
    monday = [(at_november(1), 1, 1), (at_november(2), 7, 7), (at_november(9), 7, 7), (at_november(16), 6, 6)]
    assert rows(ask, "visitors", "pageviews", **by_week, clock=Clock("UTC", 0)) == monday


def at_november(day: int) -> int:
    return int(datetime(2026, 11, day, tzinfo=UTC).timestamp())


def test_time_and_another_dimension_together(history):
    assert rows(history, "visitors", by=("time:day", "source")) == [
        (at(10), "", 1),
        (at(10), "Google", 2),
        (at(11), "", 1),
        (at(11), "Google", 1),
        (at(11), "newsletter", 1),
    ]


# ── by everything else ───────────────────────────────────────────────────────────────────────────────────────────────


def test_sources_with_every_metric(history):
    assert rows(history, by="source") == [
        ("", 2, 2, 1, 0.5, 0.5, 0.0, 2, 10.0, 20.0, 0.5, 30.0, 30.0),  # B, E
        ("Google", 2, 2, 4, 2.0, 0.0, 1200.0, 6, 60.0, pytest.approx(230 / 3), 0.5, 20.0, 20.0),  # A, C
        ("newsletter", 1, 1, 2, 2.0, 0.0, 60.0, 2, 60.0, 60.0, 0.25, None, None),  # D
    ]


def test_pages_with_every_metric(history):
    """What belongs to whole visits is that of the visits that entered there."""
    assert rows(history, by="page") == [
        ("/", 2, 3, 4, 5 / 3, 1 / 3, 220.0, 4, pytest.approx(100 / 3), pytest.approx(130 / 3), 0.5, None, None),
        ("/blog/a", 1, 1, 1, 2.0, 0.0, 1800.0, 1, 60.0, 80.0, 0.25, None, None),
        ("/blog/b", 1, 1, 1, None, None, None, 2, None, None, 0.25, 20.0, 20.0),
        ("/files", 1, 1, 0, 0.0, 0.0, 0.0, 1, None, None, 0.25, 30.0, 30.0),
        ("/pricing", 1, 1, 1, None, None, None, 2, 90.0, 100.0, 0.25, None, None),
    ]


def test_a_page_that_was_only_entered_before_the_period_is_no_row(history):
    assert rows(history, "visitors", "bounce_rate", by="page", period="2026-03-11") == [
        ("/", 1, 0.0),
        ("/blog/b", 1, None),
        ("/files", 1, 0.0),
    ]


@pytest.mark.parametrize(
    ("by", "found"),
    [
        ("hostname", [("example.com", 4, 5)]),
        ("entry_page", [("/", 2, 3), ("/blog/a", 1, 1), ("/files", 1, 1)]),
        ("exit_page", [("/", 2, 2), ("/blog/b", 1, 1), ("/files", 1, 1), ("/pricing", 1, 1)]),
        ("channel", [("Direct", 2, 2), ("Organic Search", 2, 2), ("Email", 1, 1)]),
        ("referrer", [("", 3, 3), ("google.com", 2, 2)]),
        ("utm_source", [("", 4, 4), ("newsletter", 1, 1)]),
        ("country", [("DE", 2, 3), ("FR", 1, 1), ("US", 1, 1)]),
        ("city", [("", 3, 3), ("Berlin", 1, 1), ("Paris", 1, 1)]),
        ("browser", [("Chrome", 2, 2), ("Firefox", 2, 3)]),
        ("device", [("", 3, 4), ("Mobile", 1, 1)]),
        ("screen", [("", 4, 4), ("1440x900", 1, 1)]),
        ("language", [("", 4, 4), ("de-DE", 1, 1)]),
        ("user_type", [("", 3, 4), ("supplier", 1, 1)]),
        ("signed_in", [("no", 3, 4), ("yes", 1, 1)]),
        ("event", [("pageview", 3, 4), ("Download", 1, 1), ("Purchase", 1, 1), ("Signup", 1, 1)]),
        ("prop:plan", [("", 3, 4), ("pro", 2, 2), ("free", 1, 1)]),
        ("prop:seats", [("", 4, 5), ("3", 1, 1)]),
        ("prop:nobody has this", [("", 4, 5)]),
        (
            ("country", "browser"),
            [("DE", "Chrome", 1, 1), ("DE", "Firefox", 1, 2), ("FR", "Firefox", 1, 1), ("US", "Chrome", 1, 1)],
        ),
        (
            ("event", "source"),
            [
                ("pageview", "Google", 2, 2),
                ("Download", "", 1, 1),
                ("Purchase", "Google", 1, 1),
                ("Signup", "Google", 1, 1),
                ("pageview", "", 1, 1),
                ("pageview", "newsletter", 1, 1),
            ],
        ),
    ],
)
def test_visitors_and_visits_by(history, by, found):
    assert rows(history, "visitors", "visits", by=by) == found


def test_every_metric_can_be_asked_by_every_dimension_that_it_has(history):
    for name, by in DIMENSIONS.items():
        within = by.of == "hit" and not by.entry
        fitting = [name for name in ALL if not (within and METRICS[name].grains == (Grain.VISITS,))]
        assert len(rows(history, *fitting, by=name)) >= 1


def test_odd_names_of_properties_are_names(database, ask):
    names = ["$.plan", "$", "/", "a/b~c", 'quote"', "it's", "*", "0", "a.b", "über", "\\", "x y"]
    props = {name: f"<{name}>" for name in names}
    stored(database, accepted("event", "event-odd", at=at(11), props=props))
    assert {name: rows(ask, "events", by=f"prop:{name}") for name in names} == {
        name: [(f"<{name}>", 1)] for name in names
    }


def test_values_of_properties_are_texts(database, ask):
    props = {"yes": True, "no": False, "whole": 3, "part": 1.5, "text": "3", "empty": "", "null": None}
    stored(database, accepted("event", "event-kinds", at=at(11), props=props))
    assert {name: rows(ask, "events", by=f"prop:{name}")[0][0] for name in props} == {
        "yes": "true",
        "no": "false",
        "whole": "3",
        "part": "1.5",
        "text": "3",
        "empty": "",
        "null": "",
    }


# ── order, limit, offset ─────────────────────────────────────────────────────────────────────────────────────────────


def test_rows_are_sorted_and_cut_and_the_others_counted(history):
    query = asked("visitors", "time_on_page", by="page", order=(Order("time_on_page"),), limit=2, offset=1)
    assert answer(query, query.span(NOW), facts(history)) == Answer(
        [Row(("/blog/a",), (1, 60.0)), Row(("/",), (2, pytest.approx(100 / 3)))], 5, query
    )


def test_what_has_no_value_is_last_in_either_direction(history):
    for descending in (True, False):
        order = (Order("time_on_page", descending),)
        assert [row[0] for row in rows(history, "visits", "time_on_page", by="page", order=order)][-2:] == [
            "/blog/b",
            "/files",
        ]


def test_texts_are_sorted_by_their_bytes(database, ask):
    paths = ["/B", "/a", "/Z", "/ä", "/-", "/_"]
    stored(database, *(accepted(page_id=f"view-{n:04}", at=at(11), path=path) for n, path in enumerate(paths)))
    order = (Order("page", descending=False),)
    assert [row[0] for row in rows(ask, "pageviews", by="page", order=order)] == sorted(paths, key=str.encode)


# ── filters ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("given", "visitors", "visits", "pageviews", "events"),
    [
        (["is", "source", ["Google"]], 2, 2, 4, 6),
        (["is", "source", ["google"]], 0, 0, 0, 0),
        (["is", "source", ["gOOGLE"], {"case_sensitive": False}], 2, 2, 4, 6),
        (["is", "source", ["Direct / None"]], 2, 2, 1, 2),
        (["is_not", "source", ["Direct / None", "newsletter"]], 2, 2, 4, 6),
        (["contains", "source", ["oog", "letter"]], 2, 3, 6, 8),
        (["contains", "source", ["OOG"]], 0, 0, 0, 0),
        (["contains", "source", ["OOG"], {"case_sensitive": False}], 2, 2, 4, 6),
        (["contains_not", "source", ["oo"]], 3, 3, 3, 4),
        (["is", "country", ["DE"]], 2, 3, 5, 6),
        (["is", "signed_in", ["yes"]], 1, 1, 2, 3),
        (["is", "user_type", ["supplier"]], 1, 1, 2, 3),
        # by what differs within a visit: the hits that suit, and the visits that have one
        (["is", "page", ["/"]], 2, 3, 4, 4),
        (["is", "page", ["/pricing"]], 1, 1, 1, 2),
        (["is_not", "page", ["/"]], 3, 3, 3, 6),
        (["matches", "page", ["/blog/*"]], 1, 1, 2, 3),
        (["matches", "page", ["/*"]], 3, 4, 5, 7),
        (["matches", "page", ["/**"]], 4, 5, 7, 10),
        (["matches", "page", ["*/BLOG/**"], {"case_sensitive": False}], 1, 1, 2, 3),
        (["matches_not", "page", ["/blog**", "/"]], 2, 2, 1, 3),
        (["is", "event", ["pageview"]], 3, 4, 7, 7),
        (["is", "event", ["Signup", "Purchase"]], 2, 2, 0, 2),
        (["is", "prop:plan", ["pro"]], 2, 2, 0, 2),
        (["is_not", "prop:plan", ["pro"]], 4, 5, 7, 8),
        (["is", "prop:plan", ["(none)"]], 3, 4, 7, 7),
        (["and", [["is", "event", ["Signup"]], ["is", "page", ["/"]]]], 0, 0, 0, 0),
        (["or", [["is", "page", ["/pricing"]], ["is", "source", ["newsletter"]]]], 1, 2, 3, 4),
        (["and", [["is", "page", ["/"]], ["is", "country", ["DE"]], ["is", "browser", ["Firefox"]]]], 1, 2, 3, 3),
        (["not", ["is", "source", ["Google"]]], 3, 3, 3, 4),
        (["not", ["or", [["is", "page", ["/"]], ["is", "country", ["FR"]]]]], 2, 2, 1, 3),
        # by what was done at any time in the visit
        (["has_done", ["is", "event", ["Signup"]]], 1, 1, 2, 3),
        (["has_not_done", ["is", "event", ["Signup"]]], 4, 4, 5, 7),
        (["has_done", ["and", [["is", "event", ["Purchase"]], ["is", "country", ["FR"]]]]], 1, 1, 2, 3),
        (["and", [["has_done", ["is", "event", ["Signup"]]], ["is", "page", ["/"]]]], 1, 1, 1, 1),
        (["or", [["has_done", ["is", "page", ["/blog/a"]]], ["is", "page", ["/files"]]]], 2, 2, 2, 4),
    ],
)
def test_a_filter_leaves(history, given, visitors, visits, pageviews, events):
    """The same numbers from visits and, split by the one host that there is, from hits."""
    metrics = "visitors", "visits", "pageviews", "events"
    expected = visitors, visits, pageviews, events
    assert tuple(numbers(history, *metrics, filters=[given]).values()) == expected
    assert rows(history, *metrics, by="hostname", filters=[given]) == ([("example.com", *expected)] if events else [])


def test_a_filter_by_page_leaves_whole_visits(history):
    found = numbers(history, "bounce_rate", "visit_duration", "views_per_visit", filters=[["is", "page", ["/pricing"]]])
    assert found == {"bounce_rate": 0.0, "visit_duration": 600.0, "views_per_visit": 2.0}


def test_several_filters_all_hold(history):
    given = [["is", "country", ["DE"]], ["is", "browser", ["Firefox"]]]
    assert numbers(history, "visits", "pageviews", filters=given) == {"visits": 2, "pageviews": 4}


def test_shares_are_of_everybody_who_suits_the_filters(history):
    given = [["is", "country", ["DE"]]]
    assert rows(history, "percentage", by="browser", filters=given) == [("Chrome", 0.5), ("Firefox", 0.5)]


HOSTILE = [
    "'",
    '"',
    "\\",
    "%",
    "_",
    "%%%s",
    ":name",
    "$1",
    "?",
    "{}",
    "'; DROP TABLE visits; --",
    "x' OR '1'='1",
    "\\' OR 1=1 --",
    "[^/]*",
    "(a+)+$",
    "(?s).*",
    "***=x",
    "\n\r\t",
    "🦊 \u202e é",
    "--",
    "/*",
]


def test_a_filter_value_is_data(database, ask):
    stored(
        database,
        *(
            accepted("event", f"event-{n:04}", at=at(11), visitor=n, name=text, path="/x")
            for n, text in enumerate(HOSTILE)
        ),
    )
    for text in HOSTILE:
        for operator in ("is", "contains"):
            found = rows(ask, "events", by="event", filters=[[operator, "event", [text]]])
            assert (text, 1) in found
            assert {row[0] for row in found} == {
                one for one in HOSTILE if one == text or (operator == "contains" and text in one)
            }
        pattern = text.replace("*", "") or "-"
        fitting = {one for one in HOSTILE if one == pattern}
        found = rows(ask, "events", by="event", filters=[["matches", "event", [pattern]]])
        assert {row[0] for row in found} == fitting
    assert rows(ask, "events", by=f"prop:{HOSTILE[11]}") == [("", len(HOSTILE))]


@pytest.mark.parametrize("operator", ["is", "contains", "matches"])
def test_letters_of_every_alphabet_suit_themselves_without_regard_to_case(database, ask, operator):
    names = ["ÄPFEL", "Äpfel", "STRASSE", "straße", "ΣΊΣΥΦΟΣ", "İ", "plain", "PLAIN"]
    stored(database, *(accepted("event", f"event-{n:04}", at=at(11), name=name) for n, name in enumerate(names)))
    for name in names:
        given = [[operator, "event", [name], {"case_sensitive": False}]]
        assert name in {row[0] for row in rows(ask, "events", by="event", filters=given)}
    plain = [[operator, "event", ["pLaIn"], {"case_sensitive": False}]]
    assert rows(ask, "events", by="event", filters=plain) == [("PLAIN", 1), ("plain", 1)]


# ── against a plain recount ──────────────────────────────────────────────────────────────────────────────────────────


def test_a_recount_of_all_rows_comes_to_the_same_numbers(database, ask):
    """Four hundred random pageviews and events around the change of clocks, recounted hit by hit in Python."""
    chance, berlin = random.Random(7), ZoneInfo("Europe/Berlin")
    moments = sorted(chance.randrange(at(27), at(31)) for _ in range(400))
    origins = [HOME._replace(source=source, country=country) for source in ("Google", "") for country in ("DE", "FR")]
    stored(
        database,
        *(
            accepted(
                chance.choice(["pageview", "pageview", "event"]),
                f"view-{number:04}",
                at=moment,
                visitor=chance.randrange(12),
                path=f"/{chance.randrange(4)}",
                origin=chance.choice(origins),
            )
            for number, moment in enumerate(moments)
        ),
    )
    visits = {row[0]: row[1:] for row in kept(database, schema.visits, "id", "source", "country")}
    hits = [
        (*row, name)
        for table, name in ((schema.pageviews, "pageview"), (schema.events, "Signup"))
        for row in kept(database, table, "at", "visitor", "visit_id", "path")
    ]
    clock, period = Clock("Europe/Berlin"), Period.parse("2026-03-28,2026-03-30")
    begin, end = Query(1, clock, period).span(NOW)
    suiting = [hit for hit in hits if begin <= hit[0] < end and visits[hit[2]][1] == "DE" and hit[3] != "/0"]
    keys = {
        "source": lambda hit: visits[hit[2]][0],
        "page": lambda hit: hit[3],
        "event": lambda hit: hit[4],
        "time:day": lambda hit: _midnight(hit[0], berlin),
        "time:hour": lambda hit: hit[0] // 3600 * 3600,
    }
    given = [["is", "country", ["DE"]], ["is_not", "page", ["/0"]]]
    for by, key in keys.items():
        groups: dict[Any, list[Any]] = {}
        for hit in suiting:
            groups.setdefault(key(hit), []).append(hit)
        expected = {
            (key, len({hit[1] for hit in group}), len({hit[2] for hit in group}), views(group), len(group))
            for key, group in groups.items()
        }
        metrics = "visitors", "visits", "pageviews", "events"
        found = rows(ask, *metrics, by=by, period=str(period), clock=clock, filters=given)
        assert (set(found), len(found)) == (expected, len(expected)), by


def views(hits: list[Any]) -> int:
    return sum(hit[4] == "pageview" for hit in hits)


def _midnight(moment: int, zone: ZoneInfo) -> int:
    day = datetime.fromtimestamp(moment, zone).date()
    return int(datetime(day.year, day.month, day.day, tzinfo=zone).timestamp())


def test_each_answer_is_one_statement(past):
    statements: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        statements.append(statement)

    signals.listen(past.reading, "before_cursor_execute", note)
    given = [["has_done", ["is", "page", ["/x'y"]]], ["matches", "page", ["/x'y*"]]]
    query = asked(by="page", filters=given)
    ask, span = fetch_from(past), query.span(NOW)
    numbers_of(asked(filters=given), span, facts(ask))
    answer(query, span, facts(ask))
    series(query, span, "day", facts(ask))
    signals.remove(past.reading, "before_cursor_execute", note)
    assert len(statements) == 3
    assert not any("x'y" in one for one in statements)


# ── properties ───────────────────────────────────────────────────────────────────────────────────────────────────────


def properties(ask, **fields: Any) -> list[str]:
    query = asked("events", **fields)
    return property_names(query, query.span(NOW), facts(ask))


def test_the_names_of_properties_are_those_of_the_events_that_suit(history):
    assert properties(history) == ["plan", "seats"]  # plan on Signup, Purchase and Download, seats on Purchase
    assert properties(history, filters=[["is", "event", ["Download"]]]) == ["plan"]
    assert properties(history, filters=[["is", "country", ["FR"]]]) == ["plan", "seats"]
    assert properties(history, filters=[["is", "event", ["pageview"]]]) == []
    assert properties(history, period="2026-03-12") == []


def test_the_most_frequent_set_of_properties_is_looked_through_first(history):
    assert properties(history, limit=1) == ["plan"]
