"""`POST /api/event` as Plausible's trackers meet it: status, body and headers, and the rows that come of it."""

from __future__ import annotations

import json

import pytest

from tests.support.serving import AGENT, eventually, rows

ROBOT = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"


def send(server, body, **headers):
    """The answer to what a tracker sends, from an address and agent of its own for each test's site."""
    sent = body if isinstance(body, bytes) else json.dumps(body).encode()
    defaults = {"Content-Type": "text/plain", "User-Agent": AGENT, "Origin": "https://example.com"}
    return server.request("POST", "/api/event", sent, defaults | {k.replace("_", "-"): v for k, v in headers.items()})


def pageview(site, path="/", **fields):
    return {"n": "pageview", "u": f"https://{site}{path}", "d": site, "r": None, "v": 36} | fields


def engagement(site, path="/", **fields):
    return {"n": "engagement", "u": f"https://{site}{path}", "d": site, "v": 36} | fields


def of_site(server, columns, table, site):
    found = f"SELECT {columns} FROM {table} AS t JOIN sites ON sites.id = t.site_id WHERE sites.domain = '{site}'"
    return rows(server.config, f"{found} ORDER BY t.id")


def is_ok(answer, dropped=None):
    assert (answer.status, answer.body) == (202, b"ok")
    assert answer.headers["content-type"].startswith("text/plain")
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.headers.get("x-plausible-dropped") == dropped
    return True


def test_a_pageview_an_event_and_an_engagement_are_one_visit(shared, site):
    is_ok(send(shared, pageview(site, "/a?utm_source=may", r="https://www.google.com/")))
    is_ok(send(shared, pageview(site, "/b")))
    buy = {"n": "Buy", "p": {"plan": "team", "seats": 3}, "$": {"amount": "29.90", "currency": "EUR"}}
    is_ok(send(shared, pageview(site, "/b") | buy))
    is_ok(send(shared, engagement(site, "/a", sd=40, e=1200)))
    is_ok(send(shared, engagement(site, "/b", sd=25, e=3000)))
    is_ok(send(shared, engagement(site, "/b", sd=75, e=4500)))
    assert of_site(shared, "path, engaged_ms, scroll", "pageviews", site) == [("/a", 1200, 40), ("/b", 7500, 75)]
    stored = of_site(shared, "t.name, path, props, value, currency", "events", site)
    assert [(*one[:2], json.loads(one[2]), *one[3:]) for one in stored] == [
        ("Buy", "/b", {"plan": "team", "seats": "3"}, 29.9, "EUR")
    ]
    visit = of_site(shared, "t.pageviews, t.events, entry_page, exit_page, source, browser", "visits", site)
    assert visit == [(2, 1, "/a", "/b", "may", "Chrome")]
    assert len(of_site(shared, "t.id", "heartbeats", site)) == 6


def test_the_same_page_again_is_another_pageview_and_engagement_is_of_the_latest(shared, site):
    send(shared, pageview(site, "/a"))
    send(shared, engagement(site, "/a", e=1000, sd=90))
    send(shared, pageview(site, "/a"))
    send(shared, engagement(site, "/a", e=500, sd=20))
    assert of_site(shared, "engaged_ms, scroll", "pageviews", site) == [(1000, 90), (500, 20)]


def test_another_visitor_has_pages_of_its_own(shared, site):
    send(shared, pageview(site, "/a"))
    is_ok(send(shared, engagement(site, "/a", e=1000), User_Agent=AGENT.replace("140", "141")), dropped="1")
    assert of_site(shared, "engaged_ms", "pageviews", site) == [(0,)]


def test_an_engagement_of_another_page_keeps_the_visit_open_and_without_a_visit_it_is_dropped(shared, site):
    answer = send(shared, engagement(site, "/a", e=1000))
    is_ok(answer, dropped="1")
    assert answer.headers["x-footfall-outcome"] == "filtered; reason=unknown_pageview"
    assert of_site(shared, "t.id", "visits", site) == []
    send(shared, pageview(site, "/a"))
    is_ok(send(shared, engagement(site, "/b", e=1000)))
    assert of_site(shared, "engaged_ms", "pageviews", site) == [(0,)]
    assert [path for (path,) in of_site(shared, "path", "heartbeats", site)] == ["/a", "/b"]


def test_several_sites_are_stored_one_by_one(shared, site, other_site):
    is_ok(send(shared, pageview(site) | {"d": f"{site},www.{other_site}, nowhere.example"}), dropped="2")
    shared.tell("site set", domain=other_site, hosts=[site])
    eventually(lambda: send(shared, pageview(site) | {"d": other_site}).headers.get("x-plausible-dropped") is None)
    assert len(of_site(shared, "t.id", "pageviews", site)) == 1
    assert len(of_site(shared, "t.id", "pageviews", other_site)) == 1


def test_an_event_that_is_not_interactive_ends_no_bounce(shared, site):
    send(shared, pageview(site))
    send(shared, pageview(site) | {"n": "Seen", "i": False})
    assert of_site(shared, "bounce, t.events", "visits", site) in [[(1, 0)], [(True, 0)]]
    send(shared, pageview(site) | {"n": "Clicked"})
    assert of_site(shared, "bounce, t.events", "visits", site) in [[(0, 1)], [(False, 1)]]
    assert [name for (name,) in of_site(shared, "t.name", "events", site)] == ["Seen", "Clicked"]


