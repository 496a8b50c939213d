"""Samples of metrics: what is stored of them, their minutes and hours, their history, and how long they are kept."""

from __future__ import annotations

import random
import threading

import pytest

from analytics.base.errors import InvalidInput
from analytics.calendar.period import Span
from analytics.health import history, series
from analytics.health.history import HistoryPoint
from analytics.health.newest import CURRENT_S, NewestSample, NewestSamples
from analytics.health.sample import Fault, WrongSample
from analytics.health.samples import SiteRemoved, SiteSamples, store
from analytics.health.series import INSTALLATION, Series
from analytics.jobs import purge, recount_samples
from analytics.jobs.purge import Purged
from analytics.jobs.recount_samples import WrongStep
from analytics.sites import store as sites
from analytics.storage import partitions, schema
from collector.store.sample_writer import QUEUE_FULL, STOPPING, TOO_SLOW, SampleWriter
from collector.store.writer import AWAY
from tests.support.factories import NOW, added_site, away, count, rows
from tests.support.samples import CPU, RATE, instance, recounted, sample, series_id, stored_samples
from tests.support.work import rows_read

MINUTE, HOUR, DAY = 60, 3_600, 86_400  # NOW is a full hour
WEB, DB = instance("web"), instance("db")


def rolled_up(database, table):
    return {row[:3]: row[3:] for row in rows(database, table)}


# ── what is stored ───────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_sample_is_a_row_and_a_part_of_its_minute_and_hour(database):
    site = added_site(database).id
    assert stored_samples(database, sample(40), sample(44), sample(30, at=NOW + 60), site_id=site) == {}
    number = series_id(database, site_id=site)
    assert sorted(rows(database, schema.health_samples)) == [
        (site, number, NOW, 40),
        (site, number, NOW, 44),
        (site, number, NOW + 60, 30),
    ]
    assert rows(database, schema.health_minutes) == [
        (site, number, NOW, 2, 84, 40, 44),
        (site, number, NOW + 60, 1, 30, 30, 30),
    ]
    assert rows(database, schema.health_hours) == [(site, number, NOW, 3, 114, 30, 44)]


def test_equal_samples_of_one_second_all_count(database):
    """Four workers without tags of their own measure the same."""
    stored_samples(database, *[sample(0)] * 4)
    stored_samples(database, sample(0))
    (minute,) = rows(database, schema.health_minutes, "count", "sum")
    assert minute == (5, 0)
    assert count(database, schema.health_samples) == 5


def test_minutes_and_hours_equal_a_recount_whatever_comes_when(database):
    """Late samples, samples of several sites and series, and large and small groups, in any order."""
    chance, site = random.Random(7), added_site(database).id
    for _ in range(40):
        group = [
            sample(chance.randrange(1000) / 8, f"m{chance.randrange(5)}", at=NOW - chance.randrange(2 * DAY))
            for _ in range(chance.choice((1, 3, 300)))
        ]
        stored_samples(database, *group, site_id=chance.choice((INSTALLATION, site)))
    assert rolled_up(database, schema.health_minutes) == recounted(database, MINUTE)
    assert rolled_up(database, schema.health_hours) == recounted(database, HOUR)


def test_groups_of_several_sites_are_stored_together_each_with_its_own_refusals(database):
    one, other = added_site(database).id, added_site(database, "other.example").id
    groups = [
        SiteSamples(one, [sample(1, unit="%")]),
        SiteSamples(other, [sample(2, unit="ms")]),
        SiteSamples(one, [sample(3), sample(4, unit="ms"), sample(5)]),
    ]
    with database.transaction() as connection:
        first, second, third = store(connection, groups, NOW)
    assert (first, second, list(third)) == ({}, {}, [1])
    assert sorted(rows(database, schema.health_samples, "site_id", "value")) == [
        (one, 1),
        (one, 3),
        (one, 5),
        (other, 2),
    ]


def test_of_a_removed_site_nothing_is_stored_and_nothing_is_left(database):
    site = added_site(database)
    stored_samples(database, sample(), site_id=site.id)
    stored_samples(database, sample(), site_id=INSTALLATION)
    sites.remove(database, "example.com")
    with database.transaction() as connection:
        assert store(connection, [SiteSamples(site.id, [sample()])], NOW) == [SiteRemoved()]
    tables = schema.health_series, schema.health_samples, schema.health_minutes, schema.health_hours
    assert [{row[0] for row in rows(database, table, "site_id")} for table in tables] == [{INSTALLATION}] * 4


