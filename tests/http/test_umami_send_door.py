"""`POST /api/send` and `/api/batch` as Umami's clients meet them: answers, and the rows that come of them."""

from __future__ import annotations

import json
from base64 import b64decode
from uuid import UUID

import pytest

from tests.support.serving import AGENT, eventually, rows

ROBOT = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"
NOWHERE = "99999999-9999-4999-8999-999999999999"


def send(server, body, path="/api/send", **headers):
    sent = body if isinstance(body, bytes) else json.dumps(body).encode()
    defaults = {"Content-Type": "application/json", "User-Agent": AGENT}
    return server.request("POST", path, sent, defaults | {k.replace("_", "-"): v for k, v in headers.items()})


def page(site, kind="event", **payload):
    """What the script sends of a page."""
    whole = {"website": site, "hostname": site, "url": f"https://{site}/", "screen": "1920x1080", "language": "de"}
    return {"type": kind, "payload": whole | {"title": "Home", "referrer": ""} | payload}


def of_site(server, columns, table, site):
    found = f"SELECT {columns} FROM {table} AS t JOIN sites ON sites.id = t.site_id WHERE sites.domain = '{site}'"
    return rows(server.config, f"{found} ORDER BY t.id")


def taken(answer):
    """The session, the visit and the token of what was stored."""
    assert (answer.status, answer.headers["content-type"]) == (200, "application/json")
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.json.keys() == {"cache", "sessionId", "visitId"}
    assert UUID(answer.json["sessionId"]) != UUID(answer.json["visitId"])
    assert answer.json["cache"].count(".") == 2
    return answer.json


def test_pages_events_and_who_is_signed_in_are_one_visit(shared, site):
    first = taken(send(shared, page(site, url=f"https://{site}/a?utm_source=may", title="A")))
    again = taken(send(shared, page(site, url="/b"), X_Umami_Cache=first["cache"]))
    assert (again["sessionId"], again["visitId"]) == (first["sessionId"], first["visitId"])
    buy = {"name": "Buy", "data": {"plan": "team", "size": {"seats": 3}, "revenue": 29.9, "currency": "EUR"}}
    taken(send(shared, page(site, url="/b", **buy)))
    taken(send(shared, page(site, "identify", url="/b", id="u-7", data={"plan": "team"})))
    taken(send(shared, page(site, "performance", url="/b", lcp=1200)))
    assert of_site(shared, "path, t.title", "pageviews", site) == [("/a", "A"), ("/b", "Home")]
    stored = of_site(shared, "t.name, props, value, currency", "events", site)
    assert [(name, json.loads(props), *rest) for name, props, *rest in stored] == [
        ("Buy", {"plan": "team", "size.seats": 3, "revenue": 29.9, "currency": "EUR"}, 29.9, "EUR")
    ]
    seen = "t.pageviews, t.events, user_id, source, screen, t.language"
    assert of_site(shared, seen, "visits", site) == [(2, 1, "u-7", "may", "1920x1080", "de")]
    assert [user for (user,) in of_site(shared, "user_id", "heartbeats", site)] == [None, None, None, "u-7", None]


def test_engagement_adds_to_the_page(shared, site):
    send(shared, page(site, url="/a"))
    for engaged in (1000, 500):
        taken(send(shared, page(site, "engagement", url="/a", engagement=engaged)))
    assert of_site(shared, "engaged_ms", "pageviews", site) == [(1500,)]


def test_the_website_is_a_uuid_or_a_domain(shared, site):
    listed = shared.tell("site list")
    [uuid] = [line.split()[-1] for line in listed.splitlines() if line.startswith(f"{site} ")]
    token = taken(send(shared, page(uuid, hostname=site, url="/by-uuid")))["cache"]
    assert json.loads(b64decode(token.split(".")[1] + "==", b"-_"))["websiteId"] == uuid
    taken(send(shared, page(uuid.upper(), hostname=site, url="/by-uuid")))
    taken(send(shared, page(site, url="/by-domain")))
    kept = "33333333-3333-4333-8333-" + uuid[-12:]
    shared.tell("site set", domain=site, uuid=kept)
    eventually(lambda: send(shared, page(kept, hostname=site, url="/by-its-own")).status == 200)
    paths = [path for (path,) in of_site(shared, "path", "pageviews", site)]
    assert paths == ["/by-uuid", "/by-uuid", "/by-domain", "/by-its-own"]


def test_a_server_that_names_no_page_counts_for_the_first_page(shared, site):
    agent = "Mozilla/5.0 Umami/v20.20.2"
    taken(send(shared, {"type": "event", "payload": {"website": site, "name": "Paid"}}, User_Agent=agent))
    assert of_site(shared, "t.name, host, path", "events", site) == [("Paid", site, "/")]


@pytest.mark.parametrize("headers", [{"User_Agent": ROBOT}, {"DNT": "1"}])
def test_who_is_left_out_gets_a_beep(shared, site, headers):
    answer = send(shared, page(site), **headers)
    assert (answer.status, answer.json) == (200, {"beep": "boop"})
    assert answer.headers["x-footfall-outcome"].startswith("filtered; reason=")
    assert of_site(shared, "t.id", "pageviews", site) == []


