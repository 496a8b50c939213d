"""The purge: deletes heartbeats past their retention and old counters, in batches, and nothing else."""

from __future__ import annotations

from datetime import timedelta

import pytest

from analytics.calendar.days import day_of, start_of
from analytics.jobs import purge
from analytics.jobs.purge import Purged
from analytics.storage import schema
from tests.support.factories import NOW, accepted, beat, count, keep_heartbeats, one_by_one, rows, with_sites

DAY = 86_400


def go_on(_: float) -> bool:
    return False


def purged(
    database, now: int = NOW, retention_days: int = 7, uncounted=None, pause=go_on, report=lambda _: None
) -> Purged:
    return purge.purge(database, now, retention_days, uncounted, pause, report)


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
    one_by_one(database, accepted(page_id="page-aaaa", at=edge - 0.001), accepted(page_id="page-bbbb", at=edge))
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
    left_days = {(site, (NOW - at) // DAY) for site, at in kept(database)}
    assert left_days == {(1, 1), (1, 2), *((2, back) for back in days), (3, 1), (3, 2), (3, 7)}


def test_a_day_that_is_not_counted_is_kept_whole_and_so_is_what_came_after(database):
    uncounted = day_of(NOW) - timedelta(days=10)
    begin = start_of(uncounted)
    keep_heartbeats(database, *(beat(at=at) for at in (begin - DAY, begin - 1, begin, begin + DAY, NOW)))
    assert purged(database, uncounted=uncounted) == Purged(2, whole=True)
    assert kept(database) == [(1, begin), (1, begin + DAY), (1, NOW)]


def test_nothing_but_heartbeats_goes(database):
    one_by_one(database, accepted(at=NOW - 30 * DAY), accepted("event", "event-0001", at=NOW - 30 * DAY))
    tables = (schema.visits, schema.pageviews, schema.events, schema.outcomes)
    before = [rows(database, table) for table in tables]
    assert purged(database) == Purged(2, whole=True)
    assert [rows(database, table) for table in tables] == before
    assert count(database, schema.heartbeats) == 0


def test_it_goes_batch_by_batch_with_a_pause_after_each(database, small_batches):
    keep_heartbeats(database, *(beat(n, at=NOW - 30 * DAY, site_id=site) for site in (1, 2) for n in range(7)))
    left: list[int] = []
    messages: list[str] = []

    def pause(seconds: float) -> bool:
        assert seconds > 0
        left.append(count(database, schema.heartbeats))
        return False

    assert purged(database, pause=pause, report=messages.append) == Purged(14, whole=True)
    assert left == [11, 8, 7, 4, 1, 0]
    assert messages[-1] == "14 heartbeats purged so far"


def test_it_stops_when_pause_says_so_and_continues_the_next_time(database, small_batches):
    keep_heartbeats(database, *(beat(n, at=NOW - 30 * DAY) for n in range(7)))
    assert purged(database, pause=lambda _: True) == Purged(3, whole=False)
    assert purged(database) == Purged(4, whole=True)


def test_a_site_without_heartbeats_is_no_trouble(database):
    assert purged(database) == Purged(0, whole=True)
    with_sites(database, 1)
    assert purged(database) == Purged(0, whole=True)


# ── counters ─────────────────────────────────────────────────────────────────────────────────────────────────────────

EDGE = NOW - purge.MAX_COUNTER_DAYS * DAY
TABLES = ((schema.outcomes, "hour"), (schema.robots, "hour"), (schema.unlisted_hosts, "last_at"))


def keep_counters(database, site_id: int, *moments: int) -> None:
    """An outcome, a robot and an unlisted host of the site at each of these moments (epoch s)."""
    with database.transaction() as connection:
        for at in moments:
            fixed = {"site_id": site_id, "count": 1}
            connection.execute(
                schema.outcomes.insert(), fixed | {"hour": at, "outcome": "filtered", "reason": "unlisted_host"}
            )
            connection.execute(schema.robots.insert(), fixed | {"hour": at, "name": "Googlebot"})
            connection.execute(schema.unlisted_hosts.insert(), fixed | {"host": f"{at}.example", "last_at": at})


def counted(database) -> list[list[tuple[int, int]]]:
    """Site and moment of what is left in each of the three tables."""
    return [sorted(rows(database, table, "site_id", at)) for table, at in TABLES]


def counters_purged(database, pause=go_on, report=lambda _: None) -> Purged:
    return purge.purge_counters(database, NOW, pause, report)


def test_counters_of_every_site_and_of_none_are_kept_for_ninety_days(database):
    with_sites(database, 1, 2)
    for site_id in (0, 1, 2):
        keep_counters(database, site_id, EDGE - 300 * DAY, EDGE - 1, EDGE, NOW)
    assert counters_purged(database) == Purged(18, whole=True)
    assert counted(database) == [[(site_id, at) for site_id in (0, 1, 2) for at in (EDGE, NOW)]] * 3
    assert counters_purged(database) == Purged(0, whole=True)


def test_a_host_that_still_sends_is_kept_however_long_it_has_been_known(database):
    with_sites(database, 1)
    with database.transaction() as connection:
        for host, last_at in (("gone.example", EDGE - 1), ("here.example", EDGE)):
            row = {"site_id": 1, "host": host, "count": 5, "last_at": last_at}
            connection.execute(schema.unlisted_hosts.insert(), row)
    assert counters_purged(database) == Purged(1, whole=True)
    assert rows(database, schema.unlisted_hosts) == [(1, "here.example", 5, EDGE)]


def test_counters_go_in_batches_too_an_hour_with_many_at_once(database, small_batches):
    with_sites(database, 1)
    with database.transaction() as connection:
        for hour, names in ((EDGE - 2 * 3600, 5), (EDGE - 3600, 2)):
            for number in range(names):
                row = {"site_id": 1, "hour": hour, "name": f"robot-{number}", "count": 1}
                connection.execute(schema.robots.insert(), row)
    left: list[int] = []

    def pause(_: float) -> bool:
        left.append(count(database, schema.robots))
        return False

    messages: list[str] = []
    assert counters_purged(database, pause, messages.append) == Purged(7, whole=True)
    assert (left, messages[-1]) == ([2, 0], "7 counters purged so far")
    keep_counters(database, 1, EDGE - 1)
    assert counters_purged(database, lambda _: True) == Purged(1, whole=False)
    assert counters_purged(database) == Purged(2, whole=True)
