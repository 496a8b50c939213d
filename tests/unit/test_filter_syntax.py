"""Filters as people type them."""

from __future__ import annotations

import pytest

from analytics.base.errors import InvalidInput
from analytics.query.filter_syntax import parse, written
from analytics.query.filters import Match, Not


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("country=DE", Match("is", "country", ("DE",))),
        ("country!=DE|FR", Match("is_not", "country", ("DE", "FR"))),
        ("source~goo", Match("contains", "source", ("goo",))),
        ("source!~goo", Match("contains_not", "source", ("goo",))),
        ("page=/blog/*", Match("matches", "page", ("/blog/*",))),
        ("page!=/blog/**|/x", Match("matches_not", "page", ("/blog/**", "/x"))),
        ("page~*", Match("contains", "page", ("*",))),
        ("source=", Match("is", "source", ("",))),
        ("visit:country = DE", Match("is", "country", (" DE",))),
        ("prop:plan=pro", Match("is", "prop:plan", ("pro",))),
        ("page=/a?b=c!~d", Match("is", "page", ("/a?b=c!~d",))),
    ],
)
def test_a_term_is_a_dimension_a_sign_and_values(typed, meant):
    assert parse(typed) == meant


@pytest.mark.parametrize("typed", ["", "country", "=DE", "~", "!=x"])
def test_what_is_no_term_is_shown_with_some_that_are(typed):
    with pytest.raises(InvalidInput, match=r"filter .*: like country=DE, page!=/x, source~goo"):
        parse(typed)


def test_an_unknown_dimension_names_itself_and_those_that_there_are():
    with pytest.raises(InvalidInput, match="dimension 'shoe': page, hostname, entry_page, "):
        parse("shoe=42")


@pytest.mark.parametrize(
    "typed", ["country=DE|FR", "source!~goo", "page=/blog/*", "page!=/x", "source=", "prop:plan=pro"]
)
def test_a_filter_is_written_as_it_is_typed(typed):
    assert written(parse(typed)) == typed


@pytest.mark.parametrize(
    "one",
    [
        Not(Match("is", "country", ("DE",))),
        Match("contains", "source", ("goo",), exact_case=False),
        Match("is", "page", ("/a|b",)),
        Match("matches", "page", ("/a",)),
    ],
)
def test_a_filter_that_cannot_be_typed_has_no_text(one):
    assert written(one) is None
