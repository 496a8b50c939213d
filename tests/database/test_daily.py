"""The day's work: what is done when, once over all processes, and made up when it was missed."""

from __future__ import annotations

import threading
from datetime import datetime, timedelta

import pytest

from analytics.base.config import Config
from analytics.calendar.days import day_of, start_of
from analytics.jobs import daily, purge
from analytics.jobs.daily import Work
from analytics.sites import salt_store
from analytics.storage import schema
from analytics.storage.database import Database
from tests.support.factories import NOW, beat, count, keep_heartbeats, rows, with_sites

HOUR, DAY = 3600, 86_400
TODAY = day_of(NOW)
ONE_O_CLOCK = start_of(TODAY) + HOUR


def work(database, now: int = NOW, pause=lambda _: False, report=lambda _: None) -> Work:
    return Work(database, now, 7, pause, report)


def days(database) -> list[str]:
    return [row[0] for row in rows(database, schema.daily_usage, "day")]


def day(back: int) -> str:
    return (TODAY - timedelta(days=back)).isoformat()


def expected_lines(people: int) -> list[str]:
    """What is said when yesterday was counted."""
    return [f"Counted the people of {day(1)}: {people}.", f"Counted the minutes of {day(1)}."]


@pytest.fixture
def fortnight(database) -> Database:
    """Two people at noon of each of the last fourteen days; a third on the fourth of them, signed in."""
    noon = start_of(TODAY) + 12 * HOUR
    beats = [beat(n, at=noon - back * DAY) for back in range(1, 15) for n in (1, 2)]
    keep_heartbeats(database, *beats, beat(3, at=noon - 11 * DAY, user_id="ada"))
    return database


def test_everything_missed_is_made_up_and_then_there_is_nothing_to_do(fortnight):
    assert daily.run(work(fortnight)) == [
        f"Counted the people of 14 days, {day(14)} to {day(1)}: 29, each day for itself.",
        f"Counted the minutes of 14 days, {day(14)} to {day(1)}.",
        "Purged 15 heartbeats past their retention.",
    ]
    assert rows(fortnight, schema.daily_usage, "day", "people") == [
        (day(back), 3 if back == 11 else 2) for back in range(14, 0, -1)
    ]
    assert min(at for (at,) in rows(fortnight, schema.heartbeats, "at")) == start_of(TODAY) - 6 * DAY - 12 * HOUR
    assert daily.run(work(fortnight)) == []


def test_one_day_is_reported_as_one_day(database):
    keep_heartbeats(database, beat(1, at=NOW - DAY), beat(2, at=NOW - DAY))
    assert daily.run(work(database)) == expected_lines(2)


def test_by_itself_it_is_done_at_one_o_clock_utc_and_not_before(database):
    assert daily.run_if_due(work(database, NOW - DAY)) == []
    keep_heartbeats(database, beat(1, at=NOW - DAY))
    early = ONE_O_CLOCK - 1
    assert not daily.due(database, early)
    assert daily.due(database, early + 1)
    assert daily.run_if_due(work(database, early + 1)) == expected_lines(1)
    assert not daily.due(database, early + 1)
    assert daily.run_if_due(work(database, NOW)) == []
    assert daily.due(database, ONE_O_CLOCK + DAY)


def test_what_was_missed_is_due_at_any_hour(database):
    keep_heartbeats(database, beat(1, at=NOW - 3 * DAY))
    with_sites(database, 1)
    assert daily.due(database, ONE_O_CLOCK - HOUR + 60)
    daily.run_if_due(work(database, ONE_O_CLOCK - HOUR + 60))
    assert days(database) == [day(3)]


def test_nothing_is_purged_of_a_day_that_could_not_be_counted(fortnight):
    stopping = iter([False, False, False])  # the first days are counted, then it has to stop
    assert daily.run(work(fortnight, pause=lambda _: next(stopping, True)))
    first = min(at for (at,) in rows(fortnight, schema.heartbeats, "at"))
    assert 0 < len(days(fortnight)) < 14
    assert day_of(first).isoformat() > days(fortnight)[-1] or len(rows(fortnight, schema.heartbeats)) == 29
    assert daily.due(fortnight, NOW)
    daily.run(work(fortnight))
    assert rows(fortnight, schema.daily_usage, "day", "people") == [
        (day(back), 3 if back == 11 else 2) for back in range(14, 0, -1)
    ]


