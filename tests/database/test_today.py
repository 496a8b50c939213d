"""Today's counts: updated with every beat, equal to a count of the tables, and restored after a start."""

from __future__ import annotations

import random
from datetime import datetime
from zoneinfo import ZoneInfo

from sqlalchemy.event import listen as listens

from analytics.live.today import SETTLED_S, Today
from analytics.live.today_counts import TodayCounts
from analytics.storage import schema
from collector.ingest.outcomes import Stored
from tests.support.factories import NOW, accepted, event, heartbeat, leave, one_by_one, rows, site

HOUR, DAY = 3600, 86_400
UTC_MIDNIGHT = NOW - 8 * HOUR


def go_on(_: float) -> bool:
    return False


def running(database, *sites, since: int = NOW - HOUR) -> Today:
    """Today's counts of a process that began an hour ago."""
    today = Today(database)
    today.prepare(sites or [site()], since)
    today.restore(since + 2 * SETTLED_S, go_on)
    return today


def take(today: Today, database, *arrivals) -> None:
    """Stores arrivals and counts them, as the service does."""
    for outcome in one_by_one(database, *arrivals):
        assert isinstance(outcome, Stored)
        today.take([outcome])


def figures(today: Today, now: int = NOW, site_id: int = 1) -> TodayCounts | None:
    return today.read([site_id], now).get(site_id)


def walk(visitor: int, at: int, **fields):
    """Two pages, an event, a heartbeat and a leave."""
    first, second, third = (f"page-{visitor:04}-{at}-{nth}" for nth in range(3))
    return [
        accepted(page_id=first, at=at, visitor=visitor, **fields),
        heartbeat(first, at=at + 30, visitor=visitor, **fields),
        accepted(page_id=second, at=at + 60, visitor=visitor, **fields),
        event(third, at=at + 70, visitor=visitor, **fields),
        leave(second, at=at + 80, visitor=visitor, **fields),
    ]


# ── what counts ──────────────────────────────────────────────────────────────────────────────────────────────────────


def test_people_visits_and_pageviews_are_counted_as_they_come(database):
    today = running(database)
    assert figures(today) == TodayCounts(0, 0, 0)
    take(today, database, *walk(1, NOW), *walk(2, NOW + 5))
    assert figures(today) == TodayCounts(people=2, visits=2, pageviews=4)
    take(today, database, *walk(1, NOW + 40 * 60))
    assert figures(today) == TodayCounts(people=2, visits=3, pageviews=6)


def test_a_user_is_one_person_and_so_is_the_visitor_who_signs_in_and_out(database):
    today = running(database)
    take(today, database, *walk(1, NOW), *walk(1, NOW + 100, user_id="ada"), *walk(1, NOW + 200))
    take(today, database, *walk(2, NOW + 5, user_id="ada"), *walk(3, NOW + 6))
    assert figures(today) == TodayCounts(people=2, visits=3, pageviews=10)


def test_a_repeat_counts_nothing(database):
    today = running(database)
    take(today, database, *walk(1, NOW))
    again = one_by_one(database, walk(1, NOW)[0])
    assert not isinstance(again[0], Stored)
    assert figures(today) == TodayCounts(1, 1, 2)


def test_each_site_has_its_own_day(database):
    kathmandu = site(id=2, timezone="Asia/Kathmandu")
    midnight = int(datetime(2027, 1, 15, tzinfo=ZoneInfo("Asia/Kathmandu")).timestamp())
    today = running(database, site(), kathmandu, since=midnight - HOUR)
    take(today, database, *walk(1, midnight - 300), *walk(1, midnight - 300, site_id=2))
    assert today.read([1, 2, 3], midnight - 1) == {1: TodayCounts(1, 1, 2), 2: TodayCounts(1, 1, 2)}
    assert today.read([1, 2], midnight) == {1: TodayCounts(1, 1, 2), 2: TodayCounts(0, 0, 0)}
    take(today, database, *walk(2, midnight), *walk(2, midnight, site_id=2))
    assert today.read([1, 2], midnight + 90) == {1: TodayCounts(2, 2, 4), 2: TodayCounts(1, 1, 2)}


def test_over_midnight_a_visit_stays_one_and_its_person_counts_on_both_days(database):
    today = running(database, since=UTC_MIDNIGHT - HOUR)
    take(today, database, *walk(1, UTC_MIDNIGHT - 50))
    assert figures(today, UTC_MIDNIGHT + 40) == TodayCounts(people=1, visits=0, pageviews=1)
    today.prepare([site()], UTC_MIDNIGHT + 41)
    assert figures(today, UTC_MIDNIGHT + 41) == TodayCounts(people=1, visits=0, pageviews=1)