@pytest.mark.parametrize(
    ("headers", "reason"),
    [
        ({"User_Agent": ROBOT}, "filtered; reason=bot"),
        ({"DNT": "1"}, "filtered; reason=opted_out"),
    ],
)
def test_who_is_left_out_is_told_so_in_the_header(shared, site, headers, reason):
    answer = send(shared, pageview(site), **headers)
    is_ok(answer, dropped="1")
    assert answer.headers["x-footfall-outcome"] == reason
    assert of_site(shared, "t.id", "pageviews", site) == []


def test_an_unknown_site_is_dropped_and_counted(shared):
    answer = send(shared, pageview("nowhere.example"))
    is_ok(answer, dropped="1")
    assert answer.headers["x-footfall-outcome"] == "rejected; reason=unknown_site"


@pytest.mark.parametrize(
    ("body", "errors"),
    [
        ({"n": "pageview", "d": "example.com"}, {"url": ["is required"]}),
        ({"n": "pageview", "u": "https://example.com/", "d": ""}, {"domain": ["can't be blank"]}),
        ({"u": "https://example.com/", "d": "example.com"}, {"event_name": ["can't be blank"]}),
        (b"{", {"request": ["Unable to parse request body as json"]}),
    ],
)
def test_what_is_wrong_is_400_with_errors_by_field(shared, body, errors):
    answer = send(shared, body)
    assert (answer.status, answer.json) == (400, {"errors": errors})
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["access-control-allow-origin"] == "*"


HOSTILE = (
    b'{"n":"pageview","u":"https://SITE/\\u0000","d":"SITE"}',
    b'{"n":"\\ud800","u":"https://SITE/\\udfff","d":"SITE","p":{"\\ud800":"\\u0000"}}',
    b'{"n":"x","u":"https://SITE/","d":"SITE","p":{"a":%s,"b":1e308,"c":-0.0}}' % (b"9" * 4000),
    b'{"n":"x","u":"https://SITE/","d":"SITE","$":{"amount":%s,"currency":"EUR"}}' % (b"9" * 400),
    b'{"n":"engagement","u":"https://SITE/","d":"SITE","sd":%s,"e":%s}' % (b"9" * 400, b"9" * 400),
    b'{"n":"x","u":"https://SITE/","d":"SITE","p":"%s"}' % (b"[" * 5000),
    b'{"n":"x","u":"https://SITE/","d":"SITE","p":{"a":"%s"}}' % ("\N{SNOWMAN}" * 10_000).encode(),
    b'{"n":"x","u":"https://SITE/?%s","d":"SITE"}' % (b"&" * 1900),
    b'{"n":"x","u":"https://SITE/","d":"%s"}' % (b"SITE," * 90),
    b'{"n":"pageview","u":"https://SITE/","d":"SITE","r":"%s"}' % (b"http://" * 8000),
    b'{"n":"pageview","n":["x"],"u":"https://SITE/","d":"SITE"}',
    b'{"a":' * 10_000,
    b"\xff\xfe{}",
    b"NaN",
)


@pytest.mark.parametrize("body", HOSTILE, ids=range(len(HOSTILE)))
def test_whatever_is_sent_has_an_answer_and_the_server_goes_on(shared, site, body):
    answer = send(shared, body.replace(b"SITE", site.encode())[:65_536])
    assert answer.status in (202, 400)
    is_ok(send(shared, pageview(site, "/after")))


def test_without_a_domain_the_host_of_the_address_is_the_site(shared, site):
    is_ok(send(shared, {"name": "pageview", "url": f"https://www.{site}/a"}, Content_Type="application/json"))
    assert of_site(shared, "path, host", "pageviews", site) == [("/a", f"www.{site}")]


def test_it_is_counted_in_the_same_outcomes(shared, site):
    send(shared, pageview(site))
    send(shared, pageview(site), User_Agent=ROBOT)
    send(shared, {"n": "x" * 121, "u": f"https://{site}/", "d": site})
    counted = "SELECT outcome, reason, count FROM outcomes JOIN sites ON sites.id = site_id WHERE domain = '{}'"
    assert eventually(lambda: len(found := sorted(rows(shared.config, counted.format(site)))) == 3 and found) == [
        ("filtered", "bot", 1),
        ("rejected", "wrong_field", 1),
        ("stored", "", 1),
    ]


def test_a_preflight_is_answered_and_no_other_method_is(shared):
    asked = {"Access-Control-Request-Headers": "content-type", "Origin": "https://example.com"}
    preflight = shared.request("OPTIONS", "/api/event", headers=asked)
    assert (preflight.status, preflight.headers["access-control-allow-origin"]) == (204, "*")
    assert preflight.headers["access-control-allow-headers"] == "content-type"
    refused = shared.request("GET", "/api/event")
    assert (refused.status, refused.headers["allow"]) == (405, "OPTIONS, POST")


def test_a_body_of_64_kib_is_the_largest(shared):
    answer = send(shared, b" " * (64 * 1024 + 1))
    assert (answer.status, answer.headers["access-control-allow-origin"]) == (413, "*")


def test_a_server_with_a_key_speaks_for_its_visitors(shared, site):
    key = shared.tell("key add", name="server", scope="ingest", site=site).strip()
    with_key = {"Authorization": f"Bearer {key}"}
    for address in ("198.51.100.7", "198.51.100.8", "198.51.100.7"):
        is_ok(send(shared, pageview(site), X_Forwarded_For=address, **with_key))
    assert len(of_site(shared, "t.id", "visits", site)) == 2
