"""What Umami's script and clients send, as our own events, and the answers to it."""

from __future__ import annotations

import base64
import json
from types import SimpleNamespace
from typing import Any
from uuid import UUID

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from analytics.live.beat import Beat
from collector.doors import umami_send
from collector.http.messages import Request
from collector.ingest.event import Body, Engagement, Event
from collector.ingest.outcomes import Filtered, Rejected, Shed, Stored

WEBSITE = "11111111-1111-4111-8111-111111111111"
PAGE = {
    "website": WEBSITE,
    "hostname": "example.com",
    "url": "https://example.com/page?utm_source=may#part",
    "referrer": "https://www.google.com/",
    "title": "A page",
    "language": "de-AT",
    "screen": "1920x1080",
}
SEEN = Event(
    site="example.com",
    type="pageview",
    url="https://example.com/page?utm_source=may#part",
    referrer="https://www.google.com/",
    title="A page",
    language="de-AT",
    screen=(1920, 1080),
)
STORED = Stored(Beat(1, 2, 3, 4, 5, 6, None, "", 0, "/", "", "", "", None, None), None)


def sites(name: str):
    """The one site that there is, by its UUID and by its domain."""
    return SimpleNamespace(domain="example.com") if name in (WEBSITE, "example.com") else None


def numbered(site_id: int):
    return SimpleNamespace(uuid=WEBSITE) if site_id == STORED.beat.site_id else None


def read(body: Any, reads=umami_send.read):
    sent = body if isinstance(body, bytes) else json.dumps(body).encode()
    return reads(Request("POST", "/api/send", "", {}, "192.0.2.7", sent), sites)


def one(kind: str = "event", **payload: Any):
    """The only event of a request that has this payload; None takes a field away."""
    kept = {name: value for name, value in (PAGE | payload).items() if value is not None}
    [event] = read({"type": kind, "payload": kept}).events
    return event


def changed(**fields: Any) -> Event:
    return msgspec.structs.replace(SEEN, **fields)


def claims_of(token):
    return json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "=="))


def answer_of(outcome):
    answer = umami_send.answer([outcome], False, numbered)
    return answer.status, json.loads(answer.body)


def test_without_a_name_it_is_a_pageview():
    assert read({"type": "event", "payload": PAGE}) == Body([SEEN], batch=False)
    assert one(website="example.com") == SEEN


@pytest.mark.parametrize(
    ("hostname", "url", "address"),
    [
        ("example.com", "/home?a=1", "https://example.com/home?a=1"),
        ("shop.example.com", "/home", "https://shop.example.com/home"),
        ("shop.example.com", "https://example.com/home", "https://example.com/home"),
        (None, "/home", "https://example.com/home"),
        (None, None, "https://example.com/"),
        ("example.com", None, "https://example.com/"),
        ("example.com", "/undefined", "https://example.com/"),
        ("example.com", "", "https://example.com/"),
        ("example.com", "home", "https://example.com/home"),
    ],
)
def test_the_page_is_an_address_or_a_path_of_its_host(hostname, url, address):
    assert one(hostname=hostname, url=url).url == address


def test_a_referrer_may_be_a_path():
    assert one(referrer="/before").referrer == "https://example.com/before"
    assert one(referrer="").referrer is None


def test_with_a_name_it_is_an_event_with_its_data():
    data = {"a": "x", "b": 1, "c": 1.5, "d": True, "e": None, "f": {"g": 1, "h": {"i": "j"}}, "k": [1, "l"]}
    props = {"a": "x", "b": 1, "c": 1.5, "d": True, "f.g": 1, "f.h.i": "j", "k": '[1,"l"]'}
    assert one(name="Buy", data=data) == changed(type="event", name="Buy", props=props)
    assert one(name="Buy", data=data, tag="b").props == props | {"tag": "b"}
    assert one(name="Buy") == changed(type="event", name="Buy")
    assert one(name="x" * 60).name == "x" * 50
    assert len(one(name="Buy", data={str(n): n for n in range(50)}).props) == 30
    assert one(name="Buy", data={"a": "x" * 3000, "b" * 301: 1}).props == {"a": "x" * 2000}


def test_revenue_is_the_datas():
    event = one(name="Buy", data={"revenue": "10.29", "currency": "eur"})
    assert (event.value, event.currency) == (10.29, "EUR")
    assert event.props == {"revenue": "10.29", "currency": "eur"}
    assert one(name="Buy", data={"revenue": 10}).value is None


