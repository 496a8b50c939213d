"""The titles of pages: the last that each had in a period, on every database and in the replica."""

from __future__ import annotations

import pytest

from analytics.calendar.period import Span
from analytics.query.answer import page_titles
from tests.support.factories import DAY, NOW, accepted, added_site, heartbeat, stored
from tests.support.replica import ENGINES, answering, facts

TODAY = Span(NOW, NOW + DAY)


@pytest.fixture(params=ENGINES)
def ask(request, database, config):
    added_site(database)
    added_site(database, "other.example")
    with answering(request.param, database, config) as fetch:
        yield facts(fetch)


def viewed(database, page_id: str, path: str, title: str, at: int = NOW, **fields) -> None:
    stored(database, accepted(page_id=page_id, path=path, title=title, at=at, **fields))


def test_a_page_has_the_last_title_that_it_had_in_the_period(ask, database):
    viewed(database, "page-0001", "/a", "Old")
    viewed(database, "page-0002", "/a", "New", NOW + 60, visitor=2)
    viewed(database, "page-0003", "/a", "Tomorrow's", NOW + DAY, visitor=3)
    viewed(database, "page-0004", "/b", "Another page", visitor=4)
    viewed(database, "page-0005", "/a", "Another site's", NOW + 90, site_id=2)
    assert page_titles(1, TODAY, ["/a", "/c"], ask) == {"/a": "New"}
    assert page_titles(1, Span(NOW - DAY, NOW), ["/a"], ask) == {}


def test_a_later_view_without_a_title_takes_none_away(ask, database):
    viewed(database, "page-0001", "/a", "Named")
    viewed(database, "page-0002", "/a", "", NOW + 60, visitor=2)
    viewed(database, "page-0003", "/blank", " \n ", NOW + 60, visitor=3)
    assert page_titles(1, TODAY, ["/a", "/blank"], ask) == {"/a": "Named"}


def test_a_title_that_came_late_is_the_title(ask, database):
    viewed(database, "page-0001", "/a", "Loading …")
    stored(database, heartbeat("page-0001", title="A title\n of two lines", at=NOW + 5))
    assert page_titles(1, TODAY, ["/a"], ask) == {"/a": "A title of two lines"}


def test_no_page_asks_for_nothing():
    assert page_titles(1, TODAY, [], None) == {}
