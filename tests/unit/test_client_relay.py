"""What browsers send to an application is checked before it is passed on to Footfall."""

from __future__ import annotations

import json
from typing import Any

import pytest

from collector.ingest.event import Event, read_body
from collector.tracker.build import BUILT
from footfall_client.dash_pages import script_bytes
from footfall_client.relay import MAX_EVENTS, Visitor, events_of

NOW = 1_700_000_000.1234
ANN = Visitor("203.0.113.7", "Firefox", "ann", knows=True)
ADDED = {"site": "example.com", "ip": "203.0.113.7", "user_agent": "Firefox", "time": 1_700_000_000.123}
PAGEVIEW = {"type": "pageview", "id": "a1b2c3d4", "url": "https://example.com/"}


def passed(*sent: Any, visitor: Visitor = ANN) -> list[dict[str, Any]]:
    return [dict(one) for one in events_of(json.dumps(sent).encode(), "example.com", visitor, NOW)]


def test_an_event_gets_its_visitor_its_time_and_its_site():
    event = PAGEVIEW | {"screen": [1440, 900], "scroll": 20, "engaged_ms": 0, "title": "Home"}
    assert passed(event) == [event | ADDED | {"user_id": "ann"}]


def test_one_event_needs_no_array():
    sent = json.dumps(PAGEVIEW).encode()
    assert events_of(sent, "example.com", ANN, NOW) == [PAGEVIEW | ADDED | {"user_id": "ann"}]


def test_the_application_says_who_it_is_and_the_browser_only_where_it_does_not():
    claims = PAGEVIEW | {"user_id": "boss", "site": "other.example", "ip": "8.8.8.8", "time": 5, "user_agent": "x"}
    assert passed(claims) == [PAGEVIEW | ADDED | {"user_id": "ann"}]
    assert passed(claims, visitor=ANN._replace(user_id=None)) == [PAGEVIEW | ADDED | {"user_id": None}]
    assert passed(claims, visitor=Visitor("203.0.113.7", "Firefox")) == [PAGEVIEW | ADDED | {"user_id": "boss"}]


@pytest.mark.parametrize("ip", ["", "unix:", "fe80::1%eth0x/", "x" * 5000], ids=repr)
def test_an_address_that_is_none_is_not_sent(ip):
    (event,) = passed(PAGEVIEW, visitor=ANN._replace(ip=ip))
    assert event == PAGEVIEW | {name: value for name, value in ADDED.items() if name != "ip"} | {"user_id": "ann"}


@pytest.mark.parametrize(
    "field",
    [
        {"url": 5},
        {"title": "x" * 10_000},
        {"scroll": True},
        {"scroll": -1},
        {"engaged_ms": 1e400},
        {"engaged_ms": 2**70},
        {"value": float("nan")},
        {"screen": [1, 2, 3]},
        {"props": {"a": {"b": 1}}},
        {"props": {str(number): 1 for number in range(31)}},
        {"props": {"a": 2**70}},
        {"interactive": False},
        {"unknown": 1},
    ],
    ids=str,
)
def test_an_invalid_field_is_left_out(field):
    assert passed({"type": "event"} | field) == [{"type": "event"} | ADDED | {"user_id": "ann"}]


@pytest.mark.parametrize("body", [b"", b"no", b"5", b"[1,[],{}]", b'{"type":"other"}', b"[" * 50_000, b" " * 70_000])
def test_what_is_no_event_is_not_passed_on(body):
    assert events_of(body, "example.com", ANN, NOW) == []


def test_more_events_than_the_script_sends_are_cut():
    assert len(passed(*[PAGEVIEW] * 300)) == MAX_EVENTS


def test_the_collector_reads_whatever_passes():
    props = {"plan": "pro", "n": 5, "share": 0.5, "new": True, "gone": None, "half": "\ud800"}
    events = passed(
        PAGEVIEW, {"type": "event", "id": "a1b2c3d5", "url": "http://x/", "name": "Sign-up", "props": props}
    )
    body = read_body(json.dumps(events).encode())
    assert isinstance(body, tuple)
    assert [type(event) for event in body.events] == [Event, Event]


def test_the_script_is_the_one_that_footfall_serves_but_sends_cookies_to_the_application():
    built = BUILT.read_text()
    assert built.count('credentials:"omit"') == 1
    served = built.replace('credentials:"omit"', 'credentials:"same-origin"')
    assert script_bytes().decode() == served, "copy collector/tracker/footfall.min.js to clients/python"