# ── names, tags and units ────────────────────────────────────────────────────────────────────────────────────────────


def test_each_set_of_tags_is_a_series(database):
    stored_samples(database, sample(tags=WEB, unit="%"), sample(tags=DB), sample(), sample(name=RATE), now=NOW + 5)
    ids = [one.id for one in series.of_site(database, INSTALLATION)]
    assert series.of_site(database, INSTALLATION) == [
        Series(ids[0], CPU, {}, "%", NOW),
        Series(ids[1], CPU, {"instance": "db"}, "%", NOW),
        Series(ids[2], CPU, {"instance": "web"}, "%", NOW),
        Series(ids[3], RATE, {}, "", NOW),
    ]


def test_the_first_unit_of_a_name_stays_and_others_are_refused(database):
    assert stored_samples(database, sample(tags=WEB)) == {}
    assert stored_samples(database, sample(tags=DB, unit="%")) == {}
    wrong = WrongSample(Fault.WRONG_FIELD, "`cpu_percent` is measured in %, not in ms", "unit")
    assert stored_samples(database, sample(unit="%"), sample(1, unit="ms"), sample(2)) == {1: wrong}
    assert {one.unit for one in series.of_site(database, INSTALLATION)} == {"%"}
    assert count(database, schema.health_samples) == 4


def test_more_names_than_the_limit_are_refused_with_its_name(database, monkeypatch):
    monkeypatch.setattr(series, "MAX_NAMES", 2)
    assert stored_samples(database, sample(name="a"), sample(name="b")) == {}
    why = "metric_names: there are 2 already, the most that a site has in a day"
    wrong = WrongSample(Fault.OVER_LIMIT, why, "name", "metric_names")
    refused = stored_samples(database, sample(name="c"), sample(name="a", tags=WEB), sample(name="c"), sample(name="b"))
    assert refused == {0: wrong, 2: wrong}
    assert stored_samples(database, sample(name="c"), site_id=added_site(database).id) == {}  # a site has its own


def test_more_sets_of_tags_than_the_limit_are_refused_with_its_name(database, monkeypatch):
    monkeypatch.setattr(series, "MAX_SERIES", 2)
    why = "tag_sets: there are 2 already, the most that a site has in a day over all its metrics"
    wrong = WrongSample(Fault.OVER_LIMIT, why, "tags", "tag_sets")
    assert stored_samples(database, sample(tags=WEB), sample(), sample(tags=DB), sample(tags=WEB)) == {2: wrong}


def test_a_series_without_samples_for_a_day_makes_room_and_may_come_back(database, monkeypatch):
    monkeypatch.setattr(series, "MAX_SERIES", 1)
    stored_samples(database, sample(tags=WEB))
    number = series_id(database, tags={"instance": "web"})
    tomorrow = NOW + DAY
    assert list(stored_samples(database, sample(tags=DB), now=tomorrow - 1)) == [0]
    assert stored_samples(database, sample(tags=DB), now=tomorrow) == {}
    assert list(stored_samples(database, sample(tags=WEB), now=tomorrow)) == [0]
    assert stored_samples(database, sample(tags=WEB), now=tomorrow + DAY) == {}
    assert series_id(database, tags={"instance": "web"}) == number


def test_what_comes_late_takes_its_place_now(database, monkeypatch):
    monkeypatch.setattr(series, "MAX_SERIES", 1)
    assert stored_samples(database, sample(tags=WEB, at=NOW - 6 * DAY)) == {}
    assert list(stored_samples(database, sample(tags=DB, at=NOW - 6 * DAY))) == [0]


# ── history ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_history_has_a_point_for_each_step_with_samples(database):
    stored_samples(database, *[sample(value, at=NOW + value) for value in range(0, 300, 10)])
    stored_samples(database, sample(7, name=RATE))
    number = series_id(database)

    def points(begin: int, end: int, step: int) -> list[HistoryPoint]:
        found = history.read(database, INSTALLATION, [number], Span(NOW + begin, NOW + end), step)
        return found.get(number, [])

    assert points(0, 120, 60) == [HistoryPoint(NOW, 6, 150, 0, 50), HistoryPoint(NOW + 60, 6, 510, 60, 110)]
    assert points(0, 30, 10) == [HistoryPoint(NOW + at, 1, at, at, at) for at in (0, 10, 20)]
    assert points(0, 60, 30) == [HistoryPoint(NOW, 3, 30, 0, 20), HistoryPoint(NOW + 30, 3, 120, 30, 50)]
    assert points(0, 300, 120)[-1] == HistoryPoint(NOW + 240, 6, 1590, 240, 290)
    assert points(-DAY, DAY, HOUR) == [HistoryPoint(NOW, 30, 4350, 0, 290)]
    assert points(65, 66, 60) == [HistoryPoint(NOW + 60, 6, 510, 60, 110)]  # the whole step in which it lies
    assert points(300, 600, 60) == []
    assert points(0, 60, 60)[0].mean == 25


