"""A group of arrivals becomes rows, on SQLite and on PostgreSQL."""

from __future__ import annotations

import random

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from analytics.live.beat import Beat, PageState
from analytics.live.feed import FeedItem, public_visitor_id
from analytics.storage import schema
from collector.ingest.outcomes import Duplicate, Filtered, Rejected, Stored
from collector.ingest.pipeline import tab_of
from collector.ingest.visit import Origin, Visit
from collector.store.batch import write_counts
from collector.store.outcome_counters import OutcomeCounts
from collector.store.statements import Tables
from tests.support.factories import (
    DAY,
    HOME,
    MINUTE,
    NOW,
    accepted,
    count,
    event,
    heartbeat,
    in_groups,
    leave,
    one_by_one,
    outcome_counts,
    rows,
    stored,
)

UNKNOWN = Rejected(422, "unknown_pageview", "no such pageview; send `url` with the heartbeat", "pageview")


def visits(database) -> list[tuple]:
    """(pageviews, events, duration_s, bounce, entry page, exit page) of each visit, in the order they began."""
    names = ("pageviews", "events", "duration_s", "bounce", "entry_page", "exit_page")
    return [(*row[:3], bool(row[3]), *row[4:]) for row in rows(database, schema.visits, *names)]


def seen(database) -> list[int]:
    """The last beat of each visit, in seconds after `NOW`."""
    return [row[0] - NOW for row in rows(database, schema.visits, "seen_at")]


def totals(database) -> list[tuple]:
    return rows(database, schema.pageviews, "page_id", "engaged_ms", "scroll")


def kinds(outcomes) -> list[str]:
    return [type(outcome).__name__ for outcome in outcomes]


# ── the disk ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_what_is_committed_is_synced(database):
    with database.transaction() as connection:
        if database.embedded:
            found = [connection.execute(text(f"PRAGMA {name}")).scalar() for name in ("synchronous", "journal_mode")]
            assert found == [2, "wal"]
        else:
            found = [connection.execute(text(f"SHOW {name}")).scalar() for name in ("fsync", "synchronous_commit")]
            assert found == ["on", "on"]


def test_who_reads_cannot_write(database):
    for reading in (database.read, database.snapshot) if database.embedded else (database.snapshot,):
        with pytest.raises(DBAPIError, match=r"read-?only"), reading() as connection:
            connection.execute(schema.sites.delete())


# ── visits ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_visit_begins_with_one_pageview_as_a_bounce_without_duration(database):
    stored(database, accepted(path="/a"))
    assert visits(database) == [(1, 0, 0, True, "/a", "/a")]


def test_a_visit_keeps_where_it_came_from_and_with_what(database):
    origin = Origin(*(f"{name} of it" for name in Origin._fields))._replace(lat=1.5, lon=-2.5)
    stored(database, accepted(origin=origin))
    stored(database, accepted(page_id="page-0002", at=NOW + 60, origin=HOME))
    assert rows(database, schema.visits, *Origin._fields) == [tuple(origin)]


def test_a_second_pageview_after_30_minutes_belongs_to_the_visit(database):
    one_by_one(database, accepted(path="/a"), accepted(page_id="page-0002", path="/b", at=NOW + 30 * MINUTE))
    assert visits(database) == [(2, 0, 1800, False, "/a", "/b")]


def test_a_second_pageview_after_31_minutes_starts_a_new_visit(database):
    one_by_one(database, accepted(path="/a"), accepted(page_id="page-0002", path="/b", at=NOW + 31 * MINUTE))
    assert visits(database) == [(1, 0, 0, True, "/a", "/a"), (1, 0, 0, True, "/b", "/b")]


def wall(begin: int, end: int) -> list:
    """The pageviews of a screen on a wall that loads its page every half hour, in that span of seconds after `NOW`."""
    return [accepted(page_id=f"page-{at}", path="/wall", at=NOW + at) for at in range(begin, end, 30 * MINUTE)]


