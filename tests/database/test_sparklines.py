"""The last 30 minutes of every site: noted as they come, and counted from the tables if they were before the start."""

from __future__ import annotations

import pytest
from sqlalchemy.exc import DBAPIError

from analytics.live.minute_query import people_at
from analytics.live.sparklines import AGAIN_S, SHOWN, SITE_BATCH, Sparklines
from collector.live.hub import Hub
from tests.support.factories import NOW, accepted, added_site, heartbeat, one_by_one, site

MINUTE = 60
BEGIN = NOW // MINUTE * MINUTE + MINUTE  # the first minute that is noted


@pytest.fixture
def trends(database) -> Sparklines:
    return Sparklines(database, MINUTE, BEGIN - 30)


def never(_seconds: float) -> bool:
    return False


def test_each_minute_is_noted_as_it_comes_and_remembered_for_half_an_hour(trends):
    for minute in range(40):
        trends.note({1: minute, 2: 0}, BEGIN + minute * MINUTE + 1)
    now = BEGIN + 39 * MINUTE + 50
    assert trends.read([1, 2, 3], now) == {1: tuple(range(10, 40)), 2: (0,) * SHOWN, 3: (0,) * SHOWN}


def test_a_missed_minute_is_unknown(trends):
    for minute in (0, 2):
        trends.note({1: 7}, BEGIN + minute * MINUTE)
    assert trends.read([1], BEGIN + 2 * MINUTE)[1] == (None,) * (SHOWN - 3) + (7, None, 7)


@pytest.mark.parametrize(("seconds", "due"), [(-1, False), (0, True), (4, True), (5, False), (60, True)])
def test_only_a_minute_that_has_just_come_is_due(trends, seconds, due):
    assert trends.is_due(BEGIN + seconds) is due


def test_a_minute_is_noted_once(trends):
    trends.note({}, BEGIN)
    assert not trends.is_due(BEGIN + 1)


def test_the_minutes_before_the_start_are_counted_from_the_heartbeats(database):
    first, second = (added_site(database, domain).id for domain in ("one.example", "two.example"))
    sent = [accepted(site_id=first, visitor=n, at=NOW + 20 * n, page_id=f"page-{n:04}") for n in range(1, 9)]
    one_by_one(database, *sent)
    start = NOW + 240
    trends = Sparklines(database, MINUTE, start)
    trends.restore([site(id=first), site(id=second)], start + MINUTE, never)
    now = start // MINUTE * MINUTE + MINUTE
    trends.note({first: 5}, now)
    minutes = [now - back * MINUTE for back in range(SHOWN - 1, 0, -1)]
    counted = people_at(database, first, minutes, MINUTE)
    assert any(counted.values())
    assert trends.read([first, second], now) == {first: (*counted.values(), 5), second: (0,) * SHOWN}


def test_counting_stops_when_it_has_to_and_goes_on_later(trends):
    many, asked = [site(id=number) for number in range(1, 2 * SITE_BATCH)], []
    trends.restore(many, BEGIN, lambda seconds: bool(asked.append(seconds) or True))
    assert asked == [0]
    first, last = (trends.read([one.id], BEGIN)[one.id][0] for one in (many[0], many[-1]))
    assert (first, last) == (0, None)
    trends.restore(many, BEGIN, never)
    assert trends.read([many[-1].id], BEGIN)[many[-1].id][0] == 0


# ── late beats ───────────────────────────────────────────────────────────────────────────────────────────────────────


def come_late(database, trends: Sparklines, now: int, *moments: int) -> None:
    """A new visitor beats at each of these moments, and all of the beats come in now."""
    for number, at in enumerate(moments, start=1):
        one_by_one(database, accepted(visitor=number, at=at, page_id=f"late-{number:04}"))
        trends.forget(1, at, now)


def test_minutes_with_a_late_beat_are_counted_again_before_the_start_and_after(database, trends):
    added_site(database)
    trends.restore([site()], BEGIN, never)
    for minute in range(5):
        trends.note({}, BEGIN + minute * MINUTE)
    now = BEGIN + 4 * MINUTE + 10
    assert trends.read([1], now)[1] == (0,) * SHOWN
    come_late(database, trends, now, BEGIN - 10 * MINUTE, BEGIN - 10 * MINUTE - 30, BEGIN + 2 * MINUTE - 1)
    trends.restore([site()], now, never)
    by_minute = dict(enumerate(trends.read([1], now)[1]))
    assert {minute: people for minute, people in by_minute.items() if people} == {SHOWN - 15: 2, SHOWN - 3: 1}


