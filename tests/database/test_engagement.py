"""Engagements of senders that give their pageviews no ids: each adds to the visitor's latest pageview of its page."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from analytics.jobs import recount_visits
from analytics.live.reasons import FilteredReason
from analytics.storage import schema
from collector.ingest.accepted import Accepted, Kind
from collector.ingest.outcomes import Filtered, Stored
from collector.ingest.pipeline import own_id, page_key, tab_of
from collector.store.statements import Tables
from tests.support.factories import MINUTE, NOW, accepted, event, heartbeat, in_groups, one_by_one, rows, stored

NO_VISIT = Filtered(FilteredReason.UNKNOWN_PAGEVIEW)


def key_of(visitor: int, path: str) -> str:
    return page_key(visitor, "example.com", path)


def pageview(path: str = "/", *, at: float = NOW, visitor: int = 1) -> Accepted:
    """A pageview as the pipeline makes it of a sender without ids."""
    key = key_of(visitor, path)
    found = accepted("pageview", own_id(key, int(at * 1000)), at=at, visitor=visitor, path=path)
    return replace(found, tab=tab_of(key))


def engagement(
    path: str = "/", ms: int = 0, scroll: int = 0, *, at: float = NOW, visitor: int = 1, before: int | None = None
) -> Accepted:
    """An engagement as the pipeline makes it; `ms` is what has come on top."""
    keys = tuple(key_of(one, path) for one in (visitor, before) if one is not None)
    page = {"url": f"https://example.com{path}", "path": path, "engaged_ms": ms, "scroll": scroll}
    beat = heartbeat(keys[0], at=at, visitor=visitor, before=before, **page)
    return replace(beat, kind=Kind.ENGAGEMENT, pageview="", page_keys=keys)


def totals(database) -> list[tuple]:
    return rows(database, schema.pageviews, "path", "engaged_ms", "scroll")


@pytest.mark.parametrize("size", [1, 2, 6])
def test_time_adds_up_and_the_deepest_scroll_stays_however_they_come(database, size):
    sent = [
        pageview("/a"),
        engagement("/a", 1000, 60, at=NOW + 1),
        pageview("/b", at=NOW + 2),
        engagement("/a", 500, 20, at=NOW + 3),
        engagement("/b", 250, 10, at=NOW + 4),
        engagement("/a", 250, 30, at=NOW + 5),
    ]
    assert {type(outcome) for outcome in in_groups(database, sent, size)} == {Stored}
    assert totals(database) == [("/a", 1750, 60), ("/b", 250, 10)]
    assert rows(database, schema.visits, "pageviews", "events") == [(2, 0)]


@pytest.mark.parametrize("size", [1, 4])
def test_of_two_pageviews_of_one_page_it_is_the_later(database, size):
    sent = [
        pageview("/a"),
        engagement("/a", 1000, 50),
        pageview("/a", at=NOW + 60),
        engagement("/a", 7, 5, at=NOW + 70),
    ]
    in_groups(database, sent, size)
    assert totals(database) == [("/a", 1000, 50), ("/a", 7, 5)]


def test_after_midnight_the_page_of_yesterdays_salt_is_found(database):
    one_by_one(database, pageview("/a", visitor=1), engagement("/a", 900, 10, visitor=2, before=1, at=NOW + 5))
    assert totals(database) == [("/a", 900, 10)]
    assert len(rows(database, schema.visits, "id")) == 1


def test_pages_of_others_and_other_pages_are_not_touched(database):
    one_by_one(database, pageview("/a"), pageview("/a", visitor=2), engagement("/b", 900, 10, visitor=2, at=NOW + 5))
    assert totals(database) == [("/a", 0, 0), ("/a", 0, 0)]
    assert rows(database, schema.visits, "visitor", "seen_at") == [(1, NOW), (2, NOW + 5)]


def test_without_a_page_and_a_visit_it_is_filtered(database):
    assert stored(database, engagement("/a", 900)) == [NO_VISIT]
    one_by_one(database, pageview("/a"))
    assert stored(database, engagement("/b", 900, at=NOW + 40 * MINUTE)) == [NO_VISIT]
    assert len(rows(database, schema.visits, "id")) == 1


def test_after_the_visits_end_the_page_still_gains_and_the_visit_stays_ended(database):
    one_by_one(database, pageview("/a"), engagement("/a", 900, 10, at=NOW + 40 * MINUTE))
    assert totals(database) == [("/a", 900, 10)]
    assert rows(database, schema.visits, "seen_at") == [(NOW,)]


def test_the_time_of_a_page_has_an_end(database):
    month = 30 * 86_400_000
    one_by_one(database, pageview("/a"), engagement("/a", month - 1), engagement("/a", month - 1))
    assert totals(database) == [("/a", month, 0)]


def test_an_event_that_is_not_interactive_is_kept_and_ends_no_bounce(database):
    one_by_one(database, pageview("/a"), event("event-0001", interactive=False))
    assert [bool(bounce) for (bounce,) in rows(database, schema.visits, "bounce")] == [True]
    one_by_one(database, event("event-0002"))
    assert [bool(bounce) for (bounce,) in rows(database, schema.visits, "bounce")] == [False]
    assert [bool(one) for (one,) in rows(database, schema.events, "interactive")] == [False, True]
    with database.read() as connection:
        assert recount_visits.wrong(lambda asked: connection.execute(asked).all(), 9) == []


def test_the_latest_page_is_found_by_an_index(database):
    class Explained:
        """A cursor that explains what it is asked."""

        def __init__(self, cursor):
            self.cursor, self.plan = cursor, ""

        def execute(self, statement, parameters):
            how = "EXPLAIN " if not database.embedded else "EXPLAIN QUERY PLAN "
            self.plan = str(self.cursor.execute(how + statement, parameters).fetchall())
            return self.cursor.execute(statement, parameters)

    one_by_one(database, pageview("/a"))
    with database.transaction() as connection:
        tables = Tables(connection)
        if not database.embedded:
            tables._cursor.execute("SET LOCAL enable_seqscan = off")
        cursor = tables._cursor = Explained(tables._cursor)
        found = tables.latest_pageviews({(1, key_of(1, "/a"))})
    assert [page.path for page in found.values()] == ["/a"]
    assert "SCAN p" not in cursor.plan
    assert ("page_id>? AND page_id<?" in cursor.plan) or ("Index Cond" in cursor.plan)