def test_a_visit_without_a_pause_is_one_after_days(database):
    stored(database, *wall(0, 5 * DAY))
    stored(database, *wall(5 * DAY, 5 * DAY + 31 * MINUTE))
    assert visits(database) == [(5 * 48 + 2, 0, 5 * DAY + 30 * MINUTE, False, "/wall", "/wall")]


def test_a_visit_without_a_pause_ends_seven_days_after_its_start(database):
    stored(database, *wall(0, 7 * DAY + 1))
    stored(database, *wall(7 * DAY + 30 * MINUTE, 7 * DAY + 61 * MINUTE))
    stored(database, event(pageview=f"page-{7 * DAY}", at=NOW + 7 * DAY + 61 * MINUTE))
    first, second = (7 * 48 + 1, 0, 7 * DAY, False, "/wall", "/wall"), (2, 1, 31 * MINUTE, False, "/wall", "/wall")
    assert visits(database) == [first, second]


def test_two_pageviews_out_of_order_by_10_seconds_make_a_duration_of_10(database):
    one_by_one(database, accepted(path="/b"), accepted(page_id="page-0002", path="/a", at=NOW - 10))
    assert visits(database) == [(2, 0, 10, False, "/a", "/b")]


def test_a_heartbeat_changes_neither_bounce_nor_duration_nor_counts_but_keeps_the_visit_open(database):
    one_by_one(database, accepted(path="/a"), heartbeat(at=NOW + 25 * MINUTE))
    assert (visits(database), seen(database)) == ([(1, 0, 0, True, "/a", "/a")], [25 * MINUTE])
    one_by_one(database, accepted(page_id="page-0002", path="/b", at=NOW + 50 * MINUTE))
    assert visits(database) == [(2, 0, 3000, False, "/a", "/b")]


def test_a_beat_never_reopens_a_visit_that_has_ended(database):
    outcomes = one_by_one(
        database,
        accepted(),
        heartbeat(at=NOW + 31 * MINUTE),
        leave(at=NOW + 32 * MINUTE),
        accepted(page_id="page-0002", at=NOW + 33 * MINUTE),
    )
    assert kinds(outcomes) == ["Stored"] * 4
    assert visits(database) == [(1, 0, 0, True, "/", "/")] * 2
    assert seen(database) == [0, 33 * MINUTE]


def test_an_event_ends_a_bounce_and_prolongs_the_visit(database):
    one_by_one(database, accepted(), event(at=NOW + 60))
    assert visits(database) == [(1, 1, 60, False, "/", "/")]


def test_an_event_without_a_pageview_is_a_visit_of_its_own_kind(database):
    stored(database, event(path="/server"))
    assert visits(database) == [(0, 1, 0, False, "/server", "/server")]


def test_an_event_on_a_known_page_belongs_to_the_visit_of_that_page(database):
    """The address of a phone changes between two cells; its page stays the same."""
    one_by_one(database, accepted(visitor=1), event(visitor=2, pageview="page-0001", at=NOW + 60))
    assert visits(database) == [(1, 1, 60, False, "/", "/")]
    assert rows(database, schema.events, "visitor") == [(1,)]


def test_an_event_on_a_page_whose_visit_has_ended_starts_a_new_one(database):
    one_by_one(database, accepted(), event(pageview="page-0001", at=NOW + 31 * MINUTE))
    assert visits(database) == [(1, 0, 0, True, "/", "/"), (0, 1, 0, False, "/", "/")]


def test_an_event_in_an_old_tab_belongs_to_the_visit_that_is_open_now(database):
    """The old tab's visit has ended, the visitor has gone on in another one."""
    one_by_one(database, accepted(), accepted(page_id="page-0002", at=NOW + 3600))
    one_by_one(database, event(pageview="page-0001", at=NOW + 3610))
    assert visits(database) == [(1, 0, 0, True, "/", "/"), (1, 1, 10, False, "/", "/")]


