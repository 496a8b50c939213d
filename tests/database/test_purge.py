"""The purge: heartbeats past their retention go, in batches; everything else stays."""

from __future__ import annotations

from datetime import timedelta

import pytest

from analytics import purge, schema
from analytics.jobs import day_of, start_of
from analytics.purge import Purged
from tests.factories import NOW, arrival, beat, count, keep_heartbeats, one_by_one, rows, with_sites

DAY = 86_400


def go_on(_: float) -> bool:
    return False


def purged(
    database, now: int = NOW, retention_days: int = 7, uncounted=None, rest=go_on, tell=lambda _: None
) -> Purged:
    return purge.purge(database, now, retention_days, uncounted, rest, tell)


def kept(database) -> list[tuple[int, int]]:
    return rows(database, schema.heartbeats, "site_id", "at")


@pytest.fixture
def small_batches(monkeypatch):
    """Three heartbeats a batch."""
    monkeypatch.setattr(purge, "BATCH", 3)


def test_heartbeats_are_kept_for_the_retention_to_the_second(database):
    edge = NOW - 7 * DAY
    keep_heartbeats(database, *(beat(at=at) for at in (edge - 100 * DAY, edge - 1, edge, edge + 1, NOW)))
    assert purged(database) == Purged(2, whole=True)
    assert kept(database) == [(1, edge), (1, edge + 1), (1, NOW)]
    assert purged(database) == Purged(0, whole=True)


def test_the_last_millisecond_before_the_edge_goes_and_the_first_after_it_stays(database):
    edge = NOW - 7 * DAY
    one_by_one(database, arrival(page_id="page-aaaa", at=edge - 0.001), arrival(page_id="page-bbbb", at=edge))
    assert purged(database) == Purged(1, whole=True)
    assert kept(database) == [(1, edge)]


def test_a_site_may_keep_them_longer_or_shorter_than_the_installation(database):
    days = (1, 2, 7, 8, 30)
    keep_heartbeats(database, *(beat(at=NOW - back * DAY, site_id=site) for site in (1, 2, 3) for back in days))
    with database.transaction() as connection:
        for site_id, retention in ((1, 2), (2, 30)):
            sites = schema.sites
            connection.execute(sites.update().where(sites.c.id == site_id).values(retention_days=retention))
    assert purged(database) == Purged(5, whole=True)
    told = {(site, (NOW - at) // DAY) for site, at in kept(database)}
    assert told == {(1, 1), (1, 2), *((2, back) for back in days), (3, 1), (3, 2), (3, 7)}


def test_a_day_that_is_not_counted_is_kept_whole_and_so_is_what_came_after(database):
    uncounted = day_of(NOW) - timedelta(days=10)
    begin = start_of(uncounted)
    keep_heartbeats(database, *(beat(at=at) for at in (begin - DAY, begin - 1, begin, begin + DAY, NOW)))
    assert purged(database, uncounted=uncounted) == Purged(2, whole=True)
    assert kept(database) == [(1, begin), (1, begin + DAY), (1, NOW)]


def test_nothing_but_heartbeats_goes(database):
    one_by_one(database, arrival(at=NOW - 30 * DAY), arrival("event", "event-0001", at=NOW - 30 * DAY))
    tables = (schema.visits, schema.pageviews, schema.events, schema.outcomes)
    before = [rows(database, table) for table in tables]
    assert purged(database) == Purged(2, whole=True)
    assert [rows(database, table) for table in tables] == before
    assert count(database, schema.heartbeats) == 0


def test_it_goes_batch_by_batch_with_a_pause_after_each(database, small_batches):
    keep_heartbeats(database, *(beat(n, at=NOW - 30 * DAY, site_id=site) for site in (1, 2) for n in range(7)))
    left: list[int] = []
    told: list[str] = []

    def rest(seconds: float) -> bool:
        assert seconds > 0
        left.append(count(database, schema.heartbeats))
        return False

    assert purged(database, rest=rest, tell=told.append) == Purged(14, whole=True)
    assert left == [11, 8, 7, 4, 1, 0]
    assert told[-1] == "14 heartbeats purged so far"


def test_it_stops_when_it_is_told_to_and_goes_on_the_next_time(database, small_batches):
    keep_heartbeats(database, *(beat(n, at=NOW - 30 * DAY) for n in range(7)))
    assert purged(database, rest=lambda _: True) == Purged(3, whole=False)
    assert purged(database) == Purged(4, whole=True)


def test_a_site_without_heartbeats_is_no_trouble(database):
    assert purged(database) == Purged(0, whole=True)
    with_sites(database, 1)
    assert purged(database) == Purged(0, whole=True)
