"""How many people were active at each minute, computed from the stored heartbeats."""

from __future__ import annotations

import random
import threading
from contextlib import contextmanager
from datetime import date, datetime
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import text

from analytics.base.ids import first_id
from analytics.live.beat import Beat, PageState
from analytics.live.minute_query import first_beat, people_at
from analytics.live.minutes import MinuteHistory
from analytics.live.presence import Presence
from analytics.live.state import Concurrency
from analytics.sites.site import Site
from tests.support.factories import MINUTE, NOW, beat, keep_beats, site
from tests.support.serving import eventually

WINDOW = 60
HOUR = 3600


def at(text: str, zone: str = "UTC") -> int:
    """That moment of the zone's clock, in seconds since the epoch."""
    return int(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp())


def people(database, *moments: int) -> list[int]:
    return list(people_at(database, 1, moments, WINDOW).values())


def crowd(when: int, number: int) -> list[Beat]:
    """So many visitors at that second."""
    return [beat(when + n, at=when, nth=n) for n in range(number)]


# ── a moment of the past ─────────────────────────────────────────────────────────────────────────────────────────────


def test_without_moments_and_without_beats_there_is_nothing(database):
    assert people_at(database, 1, [], WINDOW) == {}
    assert people_at(database, 1, [NOW, NOW + MINUTE], WINDOW) == {NOW: 0, NOW + MINUTE: 0}
    assert first_beat(database, 1) is None


def test_a_beat_counts_from_its_second_until_the_window_is_over(database):
    keep_beats(database, [beat(1)])
    moments = (NOW - 1, NOW, NOW + WINDOW - 1, NOW + WINDOW)
    assert people(database, *moments) == [0, 1, 1, 0]


def test_only_the_wanted_site_counts(database):
    keep_beats(database, [beat(1, site_id=2)])
    assert people(database, NOW) == [0]


def test_a_person_counts_once_and_leaving_ends_it(database):
    keep_beats(
        database,
        [
            beat(1, 11, user_id="ann"),
            beat(2, 21, nth=1, user_id="ann"),
            beat(3, 31, nth=2),
            beat(3, 32, nth=3),
            beat(4, 41, nth=4),
            beat(4, 41, at=NOW + 1, state=PageState.LEFT),
            beat(3, 32, at=NOW + 2, state=PageState.LEFT),
            beat(2, 21, at=NOW + 3),
        ],
    )
    assert people(database, NOW, NOW + 1, NOW + 2, NOW + 3) == [3, 2, 2, 3]


def test_the_oldest_beat_is_found(database):
    keep_beats(database, [beat(1, at=NOW + 5), beat(2), beat(3, at=NOW - 99, site_id=2)])
    assert (first_beat(database, 1), first_beat(database, 2), first_beat(database, 3)) == (NOW, NOW - 99, None)


@pytest.mark.parametrize("seed", range(4))
def test_stored_history_and_live_presence_say_the_same_number(database, seed):
    choice = random.Random(seed)
    seconds = sorted(choice.randrange(300) for _ in range(250))
    beats = [
        beat(
            choice.randrange(1, 9),
            choice.randrange(1, 16),  # a page may change hands
            at=NOW + second,
            nth=number,
            visit_id=first_id(NOW) + number,
            user_id=choice.choice((None, None, "ann", "bob", "v1")),
            state=choice.choice((PageState.ACTIVE, PageState.ACTIVE, PageState.IDLE, PageState.HIDDEN, PageState.LEFT)),
        )
        for number, second in enumerate(seconds)
    ]
    keep_beats(database, beats)
    presence, live = Presence(WINDOW), {}
    for now in range(NOW, NOW + 300 + WINDOW + 1):
        presence.take([one for one in beats if one.at == now], now)
        live[now] = presence.active
    assert people_at(database, 1, list(live), WINDOW) == live
    assert max(live.values()) > 5


# ── the history of an hour and of a day ──────────────────────────────────────────────────────────────────────────────


def test_a_site_without_beats_has_no_history(database):
    assert MinuteHistory(database, WINDOW).read(site(), NOW) == Concurrency((), None, None)


def test_a_point_a_minute_since_the_first_beat(database):
    keep_beats(database, [*crowd(NOW - 150, 2), *crowd(NOW - 20, 3)])
    found = MinuteHistory(database, WINDOW).read(site(), NOW + 10)
    assert found == Concurrency(points=((NOW - 120, 2), (NOW - 60, 0), (NOW, 3)), hour_ago=None, peak=(3, NOW))