def test_two_arrivals_of_one_visitor_in_one_group_make_one_visit(database):
    stored(database, accepted(path="/a"), accepted(page_id="page-0002", path="/b", at=NOW + 1), event(at=NOW + 2))
    assert visits(database) == [(2, 1, 2, False, "/a", "/b")]


def test_visitors_and_sites_have_visits_of_their_own(database):
    stored(
        database,
        accepted(visitor=1),
        accepted(visitor=2, page_id="page-0002"),
        accepted(visitor=1, site_id=2),
        accepted(visitor=-(2**63), page_id="page-0003"),
        accepted(visitor=2**63 - 1, page_id="page-0004"),
    )
    found = rows(database, schema.visits, "site_id", "visitor")
    assert sorted(found) == [(1, -(2**63)), (1, 1), (1, 2), (1, 2**63 - 1), (2, 1)]


def test_two_users_one_with_a_second_page_after_25_minutes(database):
    """Fact 94: 3 pageviews, 2 visits, half of them bounces, 750 s on average."""
    one_by_one(
        database,
        accepted(visitor=1),
        accepted(visitor=2, page_id="page-0002"),
        accepted(visitor=1, page_id="page-0003", at=NOW + 25 * MINUTE),
    )
    assert sorted(visits(database)) == [(1, 0, 0, True, "/", "/"), (2, 0, 1500, False, "/", "/")]


def test_a_user_who_signs_in_later_is_known_to_the_visit_and_stays_so(database):
    one_by_one(
        database,
        accepted(),
        heartbeat(at=NOW + 10, user_id="ann", user_type="couple"),
        heartbeat(at=NOW + 20),
    )
    assert rows(database, schema.visits, "user_id", "user_type") == [("ann", "couple")]
    beats = rows(database, schema.heartbeats, "user_id", "user_type")
    assert beats == [(None, ""), ("ann", "couple"), (None, "")]


def test_yesterday_s_salt_finds_the_open_visit_and_the_visitor_stays_the_same(database):
    one_by_one(
        database,
        accepted(visitor=1),
        accepted(visitor=7, before=1, page_id="page-0002", at=NOW + 60),
        accepted(visitor=7, before=1, page_id="page-0003", at=NOW + 120),
    )
    assert visits(database) == [(3, 0, 120, False, "/", "/")]
    assert rows(database, schema.pageviews, "visitor") == [(1,), (1,), (1,)]


def test_yesterday_s_salt_does_not_find_a_visit_that_has_ended(database):
    one_by_one(
        database,
        accepted(visitor=1),
        accepted(visitor=7, before=1, page_id="page-0002", at=NOW + 31 * MINUTE),
        accepted(visitor=7, before=1, page_id="page-0003", at=NOW + 32 * MINUTE),
    )
    assert rows(database, schema.visits, "visitor", "pageviews") == [(1, 1), (7, 2)]


# ── rows ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_pageview_is_one_row_with_its_page_and_person(database):
    (outcome,) = stored(database, accepted(visitor=5, path="/a?b", title="Ä 😀", user_id="ann", user_type="couple"))
    row_id = outcome.beat.id
    assert rows(database, schema.pageviews) == [
        (1, row_id, "page-0001", NOW, row_id, 5, "ann", "example.com", "/a?b", "Ä 😀", 0, 0)
    ]


def test_an_event_is_one_row_with_all_that_was_told(database):
    fields = {"props": {"plan": "pro", "n": 1, "x": None}, "value": 12, "currency": "EUR"}
    fields |= {"description": "Ann booked", "user_name": "Ann"}
    (outcome,) = stored(database, event(visitor=5, path="/a", user_id="ann", **fields))
    row_id = outcome.beat.id
    props = '{"plan":"pro","n":1,"x":null}'
    assert rows(database, schema.events) == [
        (
            *(1, row_id, "event-0001", NOW, row_id, 5, "ann", "example.com", "/a", "Signup"),
            *(props, 12.0, "EUR", "Ann booked", "Ann", True),
        )
    ]


