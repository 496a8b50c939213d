"""How many people were active at each minute of a day: counted once from the heartbeats, packed and stored."""

from __future__ import annotations

import random
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from analytics.base.ids import first_id
from analytics.calendar import minute_series
from analytics.calendar.days import day_of, start_of
from analytics.calendar.minute_series import DAY_S, MINUTES, UNKNOWN, DayOfConcurrents
from analytics.jobs import daily
from analytics.live import minute_store
from analytics.live.beat import PageState
from analytics.live.minute_query import people_at, people_each_minute
from analytics.live.minutes import MinuteHistory, a_week_before
from analytics.sites import store
from analytics.storage import schema
from tests.support.factories import MINUTE, NOW, accepted, beat, keep_heartbeats, one_by_one, rows, site, with_sites

WINDOW = 60
HOUR = 3600
TODAY = day_of(NOW)
YESTERDAY = TODAY - timedelta(days=1)
MIDNIGHT = start_of(TODAY)
NOON = MIDNIGHT - DAY_S // 2  # of yesterday


def go_on(_: float) -> bool:
    return False


def counted(database, day: date = YESTERDAY, kept=lambda _: 0, pause=go_on) -> int | None:
    return minute_store.count_day(database, day, NOW, WINDOW, kept, pause)


def series(database, site_id: int = 1, day: date = YESTERDAY) -> list[int]:
    return list(minute_store.read(database, site_id, day, day + timedelta(days=1))[day])


def people(found: list[int], begin: int = MIDNIGHT - DAY_S) -> dict[int, int]:
    """The minutes with people, by their second."""
    return {begin + nth * MINUTE: number for nth, number in enumerate(found) if number > 0}


# ── counting ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_day_is_packed_and_comes_back_the_same():
    chance = random.Random(1)
    for numbers in ([0] * MINUTES, [UNKNOWN] * MINUTES, [chance.randrange(UNKNOWN, 2**31 - 1) for _ in range(MINUTES)]):
        assert list(minute_series.unpack(minute_series.pack(numbers))) == numbers
    assert len(minute_series.pack([0] * MINUTES)) < 40


@pytest.mark.parametrize("window", [5, 60, 3600])
def test_every_minute_counts_as_presence_counts_that_moment(database, window):
    chance = random.Random(window)
    beats = [
        beat(
            chance.randrange(1, 30),
            chance.randrange(1, 60),
            at=NOON + chance.randrange(-300, 5400),
            user_id=chance.choice((None, None, "ann", "bob")),
            state=chance.choice((PageState.ACTIVE, PageState.ACTIVE, PageState.IDLE, PageState.HIDDEN, PageState.LEFT)),
        )
        for _ in range(900)
    ]
    keep_heartbeats(database, *beats)
    minutes = range(NOON, NOON + 2 * HOUR, MINUTE)
    expected = people_at(database, 1, minutes, window)
    found = people_each_minute(database, 1, NOON, NOON + 2 * HOUR, window)
    assert found == {minute: number for minute, number in expected.items() if number}
    assert max(found.values()) > 2


def test_the_stored_day_is_that_of_its_heartbeats(database):
    keep_heartbeats(
        database,
        *(beat(1, at=MIDNIGHT - DAY_S - 30), beat(1, at=NOON), beat(2, at=NOON + 1), beat(3, at=MIDNIGHT - 1)),
        *(beat(1, at=NOON, site_id=2), beat(1, at=NOON + 5, site_id=2, state=PageState.LEFT)),
    )
    assert counted(database) == 2
    assert people(series(database)) == {MIDNIGHT - DAY_S: 1, NOON: 1, NOON + MINUTE: 1}
    assert people(series(database, 2)) == {NOON: 1}


def test_minutes_before_a_site_s_first_beat_are_unknown(database):
    keep_heartbeats(database, beat(1, at=NOON + 30))
    counted(database)
    assert series(database) == [UNKNOWN] * 721 + [1] + [0] * 718
    keep_heartbeats(database, beat(1, at=MIDNIGHT + 60))
    minute_store.count_day(database, TODAY, NOW + DAY_S, WINDOW, lambda _: 0, go_on)
    assert series(database, day=TODAY) == [0, 1] + [0] * 1438


