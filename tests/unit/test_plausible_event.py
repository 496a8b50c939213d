"""What Plausible's trackers send, as our own events, and the answers to it."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.live.beat import Beat
from collector.doors import plausible_event
from collector.http.messages import Request
from collector.ingest.event import Body, Engagement, Event
from collector.ingest.outcomes import Filtered, Rejected, Shed, Stored

URL = "https://example.com/page"
PAGEVIEW = {"n": "pageview", "u": URL, "d": "example.com", "r": None, "v": 36}
STORED = Stored(Beat(1, 2, 3, 4, 5, 6, None, "", 0, "/", "", "", "", None, None), None)


def nobody(_: str | int) -> None:
    return None


def read(body: Any, **headers: str):
    """What a request says; `body` is made JSON unless it is bytes."""
    sent = body if isinstance(body, bytes) else json.dumps(body).encode()
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return plausible_event.read(Request("POST", "/api/event", "", named, "192.0.2.7", sent), nobody)


FORM = {"content_type": "application/x-www-form-urlencoded"}


@pytest.mark.parametrize("name", ["a%00b", "a%0%000b", "a\x00b"])
def test_a_form_has_no_text_that_a_database_refuses(name):
    event = one(f"n={name}&u={URL}&d=example.com".encode(), **FORM)
    assert "\x00" not in event.name


def test_a_site_that_is_named_twice_gets_the_event_once():
    events = read(PAGEVIEW | {"d": "example.com,other.example, www.example.com"}).events
    assert [event.site for event in events] == ["example.com", "other.example"]


def one(body: Any, **headers: str):
    """The only event of a request."""
    [event] = read(body, **headers).events
    return event


def assert_as_collect_reads(event: Event):
    """The event is one that the script could have sent: its types and lengths are those of our own wire format."""
    assert msgspec.json.decode(msgspec.json.encode(event), type=type(event)) == event


def answer_of(outcomes):
    answer = plausible_event.answer(outcomes, len(outcomes) > 1, nobody)
    headers = dict(answer.headers)
    return answer.status, answer.body, headers.get("X-Plausible-Dropped")


def wrong(body: Any, **headers: str):
    """The errors in the answer to a wrong body."""
    read_so_far = read(body, **headers)
    rejected = read_so_far if isinstance(read_so_far, Rejected) else read_so_far.events[0]
    status, answered, dropped = answer_of([rejected])
    assert (status, dropped) == (400, None)
    return json.loads(answered)["errors"]


def test_a_pageview():
    assert read(PAGEVIEW) == Body([Event(site="example.com", type="pageview", url=URL)], batch=False)


def test_the_long_names_say_the_same():
    short = {"n": "Buy", "u": URL, "d": "example.com", "r": "https://a.example/", "p": {"a": "1"}, "i": False}
    long = {"name": "Buy", "url": URL, "domain": "example.com", "referrer": "https://a.example/", "interactive": False}
    expected = Event(
        site="example.com",
        type="event",
        name="Buy",
        url=URL,
        referrer="https://a.example/",
        props={"a": "1"},
        interactive=False,
    )
    assert (
        one(short | {"h": 0, "$": None})
        == one(long | {"props": {"a": "1"}, "hashMode": 0, "revenue": None})
        == expected
    )
    for name in ("m", "meta", "p", "props"):
        assert one(long | {name: {"a": "1"}}) == one(long | {name: '{"a": "1"}'}) == expected


@pytest.mark.parametrize(
    ("url", "by_hash", "kept"),
    [
        ("https://example.com/#page-a", 1, "https://example.com/#page-a"),
        ("https://example.com/#page-a", 0, "https://example.com/"),
        ("https://example.com/#page-a", None, "https://example.com/"),
        ("https://example.com/#page-a", True, "https://example.com/"),
        ("https://example.com/pictures/index.html#foo", 0, "https://example.com/pictures/index.html"),
    ],
)
def test_the_fragment_counts_where_it_names_the_page(url, by_hash, kept):
    assert one(PAGEVIEW | {"u": url, "h": by_hash}).url == kept


@pytest.mark.parametrize(
    ("domain", "sites"),
    [
        ("example.com", ["example.com"]),
        (" www.example.com ", ["example.com"]),
        ("a.example, www.b.example,c.example", ["a.example", "b.example", "c.example"]),
        (None, ["example.com"]),
        (7, ["example.com"]),
    ],
)
def test_the_sites_that_it_names(domain, sites):
    found = read(PAGEVIEW | {"d": domain, "u": "https://www.example.com/"})
    assert [event.site for event in found.events] == sites
    assert found.batch == (len(sites) > 1)


@pytest.mark.parametrize(
    ("changed", "errors"),
    [
        ({"u": None}, {"url": ["is required"]}),
        ({"u": ""}, {"url": ["is required"]}),
        ({"u": 7}, {"url": ["must be a valid url"]}),
        ({"u": "data:text/html,hello"}, {"url": ["scheme is not allowed"]}),
        ({"u": "https://example.com/" + "x" * 5000}, {"url": ["must be a valid url"]}),
        ({"u": "/page"}, {"url": ["must be a valid url"]}),
        ({"d": ""}, {"domain": ["can't be blank"]}),
        ({"d": "  "}, {"domain": ["can't be blank"]}),
        ({"d": " , "}, {"domain": ["can't be blank"]}),
        ({"d": ",".join(map(str, range(101)))}, {"domain": ["should be at most 100 domain(s)"]}),
        ({"n": None}, {"event_name": ["can't be blank"]}),
        ({"n": ""}, {"event_name": ["can't be blank"]}),
        ({"n": ["a"]}, {"event_name": ["is invalid"]}),
        ({"n": {"a": 1}}, {"event_name": ["is invalid"]}),
        ({"n": 1.5}, {"event_name": ["is invalid"]}),
        ({"n": "x" * 121}, {"event_name": ["should be at most 120 character(s)"]}),
        ({"n": "x", "p": {"k" * 301: "v"}}, {"props": ["keys should have at most 300 bytes and values 2000 bytes"]}),
        ({"n": "x", "p": {"k": "ü" * 1001}}, {"props": ["keys should have at most 300 bytes and values 2000 bytes"]}),
        (
            {"n": "engagement", "sd": -1},
            {"event_name": ["engagement event requires a valid integer value for at least one of 'sd' or 'e' fields"]},
        ),
        (
            {"n": "engagement", "sd": 1.5, "e": "soon"},
            {"event_name": ["engagement event requires a valid integer value for at least one of 'sd' or 'e' fields"]},
        ),
    ],
)
def test_what_is_wrong_is_told_by_field(changed, errors):
    assert wrong(PAGEVIEW | changed) == errors


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b"7", b'"x"', b"null", b"\xff", b"[" * 1000])
def test_what_is_no_object_is_told_of_the_request(body):
    assert wrong(body) == {"request": ["Unable to parse request body as json"]}


def test_a_name_of_120_letters_and_a_number_are_names():
    assert one(PAGEVIEW | {"n": "x" * 120}).name == "x" * 120
    assert one(PAGEVIEW | {"n": 404}).name == "404"


def test_properties_are_texts_without_what_is_empty_or_nested():
    given = {"a": "x", "b": 1, "c": 1.5, "d": True, "e": None, "f": "", "g": [1], "h": {"i": 1}, "j": False}
    kept = {"a": "x", "b": "1", "c": "1.5", "d": "true", "j": "false"}
    assert one(PAGEVIEW | {"n": "x", "p": given}).props == kept
    assert one(PAGEVIEW | {"n": "x", "p": json.dumps(given)}).props == kept
    assert one(PAGEVIEW | {"n": "x", "p": "no json"}).props is None
    assert one(PAGEVIEW | {"n": "x", "p": [1]}).props is None
    assert len(one(PAGEVIEW | {"n": "x", "p": {str(n): n for n in range(50)}}).props) == 30


@pytest.mark.parametrize(
    ("revenue", "kept"),
    [
        ({"amount": 10.29, "currency": "EUR"}, (10.29, "EUR")),
        ({"amount": "10.29", "currency": "eur"}, (10.29, "EUR")),
        ('{"amount": 3, "currency": "USD"}', (3, "USD")),
        ({"amount": "ten", "currency": "EUR"}, (None, None)),
        ({"amount": 10, "currency": "GOLD"}, (None, None)),
        ({"amount": True, "currency": "EUR"}, (None, None)),
        ({"amount": 10}, (None, None)),
        ({"currency": "EUR"}, (None, None)),
        (7, (None, None)),
        (None, (None, None)),
    ],
)
def test_revenue_counts_where_amount_and_currency_are_right(revenue, kept):
    event = one(PAGEVIEW | {"n": "x", "$": revenue})
    assert (event.value, event.currency) == kept


@pytest.mark.parametrize(
    ("fields", "scroll", "engaged_ms"),
    [
        ({"sd": 25, "e": 1200}, 25, 1200),
        ({"sd": "25", "e": "1200"}, 25, 1200),
        ({"sd": 101, "e": 0}, 100, 0),
        ({"sd": -1, "e": 5}, None, 5),
        ({"sd": 0}, 0, None),
        ({"sd": 5, "e": -1}, 5, None),
        ({"sd": 5, "e": 30 * 86_400_000}, 5, None),
    ],
)
def test_an_engagement_is_what_its_page_gains(fields, scroll, engaged_ms):
    gained = Engagement(site="example.com", type="heartbeat", url=URL, scroll=scroll, engaged_ms=engaged_ms)
    assert one(PAGEVIEW | {"n": "engagement"} | fields) == gained


def test_a_form_is_read_too():
    body = b"name=pageview&url=https%3A%2F%2Fexample.com%2Fpage&domain=example.com"
    assert one(body, content_type="application/x-www-form-urlencoded") == one(PAGEVIEW)
    assert one(PAGEVIEW, content_type="application/x-www-form-urlencoded") == one(PAGEVIEW)


def test_a_referrer_is_cut_and_any_other_thing_is_none():
    assert one(PAGEVIEW | {"r": "https://a.example/" + "x" * 2482}).referrer == "https://a.example/" + "x" * 1982
    assert one(PAGEVIEW | {"r": 7}).referrer is None


def test_a_server_with_a_key_speaks_for_the_address_that_it_names():
    assert one(PAGEVIEW, authorization="Bearer k", x_forwarded_for="198.51.100.7, 10.0.0.1").ip == "198.51.100.7"
    named = {"x_forwarded_for": "10.0.0.1", "x_plausible_ip": "198.51.100.7"}
    assert one(PAGEVIEW, authorization="Bearer k", **named).ip == "198.51.100.7"
    assert one(PAGEVIEW, **named).ip is None


def test_the_documentation_lists_the_fields_that_are_read(monkeypatch):
    read_names: set[str] = set()

    class Recorded(dict[str, Any]):
        def get(self, name, default=None):
            read_names.add(name)
            return super().get(name, default)

    monkeypatch.setattr(plausible_event, "read_json", lambda body: Recorded(json.loads(body)))
    one({"u": URL, "n": "Buy"})
    one({"url": URL, "name": "Buy"})
    one({"u": URL, "n": "engagement", "e": 1})
    documented = [name for field in plausible_event.FIELDS for name in (field.name, *field.other_names)]
    assert len(documented) == len(set(documented))
    assert set(documented) == read_names | {"v"}


UNKNOWN = Rejected(404, "unknown_site", "no site", "site")
AWAY = Shed("database_away", "send it again", 5)


@pytest.mark.parametrize(
    ("outcomes", "expected"),
    [
        ([STORED], (202, b"ok", None)),
        ([STORED, STORED], (202, b"ok", None)),
        ([Filtered("bot", "Googlebot")], (202, b"ok", "1")),
        ([UNKNOWN], (202, b"ok", "1")),
        ([STORED, UNKNOWN], (202, b"ok", "1")),
        ([UNKNOWN, Filtered("bot")], (202, b"ok", "2")),
        ([Shed("too_many_requests", "slow down", 7, status=429)], (202, b"ok", "1")),
        ([AWAY], (503, b"send it again", None)),
        ([STORED, AWAY], (202, b"ok", "1")),
    ],
)
def test_every_outcome_has_the_answer_of_plausibles_server(outcomes, expected):
    assert answer_of(outcomes) == expected


def test_what_is_dropped_says_why_and_what_is_away_says_when():
    def headers(outcome):
        return dict(plausible_event.answer([outcome], False, nobody).headers)

    assert headers(Filtered("bot", "Googlebot"))["X-Footfall-Outcome"] == "filtered; reason=bot"
    assert headers(UNKNOWN)["X-Footfall-Outcome"] == "rejected; reason=unknown_site"
    assert headers(AWAY)["Retry-After"] == "5"


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=8,
)
names = ("n", "name", "u", "url", "d", "domain", "r", "p", "props", "m", "$", "revenue", "h", "i", "sd", "e", "v")
bodies = st.dictionaries(st.sampled_from(names), json_values | st.sampled_from(["engagement", "pageview", URL]))


@settings(deadline=None)
@given(
    bodies.map(lambda body: json.dumps(PAGEVIEW | body).encode())
    | st.binary()
    | json_values.map(json.dumps).map(str.encode)
)
def test_whatever_is_sent_becomes_events_or_a_reason(body):
    found = read(body)
    outcomes = [found] if isinstance(found, Rejected) else found.events
    assert outcomes
    for outcome in outcomes:
        if isinstance(outcome, Rejected):
            assert plausible_event.answer([outcome], False, nobody).status == 400
        else:
            assert_as_collect_reads(outcome)