def test_an_event_that_tells_nothing_more_has_nothing_more(database):
    stored(database, event())
    names = ("props", "value", "currency", "description", "user_name")
    assert rows(database, schema.events, *names) == [("{}", None, "", "", "")]


def test_every_stored_thing_is_one_heartbeat_row(database):
    outcomes = one_by_one(
        database,
        accepted(visitor=5, path="/a", user_id="ann", user_type="couple"),
        heartbeat(visitor=6, at=NOW + 1, state="idle"),
        heartbeat(visitor=6, at=NOW + 2, state="hidden"),
        event(visitor=5, at=NOW + 3, pageview="page-0001", path="/a"),
        leave(visitor=6, at=NOW + 4),
    )
    tab, visit_id = tab_of("page-0001"), outcomes[0].beat.visit_id
    expected = [(NOW, "ann", "couple", PageState.ACTIVE)] + [
        (NOW + seconds, None, "", state)
        for seconds, state in ((1, PageState.IDLE), (2, PageState.HIDDEN), (3, PageState.ACTIVE), (4, PageState.LEFT))
    ]
    assert rows(database, schema.heartbeats) == [
        (1, outcome.beat.id, at, visit_id, 5, tab, user_id, user_type, state, "/a")
        for outcome, (at, user_id, user_type, state) in zip(outcomes, expected, strict=True)
    ]


def test_the_outcome_carries_the_beat_and_the_feed_s_item(database):
    (outcome,) = stored(database, event(visitor=-1, path="/a", user_id="ann", value=3, description="Ann booked"))
    beat, item, _ = outcome
    assert beat == Beat(
        *(1, beat.id, NOW, beat.id, -1, tab_of("event-0001"), "ann", "", PageState.ACTIVE, "/a"),
        *("Google", "DE", "Berlin", 52.5, 13.4),
    )
    assert item == FeedItem(
        id=str(beat.id),
        type="event",
        visitor_id=public_visitor_id(-1),
        user_id="ann",
        user_type="",
        path="/a",
        title="",
        source="Google",
        country="DE",
        city="Berlin",
        device="Desktop",
        browser="Firefox",
        timestamp=NOW,
        name="Signup",
        description="Ann booked",
        value=3.0,
    )


def test_heartbeats_and_leaves_are_nothing_for_the_feed(database):
    outcomes = one_by_one(database, accepted(), heartbeat(at=NOW + 1), leave(at=NOW + 2))
    assert [outcome.feed is None for outcome in outcomes] == [False, True, True]


# ── heartbeats and leaves ────────────────────────────────────────────────────────────────────────────────────────────


def test_a_heartbeat_of_an_unknown_pageview_is_rejected_without_its_url(database):
    assert stored(database, heartbeat()) == [UNKNOWN]
    assert count(database, schema.heartbeats) == 0


def test_a_heartbeat_of_an_unknown_pageview_is_stored_with_its_url(database):
    outcomes = one_by_one(database, *(heartbeat(url="https://example.com/a", path="/a", at=NOW + at) for at in (0, 30)))
    assert kinds(outcomes) == ["Stored", "Stored"]
    assert (visits(database), seen(database)) == ([(0, 0, 0, True, "/a", "/a")], [30])
    assert rows(database, schema.heartbeats, "path") == [("/a",), ("/a",)]


def test_the_pageview_that_comes_after_its_heartbeat_joins_the_visit(database):
    one_by_one(
        database,
        heartbeat(url="https://example.com/a", path="/a"),
        accepted(path="/a", at=NOW + 5),
        heartbeat(at=NOW + 30),
    )
    assert visits(database) == [(1, 0, 5, True, "/a", "/a")]
    assert len({row[0] for row in rows(database, schema.heartbeats, "tab")}) == 1


