"""The last 30 minutes of every site: noted as they come, counted from the tables where they were before the start."""

from __future__ import annotations

import pytest

from analytics.concurrency import people_at
from analytics.trends import AT_ONCE, SHOWN, Trends
from collector.hub import Hub
from tests.factories import NOW, added_site, arrival, heartbeat, one_by_one, site

MINUTE = 60
BEGIN = NOW // MINUTE * MINUTE + MINUTE  # the first minute that is noted


@pytest.fixture
def trends(database) -> Trends:
    return Trends(database, MINUTE, BEGIN - 30)


def never(_seconds: float) -> bool:
    return False


def test_each_minute_is_noted_as_it_comes_and_kept_for_half_an_hour(trends):
    for minute in range(40):
        trends.note({1: minute, 2: 0}, BEGIN + minute * MINUTE + 1)
    now = BEGIN + 39 * MINUTE + 50
    assert trends.read([1, 2, 3], now) == {1: tuple(range(10, 40)), 2: (0,) * SHOWN, 3: (0,) * SHOWN}


def test_a_minute_that_was_missed_is_not_known(trends):
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
    sent = [arrival(site_id=first, visitor=n, at=NOW + 20 * n, page_id=f"page-{n:04}") for n in range(1, 9)]
    one_by_one(database, *sent)
    start = NOW + 240
    trends = Trends(database, MINUTE, start)
    trends.recall([site(id=first), site(id=second)], start + MINUTE, never)
    now = start // MINUTE * MINUTE + MINUTE
    trends.note({first: 5}, now)
    minutes = [now - back * MINUTE for back in range(SHOWN - 1, 0, -1)]
    counted = people_at(database, first, minutes, MINUTE)
    assert any(counted.values())
    assert trends.read([first, second], now) == {first: (*counted.values(), 5), second: (0,) * SHOWN}


def test_counting_stops_when_it_has_to_and_goes_on_later(trends):
    many, asked = [site(id=number) for number in range(1, 2 * AT_ONCE)], []
    trends.recall(many, BEGIN, lambda seconds: bool(asked.append(seconds) or True))
    assert asked == [0]
    first, last = (trends.read([one.id], BEGIN)[one.id][0] for one in (many[0], many[-1]))
    assert (first, last) == (0, None)
    trends.recall(many, BEGIN, never)
    assert trends.read([many[-1].id], BEGIN)[many[-1].id][0] == 0


def test_presence_at_a_minute_says_what_the_heartbeats_say(database):
    """Both ways of knowing a minute agree, so that the line has no step where the process was started."""
    site_id = added_site(database).id
    minute = NOW // MINUTE * MINUTE + MINUTE
    sent = [arrival(site_id=site_id, visitor=n, at=minute - 7 * n, page_id=f"page-{n:04}") for n in range(1, 12)]
    sent += [heartbeat(site_id=site_id, visitor=9, at=minute - 2, pageview="page-0009")]
    one_by_one(database, *sorted(sent, key=lambda arrival: arrival.at))
    hub = Hub(database, MINUTE, clock=lambda: minute)
    assert hub.active_by_site() == {site_id: people_at(database, site_id, [minute], MINUTE)[minute]}
    hub.close()
