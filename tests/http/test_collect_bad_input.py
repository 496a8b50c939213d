"""What anybody may send to the collector: a clear answer with a code, nothing half stored, and it goes on working.

The numbers are the rows of the threat model.
"""

from __future__ import annotations

import gzip
import itertools
import json
import time
import zlib

import pytest

from tests.support.serving import pageview, received, rows

TABLES = ("visits", "pageviews", "events", "heartbeats")
JSON = {"Content-Type": "application/json"}
_numbers = itertools.count(20_000_000)


def new_id():
    return f"good-{next(_numbers)}"


def counts(server):
    """How many rows there are in each table of facts."""
    return [rows(server.config, f"SELECT COUNT(*) FROM {table}")[0][0] for table in TABLES]


def still_collects(server, site):
    return server.collect(pageview(new_id(), site=site)).status == 202


def last(server, columns, table="pageviews"):
    """The newest row."""
    return rows(server.config, f"SELECT {columns} FROM {table} ORDER BY id DESC LIMIT 1")[0]


def error_of(answer):
    return answer.status, answer.json["error"]["code"], answer.json["error"].get("field")


def page(site, /, **fields):
    """A good pageview as text, with fields in JSON as given: for what no encoder would write."""
    text = {name: json.dumps(value) for name, value in pageview(new_id(), "/x", site).items()}
    return ("{" + ",".join(f'"{name}":{value}' for name, value in (text | fields).items()) + "}").encode()


# ── what is stored as it is ──────────────────────────────────────────────────────────────────────────────────────────

HOSTILE = (
    "<img src=x onerror=window.__x=1>",  # 1
    "</script><svg onload=alert(1)>",
    "{{7*7}}",
    '<a href="https://evil.example">win</a>' + "<br>" * 20,  # 3
    "%{customdata} %{x}",
    "[x](javascript:alert(1)) ![](https://evil/p.png)",  # 4
    '=HYPERLINK("http://e","x")',  # 6
    "+1+1",
    "-2",
    "@SUM(1)",
    "\t=1",
    "\r=1",
    "' OR 1=1--",  # 7
    '"; DROP TABLE pageviews; --',
    "');DELETE FROM sites;--",
    "\u202egpj.exe",  # 11
    "a\u200bb\ufeff",
    "Z" + "\u0335" * 100,
    "cafe\u0301 café",
    "🏳️‍🌈",
    "\x1b[31mred\x1b[0m\r\nINFO forged line",  # 31
)


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_is_stored_as_it_was_sent(shared, site, text):
    sent = {"site": site, "type": "event", "id": new_id(), "url": f"https://{site}/", "name": text}
    server_fields = {
        "description": text,
        "user_name": text[:120],
        "user_id": text,
        "user_type": text[:64],
        "props": {text: text},
    }
    view = pageview(new_id(), site=site, title=text, visitor_id=text[:64], timezone=text[:64], language=text[:35])
    assert shared.collect([view, sent | server_fields]).json == {"stored": 2, "duplicate": 0}
    columns = "name, description, user_name, user_id, props"
    assert last(shared, columns, "events") == (text, text, text[:120], text, json_text({text: text}))
    assert last(shared, "title") == (text,)
    assert still_collects(shared, site)


def json_text(value):
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).replace("\x1b", "\\u001b")


@pytest.mark.parametrize("text", ["<img src=x onerror=alert(1)>", "{{7*7}}", "'--", "%00", "%FF", "a b", "café", "🏳️‍🌈"])
def test_a_hostile_path_is_stored_as_it_is_read(shared, site, text):
    assert shared.collect(pageview(new_id(), f"/{text}", site)).status == 202
    assert last(shared, "path") == (f"/{text}",)


@pytest.mark.parametrize(
    "referrer",
    [
        "javascript:alert(1)",
        "data:text/html,<script>alert(1)</script>",
        "vbscript:x",
        " java\tscript:alert(1)",
        "https://",
        "//evil.example",
        "x" * 9000,
    ],
)
def test_a_referrer_that_is_no_address_is_no_referrer(shared, site, referrer):
    """Row 2."""
    assert shared.collect(pageview(new_id(), site=site, referrer=referrer)).status == 202
    assert last(shared, "referrer, source, channel", "visits") == ("", "", "Direct")