def test_identify_says_who_is_signed_in():
    assert one("identify", id="u-7", data={"plan": "pro"}) == changed(type="heartbeat", user_id="u-7")
    assert one("identify", id="undefined").user_id is None
    assert one(id="u-7", vid="browser-7") == changed(user_id="u-7", visitor_id="browser-7")


def test_what_tells_of_the_page_is_a_beat_of_it():
    assert one("performance", lcp=2500, cls=0.1) == changed(type="heartbeat")
    gained = {name: getattr(SEEN, name) for name in SEEN.__struct_fields__} | {"type": "heartbeat", "engaged_ms": 1200}
    assert one("engagement", engagement=1200) == Engagement(**gained)
    assert one("engagement", engagement=-1).engaged_ms is None


def test_a_server_may_speak_for_a_visitor():
    event = one(ip="198.51.100.7", userAgent="Mozilla/5.0 …", timestamp=1_795_000_000)
    assert (event.ip, event.user_agent, event.time) == ("198.51.100.7", "Mozilla/5.0 …", 1_795_000_000)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("title", 7),
        ("language", "x" * 36),
        ("screen", "big"),
        ("screen", "0x0"),
        ("referrer", 7),
        ("id", 7),
        ("timestamp", "soon"),
        ("timestamp", True),
        ("timestamp", 10**300),
        ("tag", 7),
        ("name", 7),
        ("hostname", 7),
    ],
)
def test_what_only_decorates_is_left_out_where_it_is_wrong(field, value):
    event = one(**{field: value})
    assert (event.type, event.url) == ("pageview", SEEN.url)
    assert event == changed(**{field: None} if field in ("title", "language", "screen", "referrer") else {})


def tree(body):
    """The status, and of the tree of what is wrong the names down to it and its words."""
    found = read(body)
    rejected = found if isinstance(found, Rejected) else found.events[0]
    status, answered = answer_of(rejected)
    error, names = answered["error"], []
    assert (error["message"], error["code"], error["status"]) == ("Bad request", "bad-request", 400)
    while "properties" in error:
        [(name, error)] = error["properties"].items()
        names.append(name)
    return status, ".".join(names), error["errors"]


@pytest.mark.parametrize(
    ("body", "where"),
    [
        (b"", ""),
        (b"{", ""),
        (b"[]", ""),
        (b"7", ""),
        ({}, "type"),
        ({"type": "bogus", "payload": PAGE}, "type"),
        ({"type": ["event"], "payload": PAGE}, "type"),
        ({"type": "event"}, "payload"),
        ({"type": "event", "payload": []}, "payload"),
        ({"type": "event", "payload": {"url": "/"}}, "payload.website"),
        ({"type": "event", "payload": {"website": 7, "url": "/"}}, "payload.website"),
        ({"type": "event", "payload": PAGE | {"link": WEBSITE}}, "payload.website"),
        ({"type": "event", "payload": PAGE | {"url": 7}}, "payload.url"),
        ({"type": "event", "payload": PAGE | {"url": "javascript:alert(1)"}}, "payload.url"),
        ({"type": "event", "payload": PAGE | {"url": "http://["}}, "payload.url"),
        ({"type": "event", "payload": PAGE | {"url": "/" + "x" * 5000}}, "payload.url"),
    ],
)
def test_what_is_wrong_is_told_by_field(body, where):
    status, found, errors = tree(body)
    assert (status, found, len(errors)) == (400, where, 1)


def test_a_link_or_pixel_of_umami_is_no_site():
    [rejected] = read({"type": "event", "payload": {"pixel": WEBSITE, "url": "/"}}).events
    assert answer_of(rejected) == (
        400,
        {"error": {"message": "Website not found.", "code": "bad-request", "status": 400}},
    )


def test_the_documentation_lists_the_fields_that_are_read(monkeypatch):
    read_names: set[str] = set()

    class Recorded(dict[str, Any]):
        def get(self, name, default=None):
            read_names.add(name)
            return super().get(name, default)

    monkeypatch.setattr(umami_send, "read_json", lambda body: json.loads(body, object_hook=Recorded))
    one(name="Buy", data={})
    one("engagement")
    documented = {field.name for field in (*umami_send.FIELDS, *umami_send.PAYLOAD)}
    assert documented == read_names - {"link", "pixel", "revenue", "currency"}


