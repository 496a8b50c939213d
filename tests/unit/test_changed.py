"""Which parts of a page are sent: those that are not as its last answer had them."""

from __future__ import annotations

import pytest
from dash import html, no_update

from callbacks.pages.changed import changed

PARTS = {"number": "7", "list": [html.P("/a"), html.B("3")], "figure": {"y": [1, 2]}}


def test_a_new_page_gets_every_part():
    shown, digests = changed(PARTS, {})
    assert shown == PARTS
    assert set(digests) == set(PARTS)


def test_then_only_what_is_other():
    _, digests = changed(PARTS, {})
    assert set(changed(PARTS, digests)[0].values()) == {no_update}
    other = {**PARTS, "list": [html.P("/a"), html.B("4")]}
    shown, after = changed(other, digests)
    assert shown == {"number": no_update, "list": other["list"], "figure": no_update}
    assert after["list"] != digests["list"]


def test_a_part_that_could_not_be_read_is_afterwards_what_it_was_before():
    _, digests = changed(PARTS, {})
    shown, after = changed({**PARTS, "figure": no_update}, digests)
    assert (shown["figure"], after) == (no_update, digests)
    assert changed({"figure": no_update}, {}) == ({"figure": no_update}, {})


def test_of_a_part_something_else_may_be_compared():
    _, digests = changed({"line": [1, 2, 3]}, {}, {"line": 1})
    assert changed({"line": [1, 2, 4]}, digests, {"line": 1})[0] == {"line": no_update}
    assert changed({"line": [1, 2, 4]}, digests, {"line": 2})[0] == {"line": [1, 2, 4]}


@pytest.mark.parametrize("had", [None, 7, "x", [], ["number"], {"number": 7}, {"number": ["7"]}, {7: "number"}])
def test_what_no_page_sends_gets_every_part(had):
    shown, digests = changed({**PARTS, "map": no_update}, had)
    assert {name: part for name, part in shown.items() if name != "map"} == PARTS
    assert set(digests) == set(PARTS)
