"""The activity feed as it is read from the database."""

from __future__ import annotations

from analytics.live.feed import public_visitor_id, recent
from tests.support.factories import NOW, accepted, event, heartbeat, one_by_one, stored


def test_a_site_without_rows_has_an_empty_feed(database):
    assert recent(database, 1, 20) == []


def test_what_is_read_is_what_was_pushed(database):
    details = {"value": 12.5, "currency": "EUR", "description": "Ann booked", "user_name": "Ann"}
    outcomes = one_by_one(
        database,
        accepted(title="Home"),
        accepted(page_id="page-0002", visitor=-5, path="/b", at=NOW + 1),
        event(at=NOW + 2),
        event("event-0002", at=NOW + 3, user_id="ann", user_type="couple", **details),
    )
    assert recent(database, 1, 20) == [outcome.feed for outcome in outcomes]


def test_only_pageviews_and_events_are_in_it(database):
    outcomes = stored(database, accepted(), heartbeat(at=NOW + 1))
    assert recent(database, 1, 20) == [outcomes[0].feed]


def test_of_many_the_newest_are_read_oldest_first(database):
    stored(database, *(accepted(page_id=f"page-{n:04}", at=NOW + 2 * n) for n in range(10)))
    stored(database, *(event(f"event-{n:04}", at=NOW + 2 * n + 1) for n in range(10)))
    found = recent(database, 1, 5)
    assert [(item.type, item.timestamp - NOW) for item in found] == [
        ("event", 15),
        ("pageview", 16),
        ("event", 17),
        ("pageview", 18),
        ("event", 19),
    ]


def test_what_came_after_an_id_is_read(database):
    stored(database, *(accepted(page_id=f"page-{n:04}", at=NOW + n) for n in range(5)))
    *_, before, first, second = recent(database, 1, 20)
    assert recent(database, 1, 20, after=int(before.id)) == [first, second]
    assert recent(database, 1, 20, after=int(second.id)) == []


def test_another_site_is_not_in_it(database):
    stored(database, accepted(site_id=2), event(site_id=2))
    assert recent(database, 1, 20) == []


def test_an_anonymous_person_has_no_type_even_if_the_visit_has_one(database):
    one_by_one(database, accepted(), event(at=NOW + 1, user_id="ann", user_type="couple"))
    assert [(item.user_id, item.user_type) for item in recent(database, 1, 20)] == [(None, ""), ("ann", "couple")]


def test_a_visitor_is_shown_as_an_opaque_number():
    assert [public_visitor_id(number) for number in (1, -1, 2**63 - 1, -(2**63))] == [
        "0000000000000001",
        "ffffffffffffffff",
        "7fffffffffffffff",
        "8000000000000000",
    ]