@pytest.mark.parametrize(
    ("field", "sent", "stored"),
    [
        ("title", r'"a\u0000b"', "a\ufffdb"),  # 8
        ("title", r'"a\ud800b"', "a\ufffdb"),  # 10
        ("title", r'"\udfff\ud83d\ude00"', "\ufffd😀"),
        ("url", r'"https://%s/a\u0000b"', "/a\ufffdb"),
        ("url", r'"https://%s/\ud800"', "/\ufffd"),
    ],
)
def test_what_no_database_takes_becomes_a_replacement_character(shared, site, field, sent, stored):
    body = page(site, **{field: sent % site if "%s" in sent else sent})
    assert shared.collect(body).status == 202
    assert last(shared, "title" if field == "title" else "path") == (stored,)


def test_nul_and_surrogates_in_the_names_of_properties_too(shared, site):
    body = page(
        site, type='"event"', name=r'"n\u0000"', props=r'{"a\ud800":"\u0000","__proto__":"x","constructor":1,"":2}'
    )
    assert shared.collect(body).status == 202
    name, props = last(shared, "name, props", "events")
    assert (name, json.loads(props)) == ("n\ufffd", {"a\ufffd": "\ufffd", "__proto__": "x", "constructor": 1, "": 2})


def test_of_two_fields_of_one_name_the_last_counts(shared, site):
    """Row 14, as `JSON.parse` does it."""
    body = page(site)[:-1] + b',"title":"a","title":"b"}'
    assert shared.collect(body).status == 202
    assert last(shared, "title") == ("b",)


def test_fields_that_nobody_knows_change_nothing(shared, site):
    """Row 23."""
    unknown = {"site_id": 1, "country": "KP", "userAgent": "x", "visitor": 7, "$set": {}, "__proto__": {"site": "x"}}
    shared.collect([pageview(new_id(), site=site), pageview(new_id(), site=site) | unknown])
    assert last(shared, "pageviews, country, browser", "visits") == (2, "", "Chrome")


@pytest.mark.parametrize("sent", ["-0.0", "-1e9", "0.1", "-1000000000", "9007199254740993", "1e18"])
def test_an_amount_may_be_any_number_of_a_size_that_a_database_holds(shared, site, sent):
    """Row 18."""
    assert shared.collect(page(site, type='"event"', name='"x"', value=sent, currency='"EUR"')).status == 202
    assert last(shared, "value", "events") == (float(sent),)


# ── what is refused ──────────────────────────────────────────────────────────────────────────────────────────────────

