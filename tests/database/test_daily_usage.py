"""Daily usage: how many people a site had on a UTC day, counted from its heartbeats."""

from __future__ import annotations

import random
from datetime import date, timedelta

import pytest

from analytics.base.ids import first_id
from analytics.calendar.days import day_of, late_days, start_of
from analytics.jobs import daily, daily_usage
from analytics.query import usage
from analytics.query.result import Usage
from analytics.storage import schema
from tests.support.factories import NOW, accepted, beat, heartbeat, keep_heartbeats, one_by_one, rows, with_sites

DAY = 86_400
TODAY = day_of(NOW)
YESTERDAY = TODAY - timedelta(days=1)
MIDNIGHT = start_of(TODAY)


def go_on(_: float) -> bool:
    return False


def counted(database, day: date = YESTERDAY, kept=lambda _: 0, now: int = NOW, pause=go_on) -> list[Usage] | None:
    return daily_usage.count_day(database, day, now, kept, pause)


def at(hour: float, day: date = YESTERDAY) -> int:
    return start_of(day) + int(hour * 3600)


# ── who counts ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_each_visitor_counts_once_however_many_beats_and_tabs(database):
    keep_heartbeats(database, *(beat(1, tab, at=at(hour)) for hour in (8, 9, 20) for tab in (1, 2)), beat(2, at=at(9)))
    assert counted(database) == [Usage(1, YESTERDAY.isoformat(), 2, 0, 2)]


def test_a_user_counts_once_on_however_many_devices(database):
    keep_heartbeats(database, beat(1, at=at(8), user_id="ada"), beat(2, at=at(9), user_id="ada"), beat(3, at=at(9)))
    assert counted(database) == [Usage(1, YESTERDAY.isoformat(), 2, 1, 1)]


def test_who_signs_in_or_out_during_the_day_is_signed_in_and_nobody_else(database):
    keep_heartbeats(
        database,
        *(beat(1, at=at(8)), beat(1, at=at(9), user_id="ada"), beat(1, at=at(10))),
        *(beat(2, at=at(8), user_id="ben"), beat(2, at=at(9), user_id="eve")),
    )
    assert counted(database) == [Usage(1, YESTERDAY.isoformat(), 3, 3, 0)]


def test_an_empty_user_id_is_a_user_id(database):
    keep_heartbeats(database, beat(1, at=at(8), user_id=""), beat(2, at=at(8)))
    assert counted(database) == [Usage(1, YESTERDAY.isoformat(), 2, 1, 1)]


def test_a_day_goes_from_midnight_to_midnight_utc_to_the_second(database):
    keep_heartbeats(
        database, *(beat(n, at=MIDNIGHT + offset) for n, offset in enumerate((-DAY - 1, -DAY, -1, 0), start=1))
    )
    assert [found.people for found in counted(database) or []] == [2]


def test_every_site_has_its_own_and_a_quiet_one_none(database):
    with_sites(database, 3)
    keep_heartbeats(database, beat(1, at=at(8)), beat(1, at=at(8), site_id=2, user_id="ada"), beat(1, at=at(8, TODAY)))
    day = YESTERDAY.isoformat()
    assert counted(database) == [Usage(1, day, 1, 0, 1), Usage(2, day, 1, 1, 0)]
    assert rows(database, schema.daily_usage) == [(1, day, 1, 0, 1), (2, day, 1, 1, 0)]


def test_it_equals_a_recount_by_hand(database):
    chance = random.Random(7)
    beats = []
    for _ in range(3_000):
        visitor = chance.randrange(400)
        user = chance.choice([None, None, None, f"user-{visitor % 60}", f"user-{chance.randrange(60)}"])
        moment = MIDNIGHT - chance.randrange(3 * DAY) + DAY
        beats.append(beat(visitor, at=moment, user_id=user, site_id=chance.choice([1, 2])))
    keep_heartbeats(database, *beats)
    counted(database)
    for site_id, day, people, signed_in, anonymous in rows(database, schema.daily_usage):
        users, signed, everybody = set(), set(), set()
        for site, moment, visitor, user_id in rows(database, schema.heartbeats, "site_id", "at", "visitor", "user_id"):
            if site == site_id and MIDNIGHT - DAY <= moment < MIDNIGHT:
                everybody.add(visitor)
                if user_id is not None:
                    users.add(user_id)
                    signed.add(visitor)
        assert (day, signed_in, anonymous) == (YESTERDAY.isoformat(), len(users), len(everybody - signed))
        assert people == len(users) + len(everybody - signed) > 60
    assert len(rows(database, schema.daily_usage)) == 2


# ── which days ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_missing_is_every_day_since_the_first_heartbeat_that_is_not_counted(database):
    assert daily_usage.missing(database, TODAY) == []
    keep_heartbeats(database, beat(1, at=at(8, TODAY - timedelta(days=4))), beat(2, at=at(8)))
    days = [TODAY - timedelta(days=back) for back in (4, 3, 2, 1)]
    assert daily_usage.missing(database, TODAY) == days
    counted(database, days[1])
    assert daily_usage.missing(database, TODAY) == [days[0], *days[2:]]
    assert daily_usage.missing(database, days[2]) == [days[0]]


