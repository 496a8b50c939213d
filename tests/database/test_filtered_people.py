"""The people who are here, filtered: by the rules that questions have, now and at a past second."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from analytics.base.errors import InvalidInput
from analytics.calendar.period import Span
from analytics.live import facts, rewind
from analytics.live.presence import state_of
from analytics.live.state import FACTS, ITEM_FACTS, LabelCount
from analytics.query.answer import answer
from analytics.query.backend import Backend, fetch_from
from analytics.query.fact_filter import test_of as suits
from analytics.query.filters import parse
from analytics.query.query import Query
from analytics.storage.database import Database
from collector.ingest.outcomes import Stored
from collector.live.hub import Hub
from tests.support.factories import HOME, NOW, accepted, added_site, stored

WINDOW = 60
PORTO = HOME._replace(source="", country="PT", city="Porto", lat=41.1, lon=-8.6)
HOST = HOME._replace(source="xn--mller-kva.example", country="", city="", lat=None, lon=None)
ANN = {"user_id": "ann", "user_type": "supplier"}


@pytest.fixture
def hub(database: Database) -> Iterator[Hub]:
    """Four people: two on the blog, one at the prices, one at the docs."""
    added_site(database)
    hub = Hub(database, WINDOW, clock=lambda: NOW + 1)
    come = [
        accepted(page_id="page-0001", visitor=1, path="/blog/a", **ANN),
        accepted(page_id="page-0002", visitor=2, path="/blog/b", origin=PORTO),
        accepted(page_id="page-0003", visitor=3, path="/pricing", origin=PORTO),
        accepted(page_id="page-0004", visitor=4, path="/docs/x/y", origin=HOST),
    ]
    hub.publish([one for one in stored(database, *come) if isinstance(one, Stored)])
    yield hub
    hub.close()


FILTERS = [
    (["is", "page", ["/blog/a", "/pricing"]], {1, 3}),
    (["is_not", "page", ["/blog/a", "/pricing"]], {2, 4}),
    (["contains", "page", ["og/", "x"]], {1, 2, 4}),
    (["contains_not", "page", ["/b"]], {3, 4}),
    (["matches", "page", ["/*/a", "/p*"]], {1, 3}),
    (["matches", "page", ["/docs/*"]], set()),
    (["matches", "page", ["/docs/**"]], {4}),
    (["matches_not", "page", ["/blog/*"]], {3, 4}),
    (["is", "page", ["/BLOG/A"]], set()),
    (["is", "page", ["/BLOG/A"], {"case_sensitive": False}], {1}),
    (["contains", "page", ["PRI"], {"case_sensitive": False}], {3}),
    (["matches", "page", ["/B*/*"], {"case_sensitive": False}], {1, 2}),
    (["is", "source", ["Direct / None"]], {2, 3}),
    (["is", "source", ["müller.example", "Google"]], {1, 4}),
    (["contains", "source", ["müller"]], set()),  # hosts are stored encoded
    (["is", "country", ["portugal"]], {2, 3}),
    (["is", "country", ["(unknown)"]], {4}),
    (["is_not", "city", ["Porto"]], {1, 4}),
    (["is", "user_type", ["supplier"]], {1}),
    (["is", "signed_in", ["no"]], {2, 3, 4}),
    (["and", [["is", "country", ["PT"]], ["is", "page", ["/pricing"]]]], {3}),
    (["or", [["is", "city", ["Berlin"]], ["is", "page", ["/pricing"]]]], {1, 3}),
    (["not", ["is", "country", ["PT"]]], {1, 4}),
]


@pytest.mark.parametrize(("given", "visitors"), FILTERS, ids=[str(given) for given, _ in FILTERS])
def test_now_then_in_the_feed_and_in_answers_a_filter_means_the_same_people(database, hub, given, visitors):
    chosen = parse([given])
    people = suits(chosen, facts.OF_PEOPLE)
    assert {beat.visitor for beat in filter(people, hub.people(1))} == visitors
    assert {beat.visitor for beat in filter(people, rewind.people_at(database, 1, NOW, WINDOW))} == visitors
    item = suits(chosen, facts.OF_ITEMS)
    assert {int(one.visitor_id, 16) for one in rewind.feed_at(database, 1, NOW, item)} == visitors
    assert {int(one.visitor_id, 16) for one in filter(item, hub.recent_items(1))} == visitors
    question = Query(1, metrics=("visitors",), filters=chosen)
    (row,) = answer(question, Span(NOW - 60, NOW + 60), Backend(fetch_from(database), lambda *_: NotImplemented)).rows
    assert row.metrics[0] == len(visitors)


def test_the_state_of_those_who_match_counts_nobody_else(database, hub):
    chosen = suits(parse([["is", "country", ["PT"]]]), facts.OF_PEOPLE)
    state = state_of(list(filter(chosen, hub.people(1))), NOW, WINDOW)
    assert (state.active, state.signed_in, state.anonymous) == (2, 0, 2)
    assert state.pages == (LabelCount("/blog/b", 1), LabelCount("/pricing", 1))
    assert [(place.city, place.people) for place in state.places] == [("Porto", 2)]
    assert state_of(hub.people(1), NOW + 1, WINDOW) == hub.state(1)


@pytest.mark.parametrize(
    ("given", "why"),
    [
        (["is", "browser", ["Firefox"]], "cannot be filtered by browser: page, source, country"),
        (["has_done", ["is", "page", ["/"]]], "what was done before is no filter"),
        (["or", [["is", "page", ["/"]], ["is", "prop:plan", ["pro"]]]], "cannot be filtered by prop:plan"),
    ],
)
def test_what_is_not_known_of_people_who_are_here_is_said(given, why):
    with pytest.raises(InvalidInput, match=why):
        suits(parse([given]), facts.OF_PEOPLE)


def test_people_and_items_of_the_feed_have_the_same_facts():
    assert set(FACTS) == facts.OF_PEOPLE.keys() == facts.OF_ITEMS.keys()
    assert set(ITEM_FACTS) == facts.ALL_OF_ITEMS.keys()


def test_the_feed_is_looked_through_for_a_thousand_items(database):
    pages = [accepted(page_id=f"page-{n:04}", at=NOW + n, path="/rare" if n % 50 == 0 else "/") for n in range(300)]
    stored(database, *pages)
    wanted = suits(parse([["is", "page", ["/rare"]]]), facts.OF_ITEMS)
    assert [item.timestamp - NOW for item in rewind.feed_at(database, 1, NOW + 300, wanted)] == [
        250,
        200,
        150,
        100,
        50,
        0,
    ]
