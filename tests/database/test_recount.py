"""`verify` recounts every derived number from raw rows, and `--repair` repairs the differences."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import text

from analytics.calendar import minute_series
from analytics.calendar.days import day_of, start_of
from analytics.jobs import daily, purge
from analytics.jobs.verify import AGREES, as_text, repair, verify
from analytics.replica.columnar import Columnar
from analytics.storage import schema
from tests.support.factories import NOW, accepted, added_site, count, event, heartbeat, leave, one_by_one, rows, stored

pytestmark = pytest.mark.slow

NEVER = threading.Event().wait
DAY = 86_400
TODAY = start_of(day_of(NOW))
YESTERDAY = day_of(NOW) - timedelta(days=1)
NOON = TODAY - DAY // 2


def ignore(line: str) -> None:
    """Ignores the progress."""


@pytest.fixture
def kept(database, config):
    """A replica over a day of visits of many kinds, which is counted."""
    added_site(database)
    one_by_one(
        database,
        accepted(at=NOON, path="/a"),
        heartbeat(at=NOON + 30, engaged_ms=1_000),
        event(at=NOON + 40, path="/a"),
        accepted("pageview", "page-0002", at=NOON + 60, path="/b"),
        leave("page-0002", at=NOON + 90),
        event("event-0002", visitor=2, at=NOON + 10, path="/bought", user_id="ann"),
        heartbeat("page-lost", visitor=3, at=NOON + 20, path="/lost", url="https://example.com/lost"),
        accepted("pageview", "page-0004", visitor=4, at=NOON + 300, path="/late"),
        accepted("pageview", "page-0003", visitor=4, at=NOON + 200, path="/early"),  # comes late
        event("event-0004", visitor=4, at=NOON + 100, path="/late"),  # still later
        accepted("pageview", "page-0005", visitor=5, at=NOON + 4000, path="/alone"),
    )
    # one group: the heartbeat comes after the leave, and leaves no row
    stored(database, leave("page-0005", at=NOON + 4030), heartbeat("page-0005", at=NOON + 4031))
    daily.run(daily.Work(database, NOW, 7, NEVER, ignore))
    kept = Columnar(database, config)
    kept.follow(NEVER)
    yield kept
    kept.close()


def change(database, statement: str) -> None:
    with database.transaction() as connection:
        connection.execute(text(statement))


def rebuilt_after(kept: Columnar, statement: str) -> None:
    """Changes the database without recording it, and rebuilds the replica."""
    change(kept.database, statement)
    kept.rebuild(NEVER, ignore)


def test_what_was_collected_is_as_its_rows_are(kept):
    found = verify(kept, NEVER, ignore)
    assert (found.differences, found.derived) == ([], ())
    assert as_text(found).splitlines()[0].startswith(AGREES)
    assert repair(kept, NEVER, ignore) == []


WRONG = {
    "views of a visit": (
        "UPDATE visits SET pageviews = pageviews + 5 WHERE visitor = 1",
        ["visits of example.com: visit # has pageviews 7, 2 by its rows"],
    ),
    "events of a visit": (
        "UPDATE visits SET events = 0 WHERE visitor = 2",
        ["visits of example.com: visit # has events 0, 1 by its rows"],
    ),
    "when it began and ended": (
        "UPDATE visits SET started_at = started_at - 5, last_at = last_at - 5 WHERE visitor = 5",
        [
            f"visits of example.com: visit # has started_at {NOON + 3995}, {NOON + 4000} by its rows",
            f"visits of example.com: visit # has last_at {NOON + 3995}, {NOON + 4000} by its rows",
        ],
    ),
    "what a visit has that a heartbeat began": (
        "UPDATE visits SET pageviews = 1, last_at = last_at + 1 WHERE visitor = 3",
        [
            "visits of example.com: visit # has pageviews 1, 0 by its rows",
            f"visits of example.com: visit # has last_at {NOON + 21}, {NOON + 20} by its rows",
            f"visits of example.com: visit # has seen_at {NOON + 20}, {NOON + 21} by its rows",
        ],
    ),
    "where it began": (
        "UPDATE visits SET entry_page = '/b' WHERE visitor = 1",
        ["visits of example.com: visit # has entry_page another page's"],
    ),
    "where it ended": (
        "UPDATE visits SET exit_page = '/nowhere' WHERE visitor IN (2, 4)",
        [
            "visits of example.com: visit # has exit_page another page's",
            "visits of example.com: visit # has exit_page another page's",
        ],
    ),
    "when it was seen": (
        "UPDATE visits SET seen_at = 0 WHERE visitor = 1",
        [f"visits of example.com: visit # has seen_at 0, {NOON + 60} by its rows"],
    ),
    "people of a day": (
        "UPDATE daily_usage SET people = people + 2, anonymous = anonymous + 2",
        [f"daily_usage of example.com on {YESTERDAY}: 7 people (1 signed in, 6 anonymous), 5 (1, 4) by its rows"],
    ),
    "a day of usage that is gone": (
        "DELETE FROM daily_usage",
        [f"daily_usage of example.com on {YESTERDAY}: 0 people (0 signed in, 0 anonymous), 5 (1, 4) by its rows"],
    ),
    "an invented day of usage": (
        "INSERT INTO daily_usage VALUES (1, '2020-01-01', 9, 4, 5)",
        ["daily_usage of example.com on 2020-01-01: that day was never counted"],
    ),
    "usage of a site that is none": (
        f"INSERT INTO daily_usage VALUES (77, '{YESTERDAY}', 9, 4, 5)",
        [f"daily_usage of the removed site 77 on {YESTERDAY}: that day was never counted"],
    ),
    "outcomes of an hour": (
        "UPDATE outcomes SET count = count + 7 WHERE outcome = 'stored' AND hour % 86400 = 43200",
        [f"outcomes of example.com at {YESTERDAY} 12:00: 17 stored, 10 by its heartbeats"],
    ),
    "outcomes of an hour without anybody": (
        f"INSERT INTO outcomes VALUES (1, {NOON - 7200}, 'stored', '', 3)",
        [f"outcomes of example.com at {YESTERDAY} 10:00: 3 stored, 0 by its heartbeats"],
    ),
    "an hour of outcomes that is gone": (
        "DELETE FROM outcomes",
        [
            f"outcomes of example.com at {YESTERDAY} 12:00: 0 stored, 10 by its heartbeats",
            f"outcomes of example.com at {YESTERDAY} 13:00: 0 stored, 2 by its heartbeats",
        ],
    ),
}


@pytest.mark.parametrize(("statement", "lines"), WRONG.values(), ids=WRONG.keys())
def test_a_wrong_number_is_reported_and_repaired(kept, statement, lines):
    tables = schema.visits, schema.daily_usage, schema.concurrents
    before = [rows(kept.database, table) for table in tables]
    rebuilt_after(kept, statement)
    found = verify(kept, NEVER, ignore)
    assert found.differences == []
    assert [shown(line) for line in found.derived] == lines
    assert as_text(found).splitlines()[0] == "Derived numbers differ from the raw rows:"
    assert len(repair(kept, NEVER, ignore)) == 1, "one kind"
    after = verify(kept, NEVER, ignore)  # the replica has followed the repair
    assert (after.differences, after.derived) == ([], ())
    if "seen_at" not in statement and "last_at + 1" not in statement:
        assert [rows(kept.database, table) for table in tables] == before


def shown(line: str) -> str:
    """The line, without the number of its visit."""
    words = line.split()
    return " ".join("#" if word.isdecimal() and len(word) > 15 else word for word in words)


def test_wrong_minutes_are_reported_and_repaired(kept):
    ((packed,),) = rows(kept.database, schema.concurrents, "people")
    people = minute_series.unpack(packed)
    people[720] += 1
    with kept.database.transaction() as connection:
        connection.execute(schema.concurrents.update().values(people=minute_series.pack(people)))
    assert verify(kept, NEVER, ignore).derived == (
        f"concurrents of example.com on {YESTERDAY}: 1 minutes are not as its heartbeats have them",
    )
    assert repair(kept, NEVER, ignore) == ["concurrents: 1"]
    assert minute_series.unpack(rows(kept.database, schema.concurrents)[0][2]) == minute_series.unpack(packed)
    assert verify(kept, NEVER, ignore).derived == ()


def test_differences_that_cannot_be_repaired_are_reported_too(kept):
    rebuilt_after(kept, "DELETE FROM visits WHERE visitor = 5")
    lines = ("pageviews of example.com: 1 rows have no visit, or one of another visitor",)
    assert verify(kept, NEVER, ignore).derived == lines
    assert repair(kept, NEVER, ignore) == []
    assert verify(kept, NEVER, ignore).derived == lines


def test_what_was_purged_is_not_counted_again(kept, database):
    """Days whose heartbeats are gone stay as they were counted; days with all of theirs are counted again."""
    later = NOW + 8 * DAY
    one_by_one(database, accepted("pageview", "page-0009", visitor=9, at=later - 2 * DAY))
    daily.run(daily.Work(database, later, 7, NEVER, ignore))
    assert count(database, schema.heartbeats) == 1
    rebuilt_after(kept, f"UPDATE daily_usage SET people = 99 WHERE day = '{YESTERDAY}'")
    change(database, "UPDATE outcomes SET count = 99 WHERE outcome = 'stored' AND hour < 1000 + " + str(NOW))
    assert verify(kept, NEVER, ignore).derived == ()
    assert purge.MAX_COUNTER_DAYS > 8


def test_a_replica_that_differs_is_rebuilt(kept):
    with kept._replica.cursor() as replica:
        replica.execute("UPDATE pageviews SET path = '/other'")
    assert repair(kept, NEVER, ignore) == ["the columnar replica was rebuilt"]
    assert verify(kept, NEVER, ignore).differences == []


def test_without_a_replica_the_database_is_queried(config, database, kept):
    change(database, "UPDATE visits SET pageviews = pageviews + 5 WHERE visitor = 1")
    off = Columnar(database, replace(config, columnar=False))
    (line,) = verify(off, NEVER, ignore).derived
    assert line.endswith("has pageviews 7, 2 by its rows")
    assert repair(off, NEVER, ignore) == ["visits: 1"]
    assert verify(off, NEVER, ignore).derived == ()


def test_robots_by_name_and_in_all(kept, database):
    for hour in (NOON, NOON + 3600):
        change(database, f"INSERT INTO robots VALUES (1, {hour}, 'googlebot', 3)")
        change(database, f"INSERT INTO outcomes VALUES (1, {hour}, 'filtered', 'bot', {3 + (hour > NOON)})")
    assert verify(kept, NEVER, ignore).derived == (
        f"robots of example.com at {YESTERDAY} 13:00: 4 in all, 3 by name; it cannot be told which of the two is wrong",
    )


def test_many_wrong_visits_are_repaired_at_once(kept, database):
    stored(database, *(accepted("pageview", f"page-1{n:04}", visitor=100 + n, at=NOW) for n in range(200)))
    rebuilt_after(kept, "UPDATE visits SET pageviews = 3 WHERE visitor >= 100")
    assert len(verify(kept, NEVER, ignore).derived) == 200
    assert repair(kept, NEVER, ignore) == ["visits: 200"]
    assert verify(kept, NEVER, ignore).derived == ()