DEEP_PROPS = '{"a":' * 40 + "1" + "}" * 40
WRONG = [
    # body, status, code, field
    (b"", 400, "bad_json", None),  # 17
    (b"   ", 400, "bad_json", None),
    (b"null", 400, "not_an_object", None),
    (b"1", 400, "not_an_object", None),
    (b'"x"', 400, "not_an_object", None),
    (b"[]", 400, "empty", None),
    (b"{", 400, "bad_json", None),
    (b"[{}]x", 400, "bad_json", None),
    (b"{'site':1}", 400, "bad_json", None),
    (b'{"a":"\x00"}', 400, "bad_json", None),  # 8
    (b'{"a":"\xff\xfe"}', 400, "bad_encoding", None),  # 9
    (b'{"title":"\xc0\xaf"}', 400, "bad_encoding", None),
    (b"\xff\xfe{\x00}\x00", 400, "bad_encoding", None),
    ("{}".encode("utf-16"), 400, "bad_encoding", None),
    (b"[" * 60_000, 400, "too_deep", None),  # 12
    (b'{"a":' * 10_000, 400, "too_deep", None),
    (("props", DEEP_PROPS), 400, "too_deep", None),
    (("value", "1" * 5000), 400, "bad_number", None),  # 13
    (("value", "9223372036854775808"), 400, "bad_number", "value"),
    (("value", "1e999"), 400, "bad_number", None),
    (("value", "-1e999"), 400, "bad_number", None),
    (("value", "1e308"), 422, "wrong_field", "value"),  # 18
    (("value", "NaN"), 400, "bad_number", None),
    (("value", "Infinity"), 400, "bad_number", None),
    (("engaged_ms", "1" * 5000), 400, "bad_number", None),
    (("props", '{"a":1e999}'), 400, "bad_number", None),
    (("props", '{"a":NaN}'), 400, "bad_number", None),
    (("value", "true"), 422, "wrong_field", "value"),
    (("value", '"12,5"'), 422, "wrong_field", "value"),
    (("currency", '"euro"'), 422, "wrong_field", "currency"),
    (("currency", '"ZZZ"'), 422, "wrong_field", "currency"),
    (("currency", '"eur"'), 422, "wrong_field", "currency"),
    (("engaged_ms", "-1"), 422, "wrong_field", "engaged_ms"),
    (("engaged_ms", "1000000000000000"), 422, "wrong_field", "engaged_ms"),
    (("engaged_ms", "1.5"), 422, "wrong_field", "engaged_ms"),
    (("scroll", "101"), 422, "wrong_field", "scroll"),
    (("id", '"short"'), 422, "wrong_field", "id"),  # 21
    (("id", json.dumps("x" * 10_000)), 422, "wrong_field", "id"),
    (("id", "12345678"), 422, "wrong_field", "id"),
    (("id", "null"), 422, "missing_field", "id"),
    (("site", '""'), 422, "wrong_field", "site"),
    (("site", "7"), 422, "wrong_field", "site"),
    (("site", "null"), 422, "wrong_field", "site"),
    (("site", '"\' OR 1=1--"'), 404, "unknown_site", "site"),  # 7
    (("site", r'"\u0000"'), 404, "unknown_site", "site"),
    (("type", '"click"'), 422, "wrong_field", "type"),
    (("state", '"asleep"'), 422, "wrong_field", "state"),
    (("visitor_id", json.dumps("x" * 65)), 422, "wrong_field", "visitor_id"),
    (("user_id", json.dumps("x" * 129)), 422, "wrong_field", "user_id"),
    (("name", json.dumps("x" * 121)), 422, "wrong_field", "name"),
    (("props", json.dumps(dict.fromkeys(map(str, range(31)), 1))), 422, "wrong_field", "props"),
    (("props", '{"a":{"b":1}}'), 422, "wrong_field", "props"),
    (("props", '{"a":[1]}'), 422, "wrong_field", "props"),
    (("props", json.dumps({"k" * 10_000: 1})), 422, "wrong_field", "props"),  # 14
    (("url", '""'), 422, "wrong_field", "url"),
    (("url", '"/path"'), 422, "wrong_field", "url"),
    (("url", '"javascript:alert(1)"'), 422, "wrong_field", "url"),
    (("url", '"file:///etc/passwd"'), 422, "wrong_field", "url"),
    (("url", '"https://"'), 422, "wrong_field", "url"),
    (("url", '"https://[::1"'), 422, "wrong_field", "url"),
    (("url", json.dumps("https://site.example/" + "a" * 3000)), 422, "wrong_field", "url"),
    (("url", json.dumps("https://site.example/" + "a" * 9000)), 422, "wrong_field", "url"),
    (b"[" + b",".join([b"{}"] * 101) + b"]", 413, "too_many", None),  # 15
    (b"{" + b" " * 65_536, 413, "too_large", None),
]


@pytest.mark.parametrize(("body", "status", "code", "field"), WRONG, ids=[f"{row[1:]}-{row[0][:24]}" for row in WRONG])
def test_what_is_wrong_is_told_with_a_code_and_stores_nothing(shared, site, body, status, code, field):
    before = counts(shared)
    sent = body if isinstance(body, bytes) else page(site, **dict([body]))
    assert error_of(shared.collect(sent)) == (status, code, field)
    assert counts(shared) == before
    assert still_collects(shared, site)