def test_an_excluded_address_is_forbidden(shared, site):
    shared.tell("site set", domain=site, excluded_addresses=["127.0.0.1"])
    answer = eventually(lambda: (found := send(shared, page(site))).status == 403 and found)
    assert answer.json == {"error": {"message": "Forbidden", "code": "forbidden", "status": 403}}


def test_an_unknown_website_is_named_so(shared):
    answer = send(shared, page(NOWHERE, url="https://nowhere.example/"))
    expected = {"error": {"message": "Website not found.", "code": "bad-request", "status": 400}}
    assert (answer.status, answer.json) == (400, expected)
    assert answer.headers["access-control-allow-origin"] == "*"


@pytest.mark.parametrize("body", [b"", b"{", b"[]", {}, {"type": "event"}, {"type": "bogus", "payload": {}}])
def test_what_is_wrong_is_400_with_a_tree(shared, body):
    answer = send(shared, body)
    assert answer.status == 400
    assert answer.json["error"].items() >= {"message": "Bad request", "code": "bad-request", "status": 400}.items()


HOSTILE = (
    b'{"type":"event","payload":{"website":"SITE","url":"/\\u0000\\ud800","title":"\\ud800\\u0000","hostname":"SITE"}}',
    b'{"type":"event","payload":{"website":"SITE","name":"\\ud800","data":{"\\u0000":%s}}}' % (b"9" * 4000),
    b'{"type":"event","payload":{"website":"SITE","name":"x","data":%s}}' % (b'{"a":' * 20 + b"1" + b"}" * 20),
    b'{"type":"event","payload":{"website":"SITE","name":"x","data":{"revenue":%s,"currency":"EUR"}}}' % (b"9" * 400),
    b'{"type":"event","payload":{"website":"SITE","timestamp":%s,"screen":"99999x99999"}}' % (b"9" * 400),
    b'{"type":"event","payload":{"website":"SITE","hostname":"[","url":"//[","referrer":"//["}}',
    b'{"type":"event","payload":{"website":"SITE","hostname":" a b ","url":"\\\\"}}',
    b'{"type":"identify","payload":{"website":"SITE","id":"%s"}}' % ("\N{SNOWMAN}" * 9_000).encode(),
    b'{"type":"engagement","payload":{"website":"SITE","engagement":%s}}' % (b"9" * 400),
    b'{"type":{},"payload":{"website":["SITE"]}}',
    b'{"a":' * 10_000,
    b"\xff\xfe{}",
    b"Infinity",
)


@pytest.mark.parametrize("path", ["/api/send", "/api/batch"])
@pytest.mark.parametrize("body", HOSTILE, ids=range(len(HOSTILE)))
def test_whatever_is_sent_has_an_answer_and_the_server_goes_on(shared, site, body, path):
    named = body.replace(b"SITE", site.encode())
    answer = send(shared, b"[" + named + b"]" if path == "/api/batch" else named, path=path)
    assert answer.status in (200, 400)
    taken(send(shared, page(site, url="/after")))


def test_a_batch_is_taken_one_by_one(shared, site):
    body = [page(site, url="/a"), page(NOWHERE, hostname=site), page(site, url="/b", name="Buy"), {"type": "bogus"}]
    answer = send(shared, body, path="/api/batch")
    result = answer.json
    assert answer.status == 200
    assert [detail["index"] for detail in result.pop("details")] == [1, 3]
    assert result.pop("cache").count(".") == 2
    assert result == {"size": 4, "processed": 2, "errors": 2}
    assert of_site(shared, "path", "pageviews", site) == [("/a",)]
    assert of_site(shared, "t.name, path", "events", site) == [("Buy", "/b")]


def test_an_empty_batch_is_nothing(shared):
    answer = send(shared, [], path="/api/batch")
    assert (answer.status, answer.json) == (200, {"size": 0, "processed": 0, "errors": 0, "details": []})
    assert send(shared, {}, path="/api/batch").status == 400


def test_a_preflight_allows_the_headers_of_the_script(shared):
    asked = {"Access-Control-Request-Headers": "content-type,x-umami-cache", "Origin": "https://example.com"}
    preflight = shared.request("OPTIONS", "/api/send", headers=asked)
    assert (preflight.status, preflight.headers["access-control-allow-headers"]) == (204, "content-type,x-umami-cache")
    assert "POST" in preflight.headers["access-control-allow-methods"]


def test_only_a_key_lets_it_speak_for_a_visitor(shared, site):
    key = shared.tell("key add", name="server", scope="ingest", site=site).strip()
    server_fields = {"ip": "198.51.100.7", "userAgent": AGENT.replace("140", "141"), "timestamp": 1}
    taken(send(shared, page(site, **server_fields)))  # as if it had said nothing of it
    refused = send(shared, page(site, **server_fields), Authorization=f"Bearer {key}")
    assert refused.status == 400  # its time lies too far back
    taken(send(shared, page(site, **(server_fields | {"timestamp": None})), Authorization=f"Bearer {key}"))
    assert [version for (version,) in of_site(shared, "browser_version", "visits", site)] == ["140.0", "141.0"]
