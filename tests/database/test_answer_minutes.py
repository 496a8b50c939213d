"""How many people were on a site at once, asked as any other metric: on SQLite, PostgreSQL and the replicas."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from analytics.access import api_keys
from analytics.access.api_keys import KeyRing
from analytics.calendar.days import day_of, start_of
from analytics.calendar.period import Clock, Comparison, Period, Span
from analytics.jobs import daily
from analytics.live.minutes import MinuteHistory, StillCounting
from analytics.query import answer as entry
from analytics.query import fact_sql
from analytics.query.answer import answer
from analytics.query.backend import Backend, fetch_from
from analytics.query.query import Order, Query
from analytics.query.result import Answer, Point, Row
from analytics.sites.directory import Directory
from analytics.storage import schema
from collector.api import statistics
from collector.http.messages import Request
from collector.live.hub import Hub
from tests.support.factories import MINUTE, NOW, accepted, beat, keep_heartbeats, site, stored
from tests.support.replica import NEVER, numbers_of

WINDOW = 60
HOUR, DAY_S = 3600, 86_400
CROWD = "peak_concurrents", "average_concurrents"
TODAY = start_of(day_of(NOW))  # Friday, 15 January 2027; NOW is 08:00
YESTERDAY = TODAY - DAY_S
BOTH = "2027-01-14,2027-01-15"
UNKNOWN = (None, None)


def of(database, ask, now: int = NOW) -> Backend:
    """Who answers at that moment, knowing nothing yet."""
    history = MinuteHistory(database, WINDOW)
    return Backend(ask, lambda site_id, span: history.minutes(site_id, span, now, float("inf")))


def asked(*metrics: str, period: str = BOTH, zone: str = "UTC", **fields: Any) -> Query:
    return Query(1, Clock(zone), Period.parse(period), metrics or CROWD, **fields)


def series(answers: Backend, interval: str, query: Query, now: int = NOW) -> list[tuple[Any, ...]]:
    return [point.metrics for point in entry.series(query, query.span(now), interval, answers)]


def two_days(database) -> None:
    """Three people at 10:00, one at 10:30, one at 23:00, and two at 00:05; each is there for a minute."""
    moments = [
        *((YESTERDAY + 10 * HOUR, visitor) for visitor in (1, 2, 3)),
        (YESTERDAY + 10 * HOUR + 30 * MINUTE, 1),
        (YESTERDAY + 23 * HOUR, 2),
        *((TODAY + 5 * MINUTE, visitor) for visitor in (4, 5)),
    ]
    views = (accepted(page_id=f"view-{n:04}", at=when, visitor=who) for n, (when, who) in enumerate(moments))
    stored(database, *views)


def keep_the_days(database, now: int = NOW, days: int = 30) -> None:
    """The day's work: counts what is over, and purges heartbeats that are older than so many days."""
    daily.run(daily.Work(database, now, days, NEVER, lambda _: None, WINDOW))


# ── by hand ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("is_counted", [True, False])
def test_peak_and_average_of_two_days(database, ask, is_counted):
    two_days(database)
    if is_counted:
        keep_the_days(database)
    answers, query = of(database, ask, NOW + 10), asked()
    known = 14 * 60, 8 * 60 + 1  # from the first beat on, and until now
    assert numbers_of(query, query.span(NOW), answers) == {
        "peak_concurrents": 3,
        "average_concurrents": (3 + 1 + 1 + 2) / sum(known),
    }
    assert series(answers, "day", query) == [(3, 5 / known[0]), (2, 2 / known[1])]
    assert series(answers, "week", query) == [(3, 7 / sum(known))]
    assert series(answers, "month", query) == [(3, 7 / sum(known))]
    assert series(answers, "hour", query) == [
        *[UNKNOWN] * 10,
        (3, 4 / 60),
        *[(0, 0.0)] * 12,
        (1, 1 / 60),
        (2, 2 / 60),
        *[(0, 0.0)] * 7,
        (0, 0.0),  # the one minute that has passed
        *[UNKNOWN] * 15,
    ]


def test_minutes_that_have_passed_are_told_one_by_one(database, ask):
    keep_heartbeats(database, beat(1, at=NOW - HOUR), *(beat(n, at=NOW - 3 * MINUTE) for n in (1, 2)))
    query = asked(period="realtime")
    found = entry.series(query, query.span(NOW), "minute", of(database, ask))
    assert found == [
        *(Point(Span(at, at + MINUTE), (0, 0.0)) for at in range(NOW - 29 * MINUTE, NOW - 3 * MINUTE, MINUTE)),
        Point(Span(NOW - 3 * MINUTE, NOW - 2 * MINUTE), (2, 2.0)),
        Point(Span(NOW - 2 * MINUTE, NOW - MINUTE), (0, 0.0)),
        Point(Span(NOW - MINUTE, NOW), (0, 0.0)),
        Point(Span(NOW, NOW + MINUTE), UNKNOWN),  # it may still change
    ]


