"""What becomes of callbacks that a Dash application has answered: samples each second, events of people each minute."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from footfall_client.callbacks import MAX_EVENTS, USED_EVERY_S, Call, Calls, error_of
from footfall_client.relay import Visitor

NOON = 1_700_000_000
PAGE = "https://dash.example.com/sales?from=2026"
ANN = Visitor("203.0.113.7", "Firefox", "ann", knows=True)
NOBODY = ANN._replace(user_id=None)


class Clock:
    """A clock that a test sets."""

    def __init__(self) -> None:
        self.now = float(NOON)

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def events() -> list[Mapping[str, Any]]:
    """The events that were queued."""
    return []


@pytest.fixture
def calls(events, clock) -> Calls:
    return Calls(events.append, "dash.example.com", clock)


def named(events: list[Mapping[str, Any]]) -> list[tuple[Any, ...]]:
    return [(one["name"], one.get("user_id"), one["props"]) for one in events]


def test_a_second_has_the_callbacks_that_ran_by_name_and_page(calls):
    calls.done += [Call("out.children", PAGE, NOBODY, 0.01), Call("out.children", PAGE, NOBODY, 0.03, "LookupError")]
    calls.done.append(Call("graph.figure", "", NOBODY, 0.5))
    made = [(one["name"], one["value"], one["timestamp"], one["tags"]) for one in calls.samples(False)]
    out, graph = {"callback": "out.children", "page": "/sales"}, {"callback": "graph.figure"}
    assert made == [
        ("callback_runs", 2.0, NOON, out),
        ("callback_errors", 1.0, NOON, out),
        ("callback_time_ms", 20.0, NOON, out),
        ("callback_time_p95_ms", 30.0, NOON, out),
        ("callback_runs", 1.0, NOON, graph),
        ("callback_errors", 0.0, NOON, graph),
        ("callback_time_ms", 500.0, NOON, graph),
        ("callback_time_p95_ms", 500.0, NOON, graph),
    ]
    assert calls.samples(False) == []


def test_what_people_use_is_an_event_each_minute(calls, events, clock):
    for second in range(USED_EVERY_S):
        clock.now = NOON + second
        calls.done += [Call("out.children", PAGE, ANN, 0.01), Call("out.children", PAGE, NOBODY, 0.01)]
        calls.samples(False)
    assert events == []
    clock.now = NOON + USED_EVERY_S
    calls.samples(False)
    assert named(events) == [("Callback", "ann", {"callback": "out.children", "runs": USED_EVERY_S, "time_ms": 10.0})]
    calls.samples(True)
    assert len(events) == 1


def test_the_end_of_the_process_does_not_wait_for_the_minute(calls, events):
    calls.done.append(Call("out.children", PAGE, ANN, 0.01))
    calls.samples(True)
    assert named(events) == [("Callback", "ann", {"callback": "out.children", "runs": 1, "time_ms": 10.0})]


def test_errors_of_a_second_are_one_event_for_each_person_callback_and_error(calls, events):
    calls.done += [Call("out.children", PAGE, ANN, 0.01, "LookupError (app.py:7)")] * 3
    calls.done += [Call("out.children", PAGE, NOBODY, 0.02, "KeyError (app.py:8)")]
    calls.samples(False)
    props = {"callback": "out.children", "time_ms": 10.0}
    assert named(events) == [
        ("Callback Error", "ann", props | {"runs": 3, "error": "LookupError (app.py:7)"}),
        ("Callback Error", None, props | {"runs": 1, "time_ms": 20.0, "error": "KeyError (app.py:8)"}),
    ]


@pytest.mark.parametrize("url", ["", "http://[", "http://", "javascript:alert(1)", "/sales", "\ud800"], ids=repr)
def test_an_event_without_a_page_is_of_the_site(calls, events, url):
    calls.done.append(Call("out.children", url, Visitor("203.0.113.7", "Firefox"), 0.01, "KeyError"))
    assert {tuple(one["tags"]) for one in calls.samples(False)} == {("callback",)}
    assert events[0]["url"] == "https://dash.example.com/"
    assert "user_id" not in events[0], "an application that knows nobody does not say that nobody is signed in"


def test_many_people_and_errors_are_bounded(calls, events):
    for number in range(MAX_EVENTS + 50):
        person = ANN._replace(user_id=str(number))
        calls.done.append(Call("out.children", PAGE, person, 0.01, "KeyError"))
    calls.samples(True)
    assert [one["name"] for one in events].count("Callback Error") == MAX_EVENTS
    assert [one["name"] for one in events].count("Callback") == MAX_EVENTS


def test_a_forked_process_begins_from_nothing(calls, events):
    calls.done.append(Call("out.children", PAGE, ANN, 0.01))
    calls.samples(False)
    calls.done.append(Call("out.children", PAGE, ANN, 0.01))
    calls.forget()
    assert (calls.samples(True), events) == ([], [])


def test_an_error_is_its_class_and_the_line_that_it_left_without_its_words():
    with pytest.raises(LookupError) as raised:
        raise LookupError("a secret")
    assert error_of(raised.value).startswith("LookupError (test_client_callbacks.py:")
    assert "secret" not in error_of(raised.value)
    assert error_of(ValueError("a secret")) == "ValueError"