def test_a_heartbeat_on_another_site_does_not_find_the_pageview(database):
    stored(database, accepted(site_id=1))
    assert stored(database, heartbeat(site_id=2)) == [UNKNOWN]


def test_a_pageview_and_its_heartbeat_in_one_group_find_each_other(database):
    outcomes = stored(database, accepted(), heartbeat(at=NOW + 1, engaged_ms=900, scroll=40), leave(at=NOW + 2))
    assert kinds(outcomes) == ["Stored"] * 3
    assert totals(database) == [("page-0001", 900, 40)]


def test_a_heartbeat_before_its_pageview_in_one_group_is_unknown(database):
    assert kinds(stored(database, heartbeat(), accepted())) == ["Rejected", "Stored"]


def test_a_leave_of_an_unknown_pageview_is_filtered(database):
    assert stored(database, leave(), leave(url="https://example.com/")) == [Filtered("unknown_pageview")] * 2
    assert (count(database, schema.heartbeats), count(database, schema.visits)) == (0, 0)


def test_totals_only_rise(database):
    one_by_one(
        database,
        accepted(),
        heartbeat(at=NOW + 30, engaged_ms=30_000, scroll=20),
        heartbeat(at=NOW + 60, engaged_ms=20_000, scroll=60),
        heartbeat(at=NOW + 70),
        leave(at=NOW + 80, engaged_ms=40_000, scroll=50),
    )
    assert totals(database) == [("page-0001", 40_000, 60)]


@pytest.mark.parametrize("sent", [[0, 1, 2], [2], [0, 2], [0, 0, 1, 1, 2, 2], [2, 1, 0]])
def test_a_lost_or_doubled_heartbeat_changes_nothing(database, sent):
    beats = [heartbeat(at=NOW + 30, engaged_ms=10 * n, scroll=n) for n in range(3)]
    stored(database, accepted(), *(beats[n] for n in sent))
    assert (totals(database), visits(database)) == ([("page-0001", 20, 2)], [(1, 0, 0, True, "/", "/")])


def test_totals_of_two_pages_in_one_group_do_not_mix(database):
    pages = [f"page-{n:04}" for n in range(300)]
    stored(database, *(accepted(page_id=page) for page in pages))
    stored(database, *(heartbeat(page, engaged_ms=n, scroll=n % 101) for n, page in enumerate(pages)))
    assert sorted(totals(database)) == [(page, n, n % 101) for n, page in enumerate(pages)]


# ── duplicates ───────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("make", [accepted, event])
def test_the_same_id_50_times_in_one_group_is_stored_once(database, make):
    assert kinds(stored(database, *[make()] * 50)) == ["Stored"] + ["Duplicate"] * 49
    assert count(database, schema.heartbeats) == 1
    assert count(database, schema.pageviews) + count(database, schema.events) == 1


@pytest.mark.parametrize("make", [accepted, event])
def test_the_same_id_over_groups_is_stored_once_and_changes_nothing(database, make):
    first, *others = one_by_one(database, make(), make(at=NOW + 60, path="/b"), make(visitor=2, at=NOW + 86_400))
    assert (type(first), others) == (Stored, [Duplicate(), Duplicate()])
    assert (len(visits(database)), seen(database)) == (1, [0])


@pytest.mark.parametrize("make", [accepted, event])
def test_the_same_id_on_another_site_is_another_one(database, make):
    assert kinds(stored(database, make(site_id=1), make(site_id=2))) == ["Stored", "Stored"]
    assert kinds(one_by_one(database, make(site_id=1), make(site_id=3))) == ["Duplicate", "Stored"]