def test_a_minute_belongs_to_the_part_of_a_period_in_which_it_begins(database, ask):
    keep_heartbeats(database, beat(1, at=YESTERDAY), *(beat(n, at=YESTERDAY + HOUR) for n in (1, 2)))
    answers, query = of(database, ask), asked("peak_concurrents")
    full, late, early = (Span(YESTERDAY + HOUR + at, YESTERDAY + HOUR + at + 50) for at in (0, 1, -50))
    assert [numbers_of(query, span, answers)["peak_concurrents"] for span in (full, late, early)] == [2, None, None]


@pytest.mark.parametrize(("day", "hours"), [("2026-10-25", 25), ("2026-03-29", 23), ("2026-06-01", 24)])
def test_a_day_on_which_clocks_change_has_all_its_minutes(database, ask, day, hours):
    zone = ZoneInfo("Europe/Berlin")
    begin = int(datetime.fromisoformat(day).replace(tzinfo=zone).timestamp())
    end = begin + hours * HOUR
    keep_heartbeats(
        database,
        *(beat(1, at=begin - DAY_S), beat(1, at=begin - MINUTE), beat(1, at=begin), beat(1, at=end)),
        *(beat(nth, at=begin + hour * HOUR + 90) for hour in range(hours) for nth in range(hour + 1)),
    )
    keep_the_days(database, end + 3 * DAY_S)
    query = asked(period=day, zone="Europe/Berlin")
    answers = of(database, ask, end + 3 * DAY_S)
    assert series(answers, "hour", query) == [
        *[(1, 2 / 60)],  # also the one at midnight
        *((hour + 1, (hour + 1) / 60) for hour in range(1, hours)),
    ]
    people = 1 + sum(range(hours + 1))
    assert series(answers, "day", query) == [(hours, people / (hours * 60))]


def test_a_site_whose_heartbeats_are_gone_is_told_from_its_series(database, ask):
    two_days(database)
    before = series(of(database, ask), "hour", asked(period="2027-01-14"))
    keep_the_days(database, NOW + 9 * DAY_S, days=2)
    assert fetch_from(database)(schema.heartbeats.select()) == []
    later = of(database, ask, NOW + 9 * DAY_S)
    assert series(later, "hour", asked(period="2027-01-14")) == before
    query = asked("visitors", *CROWD, period="2027-01-14")
    assert series(later, "day", query) == [(3, 3, 5 / 840)]


def test_the_page_of_a_day_and_the_question_say_the_same(database, ask):
    two_days(database)
    own = site(timezone="Asia/Kathmandu")
    for back in (0, 1, 2):
        day = day_of(NOW) - timedelta(days=back)
        history = MinuteHistory(database, WINDOW)
        shown = next(found for found in (history.day(own, day, NOW) for _ in range(200)) if found.complete)
        query = asked(period=str(day), zone=own.timezone)
        assert numbers_of(query, query.span(NOW), of(database, ask)) == {
            "peak_concurrents": shown.peak and shown.peak[0],
            "average_concurrents": shown.average,
        }


def test_a_period_is_compared_with_another(database, ask):
    two_days(database)
    query = asked("peak_concurrents", period="2027-01-15", comparison=Comparison())
    earlier = query.compared(NOW)
    assert earlier == Span(YESTERDAY, YESTERDAY + 8 * HOUR + 1)
    assert numbers_of(query, earlier, of(database, ask)) == {"peak_concurrents": None}  # before the first beat
    whole = query.compared(NOW, whole=True)
    assert numbers_of(query, whole, of(database, ask)) == {"peak_concurrents": 3}


# ── nothing is known ─────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("period", [BOTH, "realtime", "2030-01-01", "2010-01-01,2030-12-31"])
def test_where_no_minute_is_known_there_is_no_number(database, ask, period):
    query = asked("visitors", *CROWD, period=period)
    answers, span = of(database, ask), query.span(NOW)
    assert numbers_of(query, span, answers) == {"visitors": 0} | dict.fromkeys(CROWD)
    assert set(series(answers, "month", query)) == {(0, None, None)}
    by_time = asked("visitors", *CROWD, period=period, dimensions=("time:month",))
    assert answer(by_time, span, answers) == Answer([], 0, by_time)


def test_a_period_that_is_longer_than_the_site_s_life_takes_its_life(database, ask):
    two_days(database)
    answers, query = of(database, ask), asked(period="2010-01-01,2030-12-31")
    assert [one for one in series(answers, "month", query) if one != UNKNOWN] == [(3, 7 / (840 + 480))]
    ages = asked("peak_concurrents", period="1971-01-01,2099-12-31")
    assert numbers_of(ages, ages.span(NOW), answers) == {"peak_concurrents": 3}


def test_numbers_are_never_told_in_part(database):
    two_days(database)
    history, both = MinuteHistory(database, WINDOW), asked().span(NOW)
    with pytest.raises(StillCounting, match="ask again"):
        history.minutes(1, both, NOW, patience_s=0)
    assert max(history.minutes(1, both, NOW, patience_s=float("inf")).people) == 3
    assert max(history.minutes(1, both, NOW, patience_s=0).people) == 3  # what has been counted is known


