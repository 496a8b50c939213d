"""What the collector reads out of a body: every rule of the wire format."""

from __future__ import annotations

import json
import math
import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collector.ingest.event import Body, Event, EventNote, read_body
from collector.ingest.outcomes import Rejected

URL = "https://example.com/a?utm_source=x"
PAGEVIEW = {"site": "example.com", "type": "pageview", "id": "page-0001", "url": URL}
HEARTBEAT = {"site": "example.com", "type": "heartbeat", "pageview": "page-0001"}
LEAVE = {"site": "example.com", "type": "leave", "pageview": "page-0001"}
EVENT = {"site": "example.com", "type": "event", "id": "event-0001", "url": URL, "name": "Signup"}


def read(value: Any) -> Event | Rejected:
    """What the only event of a body is read as; where the body is refused as a whole, that."""
    body = read_body(value if isinstance(value, bytes) else json.dumps(value).encode())
    if isinstance(body, Rejected):
        return body
    assert not body.batch
    assert len(body.events) == 1
    return body.events[0]


def refusal(value: Any) -> tuple[int, str, str | None]:
    """Status, code and field of a refusal."""
    found = read(value)
    assert isinstance(found, Rejected), found
    return found.status, found.code, found.field


def with_raw(member: str) -> bytes:
    """An event with one more member, written as it is."""
    return json.dumps(EVENT)[:-1].encode() + b"," + member.encode() + b"}"


# ── what is taken ────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("fields", [PAGEVIEW, HEARTBEAT, LEAVE, EVENT], ids=lambda fields: fields["type"])
def test_what_is_required_is_enough(fields):
    assert read(fields) == Event(**fields)


def test_every_field_of_the_contract_is_read():
    fields: dict[str, Any] = PAGEVIEW | {
        "pageview": "page-0000",
        "referrer": "https://google.com/",
        "title": "Ä & <b>",
        "visitor_id": "v" * 64,
        "user_id": "42",
        "user_type": "supplier",
        "engaged_ms": 1500,
        "scroll": 100,
        "state": "hidden",
        "name": "n" * 120,
        "props": {"plan": "pro", "seats": 3, "ratio": 0.5, "trial": True, "none": None},
        "value": 12.5,
        "currency": "EUR",
        "description": "d" * 300,
        "user_name": "u" * 120,
        "screen": [1440, 900],
        "timezone": "Europe/Berlin",
        "language": "de-CH-1996",
        "ip": "203.0.113.7",
        "user_agent": "curl/8",
        "time": 1_800_000_000,
    }
    assert read(fields) == Event(**fields | {"screen": (1440, 900)})


def test_unknown_fields_are_ignored():
    assert read(PAGEVIEW | {"country": "DE", "site_id": 7, "__proto__": {}, "": [1, {}]}) == Event(**PAGEVIEW)


def test_an_array_is_a_batch_in_the_order_sent():
    assert read_body(json.dumps([PAGEVIEW, HEARTBEAT]).encode()) == Body(
        [Event(**PAGEVIEW), Event(**HEARTBEAT)], batch=True
    )


def test_white_space_around_is_nothing():
    assert read_body(b" \r\n\t[" + json.dumps(PAGEVIEW).encode() + b"]\n ") == Body([Event(**PAGEVIEW)], batch=True)


NOTHING = (
    *("", " ", "\t\n", "\u00a0", "undefined", "null", "NULL", "nil", "<nil>", "(null)", "<null>", "<no value>", "NaN"),
    *("nan", "None", "[object Object]", "[object Undefined]", "[object Null]", " undefined ", "null\n"),
    *("[object HTMLInputElement]", "undefined undefined", "null  null"),
)


@pytest.mark.parametrize("field", ["user_id", "user_type", "user_name", "visitor_id"])
@pytest.mark.parametrize("printed", [None, *NOTHING])
def test_what_a_template_prints_for_nothing_is_nobody(field, printed):
    """It is no person whom all of them would be."""
    assert read(EVENT | {field: printed}) == Event(**EVENT)


