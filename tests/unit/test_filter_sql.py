"""Patterns mean the same in each of the ways in which they are written down."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as some

from analytics.query.filter_sql import expressions


def fits(pattern: str, text: str) -> bool:
    """The meaning of a pattern, one character after the other."""
    if not pattern:
        return not text
    if pattern.startswith("**"):
        rest = pattern.lstrip("*")
        return any(fits(rest, text[start:]) for start in range(len(text) + 1))
    if pattern.startswith("*"):
        reach = len(text.split("/", maxsplit=1)[0])
        return any(fits(pattern[1:], text[start:]) for start in range(reach + 1))
    return bool(text) and text[0] == pattern[0] and fits(pattern[1:], text[1:])


@settings(max_examples=500, deadline=None)
@given(
    some.lists(some.sampled_from(["*", "**", "a", "b", "/", "a/", "/b", "."]), max_size=7).map("".join),
    some.text("ab/.\n", max_size=9),
)
def test_both_expressions_of_a_pattern_have_its_meaning(pattern, text):
    linear, atomic = expressions(pattern)
    meant = fits(pattern, text)
    assert bool(re.search(linear.replace("$", r"\Z"), text)) == meant
    assert bool(re.search(atomic, text)) == meant


@pytest.mark.parametrize(
    ("pattern", "fitting", "others"),
    [
        ("/blog", ["/blog"], ["/blog/", "/Blog", "/a/blog", "/blog\n"]),
        ("/blog/*", ["/blog/", "/blog/a"], ["/blog", "/blog/a/b"]),
        ("/blog**", ["/blog", "/blog/a/b", "/blogs"], ["/", "/a/blog"]),
        ("/*/comments/**", ["/a/comments/1/2", "/a/comments/"], ["/a/b/comments/1", "/comments/1"]),
        ("**.pdf", [".pdf", "/a/b.pdf"], ["/a.pdfx", "/a.pdf/", "/apdf"]),
        ("/a.b(c)[d]\\d", ["/a.b(c)[d]\\d"], ["/a-b(c)[d]\\d", "/a.b(c)[d]1"]),
        ("/straße/**/ü", ["/straße/x/y/ü", "/straße//ü"], ["/straße/ü"]),
    ],
)
def test_a_pattern_fits_whole_texts_and_nothing_in_it_but_wildcards_is_special(pattern, fitting, others):
    _, atomic = expressions(pattern)
    assert [text for text in (*fitting, *others) if re.search(atomic, text)] == fitting