def test_numbers_of_a_day_that_the_day_s_work_has_still_to_count_are_not_told(database):
    keep_heartbeats(database, *(beat(at=NOW - 5 * DAY_S + 30 * nth) for nth in range(4)), beat(at=NOW - 30))
    history, day = MinuteHistory(database, WINDOW), day_of(NOW - 5 * DAY_S)
    week, today = (asked(period=period).span(NOW) for period in (f"{day},2027-01-15", "2027-01-15"))
    with pytest.raises(StillCounting, match=f"the minutes of {day} are still to be counted: the day's work does it"):
        history.minutes(1, week, NOW, patience_s=60)
    assert max(history.minutes(1, today, NOW + 300, patience_s=60).people) == 1
    keep_the_days(database)
    assert max(history.minutes(1, week, NOW, patience_s=60).people) == 1


def test_a_program_is_told_to_come_again_while_minutes_are_still_being_counted(database):
    two_days(database)
    key = api_keys.add(database, "reports", "stats", 1, now=NOW)
    history, clock = MinuteHistory(database, WINDOW), lambda: float(NOW)

    def programs(patience_s: float) -> statistics.Statistics:
        backend = Backend(fetch_from(database), lambda site_id, span: history.minutes(site_id, span, NOW, patience_s))
        hub = Hub(database, WINDOW, clock)
        return statistics.Statistics(Directory(database), KeyRing(database), hub, backend, clock)

    body = json.dumps({"site_id": "site-1.example", "metrics": CROWD[:1], "date_range": ["2027-01-14", "2027-01-15"]})
    request = Request("POST", statistics.QUERY, "", {"authorization": f"Bearer {key}"}, "127.0.0.1", body.encode())
    waits = programs(0).query(request)
    assert (waits.status, dict(waits.headers)["Retry-After"]) == (503, "1")
    assert json.loads(waits.body) == {"error": "minutes of this period are still being counted; ask again in a moment"}
    assert json.loads(programs(60).query(request).body)["results"] == [{"metrics": [3], "dimensions": []}]


# ── with facts ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_facts_and_minutes_stand_in_the_order_of_the_question(database, ask):
    two_days(database)
    query = asked("average_concurrents", "pageviews", "peak_concurrents", "bounce_rate")
    answers = of(database, ask, NOW + 10)
    assert series(answers, "day", query) == [(5 / 840, 5, 3, 3 / 4), (2 / 481, 2, 2, 1.0)]
    assert answer(query, query.span(NOW), answers) == Answer([Row((), (7 / 1321, 7, 3, 5 / 6))], 1, query)


def test_rows_by_time_are_buckets_in_which_something_happened_or_of_which_minutes_are_known(database, ask):
    two_days(database)
    query = asked("visitors", "peak_concurrents", dimensions=("time:hour",))
    rows = answer(query, query.span(NOW), of(database, ask, NOW + 10)).rows
    began = YESTERDAY + 10 * HOUR
    assert [row.dimensions for row in rows] == [(began + hour * HOUR,) for hour in range(23)]
    assert [row.metrics for row in rows if row.metrics != (0, 0)] == [(3, 3), (1, 1), (2, 2)]


@pytest.mark.parametrize("how", ["imported", "without the other metric"])
def test_rows_of_which_no_minute_is_known_are_those_of_the_facts(database, ask, how):
    stored(database, accepted(at=YESTERDAY + 10 * HOUR))
    with database.transaction() as connection:
        connection.execute(schema.heartbeats.delete())
    names = CROWD if how == "imported" else ()
    query = asked("bounce_rate", *names, dimensions=("time:day",))
    found = answer(query, query.span(NOW), of(database, ask))
    assert found == Answer([Row((YESTERDAY,), (1.0, *(None for _ in names)))], 1, query)


def test_rows_are_sorted_and_cut_and_the_others_counted(database, ask):
    two_days(database)
    answers = of(database, ask)

    def hours(*order: Order, **cut: int) -> tuple[list[tuple[Any, ...]], int]:
        query = asked("peak_concurrents", "bounce_rate", dimensions=("time:hour",), order=order, **cut)
        found = answer(query, query.span(NOW), answers)
        return [((row.dimensions[0] - YESTERDAY) // HOUR, *row.metrics) for row in found.rows], found.total

    assert hours(Order("peak_concurrents"), limit=4) == (
        [(10, 3, 2 / 3), (24, 2, 1.0), (23, 1, 1.0), (11, 0, None)],
        22,
    )
    assert hours(Order("bounce_rate", False), Order("peak_concurrents"), limit=4) == (
        [(10, 3, 2 / 3), (24, 2, 1.0), (23, 1, 1.0), (11, 0, None)],
        22,
    )
    assert hours(Order("time:hour"), limit=1) == ([(31, 0, None)], 22)
    assert hours(limit=1) == ([(10, 3, 2 / 3)], 22)
    assert hours(offset=22) == ([], 0)


def test_facts_alone_know_nothing_of_it(database):
    query = asked()
    with pytest.raises(TypeError, match="peak_concurrents is computed from minutes, not from facts"):
        fact_sql.statement(query, query.span(NOW))