def test_nothing_that_is_wrong_takes_long(shared, site):
    """Row 12: the time of an answer does not grow with what was nested, escaped or repeated."""
    for body in (
        b"[" * 65_000,
        b'{"a":' * 13_000,
        b'"' + b"\\" * 65_000,
        page(site, description='"' + "\\u0000" * 10_000 + '"'),
    ):
        started = time.monotonic()
        assert shared.collect(body).status in (400, 422)
        assert time.monotonic() - started < 5


def test_a_body_of_exactly_64_kib_is_read(shared, site):
    body = page(site)
    assert shared.collect(body + b" " * (65_536 - len(body))).status == 202


@pytest.mark.parametrize(
    "encoding",
    ["gzip", "br", "zstd", "deflate", "x-gzip", "gzip, gzip", "utter nonsense"],
)
def test_compressed_bodies_are_not_taken(shared, site, encoding):
    """Row 16: what is never unpacked cannot explode."""
    bomb = (
        gzip.compress(gzip.compress(b"0" * 10_000_000)) if encoding != "deflate" else zlib.compress(b"0" * 10_000_000)
    )
    answer = shared.collect(bomb, {"Content-Encoding": encoding})
    assert error_of(answer) == (415, "encoded_body", None)
    assert still_collects(shared, site)


@pytest.mark.parametrize(
    "content_type",
    [
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "text/html",
        "application/jsonp",
        "application/json, text/plain",
        "x" * 1000,
        "",
    ],
)
def test_other_types_of_body_are_not_taken(shared, site, content_type):
    """Row 17."""
    answer = shared.collect(pageview(new_id(), site=site), {"Content-Type": content_type})
    assert error_of(answer) == (415, "wrong_content_type", None)


def test_a_body_without_a_type_is_not_taken(shared, site):
    body = json.dumps(pageview(new_id(), site=site)).encode()
    assert error_of(shared.request("POST", "/api/collect", body)) == (415, "wrong_content_type", None)


def test_two_thousand_pages_names_and_referrers_in_a_moment_are_stored_and_the_answers_stay_short(shared, site):
    """Row 26."""
    key = {"Authorization": "Bearer " + shared.tell("key add", name="many", scope="ingest", site=site)}
    views = [
        pageview(new_id(), f"/{n}", site, referrer=f"https://r{n}.test/", ip=f"203.0.{n % 200}.{n % 250}")
        for n in range(2000)
    ]
    for start in range(0, 2000, 100):
        assert shared.collect(views[start : start + 100], key).json == {"stored": 100, "duplicate": 0}
    reading = {"Authorization": "Bearer " + shared.tell("key add", name="read", scope="stats", site=site)}
    live = shared.request("GET", f"/api/live?site={site}", headers=reading).json
    assert live["active_sessions"] == 1000
    assert len(live["top_pages"]) == 5


@pytest.mark.parametrize(
    "path",
    [
        '/"><script>alert(1)</script>',
        "/%22%3E%3Cscript%3Ealert(1)%3C/script%3E",
        "/live/<script>alert(1)</script>",
        "/api/live?site=<script>alert(1)</script>",
        "/embed/live?token=<script>alert(1)</script>&theme=<script>alert(1)</script>",
        "/sign-in?next=<script>alert(1)</script>",
        "/setup?token=<script>alert(1)</script>",
        "/js/footfall.js?<script>alert(1)</script>",
    ],
)
def test_nothing_of_an_address_comes_back_as_markup(shared, path):
    """Row 5."""
    with shared.connect() as connection:
        connection.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\nAccept: text/html\r\nConnection: close\r\n\r\n".encode())
        answer = received(connection)
    assert answer[:9] == "HTTP/1.1 "
    assert answer[9] in "234"
    assert "<script>alert(1)" not in answer