@pytest.mark.parametrize(
    "user_id", ["0", "false", "nullable", "None Such", "undefined-1", "Ann", " ann ", "{}", "-", "null Null"]
)
def test_a_user_id_that_says_something_is_kept_as_it_is(user_id):
    assert read(PAGEVIEW | {"user_id": user_id}) == Event(**PAGEVIEW, user_id=user_id)


def test_who_else_is_told_stays_beside_a_user_id_that_says_nothing():
    fields = {"user_id": "undefined", "user_type": "couple", "visitor_id": "v-1", "user_name": "null"}
    assert read(EVENT | fields) == Event(**EVENT, user_type="couple", visitor_id="v-1")


@pytest.mark.parametrize(
    "path", ["/<img src=x onerror=window.__x=1>", "/{{7*7}}", "/' OR 1=1--", "/\u202eabc", "/e\u0301" * 500]
)
def test_odd_text_is_kept_as_it_is(path):
    assert read(PAGEVIEW | {"title": path[:300]}) == Event(**PAGEVIEW, title=path[:300])


def test_odd_keys_of_props_are_text():
    props = {"__proto__": "a", "constructor": "b", "": "c"}
    assert read(EVENT | {"props": props}) == Event(**EVENT, props=props)


def test_of_a_key_sent_twice_the_last_one_counts():
    assert read(with_raw('"name":"Second"')) == Event(**EVENT | {"name": "Second"})


# ── what only decorates ──────────────────────────────────────────────────────────────────────────────────────────────

DECORATION = {
    "title": ("7", "true", "{}", '["a"]', "1e999", "9" * 400, '{"a":{"b":[]}}'),
    "screen": (
        *('"1440x900"', "[]", "[1440]", "[1440,900,1]", "[0,900]", "[-5,900]", "[100001,1]", "[1440.5,900]"),
        *("[null,null]", '["1440","900"]', "{}", "7", "[1e999,900]", f"[{'9' * 400},1]"),
    ),
    "language": ("7", '["de","en"]', '"' + "x" * 36 + '"', "1e999"),
    "timezone": ("7", '{"name":"UTC"}', '"' + "x" * 65 + '"'),
    "referrer": ("1", "[]", "{}", "false", "1e999"),
}


@pytest.mark.parametrize(("field", "value"), [(field, value) for field in DECORATION for value in DECORATION[field]])
@pytest.mark.parametrize("batch", [False, True])
def test_a_field_that_only_decorates_is_left_out_where_it_is_wrong(field, value, batch):
    sound = {"title": "T", "screen": (1440, 900), "language": "de", "timezone": "UTC", "referrer": "https://a.example/"}
    sound = {name: value for name, value in sound.items() if name != field}
    body = (json.dumps(EVENT | sound)[:-1] + f',"{field}":{value}}}').encode()
    assert read_body(b"[" + body + b"]" if batch else body) == Body(
        [Event(**EVENT, **sound)], batch, {0: EventNote("example.com", (field,))}
    )


@pytest.mark.parametrize(
    ("letter", "escaped"), [("x", "x"), ("é", "é"), ("😀", "\\ud83d\\ude00"), ("\ufffd", "\\ud800")]
)
def test_a_title_that_is_too_long_is_cut(letter, escaped):
    noted = {0: EventNote("example.com", ("title",))}
    assert read_body(with_raw(f'"title":"{escaped * 301}"')) == Body([Event(**EVENT, title=letter * 300)], False, noted)
    assert read_body(with_raw(f'"title":"{escaped * 300}"')) == Body([Event(**EVENT, title=letter * 300)], False)