def test_the_points_are_those_of_the_last_hour(database):
    keep_beats(database, [beat(1, at=NOW - 5 * HOUR)])
    found = MinuteHistory(database, WINDOW).read(site(), NOW + 10)
    assert found.points == tuple((NOW - MINUTE * n, 0) for n in range(60, -1, -1))


def test_a_minute_is_read_once_it_is_final(database):
    keep_beats(database, [beat(1, at=NOW - 200), beat(1, at=NOW - 20)])
    history = MinuteHistory(database, WINDOW)
    assert history.read(site(), NOW + 1).points[-1] == (NOW - 60, 0)
    assert history.read(site(), NOW + 2).points[-1] == (NOW, 1)


@pytest.mark.parametrize(
    ("first", "hour_ago"),
    [(NOW - HOUR + 1, None), (NOW - HOUR, 1), (NOW - HOUR - 59, 1), (NOW - HOUR - 60, 0), (NOW - 9 * HOUR, 0)],
)
def test_one_hour_ago_is_unknown_or_nobody_or_so_many(database, first, hour_ago):
    keep_beats(database, [beat(1, at=first), beat(2, at=NOW)])
    assert MinuteHistory(database, WINDOW).read(site(), NOW + 10).hour_ago == hour_ago


def whole_peak(history: MinuteHistory, of: Site, now: int) -> tuple[int, int] | None:
    """Today's peak, once all of today is counted: a question counts no longer than its budget."""
    return next(filter(None, (history.read(of, now).peak for _ in range(200))), None)


# ── today's peak ─────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin", "Asia/Kathmandu", "Pacific/Kiritimati", "America/St_Johns"])
def test_the_peak_is_that_of_the_site_s_day(database, zone):
    midnight = at("2027-01-15 00:00", zone)
    keep_beats(
        database, [*crowd(midnight - 90, 5), *crowd(midnight + 5 * MINUTE, 2), *crowd(midnight + 20 * MINUTE, 1)]
    )
    history = MinuteHistory(database, WINDOW)
    assert history.read(site(timezone=zone), midnight - 30).peak == (5, midnight - 60)
    assert history.read(site(timezone=zone), midnight + 30 * MINUTE).peak == (2, midnight + 5 * MINUTE)


def test_of_several_minutes_with_the_most_people_the_first_is_the_peak_as_on_the_page_of_the_day(database):
    midnight = at("2027-01-15 00:00")
    keep_beats(database, [*crowd(midnight + HOUR, 2), *crowd(midnight + 2 * HOUR, 2)])
    history, now = MinuteHistory(database, WINDOW), midnight + 3 * HOUR
    first = (2, midnight + HOUR)
    assert whole_peak(history, site(), now) == first
    assert history.then(site(), now - MINUTE, now).peak == first
    assert history.day(site(), date(2027, 1, 15), now).peak == first


@pytest.mark.parametrize(("day", "hours"), [("2027-03-28", 23), ("2027-10-31", 25), ("2027-06-01", 24)])
def test_a_day_of_23_hours_and_one_of_25_are_whole_days(database, day, hours):
    zone = "Europe/Berlin"
    midnight = at(f"{day} 00:00", zone)
    end = midnight + hours * HOUR
    keep_beats(database, [*crowd(midnight - 120, 9), *crowd(midnight, 3), *crowd(end - 180, 4), *crowd(end + 60, 1)])
    history = MinuteHistory(database, WINDOW)
    early, late, next_day = (
        whole_peak(history, site(timezone=zone), when) for when in (end - 240, end - 1, end + 3 * MINUTE)
    )
    assert (early, late, next_day) == ((3, midnight), (4, end - 180), (1, end + MINUTE))


def test_the_first_minute_of_all_counts(database):
    keep_beats(database, crowd(NOW, 3))
    assert MinuteHistory(database, WINDOW).read(site(), NOW + 130).peak == (3, NOW)


def test_the_first_hour_of_a_day_shows_the_last_one_of_the_day_before(database):
    midnight = at("2027-01-15 00:00")
    keep_beats(database, crowd(midnight - 4 * HOUR, 1))
    for minutes in (0, 1, 30, 59, 60, 61):
        history = MinuteHistory(database, WINDOW)
        for second in (0, 1, 2, 59):
            found = history.read(site(), midnight + minutes * MINUTE + second)
            assert (len(found.points), found.hour_ago) == (61, 0)


