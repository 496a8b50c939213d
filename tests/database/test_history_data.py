"""The made-up year: what it holds belongs together, and is the same for the same seed."""

from __future__ import annotations

from collections import Counter

import pytest

from analytics.storage import schema
from benchmarks.history_data import Made, write
from tests.support.factories import added_site, rows

pytestmark = pytest.mark.slow

BEGIN = 1_735_689_600  # 2025-01-01
DAY = 86_400


def test_visits_pageviews_and_events_belong_together(database):
    made = write(database, added_site(database).id, visits=400, begin=BEGIN, days=30)
    visits = rows(database, schema.visits, "id", "visitor", "started_at", "last_at", "pageviews", "events")
    pageviews = rows(database, schema.pageviews, "visit_id", "visitor", "at")
    events = rows(database, schema.events, "visit_id", "visitor", "at")
    assert made == Made(400, len(pageviews), len(events))
    assert Counter(row[0] for row in pageviews) == {visit[0]: visit[4] for visit in visits}
    assert Counter(row[0] for row in events) == Counter({visit[0]: visit[5] for visit in visits})
    known = {visit[0]: visit for visit in visits}
    for visit_id, visitor, at in pageviews + events:
        visit = known[visit_id]
        assert visitor == visit[1]
        assert visit[2] <= at <= visit[3]
    assert all(BEGIN <= visit[2] < BEGIN + 30 * DAY for visit in visits)


def test_the_same_seed_gives_the_same_rows(database):
    first, second, third = (added_site(database, f"{name}.example").id for name in ("one", "two", "three"))
    for site_id, seed in ((first, 7), (second, 7), (third, 8)):
        write(database, site_id, visits=50, begin=BEGIN, days=3, seed=seed)
    by_site = {first: [], second: [], third: []}
    for table in (schema.visits, schema.pageviews, schema.events):
        for row in rows(database, table):
            by_site[row[0]].append(row[1:])
    assert by_site[first] == by_site[second]
    assert by_site[first] != by_site[third]


def test_every_country_page_and_source_is_there_in_its_share(database):
    write(database, added_site(database).id, visits=3_000, begin=BEGIN, days=90)
    visits = rows(database, schema.visits, "country", "source", "channel", "browser", "device")
    paths = Counter(path for (path,) in rows(database, schema.pageviews, "path"))
    assert len({visit[0] for visit in visits}) == 60
    assert len({visit[2] for visit in visits}) >= 8
    assert {visit[4] for visit in visits} == {"Desktop", "Mobile", "Tablet"}
    assert all(visit[3] for visit in visits)
    assert paths.most_common(1)[0][0] == "/"
    assert len(paths) > 1_000