def test_a_day_without_anybody_is_known_between_others(database):
    """The quiet site's beats were purged before the quiet day: it has no row, and nobody was there."""
    long_ago = TODAY - timedelta(days=3)
    keep_heartbeats(database, beat(1, at=start_of(long_ago) + 9), beat(1, at=NOON, site_id=2))
    keep_heartbeats(database, beat(2, at=start_of(long_ago) + 9, site_id=2))
    counted(database, long_ago)
    with database.transaction() as connection:
        connection.execute(schema.heartbeats.delete().where(schema.heartbeats.c.site_id == 1))
    counted(database)
    assert rows(database, schema.concurrents, "site_id", "day") == [
        *((one, long_ago.isoformat()) for one in (1,)),
        *((2, day.isoformat()) for day in (long_ago, YESTERDAY)),
    ]
    assert series(database) == [0] * MINUTES
    between = YESTERDAY - timedelta(days=1)  # nobody has counted it
    assert set(minute_store.read(database, 1, long_ago, TODAY)) == {long_ago, YESTERDAY}
    assert between in minute_store.missing(database, TODAY)
    assert minute_store.read(database, 1, long_ago - timedelta(days=9), long_ago) == {}
    assert minute_store.read(database, 3, long_ago, TODAY) == {}


def test_a_stopped_count_leaves_the_day_missing_and_the_next_ends_as_if_nothing_had_been(database, monkeypatch):
    monkeypatch.setattr(minute_store, "SITE_BATCH", 1)
    keep_heartbeats(database, *(beat(n, at=NOON + n, site_id=n % 3 + 1) for n in range(40)))
    rests = iter([False] * 9)  # the first site is counted and written, the second not
    assert counted(database, pause=lambda _: next(rests, True)) is None
    assert [one for (one,) in rows(database, schema.concurrents, "site_id")] == [1]
    assert minute_store.missing(database, TODAY) == [YESTERDAY]
    assert counted(database) == 3
    assert minute_store.missing(database, TODAY) == []
    again = rows(database, schema.concurrents)
    counted(database)
    assert rows(database, schema.concurrents) == again


# ── what comes late, what goes ───────────────────────────────────────────────────────────────────────────────────────


def late(database, *arrivals) -> None:
    """Stores arrivals as the writer does."""
    one_by_one(database, *arrivals)
    with database.transaction() as connection:
        daily.count_again(connection, [one.at for one in arrivals], NOW)


def test_a_late_beat_has_its_day_counted_again_and_the_next_where_it_is_the_last_hour(database):
    before = YESTERDAY - timedelta(days=1)
    keep_heartbeats(database, beat(1, at=start_of(before)), beat(1, at=NOON))
    for day in (before, YESTERDAY):
        counted(database, day)
    late(database, accepted(at=NOON + 10, visitor=2))
    assert minute_store.missing(database, TODAY) == [YESTERDAY]
    late(database, accepted("pageview", "page-0002", at=start_of(YESTERDAY) - 10, visitor=3))
    assert minute_store.missing(database, TODAY) == [before, YESTERDAY]
    for day in (before, YESTERDAY):
        counted(database, day)
    assert people(series(database)) == {start_of(YESTERDAY): 1, NOON: 1, NOON + MINUTE: 1}
    assert minute_store.missing(database, TODAY) == []


def test_beats_that_come_while_their_day_is_counted_make_it_be_counted_again(database):
    keep_heartbeats(database, beat(1, at=NOON))
    coming = iter([accepted(at=NOON + 300, visitor=2)])

    def meanwhile(_: float) -> bool:
        for one in coming:
            late(database, one)
        return False

    assert counted(database, pause=meanwhile) is None
    assert counted(database) == 1
    assert people(series(database)) == {NOON: 1, NOON + 5 * MINUTE: 1}