# ── bare connections ─────────────────────────────────────────────────────────────────────────────────────────────────

HEAD = (
    "POST /api/collect HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
    "User-Agent: Mozilla/5.0 Firefox/140.0\r\n"
)
CLOSE = "Connection: close\r\n"


def exchange(server, text, within=15.0):
    """All that the server says to those bytes until it closes the connection."""
    with server.connect(within) as connection:
        connection.sendall(text if isinstance(text, bytes) else text.encode())
        return received(connection)


def chunked(*pieces):
    return b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces)


def test_a_chunked_body_without_a_length_is_read_to_its_end(shared, site):
    """Row 15."""
    body = page(site)
    sent = f"{HEAD}{CLOSE}Transfer-Encoding: chunked\r\n\r\n".encode() + chunked(body[:7], body[7:], b"")
    assert exchange(shared, sent).startswith("HTTP/1.1 202")


def test_a_chunked_body_without_an_end_is_read_no_further_than_the_limit(shared, site):
    before = counts(shared)
    with shared.connect() as connection:
        connection.sendall(f"{HEAD}Transfer-Encoding: chunked\r\n\r\n".encode() + chunked(b" " * 66_000))
        answer = received(connection, until="}}")
    assert answer.startswith("HTTP/1.1 413")
    assert '"code":"too_large"' in answer
    assert counts(shared) == before
    assert still_collects(shared, site)


@pytest.mark.parametrize("length", ["65537", "10000000000", "9" * 19])
def test_a_length_above_the_limit_is_refused_before_the_body_is_there(shared, length):
    with shared.connect() as connection:
        connection.sendall(f"{HEAD}Content-Length: {length}\r\n\r\n".encode())
        answer = received(connection, until="}}", within=8)
    assert answer.startswith("HTTP/1.1 413")
    assert '"code":"too_large"' in answer


def test_a_length_that_is_too_low_cuts_the_body_and_the_rest_is_no_request(shared, site):
    before = counts(shared)
    answer = exchange(shared, f"{HEAD}Content-Length: 10\r\n\r\n".encode() + page(site))
    assert answer.startswith("HTTP/1.1 400")
    assert "HTTP/1.1 5" not in answer
    assert counts(shared) == before
    assert still_collects(shared, site)


STRANGE = {
    "a negative length": f"{HEAD}{CLOSE}Content-Length: -1\r\n\r\n",
    "no number as length": f"{HEAD}{CLOSE}Content-Length: ten\r\n\r\n",
    "two lengths": f"{HEAD}{CLOSE}Content-Length: 2\r\nContent-Length: 3\r\n\r\n{{}}",
    "a broken chunk": f"{HEAD}{CLOSE}Transfer-Encoding: chunked\r\n\r\nzz\r\n{{}}\r\n0\r\n\r\n",
    "an unknown transfer encoding": f"{HEAD}{CLOSE}Transfer-Encoding: gzip\r\n\r\n",
    "no HTTP": "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
    "an unknown version": "GET / HTTP/9.9\r\nHost: x\r\n\r\n",
    "HTTP/2 without asking": "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "a method of its own": f"FOO /api/collect HTTP/1.1\r\nHost: x\r\n{CLOSE}\r\n",
    "an absolute address": f"GET http://evil.example/readyz HTTP/1.1\r\nHost: x\r\n{CLOSE}\r\n",
    "a path that is none": f"GET evil HTTP/1.1\r\nHost: x\r\n{CLOSE}\r\n",
    "no host": f"GET /readyz HTTP/1.1\r\n{CLOSE}\r\n",
    "a header without a colon": f"GET /readyz HTTP/1.1\r\nHost x\r\n{CLOSE}\r\n",
    "a broken escape in the path": f"GET /%zz%%ff HTTP/1.1\r\nHost: x\r\n{CLOSE}\r\n",
    "bytes in the path": b"GET /\xff\xfe HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".decode("latin-1"),
    "bytes in headers": f"GET /readyz HTTP/1.1\r\nHost: x\r\nCookie: \u00ff\u00fe\r\n{CLOSE}\r\n",
    "an address of 100 kB": f"GET /{'a' * 100_000} HTTP/1.1\r\nHost: x\r\n{CLOSE}\r\n",
    "a long query": f"GET /api/live?site={'a' * 14_000} HTTP/1.1\r\nHost: x\r\n{CLOSE}\r\n",
    "bytes in a page's cookie": f"GET / HTTP/1.1\r\nHost: x\r\nCookie: \u00ff\u00fe=\r\n{CLOSE}\r\n",
    "bytes in the cookie of who leaves": f"POST /sign-out HTTP/1.1\r\nHost: x\r\nCookie: \u00ff\u00fe=\r\n{CLOSE}\r\n",
    "a cookie bomb": f"GET / HTTP/1.1\r\nHost: x\r\nCookie: {'a=b; ' * 2_000}\r\n{CLOSE}\r\n",
    "a host of nonsense": f'GET /sign-in HTTP/1.1\r\nHost: a b"><script>\r\n{CLOSE}\r\n',
}