def test_several_are_left_out_at_once_and_others_keep_their_place_in_the_batch():
    bad = PAGEVIEW | {"title": 1, "screen": 2, "language": 3, "timezone": 4, "referrer": 5}
    assert read_body(json.dumps([HEARTBEAT, bad, LEAVE]).encode()) == Body(
        [Event(**HEARTBEAT), Event(**PAGEVIEW), Event(**LEAVE)],
        batch=True,
        notes={1: EventNote("example.com", ("title", "screen", "language", "timezone", "referrer"))},
    )


def test_what_is_wrong_otherwise_is_still_refused():
    assert refusal(PAGEVIEW | {"title": 1, "scroll": 101}) == (422, "wrong_field", "scroll")
    assert refusal(PAGEVIEW | {"title": 1, "url": None}) == (422, "missing_field", "url")
    assert refusal(with_raw('"title":1,"value":1e999'))[:2] == (400, "bad_number")


def test_of_a_decoration_sent_twice_the_last_one_counts():
    assert read(with_raw('"title":1,"title":"Second"')) == Event(**EVENT, title="Second")
    assert read(with_raw('"title":"First","title":1')) == Event(**EVENT)


@pytest.mark.parametrize(
    ("member", "site"),
    [
        ('"scroll":101', "example.com"),
        ('"value":1e999', "example.com"),
        (f'"value":{2**63}', "example.com"),
        ('"currency":"EURO"', "example.com"),
        ('"currency":"XXY"', "example.com"),
        ('"id":null', "example.com"),
        ('"url":null', "example.com"),
        ('"type":"click"', "example.com"),
        ('"site":7', ""),
        ('"site":null', ""),
        ('"site":{"example.com":1}', ""),
    ],
)
def test_a_refused_event_is_noted_with_the_site_that_it_names(member, site):
    body = read_body(with_raw(member))
    assert isinstance(body, Body)
    assert isinstance(body.events[0], Rejected)
    assert body.notes == {0: EventNote(site)}


# ── what is refused ──────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("fields", "missing"),
    [
        *((fields, name) for fields in (PAGEVIEW, HEARTBEAT, LEAVE, EVENT) for name in ("site", "type")),
        *((fields, name) for fields in (PAGEVIEW, EVENT) for name in ("id", "url")),
        *((fields, "pageview") for fields in (HEARTBEAT, LEAVE)),
        (EVENT, "name"),
    ],
)
def test_what_is_missing_is_named(fields, missing):
    assert refusal({name: value for name, value in fields.items() if name != missing}) == (
        422,
        "missing_field",
        missing,
    )


@pytest.mark.parametrize("required", ["id", "url"])
def test_null_is_missing(required):
    assert refusal(PAGEVIEW | {required: None}) == (422, "missing_field", required)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("site", ""),
        ("site", "x" * 254),
        ("site", 5),
        ("type", "session"),
        ("type", None),
        ("id", "1234567"),
        ("id", "x" * 37),
        ("id", "x" * 10_000),
        ("id", 12345678),
        ("pageview", "1234567"),
        ("pageview", "x" * 37),
        ("url", ""),
        ("url", "x" * 8193),
        ("url", ["https://example.com/"]),
        ("visitor_id", "v" * 65),
        ("user_id", "u" * 129),
        ("user_id", 42),
        ("user_type", "t" * 65),
        ("engaged_ms", -1),
        ("engaged_ms", 10**15),
        ("engaged_ms", 1.5),
        ("engaged_ms", "1500"),
        ("engaged_ms", True),
        ("scroll", -1),
        ("scroll", 101),
        ("state", "asleep"),
        ("name", ""),
        ("name", "n" * 121),
        ("name", ["Signup"]),
        ("props", {f"key{number}": 1 for number in range(31)}),
        ("props", {"nested": {"a": 1}}),
        ("props", {"list": [1]}),
        ("props", {"k" * 301: 1}),
        ("props", {"k": "x" * 2001}),
        ("props", [1]),
        ("value", "12,5"),
        ("value", True),
        ("value", 1e308),
        ("value", -1e300),
        ("currency", "EURO"),
        ("currency", "eur"),
        ("currency", "EUR\n"),
        ("currency", "QQQ"),
        ("currency", ""),
        ("description", "d" * 301),
        ("user_name", "u" * 121),
        ("ip", "1" * 65),
        ("user_agent", "x" * 2049),
        ("time", "yesterday"),
    ],
)
def test_a_wrong_field_is_named(field, value):
    assert refusal(EVENT | {field: value}) == (422, "wrong_field", field)


