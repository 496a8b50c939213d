"""Events behind which no visitor stands: they are events everywhere, and in no number of people or visits."""

from __future__ import annotations

from contextlib import closing
from threading import Event as Stop

import pytest

from analytics.activity.change import ChangeEvent
from analytics.base.ids import NO_VISITOR
from analytics.calendar.period import Span
from analytics.jobs import verify
from analytics.live.feed import recent
from analytics.live.presence import Presence
from analytics.live.today import Today
from analytics.live.today_counts import TodayCounts
from analytics.query.answer import answer
from analytics.query.query import Query
from analytics.replica.columnar import Columnar
from analytics.storage import schema
from collector.ingest.change import accepted_change
from collector.ingest.outcomes import Duplicate, Stored
from tests.support.factories import NOW, accepted, added_site, outcome_counts, rows, stored
from tests.support.replica import facts


def change(number: int = 1, at: int = NOW, **fields: object) -> ChangeEvent:
    """A payment, as a change of a table."""
    values = {
        "id": f"0a1b2c3d-{number}",
        "site_id": 1,
        "at_ms": at * 1000,
        "name": "Payment",
        "description": "Ada paid",
        "value": 99.5,
        "currency": "EUR",
        "user_id": "12",
        "user_name": "Ada",
        "props": {"plan": "pro"},
    }
    return ChangeEvent(**values | fields)  # type: ignore[arg-type]


def taken(*changes: ChangeEvent):
    return [accepted_change(one, NOW * 1000) for one in changes]


def test_it_is_stored_as_an_event_alone_and_a_second_delivery_is_a_duplicate(database):
    added_site(database)
    first = stored(database, *taken(change(1), change(2)))
    assert [type(one) for one in first] == [Stored, Stored]
    assert stored(database, *taken(change(2))) == [Duplicate()]
    names = (
        "page_id",
        "at",
        "visit_id",
        "visitor",
        "user_id",
        "name",
        "props",
        "value",
        "currency",
        "description",
        "user_name",
    )
    same = (NOW, 0, NO_VISITOR, "12", "Payment", '{"plan":"pro"}', 99.5, "EUR", "Ada paid", "Ada")
    assert rows(database, schema.events, *names) == [("0a1b2c3d-1", *same), ("0a1b2c3d-2", *same)]
    assert rows(database, schema.visits) == rows(database, schema.heartbeats) == []
    assert outcome_counts(database) == {("stored", "without_visitor"): 2, ("duplicate", ""): 1}


def test_the_feed_shows_it_as_it_came_and_from_the_database(database):
    added_site(database)
    (outcome,) = stored(database, *taken(change()))
    assert isinstance(outcome, Stored)
    assert recent(database, 1, 10) == [outcome.feed]
    assert outcome.feed is not None
    assert (outcome.feed.name, outcome.feed.value, outcome.feed.user_name) == ("Payment", 99.5, "Ada")


def test_the_feed_leads_to_its_row(database):
    added_site(database)
    (outcome,) = stored(database, *taken(change(props={"row_link": "https://shop.example/b/7", "plan": "pro"})))
    assert isinstance(outcome, Stored)
    assert outcome.feed is not None
    assert outcome.feed.link == "https://shop.example/b/7"
    assert recent(database, 1, 10) == [outcome.feed]


@pytest.mark.parametrize("link", ["javascript:alert(1)", "//evil.example", "https://a b", "", 7, None, {"a": "/b"}])
def test_the_feed_leads_nowhere_else(database, link):
    added_site(database)
    (outcome,) = stored(database, *taken(change(props={"row_link": link})))
    assert outcome.feed.link is None
    assert [one.link for one in recent(database, 1, 10)] == [None]


def test_no_property_of_a_visitor_becomes_a_link(database):
    added_site(database)
    props = {"row_link": "https://evil.example"}
    outcomes = stored(database, accepted(at=NOW), accepted("event", "event-0001", at=NOW, props=props))
    assert [one.feed.link for one in outcomes] == [None, None]
    assert [one.link for one in recent(database, 1, 10)] == [None, None]


def test_it_makes_nobody_present_and_is_nobody_of_today(database):
    site = added_site(database)
    outcomes = [one for one in stored(database, *taken(change()), accepted(at=NOW)) if isinstance(one, Stored)]
    presence = Presence(60)
    presence.take([one.beat for one in outcomes], NOW)
    assert (presence.active, presence.recent_people, presence.recent_visits) == (1, 1, 1)
    today = Today(database)
    today.prepare([site], NOW - 86_400)
    today.prepare([site], NOW)
    today.take(outcomes)
    assert today.read([1], NOW) == {1: TodayCounts(1, 1, 1)}


def test_questions_count_it_as_an_event_and_not_as_a_visitor(database, ask):
    site = added_site(database)
    stored(
        database, accepted(at=NOW), accepted("event", "event-0001", visitor=1, at=NOW), *taken(*map(change, range(9)))
    )
    span = Span(NOW - 86_400, NOW + 86_400)
    metrics = ("visitors", "visits", "events", "total_revenue")
    backend = facts(ask)

    def asked(*dimensions: str):
        found = answer(Query.of(site, metrics=metrics, dimensions=dimensions), span, backend)
        return [(*keys, *values) for keys, values in found.rows]

    assert asked() == [(1, 1, 11, 895.5)]
    assert sorted(asked("event")) == [
        ("Payment", 0, 0, 9, 895.5),
        ("Signup", 1, 1, 1, None),
        ("pageview", 1, 1, 1, None),
    ]


def test_verify_finds_nothing_wrong_with_it(database, config):
    added_site(database)
    stored(database, accepted(at=NOW), *taken(change(1), change(2)))
    with closing(Columnar(database, config)) as columnar:
        columnar.follow(Stop().wait)
        stored(database, *taken(change(3)))
        columnar.follow(Stop().wait)
        found = verify.verify(columnar, Stop().wait, lambda _: None)
    assert (found.differences, found.derived) == ([], ())


def test_what_no_event_may_have_is_cut_or_left_out(database):
    added_site(database)
    wrong = change(
        name="n" * 200,
        description="d\x00" * 300,
        value=float("inf"),
        currency="EURO",
        user_id="u" * 200,
        user_name="",
        at_ms=(NOW + 900) * 1000,
        props={"list": [1, {"a": 2}], "large": 2**70, "long": "x" * 3000, "none": None, "yes": True},
    )
    assert [type(one) for one in stored(database, *taken(wrong))] == [Stored]
    names = "at", "name", "description", "value", "currency", "user_id", "user_name", "props"
    ((at, name, description, value, currency, user_id, user_name, props),) = rows(database, schema.events, *names)
    assert (at, name, description) == (NOW, "n" * 120, "d\N{REPLACEMENT CHARACTER}" * 150)
    assert (value, currency, user_id, user_name) == (None, "", "u" * 128, "")
    assert props == (
        '{"list":"[1,{\\"a\\":2}]","large":"1180591620717411303424","long":"' + "x" * 2000 + '","none":null,"yes":true}'
    )
