"""The days before the demo's crowd: the same numbers for the same seed, and nothing of them stays when they go."""

from __future__ import annotations

from collections import Counter
from contextlib import closing
from datetime import UTC, date, datetime, timedelta

import pytest

from analytics.base.paths import readable
from analytics.jobs.verify import verify
from analytics.query import usage
from analytics.query.answer import answer
from analytics.query.backend import fetch_from
from analytics.query.query import Query
from analytics.replica.columnar import Columnar
from analytics.sites import store
from analytics.storage import schema
from collector.ingest.geo import open_places
from collector.simulate import demo_days
from collector.simulate.demo import PAST_S
from collector.simulate.people import DEMO_DOMAIN, excerpt
from tests.support.factories import added_site, count, rows
from tests.support.replica import NEVER, facts, numbers_of

pytestmark = pytest.mark.slow

NOW = int(datetime(2026, 11, 26, 15, 30, tzinfo=UTC).timestamp())
LAST = date(2026, 11, 25)
FACTS = (schema.visits, schema.pageviews, schema.events)
LISTS = ("source", "utm_campaign", "country", "browser", "page", "event", "prop:plan")
SEED = 7


@pytest.fixture(autouse=True)
def few(monkeypatch):
    """The days of a small site."""
    monkeypatch.setattr(demo_days, "VISITS", 40)


@pytest.fixture(scope="module")
def places(tmp_path_factory):
    opened = open_places(None, tmp_path_factory.mktemp("places"))
    yield opened
    opened.close()


@pytest.fixture
def demo_site(database):
    return added_site(database, DEMO_DOMAIN).id


def write(database, places, site_id, *, seed=SEED, now=NOW, stopped=lambda: False):
    demo_days.write(database, site_id, places, seed, stopped, now=now)


def answers(database, site_id):
    """Numbers of the last 30 days, as the Overview asks for them."""
    ask = fetch_from(database)
    whole = Query(site_id, metrics=("visitors", "visits", "pageviews", "bounce_rate", "visit_duration"))
    split = [Query(site_id, dimensions=(name,)) for name in LISTS]
    return [numbers_of(whole, whole.span(NOW), facts(ask)), *(answer(one, one.span(NOW), facts(ask)) for one in split)]


def test_numbers_are_the_same_for_a_seed_and_others_for_another(database, places):
    first, second, third = (added_site(database, name).id for name in ("a.example", "b.example", "c.example"))
    for site_id, seed in ((first, SEED), (second, SEED), (third, SEED + 1)):
        write(database, places, site_id, seed=seed)
    assert answers(database, first) == answers(database, second)
    assert answers(database, first) != answers(database, third)
    assert all(found.total > 1 for found in answers(database, first)[1:])


def test_visits_pageviews_and_events_belong_together(database, places, demo_site):
    write(database, places, demo_site)
    visits = rows(database, schema.visits, "id", "visitor", "user_id", "started_at", "last_at", "pageviews", "events")
    pageviews = rows(database, schema.pageviews, "visit_id", "visitor", "user_id", "at")
    events = rows(database, schema.events, "visit_id", "visitor", "user_id", "at")
    known = {visit[0]: visit for visit in visits}
    assert Counter(row[0] for row in pageviews) == {visit[0]: visit[5] for visit in visits}
    assert Counter(row[0] for row in events) == Counter({visit[0]: visit[6] for visit in visits})
    for visit_id, visitor, user_id, at in pageviews + events:
        assert visitor == known[visit_id][1]
        assert user_id in (None, known[visit_id][2])
        assert known[visit_id][3] <= at <= known[visit_id][4]


def test_they_are_ten_whole_weeks_before_the_crowds_hour_weaker_at_weekends(database, places, demo_site):
    write(database, places, demo_site)
    days = Counter(datetime.fromtimestamp(at, UTC).date() for (at,) in rows(database, schema.visits, "started_at"))
    assert sorted(days) == [LAST - timedelta(days=back) for back in reversed(range(70))]
    work = [many for day, many in days.items() if day.weekday() < 5]
    weekend = [many for day, many in days.items() if day.weekday() > 4]
    assert sum(weekend) / len(weekend) < 0.7 * sum(work) / len(work)
    ends = [at for table in FACTS[1:] for (at,) in rows(database, table, "at")]
    assert max(ends) < int(datetime(2026, 11, 26, tzinfo=UTC).timestamp())


def test_shortly_after_midnight_they_end_before_the_day_in_which_the_crowds_hour_begins():
    midnight = int(datetime(2026, 11, 26, tzinfo=UTC).timestamp())
    assert demo_days.days_before(midnight + PAST_S)[-1][0] == LAST
    assert demo_days.days_before(midnight + PAST_S - 1)[-1][0] == LAST - timedelta(days=1)


def test_they_walk_on_the_pages_of_the_crowd(database, places, demo_site):
    write(database, places, demo_site)
    walked = Counter(path for (path,) in rows(database, schema.pageviews, "path"))
    assert walked.keys() <= {readable(hit.path.partition("?")[0]) for hit in excerpt()}
    assert walked.most_common(1)[0][0] == "/projects/xdotool/"


def test_daily_usage_counts_each_user_once_and_nobody_twice(database, places, demo_site):
    write(database, places, demo_site)
    (found,) = usage.read(database, [demo_site], [LAST])[demo_site]
    since = int(datetime(2026, 11, 25, tzinfo=UTC).timestamp())
    came = [row for row in rows(database, schema.visits, "visitor", "user_id", "started_at") if row[2] >= since]
    users = {user_id for _, user_id, _ in came if user_id}
    strangers = {visitor for visitor, _, _ in came} - {visitor for visitor, user_id, _ in came if user_id}
    assert (found.signed_in, found.anonymous) == (len(users), len(strangers))
    assert found.people == len(users) + len(strangers)
    assert count(database, schema.daily_usage) == 70


def test_nobody_is_there_any_more(database, places, demo_site):
    write(database, places, demo_site)
    assert count(database, schema.heartbeats) == 0


def test_the_replica_follows_them_day_by_day(database, config, places, demo_site):
    with closing(Columnar(database, config)) as replica:
        replica.follow(NEVER)
        write(database, places, demo_site)
        found = verify(replica, NEVER, lambda _: None)
    assert (found.differences, found.rows) == ([], sum(count(database, table) for table in FACTS))


def test_removed_with_its_site_nothing_of_them_is_left(database, places, demo_site):
    write(database, places, demo_site)
    store.remove(database, DEMO_DOMAIN)
    assert [count(database, table) for table in (*FACTS, schema.daily_usage)] == [0, 0, 0, 0]


def test_a_site_that_was_removed_meanwhile_gets_none(database, places, demo_site):
    store.remove(database, DEMO_DOMAIN)
    write(database, places, demo_site)
    assert [count(database, table) for table in (*FACTS, schema.daily_usage)] == [0, 0, 0, 0]


def test_it_stops_between_two_days_of_which_the_latest_come_first(database, places, demo_site):
    asked = iter((False, False, True))
    write(database, places, demo_site, stopped=lambda: next(asked))
    assert [day for (day,) in rows(database, schema.daily_usage, "day")] == ["2026-11-24", "2026-11-25"]