@pytest.mark.parametrize(
    "number", ["9" * 5000, str(2**63), str(2**64), str(-(2**63) - 1), "1e999", "-1e999", "NaN", "Infinity"]
)
@pytest.mark.parametrize("field", ["value", "engaged_ms"])
def test_a_number_that_nothing_holds_is_refused(field, number):
    assert refusal(with_raw(f'"{field}":{number}'))[:2] == (400, "bad_number")


@pytest.mark.parametrize("number", ["0", "-0.0", "1e3", "-1000000000", "12.5", str(2**53)])
def test_a_number_that_a_double_holds_is_taken(number):
    found = read(with_raw(f'"value":{number}'))
    assert isinstance(found, Event)
    assert found.value == json.loads(number)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "bad_json"),
        (b"   ", "bad_json"),
        (b"{", "bad_json"),
        (b"{'site': 1}", "bad_json"),
        (json.dumps(PAGEVIEW).encode() + b" {}", "bad_json"),
        (b"[{}", "bad_json"),
        (b"\xef\xbb\xbf{}", "bad_json"),
        ('{"site":"example.com"}'.encode("utf-16"), "bad_encoding"),
        (b'{"site":"a\x00b"}', "bad_json"),
        (b'{"site":"\xff\xfe"}', "bad_encoding"),
        (b'{"site":"\xc0\xaf"}', "bad_encoding"),
        (b'{"site":"\xed\xa0\x80"}', "bad_encoding"),
        (b"[\xff]", "bad_encoding"),
        (b"null", "not_an_object"),
        (b"5", "not_an_object"),
        (b'"text"', "not_an_object"),
        (b"[]", "empty"),
    ],
)
def test_what_is_no_event_at_all_is_unreadable(body, code):
    assert refusal(body)[:2] == (400, code)


def test_100_events_fit_into_a_request_and_101_do_not():
    most = read_body(json.dumps([HEARTBEAT] * 100).encode())
    assert most == Body([Event(**HEARTBEAT)] * 100, batch=True)
    assert read_body(json.dumps([HEARTBEAT] * 101).encode()) == Rejected(
        413, "too_many", "101 events; at most 100 go into one request"
    )


# ── batches ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("bad", "status", "code"),
    [
        (b"null", 400, "not_an_object"),
        (b"[]", 400, "not_an_object"),
        (b"{}", 422, "missing_field"),
        (b'{"site":"example.com","type":"leave","pageview":"short"}', 422, "wrong_field"),
        (with_raw('"value":1e999'), 400, "bad_number"),
        (with_raw('"title":"\\ud800","value":1e999'), 400, "bad_number"),
        (with_raw('"title":"\\ud800","scroll":101'), 422, "wrong_field"),
    ],
)
def test_one_bad_event_does_not_sink_the_others(bad, status, code):
    good = json.dumps(PAGEVIEW).encode()
    body = read_body(b"[" + good + b"," + bad + b"," + good + b"]")
    assert isinstance(body, Body)
    first, refused, last = body.events
    assert (first, last) == (Event(**PAGEVIEW), Event(**PAGEVIEW))
    assert isinstance(refused, Rejected)
    assert (refused.status, refused.code) == (status, code)


