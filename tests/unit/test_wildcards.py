"""Patterns of excluded paths: whole paths, `*` within a segment, `**` anywhere."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.base.wildcards import Wildcards


@pytest.mark.parametrize(
    ("pattern", "path", "matches"),
    [
        ("/admin", "/admin", True),
        ("/admin", "/admin/", False),
        ("/admin", "/administration", False),
        ("/admin/*", "/admin/people", True),
        ("/admin/*", "/admin/", True),
        ("/admin/*", "/admin/people/4", False),
        ("/admin/**", "/admin/people/4", True),
        ("**.pdf", "/files/2026/a.pdf", True),
        ("/*/edit", "/posts/edit", True),
        ("/*/edit", "/posts/4/edit", False),
        ("/a.c", "/abc", False),
        ("/[ab]", "/a", False),
        ("/ü*", "/über", True),
        ("", "", True),
        ("***", "/a/b", True),
    ],
)
def test_a_pattern_describes_whole_paths(pattern, path, matches):
    assert Wildcards([pattern]).match(path) is matches


def test_one_of_several_is_enough_and_they_do_not_run_into_each_other():
    several = Wildcards(["/a", "/b/*", "/c"])
    assert [several.match(path) for path in ("/a", "/b/x", "/c", "/a/b/x", "/a/b/", "/")] == [True] * 3 + [False] * 3


def test_no_pattern_describes_nothing():
    assert not Wildcards([]).match("/")


@given(st.lists(st.text("/a*b", max_size=9), max_size=3), st.text("/ab", max_size=14))
def test_it_says_what_a_regular_expression_says(patterns, path):
    parts = (re.sub(r"\*+", lambda star: "[^/]*" if star[0] == "*" else ".*", pattern) for pattern in patterns)
    assert Wildcards(patterns).match(path) is any(re.fullmatch(part, path) is not None for part in parts)


def test_a_hostile_pattern_costs_a_few_operations_a_character():
    """By a regular expression this would take longer than anybody waits."""
    assert not Wildcards(["/" + "*a" * 60 + "b"]).match("/" + "a" * 2_047)