def test_samples_are_read_by_seconds_for_an_hour_and_not_for_a_week(database):
    with pytest.raises(InvalidInput, match="for an hour at most"):
        history.read(database, INSTALLATION, [1], Span(NOW - HOUR - 2, NOW), 1)
    with pytest.raises(InvalidInput, match="at most 5000 steps"):
        history.read(database, INSTALLATION, [1], Span(NOW - 7 * DAY, NOW), 60)
    assert history.read(database, INSTALLATION, [1], Span(NOW - 1000, NOW), 1) == {}


def keep_hours(database, ids: range, span: Span) -> None:
    """What samples of each second have made of these series."""
    key = {"site_id": INSTALLATION, "count": HOUR, "sum": 30.0 * HOUR, "min": 10.0, "max": 50.0}
    with database.transaction() as connection:
        for number in ids:
            hours = [key | {"series_id": number, "at": at} for at in range(*span, HOUR)]
            connection.execute(schema.health_hours.insert(), hours)


def test_a_week_is_read_from_its_hours_whatever_other_series_and_weeks_there_are(database):
    week, own = Span(NOW - 7 * DAY, NOW), range(1, 40, 2)
    found = {}

    def ask():
        found.update(history.read(database, INSTALLATION, own, week, HOUR))

    keep_hours(database, own, week)
    alone = rows_read(database, ask)
    keep_hours(database, own, Span(NOW - 14 * DAY, week.begin))
    keep_hours(database, range(2, 41, 2), Span(NOW - 14 * DAY, NOW))
    assert rows_read(database, ask) < 1.1 * alone
    assert (list(found), {len(points) for points in found.values()}) == ([*own], {7 * 24})


# ── the newest ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_newest_sample_of_each_series_is_in_memory_for_two_minutes():
    newest = NewestSamples()
    newest.take(1, [sample(1, tags=WEB, at=NOW), sample(2, tags=WEB, at=NOW), sample(3, tags=WEB, at=NOW - 1)])
    newest.take(1, [sample(5, name=RATE, at=NOW + 10, unit="per_second")])
    web = NewestSample(CPU, {"instance": "web"}, "", 2, NOW)
    rate = NewestSample(RATE, {}, "per_second", 5, NOW + 10)
    assert newest.of_site(1, NOW + 10) == [web, rate]
    assert newest.of_site(1, NOW + CURRENT_S) == [rate]
    assert newest.of_site(2, NOW) == []


def test_a_name_is_known_for_a_day():
    newest = NewestSamples()
    newest.take(1, [sample(at=NOW)])
    newest.take(INSTALLATION, [sample(name=RATE, at=NOW)])
    known = [(1, CPU), (1, RATE), (2, RATE)]
    newest.prune(NOW + DAY - 1)
    assert [each for each in (*known, (2, CPU)) if newest.knows(*each)] == known
    newest.prune(NOW + DAY)
    assert [each for each in known if newest.knows(*each)] == []


def test_a_site_without_samples_of_a_name_has_those_of_the_installation():
    newest = NewestSamples()
    newest.take(INSTALLATION, [sample(1), sample(2, name=RATE)])
    newest.take(1, [sample(10, tags=WEB), sample(20, tags=DB)])
    assert sorted(newest.values(1, CPU, NOW)) == [10, 20]
    assert newest.values(1, RATE, NOW) == [2]
    assert newest.values(2, CPU, NOW) == [1]
    assert newest.values(1, "memory_percent", NOW) == []


def test_after_a_start_it_is_what_the_database_has(database):
    site = added_site(database).id
    stored_samples(
        database, sample(1, at=NOW - 90), sample(2, at=NOW - 30, unit="%"), sample(3, name=RATE, at=NOW - 60)
    )
    stored_samples(database, sample(9, tags=WEB, at=NOW - CURRENT_S), sample(8, tags=DB, at=NOW - 10), site_id=site)
    stored_samples(database, sample(name="disk_percent", at=NOW - HOUR), site_id=site)
    newest = NewestSamples()
    newest.restore(database, [site], NOW)
    assert newest.of_site(INSTALLATION, NOW) == [
        NewestSample(CPU, {}, "%", 2, NOW - 30),
        NewestSample(RATE, {}, "", 3, NOW - 60),
    ]
    assert newest.of_site(site, NOW) == [NewestSample(CPU, {"instance": "db"}, "", 8, NOW - 10)]
    newest.prune(NOW + MINUTE)
    assert newest.knows(site, "disk_percent"), "it came today"