@pytest.mark.parametrize("what", STRANGE)
def test_strange_requests_get_a_4xx_or_are_hung_up_on(shared, site, what):
    before = counts(shared)
    answer = exchange(shared, STRANGE[what].encode("latin-1"))
    assert answer == "" or (answer[:7], answer[9] in "234") == ("HTTP/1.", True), answer[:300]
    assert counts(shared) == before
    assert still_collects(shared, site)


@pytest.mark.parametrize(
    "headers",
    [f"X-Padding: {'x' * 16_384}\r\n", "".join(f"X-{n}: {'x' * 200}\r\n" for n in range(90))],
    ids=["one", "many"],
)
@pytest.mark.parametrize("first", ["POST /api/collect", "GET /sign-in", "GET /js/footfall.js"])
def test_headers_of_more_than_16_kb_are_431(shared, first, headers):
    answer = exchange(shared, f"{first} HTTP/1.1\r\nHost: x\r\n{headers}{CLOSE}\r\n")
    assert answer.startswith("HTTP/1.1 431"), answer[:200]


def test_pipelined_requests_are_answered_in_their_order(shared, site):
    bodies = [page(site), b"{", page(site), page("nowhere.example"), page(site)]
    sent = b"".join(f"{HEAD}Content-Length: {len(body)}\r\n\r\n".encode() + body for body in bodies)
    answer = exchange(shared, sent + f"GET /healthz HTTP/1.1\r\nHost: x\r\n{CLOSE}\r\n".encode())
    statuses = [part.split(" ")[0] for part in answer.split("HTTP/1.1 ")[1:]]
    assert statuses == ["202", "400", "202", "404", "202", "200"]


def test_http_1_0_is_answered_and_hung_up_on(shared, site):
    body = page(site)
    head = HEAD.replace("HTTP/1.1", "HTTP/1.0")
    assert (
        " 202 " in exchange(shared, f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body).partition("\r\n")[0]
    )


def test_who_asks_before_sending_the_body_is_told_to_go_on(shared, site):
    body = page(site)
    with shared.connect() as connection:
        connection.sendall(f"{HEAD}{CLOSE}Expect: 100-continue\r\nContent-Length: {len(body)}\r\n\r\n".encode())
        assert received(connection, until="\r\n\r\n", within=8).startswith("HTTP/1.1 100")
        connection.sendall(body)
        assert received(connection).startswith("HTTP/1.1 202")


def test_who_hangs_up_in_the_middle_stores_nothing(shared, site):
    before = counts(shared)
    body = page(site)
    for cut in (1, len(body) // 2, len(body) - 1):
        with shared.connect() as connection:
            connection.sendall(f"{HEAD}Content-Length: {len(body)}\r\n\r\n".encode() + body[:cut])
    assert still_collects(shared, site)
    stored = [after - earlier for after, earlier in zip(counts(shared), before, strict=True)]
    assert stored == [1, 1, 0, 1]  # the good one