def test_a_day_that_was_stopped_is_still_missing(database):
    keep_heartbeats(database, beat(1, at=at(8)), beat(1, at=at(8), site_id=2))
    assert counted(database, pause=lambda _: True) is None
    assert (daily_usage.missing(database, TODAY), rows(database, schema.daily_usage)) == ([YESTERDAY], [])
    assert len(counted(database) or []) == 2
    assert daily_usage.missing(database, TODAY) == []


# ── what comes late ──────────────────────────────────────────────────────────────────────────────────────────────────


def late(database, *arrivals) -> None:
    """Stores arrivals as the writer does, some of them from a day that is over."""
    one_by_one(database, *arrivals)
    with database.transaction() as connection:
        daily.count_again(connection, [one.at for one in arrivals], NOW)


def test_the_days_of_late_beats_are_those_that_are_over():
    assert late_days([MIDNIGHT, NOW], NOW) == set()
    assert late_days([MIDNIGHT - 1, MIDNIGHT - 2, MIDNIGHT - DAY - 1, NOW], NOW) == {
        YESTERDAY,
        YESTERDAY - timedelta(days=1),
    }


def test_a_day_is_counted_again_when_beats_of_it_have_come(database):
    keep_heartbeats(database, beat(1, at=at(8)))
    counted(database)
    late(database, accepted(at=at(9), visitor=2), heartbeat(at=at(9.1), visitor=2))
    assert daily_usage.missing(database, TODAY) == [YESTERDAY]
    counted(database)
    assert rows(database, schema.daily_usage, "people") == [(2,)]
    assert daily_usage.missing(database, TODAY) == []


def test_beats_that_come_while_their_day_is_counted_make_it_be_counted_again(database):
    keep_heartbeats(database, beat(1, at=at(8)), beat(1, at=at(8), site_id=2))
    coming = iter([accepted(at=at(9), visitor=2)])

    def meanwhile(_: float) -> bool:
        for one in coming:
            late(database, one)
        return False

    assert counted(database, pause=meanwhile) is None
    assert (daily_usage.missing(database, TODAY), rows(database, schema.daily_usage)) == ([YESTERDAY], [])
    counted(database, pause=meanwhile)
    assert rows(database, schema.daily_usage, "site_id", "people") == [(1, 2), (2, 1)]


def test_what_was_counted_stays_where_beats_of_that_day_may_have_been_purged(database):
    keep_heartbeats(database, beat(1, at=at(8)), beat(2, at=at(9)), *(beat(n, at=at(9), site_id=2) for n in (1, 2)))
    counted(database)
    with database.transaction() as connection:
        connection.execute(schema.heartbeats.delete().where(schema.heartbeats.c.id < first_id(at(8.5))))
    late(database, accepted(at=at(10), visitor=3), accepted(at=at(10), visitor=3, site_id=2))
    late(database, accepted("pageview", "page-0002", at=at(10), visitor=4, site_id=3))
    counted(database, kept=lambda site_id: at(8.5) if site_id == 1 else 0)
    assert rows(database, schema.daily_usage, "site_id", "people") == [(1, 2), (2, 3), (3, 1)]


# ── reading ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def week(database):
    """Usage of two sites: yesterday and the day before, and the first also a week ago."""
    for back in (1, 2, 8):
        day = TODAY - timedelta(days=back)
        sites = (1,) if back == 8 else (2, 1)
        keep_heartbeats(database, *(beat(n, at=at(8, day), site_id=site) for site in sites for n in range(back)))
        counted(database, day)
    return database


def test_reading_gives_the_days_of_many_sites_in_order(week):
    days = usage.last_days(NOW, 7)
    assert (days[0], days[-1], len(days)) == (TODAY - timedelta(days=7), YESTERDAY, 7)
    two = [Usage(1, (TODAY - timedelta(days=back)).isoformat(), back, 0, back) for back in (2, 1)]
    assert usage.read(week, [1, 2, 3], days) == {1: two, 2: [one._replace(site_id=2) for one in two]}
    assert usage.read(week, [2], [YESTERDAY]) == {2: [two[1]._replace(site_id=2)]}
    assert usage.read(week, [], days) == usage.read(week, [1], []) == {}


def test_a_removed_site_has_no_usage_though_it_was_being_counted(database):
    keep_heartbeats(database, beat(1, at=at(8)), beat(1, at=at(8), site_id=2))

    def remove(_: float) -> bool:
        with database.transaction() as connection:
            connection.execute(schema.sites.delete().where(schema.sites.c.id == 1))
        return False

    assert [found.site_id for found in counted(database, pause=remove) or []] == [2]
    assert rows(database, schema.daily_usage, "site_id") == [(2,)]