# ── retention ────────────────────────────────────────────────────────────────────────────────────────────────────────


def purged(database, days: int = 7, pause=lambda _: False) -> Purged:
    return purge.purge_samples(database, NOW, days, pause, lambda _: None)


def test_samples_minutes_and_hours_are_kept_for_their_own_times(database):
    ages = 1, 7 * DAY, 7 * DAY + 1, 90 * DAY, 90 * DAY + MINUTE, 730 * DAY, 730 * DAY + HOUR
    for age in ages:
        stored_samples(database, sample(age, at=NOW - age), now=NOW - age)
    assert purged(database) == Purged(5 + 3 + 1, whole=True)
    left = [
        sorted(NOW - at for (at,) in rows(database, table, "at"))
        for table in (schema.health_samples, schema.health_minutes, schema.health_hours)
    ]
    assert left == [
        [1, 7 * DAY],
        [60, 7 * DAY, 7 * DAY + 60, 90 * DAY],
        [HOUR, 7 * DAY, 7 * DAY + HOUR, 90 * DAY, 90 * DAY + HOUR, 730 * DAY],
    ]
    assert purged(database) == Purged(0, whole=True)


def test_on_postgresql_each_day_is_a_partition_that_goes_at_once(database):
    for back in (0, 0.5, 3, 9, 10):
        stored_samples(database, sample(at=NOW - int(back * DAY)))  # NOW is at 8:00

    def days() -> list[str]:
        with database.read() as connection:
            return partitions.names(connection)

    names = "20270105", "20270106", "20270112", "20270114", "20270115"
    before = {f"health_samples_{name}" for name in names}
    assert before <= set(days()) or (database.embedded and days() == [])
    assert purged(database, days=9) == Purged(1, whole=True)
    assert "health_samples_20270105" not in days()
    assert before - {"health_samples_20270105"} <= set(days()) or database.embedded
    stored_samples(database, sample(at=NOW - 10 * DAY))  # a late one makes it again
    assert count(database, schema.health_samples) == 5


def test_the_samples_of_a_site_may_be_kept_longer_by_the_setting(database):
    stored_samples(database, sample(at=NOW - 29 * DAY), now=NOW - 29 * DAY)
    assert purged(database, days=30) == Purged(0, whole=True)
    assert purged(database, days=28) == Purged(1, whole=True)


def test_a_series_goes_with_its_last_hour(database):
    stored_samples(database, sample(tags=WEB, at=NOW - 800 * DAY), now=NOW - 800 * DAY)
    stored_samples(database, sample(tags=DB, at=NOW - 800 * DAY), now=NOW - 800 * DAY)
    stored_samples(database, sample(tags=DB))
    assert purged(database) == Purged(2 + 2 + 2 + 1, whole=True)
    assert [one.tags for one in series.of_site(database, INSTALLATION)] == [{"instance": "db"}]


# ── verification ─────────────────────────────────────────────────────────────────────────────────────────────────────


def wrong(database, since: int = 0) -> list[WrongStep]:
    with database.snapshot() as connection:
        return list(recount_samples.wrong_steps(connection, {}, since))


def test_a_recount_finds_and_repairs_minutes_and_hours_that_are_wrong_missing_or_too_many(database):
    stored_samples(database, *[sample(nth / 10, at=NOW + 7 * nth) for nth in range(2_000)])
    number = series_id(database)
    assert wrong(database) == []
    with database.transaction() as connection:
        minutes, hours = schema.health_minutes, schema.health_hours
        connection.execute(minutes.update().where(minutes.c.at == NOW + 60).values(max=9_999))
        connection.execute(minutes.delete().where(minutes.c.at == NOW + 120))
        connection.execute(hours.update().where(hours.c.at == NOW).values(sum=hours.c.sum + 0.01))
        connection.execute(
            hours.insert().values(site_id=0, series_id=number, at=NOW + DAY, count=1, sum=1, min=1, max=1)
        )
    found = wrong(database)
    assert [(one.table.name, one.at - NOW) for one in found] == [
        ("health_minutes", 60),
        ("health_minutes", 120),
        ("health_hours", 0),
        ("health_hours", DAY),
    ]
    assert found[0].description == (
        f"health_minutes of the installation: series {number} at 2027-01-15 08:01 has (9, 11.7, 0.9, 9999.0), "
        "(9, 11.7, 0.9, 1.7) by its samples"
    )
    recount_samples.repair(database, found)
    assert wrong(database) == []
    assert list(recount_samples.done(found)) == ["health_minutes: 2", "health_hours: 2"]


