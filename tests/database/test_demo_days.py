"""The past of the demo: the same numbers for the same seed, in line with the present, and nothing of it stays."""

from __future__ import annotations

from collections import Counter
from contextlib import closing
from datetime import UTC, date, datetime, timedelta

import pytest

from analytics.base.paths import readable
from analytics.jobs import daily_usage
from analytics.jobs.recount import recount
from analytics.jobs.recount_types import RecountContext
from analytics.jobs.verify import verify
from analytics.live import minute_store
from analytics.live.minute_query import people_at
from analytics.live.today import SETTLED_S, Today
from analytics.live.today_counts import TodayCounts
from analytics.query import usage
from analytics.query.answer import answer
from analytics.query.backend import fetch_from
from analytics.query.query import Query
from analytics.replica.columnar import Columnar
from analytics.sites import store
from analytics.storage import schema
from collector.ingest.geo import open_places
from collector.simulate import crowds
from collector.simulate import traffic as simulated
from collector.simulate.demo_days import DemoSite, write_days, write_today
from collector.simulate.people import DEMO_DOMAIN, sample_pages
from collector.simulate.traffic import make_traffic
from tests.support.factories import added_site, count, rows
from tests.support.replica import NEVER, facts, numbers_of

pytestmark = pytest.mark.slow

NOW = int(datetime(2026, 11, 26, 15, 30, tzinfo=UTC).timestamp())
MIDNIGHT = int(datetime(2026, 11, 26, tzinfo=UTC).timestamp())
TODAY = date(2026, 11, 26)
YESTERDAY = date(2026, 11, 25)
FACTS = (schema.visits, schema.pageviews, schema.events)
COUNTS = (schema.daily_usage, schema.concurrents, schema.heartbeats, schema.outcomes)
LISTS = ("source", "utm_campaign", "country", "browser", "page", "event", "prop:plan")
SEED = 7
SALT = b"the salt of today"


@pytest.fixture(autouse=True)
def few(monkeypatch):
    """A small site, without the crowds, who are as many on each site."""
    monkeypatch.setattr(simulated, "PEAK", 1.0)
    monkeypatch.setattr(crowds, "PEOPLE", 0)


@pytest.fixture(scope="module")
def places(tmp_path_factory):
    opened = open_places(None, tmp_path_factory.mktemp("places"))
    yield opened
    opened.close()


@pytest.fixture
def site(database, places):
    return DemoSite(database, added_site(database, DEMO_DOMAIN).id, places)


def go_on(_: float) -> bool:
    return False


def write(site, *, seed=SEED, now=NOW, pause=go_on):
    traffic = make_traffic(seed, now)
    write_today(site, traffic, SALT)
    write_days(site, traffic, pause)


def answers(site):
    """Numbers of the last 30 days, as the Overview asks for them."""
    ask = fetch_from(site.database)
    whole = Query(site.id, metrics=("visitors", "visits", "pageviews", "bounce_rate", "visit_duration"))
    split = [Query(site.id, dimensions=(name,)) for name in LISTS]
    return [numbers_of(whole, whole.span(NOW), facts(ask)), *(answer(one, one.span(NOW), facts(ask)) for one in split)]


# ── the whole past ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_numbers_are_the_same_for_a_seed_and_others_for_another(database, places):
    first, second, third = (
        DemoSite(database, added_site(database, name).id, places) for name in ("a.example", "b.example", "c.example")
    )
    for site, seed in ((first, SEED), (second, SEED), (third, SEED + 1)):
        write(site, seed=seed)
    assert answers(first) == answers(second)
    assert answers(first) != answers(third)
    assert all(found.total > 1 for found in answers(first)[1:])