# ── outcome counters ─────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_outcome_counters_balance(database):
    """received = stored + duplicate + filtered + rejected + shed"""
    received = [
        accepted(),
        accepted(),
        event(),
        heartbeat("unknown-1"),
        leave("unknown-1"),
        leave(),
        heartbeat("unknown-2"),
    ]
    elsewhere = OutcomeCounts(
        {(1, NOW, "filtered", "bot"): 3, (0, NOW, "rejected", "bad_json"): 2, (1, NOW, "shed", "queue_full"): 1}
    )
    stored(database, *received, counts=elsewhere)
    assert outcome_counts(database) == {
        ("stored", ""): 3,
        ("duplicate", ""): 1,
        ("rejected", "unknown_pageview"): 2,
        ("filtered", "unknown_pageview"): 1,
        ("filtered", "bot"): 3,
        ("rejected", "bad_json"): 2,
        ("shed", "queue_full"): 1,
    }


def test_outcomes_are_counted_by_site_and_hour(database):
    ids = iter(range(10))
    for _ in range(2):
        stored(
            database,
            *(
                accepted(page_id=f"page-{next(ids):04}", site_id=site_id, at=at)
                for site_id, at in ((1, NOW), (1, NOW + 3599), (1, NOW + 3600), (2, NOW))
            ),
        )
    assert rows(database, schema.outcomes) == [
        (1, NOW, "stored", "", 4),
        (1, NOW + 3600, "stored", "", 2),
        (2, NOW, "stored", "", 2),
    ]


def test_counts_alone_are_written_too(database):
    for _ in range(2):
        with database.transaction() as connection:
            write_counts(connection, OutcomeCounts({(1, NOW, "filtered", "bot"): 2}))
    with database.transaction() as connection:
        write_counts(connection, OutcomeCounts())
    assert rows(database, schema.outcomes) == [(1, NOW, "filtered", "bot", 4)]


# ── order and grouping ───────────────────────────────────────────────────────────────────────────────────────────────


def test_a_late_pageview_joins_the_visit_that_was_open_at_its_moment(database):
    """A server may tell of the last seven days: what it tells late belongs where it happened."""
    one_by_one(database, accepted(path="/a"), accepted(page_id="page-0002", path="/x", at=NOW + 7200))
    one_by_one(database, accepted(page_id="page-0003", path="/b", at=NOW + 60))
    assert visits(database) == [(2, 0, 60, False, "/a", "/b"), (1, 0, 0, True, "/x", "/x")]


def test_a_beat_of_an_ended_visit_does_not_hide_the_open_one(database):
    """An old tab tells who is signed in, and the next pageview of the same group goes on with the open visit."""
    one_by_one(database, accepted(), accepted(page_id="page-0002", at=NOW + 3600))
    stored(database, heartbeat(at=NOW + 3610, user_id="ann"), accepted(page_id="page-0003", at=NOW + 3620))
    assert visits(database) == [(1, 0, 0, True, "/", "/"), (2, 0, 20, False, "/", "/")]


def test_it_does_not_matter_how_arrivals_are_grouped(database):
    """The same arrivals on one site as one group, on another one by one, on a third in threes."""
    for seed in range(10):
        plan, sites = walk(random.Random(seed)), range(3 * seed, 3 * seed + 3)
        whole, single, threes = ([accepted(site_id=site_id, **fields) for fields in plan] for site_id in sites)
        outcomes = [in_groups(database, *group) for group in ((whole, 60), (single, 1), (threes, 3))]
        assert kinds(outcomes[0]) == kinds(outcomes[1]) == kinds(outcomes[2])
        first, second, third = (rows_of_site(database, site_id) for site_id in sites)
        assert first == second == third