def test_what_comes_late_of_today_counts_and_of_yesterday_does_not(database):
    today = running(database)
    take(today, database, *walk(1, UTC_MIDNIGHT + 60), *walk(2, UTC_MIDNIGHT - 900))
    assert figures(today) == TodayCounts(1, 1, 2)


def test_a_removed_site_and_one_that_was_never_there_have_no_figures(database):
    today = running(database, site(), site(id=2))
    today.prepare([site()], NOW)
    take(today, database, *walk(1, NOW, site_id=2))
    assert today.read([1, 2, 3], NOW) == {1: TodayCounts(0, 0, 0)}


# ── a start ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def busy(database, chance: random.Random, since: int, until: int, many: int) -> list:
    """Arrivals of 30 visitors on two sites, a third of them signed in now and then."""
    walks = []
    for _ in range(many):
        visitor, at = chance.randrange(30), chance.randrange(since, until)
        user = f"user-{visitor % 5}" if visitor % 3 == 0 and chance.random() < 0.5 else None
        walks += walk(visitor, at, user_id=user, site_id=chance.choice([1, 2]))
    return sorted({(one.page_id, one.pageview, one.at): one for one in walks}.values(), key=lambda one: one.at)


def test_after_a_start_the_figures_are_what_they_were(database):
    sites = [site(), site(id=2, timezone="America/St_Johns")]
    before = running(database, *sites, since=NOW - 12 * HOUR)
    take(before, database, *busy(database, random.Random(1), NOW - 10 * HOUR, NOW - 600, 60))
    before.prepare(sites, NOW)
    after = Today(database)
    after.prepare(sites, NOW)
    assert after.read([1, 2], NOW) == {}
    after.restore(NOW + SETTLED_S, go_on)
    assert after.read([1, 2], NOW) == {}, "beats of the last seconds may still be on their way"
    after.restore(NOW + 2 * SETTLED_S, go_on)
    counts = after.read([1, 2], NOW)
    assert counts == before.read([1, 2], NOW)
    assert min(counts[1][:3]) > 5
    take(after, database, *walk(99, NOW + 10))
    take(before, database)
    assert figures(after).people == counts[1].people + 1  # type: ignore[union-attr]


def test_what_comes_before_while_and_after_a_start_is_counted_is_counted_once(database):
    take(running(database), database, *walk(1, NOW - 600))
    today = Today(database)
    today.prepare([site()], NOW)
    take(today, database, *walk(2, NOW), *walk(3, NOW + 5), *walk(4, NOW - 900))
    coming = iter(walk(5, NOW - 300))

    def meanwhile(_connection, _cursor, statement, *_) -> None:
        """Late beats are committed after their tables have been counted."""
        if "FROM heartbeats" in statement and "DISTINCT" in statement:
            for one in coming:
                take(today, database, one)

    for engine in (database.reading, database.writing):
        listens(engine, "before_cursor_execute", meanwhile)
    today.restore(NOW + 2 * SETTLED_S, go_on)
    take(today, database, *walk(6, NOW - 200))
    assert next(coming, None) is None
    assert figures(today) == TodayCounts(people=6, visits=6, pageviews=12)
    assert len(rows(database, schema.pageviews)) == 12


def test_rows_that_were_not_passed_on_count_once_the_day_is_forgotten(database):
    """As the visits of a demo's own today, which are written at once while the site's day is counted already."""
    today = running(database)
    one_by_one(database, *walk(1, NOW - 60))
    assert figures(today) == TodayCounts(0, 0, 0)
    today.forget(1)
    assert figures(today) is None
    today.prepare([site()], NOW + HOUR)
    today.restore(NOW + HOUR + 2 * SETTLED_S, go_on)
    assert figures(today) == TodayCounts(1, 1, 2)


def test_another_zone_is_another_day(database):
    today = running(database, since=NOW - 12 * HOUR)
    take(today, database, *walk(1, NOW - 9 * HOUR), *walk(2, NOW - HOUR))
    today.prepare([site()], NOW)
    assert figures(today) == TodayCounts(1, 1, 2)
    today.prepare([site(timezone="Asia/Kathmandu")], NOW)
    assert figures(today) is None
    today.restore(NOW + 2 * SETTLED_S, go_on)
    assert figures(today) == TodayCounts(2, 2, 4)


def test_past_the_most_people_it_says_at_least(database):
    today = Today(database, max_people=2)
    today.prepare([site(), site(id=2)], NOW - HOUR)
    today.restore(NOW, go_on)
    take(today, database, *walk(1, NOW), *walk(2, NOW, site_id=2))
    today.prepare([site(), site(id=2)], NOW)
    take(today, database, *walk(1, NOW + 100), *walk(3, NOW))
    assert today.read([1, 2], NOW) == {1: TodayCounts(1, 2, 6, at_least=True), 2: TodayCounts(1, 1, 2)}