def test_visits_pageviews_and_events_belong_together(database, site):
    write(site)
    visits = rows(database, schema.visits, "id", "visitor", "user_id", "started_at", "last_at", "pageviews", "events")
    pageviews = rows(database, schema.pageviews, "visit_id", "visitor", "user_id", "at")
    events = rows(database, schema.events, "visit_id", "visitor", "user_id", "at")
    known = {visit[0]: visit for visit in visits}
    assert Counter(row[0] for row in pageviews) == {visit[0]: visit[5] for visit in visits}
    assert Counter(row[0] for row in events) == Counter({visit[0]: visit[6] for visit in visits if visit[6]})
    for visit_id, visitor, user_id, at in pageviews + events:
        assert visitor == known[visit_id][1]
        assert user_id in (None, known[visit_id][2])
        assert known[visit_id][3] <= at <= known[visit_id][4]


def test_it_is_ten_weeks_and_today_without_a_gap_and_weaker_at_weekends(database, site):
    write(site)
    began = [at for (at,) in rows(database, schema.visits, "started_at")]
    days = Counter(datetime.fromtimestamp(at, UTC).date() for at in began)
    assert sorted(days) == [TODAY - timedelta(days=back) for back in reversed(range(71))]
    assert NOW - 3600 < max(began) <= NOW
    work = [many for day, many in days.items() if day.weekday() < 5 and day != TODAY]
    weekend = [many for day, many in days.items() if day.weekday() > 4]
    assert sum(weekend) / len(weekend) < 0.9 * sum(work) / len(work)


def test_today_is_in_line_with_yesterday_at_the_same_hours(database, site, monkeypatch):
    monkeypatch.setattr(simulated, "PEAK", 20.0)
    traffic = make_traffic(SEED, NOW)
    write_today(site, traffic, SALT)
    write_days(site, traffic, stop_after(8))
    ask = facts(fetch_from(database))
    query = Query(site.id, metrics=("visits", "pageviews", "visit_duration"))
    today, yesterday, half_hour = (
        numbers_of(query, span, ask)
        for span in (
            query.span(NOW)._replace(begin=begin, end=end)
            for begin, end in ((MIDNIGHT, NOW), (MIDNIGHT - 86_400, NOW - 86_400), (NOW - 1_800, NOW))
        )
    )
    assert today["visits"] == pytest.approx(yesterday["visits"], rel=0.1)
    assert today["pageviews"] == pytest.approx(yesterday["pageviews"], rel=0.12)
    assert today["visit_duration"] == pytest.approx(yesterday["visit_duration"], rel=0.15)
    assert half_hour["visit_duration"] == pytest.approx(yesterday["visit_duration"], rel=0.5)


def test_they_walk_on_the_pages_of_the_log(database, site):
    write(site)
    walked = Counter(path for (path,) in rows(database, schema.pageviews, "path"))
    assert walked.keys() <= {readable(hit.path.partition("?")[0]) for hit in sample_pages()}
    assert walked.most_common(1)[0][0] == "/projects/xdotool/"


# ── today ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_today_is_known_to_the_counters_of_today(database, site):
    write(site)
    today = Today(database)
    today.prepare(store.all_sites(database), NOW)
    today.restore(NOW + 2 * SETTLED_S, go_on)
    began = [row for row in rows(database, schema.visits, "visitor", "user_id", "started_at") if row[2] >= MIDNIGHT]
    pageviews = sum(at >= MIDNIGHT for (at,) in rows(database, schema.pageviews, "at"))
    here = rows(database, schema.heartbeats, "visitor", "user_id")
    users = {user_id for _, user_id in here if user_id}
    strangers = {visitor for visitor, _ in here} - {visitor for visitor, user_id in here if user_id}
    assert today.read([site.id], NOW) == {site.id: TodayCounts(len(users) + len(strangers), len(began), pageviews)}
    assert len(began) > 30


