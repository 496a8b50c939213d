"""`verify` finds every difference between the replica and the database, and no other."""

from __future__ import annotations

import threading
from dataclasses import replace

import pytest

from analytics.jobs.verify import Verified, agrees, as_text, verify
from analytics.replica.columnar import Columnar
from tests.support.factories import NOW, accepted, added_site, event, heartbeat, one_by_one, stored

NEVER = threading.Event().wait
ON = "example.com on 2027-01-15"


def ignore(line: str) -> None:
    """Ignores the progress."""


@pytest.fixture
def kept(database, config):
    """A replica that has followed some rows."""
    added_site(database)
    stored(
        database,
        accepted(engaged_ms=1_000, title="a\x1eb"),
        event(value=9.9, currency="EUR", at=NOW + 5),
        accepted("pageview", "page-0002", visitor=2, user_id="ann"),
    )
    kept = Columnar(database, config)
    kept.follow(NEVER)
    yield kept
    kept.close()


def spoil(kept, statement):
    with kept._replica.cursor() as replica:
        replica.execute(statement)


def test_a_replica_that_followed_agrees(kept, database):
    assert verify(kept, NEVER, ignore) == Verified(5, [])
    one_by_one(
        database, heartbeat(at=NOW + 60, engaged_ms=2_000), event("event-0002", visitor=3, value=0.1, at=NOW + 60)
    )
    assert verify(kept, NEVER, ignore) == Verified(7, [])  # it follows first
    assert agrees(as_text(verify(kept, NEVER, ignore)))


@pytest.mark.parametrize(
    ("statement", "differences"),
    [
        (
            "UPDATE pageviews SET engaged_ms = 999 WHERE engaged_ms = 1000",
            [
                f"pageviews of {ON}: engaged_ms 999 in the replica, 1000 in the database",
                "pageviews of example.com: row # has another engaged_ms",
            ],
        ),
        (
            "UPDATE visits SET country = 'FR' WHERE visitor = 2",
            ["visits of example.com: row # has another country"],
        ),
        (
            "UPDATE events SET value = 9.900000001",
            [
                "events of example.com: row # has another value",
            ],
        ),
        (
            "DELETE FROM events",
            [
                f"events of {ON}: rows 0 in the replica, 1 in the database",
                f"events of {ON}: visitors 0 in the replica, 1 in the database",
                f"events of {ON}: visit_id 0 in the replica, 1 in the database",
                f"events of {ON}: name 0 in the replica, 1 in the database",
                f"events of {ON}: value 0 in the replica, 9.9 in the database",
                "events of example.com: row # is missing in the replica",
            ],
        ),
        (
            "INSERT INTO events SELECT * FROM events",
            [
                f"events of {ON}: rows 2 in the replica, 1 in the database",
                f"events of {ON}: value 19.8 in the replica, 9.9 in the database",
                "events of example.com: 1 rows are twice in the replica",
            ],
        ),
        (
            "INSERT INTO events SELECT * REPLACE (id + 1 AS id, NULL AS value) FROM events",
            [
                f"events of {ON}: rows 2 in the replica, 1 in the database",
                "events of example.com: row # is in the replica only",
            ],
        ),
        (
            "INSERT INTO events SELECT * REPLACE (7 AS site_id) FROM events",
            [
                "events of the removed site 7 on 2027-01-15: rows 1 in the replica, 0 in the database",
                "events of the removed site 7 on 2027-01-15: visitors 1 in the replica, 0 in the database",
                "events of the removed site 7 on 2027-01-15: visit_id 1 in the replica, 0 in the database",
                "events of the removed site 7 on 2027-01-15: name 1 in the replica, 0 in the database",
                "events of the removed site 7 on 2027-01-15: value 9.9 in the replica, 0 in the database",
            ],
        ),
    ],
)
def test_a_difference_is_named(kept, statement, differences):
    spoil(kept, statement)
    found = verify(kept, NEVER, ignore)
    assert [_without_id(line) for line in found.differences] == differences
    assert not agrees(as_text(found))


def _without_id(line):
    return " ".join("#" if word.isdecimal() and len(word) > 15 else word for word in line.split())


def test_a_replica_that_is_off_has_nothing_to_differ(database, config):
    off = Columnar(database, replace(config, columnar=False))
    assert verify(off, NEVER, ignore) == Verified(0, [], off=True)
    assert agrees(as_text(Verified(0, [], off=True)))