def test_a_purge_that_was_stopped_is_due_again(fortnight, monkeypatch):
    monkeypatch.setattr(purge, "BATCH", 4)

    def pause(_: float) -> bool:
        return count(fortnight, schema.heartbeats) < 29  # stops after the first batch

    daily.run(work(fortnight, pause=pause))
    assert count(fortnight, schema.heartbeats) == 25
    assert daily.due(fortnight, NOW)
    assert daily.run_if_due(work(fortnight)) == ["Purged 11 heartbeats past their retention."]
    assert not daily.due(fortnight, NOW)


def test_old_counters_go_too_and_are_due_once_a_day(database):
    with_sites(database, 1)
    with database.transaction() as connection:
        for back in (0, 89, 90, 91):
            row = {"site_id": 1, "hour": NOW - back * DAY, "outcome": "filtered", "reason": "bot", "count": 1}
            connection.execute(schema.outcomes.insert(), row)
    assert daily.run_if_due(work(database)) == ["Purged 1 counter older than 90 days."]
    assert [hour for (hour,) in rows(database, schema.outcomes, "hour")] == [NOW - back * DAY for back in (90, 89, 0)]
    assert not daily.due(database, NOW)
    assert daily.due(database, NOW + DAY)


def test_counters_whose_purge_was_stopped_are_due_again(database, monkeypatch):
    monkeypatch.setattr(purge, "BATCH", 1)
    with_sites(database, 1)
    with database.transaction() as connection:
        for back in (91, 92):
            row = {"site_id": 0, "hour": NOW - back * DAY, "outcome": "rejected", "reason": "bad_json", "count": 1}
            connection.execute(schema.outcomes.insert(), row)
    assert daily.run(work(database, pause=lambda _: True)) == ["Purged 1 counter older than 90 days."]
    assert daily.due(database, NOW)
    assert daily.run_if_due(work(database)) == ["Purged 1 counter older than 90 days."]
    assert not daily.due(database, NOW)


def test_old_salts_go_too(database):
    with_sites(database, 1)
    with database.transaction() as connection:
        for back in (0, 1, 2):
            connection.execute(schema.salts.insert(), {"site_id": 1, "day": day(back), "nonce": "00" * 32})
    assert daily.run(work(database, start_of(TODAY) + salt_store.OPEN_S - 1)) == ["Destroyed 1 old salt."]
    assert daily.run(work(database, start_of(TODAY) + salt_store.OPEN_S)) == ["Destroyed 1 old salt."]
    assert rows(database, schema.salts, "day") == [(day(0),)]


# ── once over all processes ──────────────────────────────────────────────────────────────────────────────────────────


def test_while_one_is_at_it_another_leaves_it_or_waits(fortnight):
    waited = threading.Event()
    answers: list[list[str]] = []

    def other() -> None:
        answers.append(daily.run(work(fortnight, pause=lambda s: threading.Event().wait(s), report=said.append)))

    said: list[str] = []
    with fortnight.daily_work_lock() as alone:
        assert alone
        assert daily.run_if_due(work(fortnight)) == []
        thread = threading.Thread(target=other)
        thread.start()
        while "another process is at it" not in said:
            waited.wait(0.01)
        assert days(fortnight) == []
    thread.join(30)
    assert [line.split(":")[0] for line in answers[0]] == [
        f"Counted the people of 14 days, {day(14)} to {day(1)}",
        f"Counted the minutes of 14 days, {day(14)} to {day(1)}.",
        "Purged 15 heartbeats past their retention.",
    ]


@pytest.mark.parametrize("config", ["postgresql"], indirect=True)
def test_of_two_processes_on_one_database_one_does_it(config: Config, fortnight):
    other = Database(config)
    try:
        with fortnight.daily_work_lock() as first, other.daily_work_lock() as second:
            assert (first, second) == (True, False)
        with other.daily_work_lock() as alone:
            assert alone
        begin = threading.Barrier(2)
        answers: list[list[str]] = []

        def one(database: Database) -> None:
            begin.wait(10)
            answers.append(daily.run_if_due(work(database)))

        threads = [threading.Thread(target=one, args=(database,)) for database in (fortnight, other)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
        assert sorted(map(len, answers)) == [0, 3]
    finally:
        other.close()
    assert len(days(fortnight)) == 14


def test_the_day_is_the_utc_day_wherever_the_server_stands():
    assert datetime.fromisoformat("2027-01-15T08:00:00+00:00").timestamp() == NOW
    assert (TODAY.isoformat(), start_of(TODAY)) == ("2027-01-15", NOW - 8 * HOUR)