def test_a_day_stays_as_it_was_counted_where_its_beats_may_have_been_purged(database):
    keep_heartbeats(database, *(beat(1, at=NOON, site_id=one) for one in (1, 2)))
    counted(database)
    before = series(database)
    with database.transaction() as connection:
        connection.execute(schema.heartbeats.delete().where(schema.heartbeats.c.id < first_id(NOON + 60)))
    late(database, *(accepted(at=NOON + HOUR, visitor=3, site_id=one) for one in (1, 2)))
    counted(database, kept=lambda site_id: NOON + 30 if site_id == 1 else 0)
    assert (series(database), people(series(database, 2))) == (before, {NOON + HOUR: 1})


def test_minutes_that_were_purged_before_they_were_counted_are_unknown(database):
    keep_heartbeats(database, beat(1, at=NOON + HOUR))
    counted(database, kept=lambda _: NOON)
    assert set(series(database)[:780]) == {UNKNOWN}
    assert series(database)[780:] == [1] + [0] * 659


def test_the_daily_work_counts_before_it_purges_and_the_series_outlives_the_beats(database):
    keep_heartbeats(database, *(beat(n, at=NOON - back * DAY_S) for back in range(12) for n in (1, 2)))
    work = daily.Work(database, NOW, 7, go_on, lambda _: None, WINDOW)
    first = YESTERDAY - timedelta(days=11)
    said = daily.run(work)
    assert said[1] == f"Counted the minutes of 12 days, {first} to {YESTERDAY}."
    assert said[2] == "Purged 10 heartbeats past their retention."
    assert people(series(database, day=first), start_of(first)) == {NOON - 11 * DAY_S: 2}
    assert daily.run(work) == []
    assert not daily.due(database, NOW)


def test_it_goes_with_its_site_and_is_not_written_for_one_that_goes_meanwhile(database):
    keep_heartbeats(database, beat(1, at=NOON), beat(1, at=NOON, site_id=2))

    def remove(_: float) -> bool:
        with database.transaction() as connection:
            connection.execute(schema.sites.delete().where(schema.sites.c.id == 2))
        return False

    counted(database, pause=remove)
    assert [one for (one,) in rows(database, schema.concurrents, "site_id")] == [1]
    store.remove(database, "site-1.example")
    assert rows(database, schema.concurrents) == []


# ── a day of the site's own zone ─────────────────────────────────────────────────────────────────────────────────────


def local(text: str, zone: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).timestamp())


def whole_day(database, day: date, now: int, zone: str = "UTC") -> DayOfConcurrents:
    history, own = MinuteHistory(database, WINDOW), site(timezone=zone)
    return next(filter(lambda found: found.complete, (history.day(own, day, now) for _ in range(200))))


@pytest.mark.parametrize("zone", ["UTC", "Asia/Kathmandu", "Pacific/Kiritimati", "America/St_Johns"])
@pytest.mark.parametrize("is_counted", [True, False])
def test_a_day_has_its_line_its_peak_and_its_mean_whether_counted_already_or_not(database, zone, is_counted):
    begin = local(f"{YESTERDAY}T00:00", zone)
    keep_heartbeats(
        database,
        *(beat(1, at=begin - 2 * DAY_S), beat(1, at=begin - 30), beat(2, at=begin + HOUR), beat(3, at=begin + HOUR)),
        *(beat(4, at=begin + 5 * HOUR), beat(5, at=begin + DAY_S - 30), beat(6, at=begin + DAY_S)),
    )
    if is_counted:
        daily.run(daily.Work(database, NOW, 30, go_on, lambda _: None, WINDOW))
    found = whole_day(database, YESTERDAY, NOW, zone)
    assert (found.begin, found.end) == (begin, begin + DAY_S)
    assert people(list(found.people), begin) == {begin: 1, begin + HOUR: 2, begin + 5 * HOUR: 1}
    assert found.peak == (2, begin + HOUR)
    assert found.average == pytest.approx(4 / MINUTES)
    assert set(found.before) == {UNKNOWN}