def walk(choice: random.Random) -> list[dict]:
    """What three visitors do in some hours, with repeats, gaps, and things that come late or out of order."""
    plan, at = [], NOW
    for number in range(60):
        at += choice.choice((0, 5, 60, 20 * MINUTE, 31 * MINUTE))
        kind = choice.choice(("pageview", "pageview", "event", "heartbeat", "leave"))
        totals = {"engaged_ms": choice.randrange(1000)} if kind in ("heartbeat", "leave") else {}
        if kind == "event" and choice.random() < 0.5:
            totals = {"pageview": f"page-{choice.randrange(number + 1):04}"}
        plan.append(
            totals
            | {
                "kind": kind,
                "page_id": f"page-{choice.randrange(max(1, number - 8), number + 2):04}",
                "at": at - choice.choice((0, 0, 0, 10)),
                "visitor": choice.randrange(1, 4),
                "path": choice.choice(("/a", "/b", "/c")),
                "user_id": choice.choice((None, None, "ann")),
            }
        )
    return plan


def rows_of_site(database, site_id: int) -> list[list[tuple]]:
    """All rows of a site but for their ids: as they stand, visits by what they hold."""
    names = {
        schema.visits: "visitor user_id started_at last_at seen_at pageviews events entry_page exit_page",
        schema.pageviews: "page_id at visitor user_id path engaged_ms scroll",
        schema.events: "page_id at visitor user_id path",
        schema.heartbeats: "at visitor tab user_id state path",
        schema.outcomes: "outcome reason count",
    }
    return [
        sorted(map(str, (row[1:] for row in rows(database, table, "site_id", *columns.split()) if row[0] == site_id)))
        for table, columns in names.items()
    ]


# ── titles that come late ────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("beat", [heartbeat, leave])
def test_a_beat_gives_its_pageview_the_title_that_the_page_has_by_now(database, beat):
    one_by_one(database, accepted(title=""), beat(title="Two"), heartbeat())
    assert rows(database, schema.pageviews, "page_id", "title") == [("page-0001", "Two")]


# ── the statements ───────────────────────────────────────────────────────────────────────────────────────────────────


def backwards(row):
    return dict(reversed(row.items()))


def test_values_go_into_their_columns_in_any_order_of_the_keys(database):
    first = {"site_id": 1, "hour": 0, "outcome": "stored", "reason": "counted", "count": 1}
    with database.transaction() as connection:
        Tables(connection).insert("outcomes", [first, backwards(first | {"hour": 3600, "count": 2})])
    names = ("hour", "outcome", "reason", "count")
    assert rows(database, schema.outcomes, *names) == [(0, "stored", "counted", 1), (3600, "stored", "counted", 2)]


def test_totals_go_to_their_pageviews_in_any_order_of_the_keys(database):
    one_by_one(database, accepted(page_id="pageview-1"), accepted(page_id="pageview-2", path="/b"))
    changed = [
        {"site_id": 1, "id": row_id, "engaged_ms": 1000 + number, "scroll": number, "title": f"Page {number}"}
        for number, (row_id,) in enumerate(rows(database, schema.pageviews, "id"), 1)
    ]
    with database.transaction() as connection:
        Tables(connection).update_totals([changed[0], backwards(changed[1])])
    assert rows(database, schema.pageviews, "engaged_ms", "scroll", "title") == [
        (1001, 1, "Page 1"),
        (1002, 2, "Page 2"),
    ]


def test_a_row_without_a_column_is_an_error(database):
    whole = {"site_id": 1, "hour": 0, "outcome": "stored", "reason": "counted", "count": 1}
    short = {name: value for name, value in whole.items() if name != "count"}
    with pytest.raises(KeyError, match="count"), database.transaction() as connection:
        Tables(connection).insert("outcomes", [whole, short])
    assert rows(database, schema.outcomes, "count") == []


def test_a_visit_is_read_as_it_was_written(database):
    texts = {name: name for name in Origin._fields if name not in ("lat", "lon")}
    origin = Origin(**texts, lat=48.25, lon=16.5)
    visit = Visit(1, 2 << 40, 3, "u-7", "member", 4, 5, 6, 7, 8, "/entry", "/exit", origin)
    with database.transaction() as connection:
        tables = Tables(connection)
        tables.write_visits([visit])
        assert tables.visits({(1, visit.id)}) == [visit]