def test_minutes_whose_samples_are_purged_are_not_compared(database):
    ages = [*range(8 * DAY, 6 * DAY, -HOUR), 30, 20]
    for age in ages:
        stored_samples(database, sample(age, at=NOW - age))
    purged(database)
    assert wrong(database, since=NOW - 7 * DAY) == []
    assert wrong(database) == [], "also where the setting was shorter before"


# ── the thread that stores ───────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def newest() -> NewestSamples:
    return NewestSamples()


@pytest.fixture
def writer(database, newest):
    made = SampleWriter(database, newest.take, clock=lambda: NOW)
    yield made
    made.stop()


def test_what_was_stored_is_answered_and_then_in_memory(writer, newest):
    group = SiteSamples(INSTALLATION, [sample(1, unit="%"), sample(2, unit="ms")])
    assert list(writer.store(group, 10)) == [1]
    assert newest.values(INSTALLATION, CPU, NOW) == [1]


def test_ten_thousand_samples_of_many_senders_are_all_stored(database, writer):
    at = iter(range(NOW, NOW + 100))
    groups = [[sample(nth, f"m{nth % 20}", at=second) for nth in range(100)] for second in at]
    results = [writer.submit(SiteSamples(INSTALLATION, group)) for group in groups]
    assert [one.result(30) for one in results] == [{}] * 100
    assert count(database, schema.health_samples) == 10_000
    assert rolled_up(database, schema.health_minutes) == recounted(database, MINUTE)


def test_while_the_database_is_away_samples_are_refused_for_now(database, config, writer):
    group = SiteSamples(INSTALLATION, [sample()])
    with away(database, config):
        assert writer.store(group, 10) == AWAY
    assert writer.store(group, 10) == {}
    assert count(database, schema.health_samples) == 1


def test_what_could_not_begin_in_time_is_never_stored(database, writer):
    site = added_site(database).id
    with database.transaction() as connection:  # PostgreSQL has others that write; this one has the site's lock
        store(connection, [SiteSamples(site, [sample()])], NOW)
        first = writer.submit(SiteSamples(site, [sample(1)]))
        busy = threading.Event()
        while not first.running():
            busy.wait(0.01)
        assert writer.store(SiteSamples(site, [sample(2)]), 0.05) == TOO_SLOW
    assert first.result(10) == {}
    assert writer.store(SiteSamples(site, [sample(3)]), 10) == {}
    assert sorted(value for (value,) in rows(database, schema.health_samples, "value")) == [1, 3, 41]


def test_no_more_wait_than_memory_has_room_for(database, writer):
    many = [sample()] * 15_000
    with database.transaction() as connection:
        store(connection, [SiteSamples(INSTALLATION, [sample()])], NOW)
        first = writer.submit(SiteSamples(INSTALLATION, [sample()]))
        busy = threading.Event()
        while not first.running():
            busy.wait(0.01)
        second = writer.submit(SiteSamples(INSTALLATION, many))
        assert writer.store(SiteSamples(INSTALLATION, many), 10) == QUEUE_FULL
    assert (first.result(10), second.result(30)) == ({}, {})


def test_at_the_end_what_waits_is_stored_and_what_comes_is_refused(database, newest):
    writer = SampleWriter(database, newest.take, clock=lambda: NOW)
    result = writer.submit(SiteSamples(INSTALLATION, [sample()]))
    writer.stop()
    writer.stop()
    assert result.result(0) == {}
    assert writer.store(SiteSamples(INSTALLATION, [sample()]), 10) == STOPPING
    assert count(database, schema.health_samples) == 1


def test_one_group_that_the_database_refuses_does_not_sink_the_others(database, writer):
    """None of what is checked can be refused; this is not checked."""
    number = 10**30
    with database.transaction() as connection:
        store(connection, [SiteSamples(INSTALLATION, [sample()])], NOW)
        results = [writer.submit(SiteSamples(INSTALLATION, [sample(at=at)])) for at in (NOW, NOW + 1, number, NOW + 2)]
    assert [one.result(10) for one in results] == [{}, {}, AWAY, {}]
    assert count(database, schema.health_samples) == 4