def test_the_running_day_ends_with_the_last_minute_that_does_not_change_any_more(database):
    keep_heartbeats(database, beat(1, at=MIDNIGHT - 3 * DAY_S), beat(1, at=NOW - 30))
    for second, last in ((1, 0), (2, 1), (61, 1)):
        found = list(whole_day(database, TODAY, NOW + second).people)
        assert found[480] == (last if second >= 2 else UNKNOWN)
        assert set(found[481:]) == {UNKNOWN}
    empty = whole_day(database, TODAY + timedelta(days=1), NOW)
    assert (empty.peak, empty.average, set(empty.people)) == (None, None, {UNKNOWN})


def test_last_week_s_line_is_that_of_the_same_weekday_after_its_beats_are_gone(database):
    a_week = 7 * DAY_S
    keep_heartbeats(database, beat(1, at=NOON - a_week - DAY_S), *(beat(n, at=NOON - a_week) for n in (1, 2, 3)))
    keep_heartbeats(database, beat(1, at=NOON))
    daily.run(daily.Work(database, NOW, 2, go_on, lambda _: None, WINDOW))
    assert [at for (at,) in rows(database, schema.heartbeats, "at")] == [NOON]
    found = whole_day(database, YESTERDAY, NOW)
    begin = start_of(YESTERDAY)
    assert (people(list(found.people), begin), people(list(found.before), begin)) == ({NOON: 1}, {NOON: 3})


@pytest.mark.parametrize(("day", "hours"), [("2027-03-28", 23), ("2027-10-31", 25), ("2027-04-04", 24)])
def test_a_day_of_23_hours_and_one_of_25_are_compared_by_the_clock(database, day, hours):
    zone = "Europe/Berlin"
    noon = local(f"{day}T12:00", zone)
    then = local(f"{date.fromisoformat(day) - timedelta(days=7)}T12:00", zone)
    keep_heartbeats(database, beat(1, at=then - DAY_S), beat(1, at=then), beat(2, at=then), beat(3, at=noon))
    daily.run(daily.Work(database, noon + 2 * DAY_S, 30, go_on, lambda _: None, WINDOW))
    found = whole_day(database, date.fromisoformat(day), noon + 2 * DAY_S, zone)
    assert len(found.people) == len(found.before) == (found.end - found.begin) // MINUTE == hours * 60
    nth = (noon - found.begin) // MINUTE
    assert (found.people[nth], found.before[nth]) == (1, 2)
    assert a_week_before(noon, ZoneInfo(zone)) == then


def test_a_year_is_read_at_once_and_uncounted_minutes_are_unknown(database):
    with_sites(database, 1)
    first = TODAY - timedelta(days=365)
    packed = minute_series.pack([3] * MINUTES)
    with database.transaction() as connection:
        days = (first + timedelta(days=nth) for nth in range(365))
        connection.execute(
            schema.concurrents.insert(),
            [{"site_id": 1, "day": str(day), "people": packed} for day in days if day.month != 2],
        )
    found, complete = MinuteHistory(database, WINDOW).people(1, start_of(first), MIDNIGHT, NOW)
    assert complete
    assert (len(found), found.count(3), found.count(UNKNOWN)) == (365 * MINUTES, 337 * MINUTES, 28 * MINUTES)


def test_a_late_beat_of_a_counted_day_is_seen_when_it_has_been_counted_again(database):
    keep_heartbeats(database, beat(1, at=NOON))
    history = MinuteHistory(database, WINDOW)
    counted(database)
    assert people(list(history.day(site(), YESTERDAY, NOW).people)) == {NOON: 1}
    late(database, accepted(at=NOON + 300, visitor=2))
    history.forget(1, NOON + 300)
    counted(database)
    assert people(list(history.day(site(), YESTERDAY, NOW).people)) == {NOON: 1, NOON + 300: 1}