# ── characters that no database takes ────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("a\\u0000b", "a\ufffdb"),
        ("a\\ud800b", "a\ufffdb"),
        ("\\udc00\\ud800", "\ufffd\ufffd"),
        ("\\ud83d\\ude00", "\U0001f600"),
        ("a\\\\u0000b", "a\\u0000b"),
    ],
)
@pytest.mark.parametrize("batch", [False, True])
def test_nul_and_lone_surrogates_become_the_replacement_character(sent, kept, batch):
    fields = with_raw(f'"title":"{sent}","props":{{"{sent}":"{sent}"}},"value":1.5,"engaged_ms":7')
    body = read_body(b"[" + fields + b"]" if batch else fields)
    expected = Event(**EVENT, title=kept, props={kept: kept}, value=1.5, engaged_ms=7)
    assert body == Body([expected], batch=batch)


# ── hostile shapes cost nothing ──────────────────────────────────────────────────────────────────────────────────────


def nested(depth: int) -> bytes:
    return with_raw('"x":' + "[" * (depth - 1) + "]" * (depth - 1))


def test_32_levels_are_read_and_33_are_too_deep():
    assert read(nested(32)) == Event(**EVENT)
    assert refusal(nested(33))[:2] == (400, "too_deep")


def test_brackets_in_text_are_no_levels():
    title = '[{"\\' * 60
    assert read(PAGEVIEW | {"title": title}) == Event(**PAGEVIEW, title=title)


@pytest.mark.parametrize(
    "body",
    [
        b"[" * 65_000,
        b'{"a":' * 13_000,
        b"[" * 33 + b'"' + b'\\"' * 32_000,
        b"[" * 33 + b'"' + b"\\" * 65_000,
        b"[" * 33 + b'"' * 65_001,
        b"[" * 33 + b'"' + b"a" * 65_000,
    ],
    ids=["brackets", "objects", "escaped quotes", "backslashes", "quotes", "an open string"],
)
def test_a_deep_body_is_refused_in_milliseconds(body):
    began = time.process_time()
    assert refusal(body[: 64 * 1024])[:2] == (400, "too_deep")
    assert time.process_time() - began < 0.05


# ── fuzz ─────────────────────────────────────────────────────────────────────────────────────────────────────────────

STATUSES = {400, 404, 413, 422}
texts = st.text(max_size=20) | st.sampled_from(
    ["\ud800", "\x00", "page-0001", "example.com", "pageview", "leave", URL, "EUR"]
)
numbers = st.integers() | st.floats() | st.booleans() | st.none()
values = st.recursive(
    texts | numbers, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3), max_leaves=6
)
events = st.builds(
    dict.__or__,
    st.sampled_from([PAGEVIEW, HEARTBEAT, LEAVE, EVENT, {}]),
    st.dictionaries(st.sampled_from(Event.__struct_fields__) | texts, values, max_size=4),
)


def check(body: bytes) -> None:
    found = read_body(body)
    results = found.events if isinstance(found, Body) else [found]
    assert results
    for result in results:
        assert isinstance(result, Event) or (isinstance(result, Rejected) and result.status in STATUSES)
        if isinstance(result, Event):
            json.dumps(repr(result)).encode()  # no lone surrogate is left
            assert "\x00" not in "".join(str(getattr(result, name)) for name in Event.__struct_fields__)
            assert result.value is None or math.isfinite(result.value)


@given(st.binary(max_size=200))
@settings(max_examples=300, deadline=None)
def test_no_bytes_break_it(body):
    check(body)


@given(st.one_of(events, values, st.lists(events | values, max_size=4)), st.booleans())
@settings(max_examples=250, deadline=None)
def test_no_json_breaks_it(value, ascii_only):
    check(json.dumps(value, ensure_ascii=ascii_only).encode("utf-8", "surrogatepass"))


@given(events, st.data())
@settings(max_examples=100, deadline=None)
def test_no_damaged_json_breaks_it(value, data):
    body = bytearray(json.dumps([value]).encode())
    for _ in range(data.draw(st.integers(1, 3))):
        body[data.draw(st.integers(0, len(body) - 1))] = data.draw(st.integers(0, 255))
    check(bytes(body))