def test_every_minute_of_today_has_its_people(database, site, monkeypatch):
    monkeypatch.setattr(simulated, "PEAK", 20.0)
    traffic = make_traffic(SEED, NOW)
    write_today(site, traffic, SALT)
    moments = range(MIDNIGHT + 60, NOW - 1800, 1800)  # who is there at the end is sent by the present
    found = people_at(database, site.id, moments, 60)
    planned = [visit for back in (1, 0) for visit in traffic.visits(TODAY - timedelta(days=back))]
    expected = {at: sum(one.begin <= at < one.end for one in planned if one.end <= NOW) for at in moments}
    assert all(found[at] == pytest.approx(expected[at], abs=3) for at in moments)


def test_derived_numbers_of_today_agree_with_their_rows(database, site):
    write(site)
    context = RecountContext(database, 60, {site.id: NOW - 7 * 86_400}, go_on, lambda _: None)
    assert list(recount(context, fetch_from(database), 100)._replace(usage=[], minutes=[]).lines()) == []


def test_shortly_after_midnight_the_day_before_is_the_one_with_heartbeats(database, site):
    write(site, now=MIDNIGHT + 600)
    beats = [at for (at,) in rows(database, schema.heartbeats, "at")]
    assert MIDNIGHT - 86_400 <= min(beats) < MIDNIGHT - 80_000
    assert sorted(day for (day,) in rows(database, schema.daily_usage, "day"))[-1] == "2026-11-24"


# ── the days before ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_counts_of_a_day_are_those_that_its_heartbeats_would_give(database, places):
    """A demo of a day later has heartbeats of the same day, if it has the same visits."""
    with_counts, with_beats = (
        DemoSite(database, added_site(database, name).id, places) for name in ("a.example", "b.example")
    )
    traffic = make_traffic(SEED, NOW)
    write_days(with_counts, traffic, stop_after(1))
    write_today(with_beats, Yesterday(*(getattr(traffic, name) for name in traffic.__slots__)), SALT)
    (counted,) = usage.read(database, [with_counts.id], [YESTERDAY])[with_counts.id]
    assert counted[2:] == daily_usage.count(database, with_beats.id, YESTERDAY)[2:]
    stored = minute_store.read(database, with_counts.id, YESTERDAY, TODAY)[YESTERDAY]
    right = minute_store.count(database, with_beats.id, YESTERDAY, 60, go_on)
    differences = [abs(ours - theirs) for ours, theirs in zip(stored, right, strict=True)]
    assert sum(differences) < 0.1 * sum(right)
    assert max(differences) <= 2


class Yesterday(simulated.SimulatedTraffic):
    """The same visits at the end of a day that is today."""

    @property
    def today(self) -> date:
        return YESTERDAY


def test_there_are_heartbeats_of_today_alone(database, site):
    write(site)
    assert min(at for (at,) in rows(database, schema.heartbeats, "at")) >= MIDNIGHT
    assert [count(database, table) for table in (schema.daily_usage, schema.concurrents)] == [70, 70]


def test_the_replica_follows_them_day_by_day(database, config, site):
    with closing(Columnar(database, config)) as replica:
        replica.follow(NEVER)
        write(site)
        found = verify(replica, NEVER, lambda _: None)
    assert (found.differences, found.rows) == ([], sum(count(database, table) for table in FACTS))


def test_removed_with_its_site_nothing_of_them_is_left(database, site):
    write(site)
    store.remove(database, DEMO_DOMAIN)
    assert [count(database, table) for table in (*FACTS, *COUNTS)] == [0] * 7


def test_a_site_that_was_removed_meanwhile_gets_none(database, site):
    store.remove(database, DEMO_DOMAIN)
    write(site)
    assert [count(database, table) for table in (*FACTS, *COUNTS)] == [0] * 7


def stop_after(times: int):
    """A pause that says stop at that time."""
    asked = iter([False] * (times - 1))
    return lambda _: next(asked, True)


def test_it_stops_after_a_transaction_and_the_latest_days_come_first(database, site):
    write(site, pause=stop_after(2))
    assert sorted(day for (day,) in rows(database, schema.daily_usage, "day")) == ["2026-11-24", "2026-11-25"]