def test_a_long_day_is_counted_in_parts_and_never_shown_in_part(database):
    keep_beats(database, [*crowd(NOW - 7 * HOUR, 4), *crowd(NOW - 60, 1)])
    history = MinuteHistory(database, WINDOW)
    assert whole_peak(history, site(), NOW + 10) == (4, NOW - 7 * HOUR)


# ── what comes late ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_minute_is_counted_once_and_again_after_a_late_beat(database):
    keep_beats(database, crowd(NOW - 600, 1))
    history = MinuteHistory(database, WINDOW)
    before = history.read(site(), NOW + 10)
    late = [beat(77, at=NOW - 300, visit_id=first_id(NOW) + 1)]
    keep_beats(database, late)
    assert history.read(site(), NOW + 10) == before
    history.forget(1, NOW - 300)
    after = history.read(site(), NOW + 10)
    assert set(after.points) - set(before.points) == {(NOW - 300, 1)}


def test_forgetting_a_minute_that_was_never_counted_does_nothing(database):
    MinuteHistory(database, WINDOW).forget(1, NOW)


def test_a_late_beat_may_be_stored_during_a_read(database):
    """The writer forgets minutes on its own thread: neither it nor the reader may stumble."""
    keep_beats(database, crowd(NOW - 3 * HOUR, 1))
    history, failed, ended = MinuteHistory(database, WINDOW), [], threading.Event()

    def forget() -> None:
        try:
            while not ended.is_set():
                for second in range(NOW - 3 * HOUR, NOW, MINUTE):
                    history.forget(1, second)
        except Exception as wrong:
            failed.append(wrong)

    writer = threading.Thread(target=forget)
    writer.start()
    try:
        for _ in range(8):
            assert len(history.read(site(), NOW + 10).points) == 61
    finally:
        ended.set()
        writer.join()
    assert failed == []


# Site 1's heartbeats are as slow to read as we like; those of other sites are not touched by it, whichever way
# PostgreSQL reads the table: the visitor is computed for rows that have been chosen by their site. (As a condition of
# the view it was computed for each row of a table that was read from end to end, of both sites.)
SLOW = """
CREATE FUNCTION slow_visitor(visitor bigint) RETURNS bigint STABLE LANGUAGE plpgsql AS
    'BEGIN PERFORM pg_advisory_xact_lock_shared(99); RETURN visitor; END';
ALTER TABLE heartbeats RENAME TO quick_heartbeats;
CREATE VIEW heartbeats AS
    SELECT site_id, id, at, visit_id, tab, user_id, user_type, state, path,
           CASE WHEN site_id = 1 THEN slow_visitor(visitor) ELSE visitor END AS visitor
    FROM quick_heartbeats;
"""
QUICK = """
DROP VIEW heartbeats;
ALTER TABLE quick_heartbeats RENAME TO heartbeats;
DROP FUNCTION slow_visitor;
"""


@contextmanager
def slow_site(database):
    """Others use this database after us."""
    with database.writing.begin() as connection:
        connection.exec_driver_sql(SLOW)
    try:
        yield
    finally:
        with database.writing.begin() as connection:
            connection.exec_driver_sql(QUICK)


@pytest.mark.parametrize("config", ["postgresql"], indirect=True)
def test_a_site_that_is_slow_to_count_holds_up_no_other(database):
    keep_beats(database, [*crowd(NOW, 2), beat(9, at=NOW, site_id=2)])
    with database.writing.begin() as connection:
        connection.exec_driver_sql("ANALYZE heartbeats")  # so few rows are read from end to end
    history, slow = MinuteHistory(database, WINDOW), []
    with slow_site(database):
        with database.writing.begin() as blocking:
            blocking.execute(text("SELECT pg_advisory_xact_lock(99)"))
            counting = threading.Thread(target=lambda: slow.append(history.read(site(), NOW + 10)))
            counting.start()
            eventually(lambda: blocking.execute(text("SELECT count(*) FROM pg_locks WHERE NOT granted")).scalar())
            assert history.read(site(id=2), NOW + 10).points == ((NOW, 1),)
            assert slow == []
        counting.join()
        assert [found.points for found in slow] == [((NOW, 2),)]