def test_a_late_beat_leaves_a_minute_that_is_still_to_come_to_presence(database, trends):
    added_site(database)
    trends.restore([site()], BEGIN, never)
    come_late(database, trends, BEGIN + 40, BEGIN + 10)
    trends.restore([site()], BEGIN + 45, never)
    trends.note({1: 7}, BEGIN + MINUTE)
    assert trends.read([1], BEGIN + MINUTE)[1][-1] == 7


def test_a_minute_that_has_just_passed_is_counted_once_it_is_settled(database, trends):
    added_site(database)
    trends.restore([site()], BEGIN - 15, never)
    trends.note({}, BEGIN)
    come_late(database, trends, BEGIN + 1, BEGIN - 3)
    trends.restore([site()], BEGIN + 1, never)
    assert trends.read([1], BEGIN + 1)[1][-1] == 0
    trends.restore([site()], BEGIN + 1 + AGAIN_S, never)
    assert trends.read([1], BEGIN + 1 + AGAIN_S)[1][-1] == 1


def test_a_late_beat_from_before_the_half_hour_counts_nothing(database, trends):
    added_site(database)
    now = BEGIN + 10
    come_late(database, trends, now, now - (SHOWN + 5) * MINUTE, now - 86_400)
    trends.restore([site()], now, never)
    assert trends.read([1], now)[1][:-1] == (0,) * (SHOWN - 1)


def test_late_minutes_that_cannot_be_counted_now_are_counted_later(database, trends):
    added_site(database)
    trends.restore([site()], BEGIN - 15, never)
    come_late(database, trends, BEGIN, BEGIN - 5 * MINUTE)
    with database.transaction() as connection:
        connection.exec_driver_sql("ALTER TABLE heartbeats RENAME TO heartbeats_away")
    with pytest.raises(DBAPIError):
        trends.restore([site()], BEGIN, never)
    with database.transaction() as connection:
        connection.exec_driver_sql("ALTER TABLE heartbeats_away RENAME TO heartbeats")
    trends.restore([site()], BEGIN + AGAIN_S, never)
    assert trends.read([1], BEGIN + AGAIN_S)[1][-6] == 1


def test_late_minutes_of_many_sites_are_counted_a_few_at_a_time_and_the_service_may_end_between(database, trends):
    sites = [added_site(database, f"site-{number}.example") for number in range(SITE_BATCH + 1)]
    trends.restore(sites, BEGIN - 15, never)
    for one in sites:
        one_by_one(database, accepted(site_id=one.id, at=BEGIN - MINUTE, page_id=f"late-{one.id:04}"))
        trends.forget(one.id, BEGIN - MINUTE, BEGIN)

    def people_before() -> int:
        return sum(trend[-2] or 0 for trend in trends.read([one.id for one in sites], BEGIN).values())

    trends.restore(sites, BEGIN, lambda _: True)
    assert people_before() == SITE_BATCH
    trends.restore(sites, BEGIN + AGAIN_S, never)
    assert people_before() == SITE_BATCH + 1


def test_presence_at_a_minute_says_what_the_heartbeats_say(database):
    """Both ways of knowing a minute agree, so that the line has no step where the process was started."""
    site_id = added_site(database).id
    minute = NOW // MINUTE * MINUTE + MINUTE
    sent = [accepted(site_id=site_id, visitor=n, at=minute - 7 * n, page_id=f"page-{n:04}") for n in range(1, 12)]
    sent += [heartbeat(site_id=site_id, visitor=9, at=minute - 2, pageview="page-0009")]
    one_by_one(database, *sorted(sent, key=lambda one: one.at))
    hub = Hub(database, MINUTE, clock=lambda: minute)
    assert hub.active_by_site() == {site_id: people_at(database, site_id, [minute], MINUTE)[minute]}
    hub.close()