def test_what_is_stored_has_its_session_and_visit_and_a_token():
    status, answered = answer_of(STORED)
    assert status == 200
    assert answered.keys() == {"cache", "sessionId", "visitId"}
    head, _, signature = answered["cache"].split(".")
    assert json.loads(base64.urlsafe_b64decode(head + "==")) == {"alg": "HS256", "typ": "JWT"}
    claims = claims_of(answered["cache"])
    assert claims.keys() == {"websiteId", "sessionId", "visitId", "iat"}
    assert (claims["sessionId"], claims["visitId"]) == (answered["sessionId"], answered["visitId"])
    assert claims["websiteId"] == WEBSITE
    assert len(base64.urlsafe_b64decode(signature + "==")) == 32
    assert str(UUID(answered["sessionId"])) == answered["sessionId"] != answered["visitId"]


def test_the_token_of_a_site_that_was_removed_since_names_no_website():
    status, answered = answer_of(Stored(STORED.beat._replace(site_id=7), None))
    assert (status, claims_of(answered["cache"])["websiteId"]) == (200, "")


def test_a_visitor_keeps_the_session_and_another_visit_is_another():
    _, first = answer_of(STORED)
    _, again = answer_of(STORED)
    _, later = answer_of(Stored(STORED.beat._replace(visit_id=9), None))
    assert (first["sessionId"], first["visitId"]) == (again["sessionId"], again["visitId"])
    assert later["sessionId"] == first["sessionId"]
    assert later["visitId"] != first["visitId"]


@pytest.mark.parametrize(
    ("outcome", "status", "body"),
    [
        (Filtered("bot", "Googlebot"), 200, {"beep": "boop"}),
        (Filtered("opted_out"), 200, {"beep": "boop"}),
        (Filtered("excluded_address"), 403, {"error": {"message": "Forbidden", "code": "forbidden", "status": 403}}),
        (
            Rejected(404, "unknown_site", "no site", "site"),
            400,
            {"error": {"message": "Website not found.", "code": "bad-request", "status": 400}},
        ),
        (
            Shed("too_many_requests", "slow down", 7, status=429),
            429,
            {"error": {"message": "slow down", "code": "too-many-requests", "status": 429}},
        ),
        (
            Shed("database_away", "send it again", 5),
            503,
            {"error": {"message": "send it again", "code": "service-unavailable", "status": 503}},
        ),
    ],
)
def test_every_outcome_has_the_answer_of_umamis_server(outcome, status, body):
    assert answer_of(outcome) == (status, body)


def test_a_batch_counts_what_was_taken_and_tells_of_the_others():
    found = read([{"type": "event", "payload": PAGE}, {"type": "bogus"}], umami_send.read_batch)
    assert found.batch
    assert found.events[0] == SEEN
    answer = umami_send.answer_batch([STORED, found.events[1], Filtered("bot")], True, numbered)
    answered = json.loads(answer.body)
    assert answer.status == 200
    [detail] = answered.pop("details")
    assert detail["index"] == 1
    assert detail["response"]["error"]["status"] == 400
    assert answered.pop("cache").count(".") == 2
    assert answered == {"size": 3, "processed": 2, "errors": 1}


def test_a_batch_is_an_array_of_at_most_100():
    def status(body):
        return umami_send.answer_batch([read(body, umami_send.read_batch)], False, numbered).status

    assert status({}) == 400
    assert status([{}] * 101) == 400
    assert read([], umami_send.read_batch) == Body([], batch=True)
    assert json.loads(umami_send.answer_batch([], True, numbered).body) == {
        "size": 0,
        "processed": 0,
        "errors": 0,
        "details": [],
    }


def test_a_batch_of_which_nothing_could_be_stored_comes_again():
    answer = umami_send.answer_batch([Shed("database_away", "later", 5)] * 2, True, numbered)
    assert (answer.status, dict(answer.headers)["Retry-After"]) == (503, "5")


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=8,
)
payloads = st.dictionaries(
    st.sampled_from((*PAGE, "name", "data", "tag", "id", "vid", "ip", "userAgent", "timestamp", "engagement", "link")),
    json_values,
)
kinds = st.sampled_from((*umami_send.TYPES, "bogus"))
wholes = st.builds(lambda kind, payload: {"type": kind, "payload": PAGE | payload}, kinds, payloads)


@settings(deadline=None)
@given(wholes.map(json.dumps).map(str.encode) | st.binary() | json_values.map(json.dumps).map(str.encode))
def test_whatever_is_sent_becomes_events_or_a_reason(body):
    for reads in (umami_send.read, umami_send.read_batch):
        found = read(body, reads)
        for outcome in [found] if isinstance(found, Rejected) else found.events:
            if isinstance(outcome, Rejected):
                assert umami_send.answer([outcome], False, numbered).status == 400
            else:  # one that our own script could have sent
                assert msgspec.json.decode(msgspec.json.encode(outcome), type=type(outcome)) == outcome
