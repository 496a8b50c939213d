"""`POST /api/collect` of the shipped server: every status with its body and headers, and what is in the database."""

from __future__ import annotations

import itertools
import json
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest

from analytics.base.config import Config
from tests.support.serving import AGENT, event, eventually, heartbeat, leave, pageview, rows, serving

STORED = {"stored": 1, "duplicate": 0}
CORS = {
    "access-control-allow-origin": "*",
    "access-control-expose-headers": "Retry-After, X-Footfall-Outcome",
    "cache-control": "no-store",
}
ASKED_BY_A_PERSON = (
    "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; Perplexity-User/1.0; "
    "+https://perplexity.ai/perplexity-user)"
)
SPEED_TEST = (
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/106.0.0.0 Safari/537.36 "
    "PTST/SpeedCurve/230120.120134"
)
PROBE = "Mozilla/5.0 (X11; Linux x86_64; Catchpoint) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/75.0 Safari/537.36"
SLACK = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Slack/4.39.95 "
    "Chrome/126.0.0.0 Electron/31.1.0 Safari/537.36 Slack_SSB/4.39.95"
)
ROBOT = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"
_numbers = itertools.count(10_000_000)


def new_id():
    return f"page-{next(_numbers)}"


def answer_of(answer):
    """Status, body, and the headers that the contract speaks of."""
    kept = {name: answer.headers[name] for name in ("x-footfall-outcome", "retry-after") if name in answer.headers}
    assert answer.headers["content-type"] == "application/json"
    assert CORS.items() <= answer.headers.items()
    assert not {"access-control-allow-credentials", "set-cookie"} & answer.headers.keys()
    return answer.status, answer.json, kept


def filtered(reason):
    return 200, {"stored": 0, "filtered": reason}, {"x-footfall-outcome": f"filtered; reason={reason}"}


def rejected(status, code, message, **field):
    return status, {"error": {"code": code, "message": message} | field}, {}


def of_site(server, columns, table, site):
    """Rows of one site, oldest first."""
    return rows(
        server.config,
        f"SELECT {columns} FROM {table} AS t JOIN sites ON sites.id = t.site_id "
        f"WHERE sites.domain = '{site}' ORDER BY t.id",
    )


def paths(server, site):
    return [path for (path,) in of_site(server, "path", "pageviews", site)]


@pytest.fixture
def key(shared, site):
    """A key that may speak for visitors of the site."""
    bearer = shared.tell("key add", name="panel", scope="ingest", site=site)
    return {"Authorization": f"Bearer {bearer}"}


# ── 202: it is in the database ───────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("content_type", ["application/json", "text/plain;charset=UTF-8", "Text/Plain"])
def test_a_pageview_is_stored_before_the_answer(shared, site, content_type):
    answer = shared.collect(pageview("abcdefgh", "/a?utm_source=x&secret=1", site), {"Content-Type": content_type})
    stored = of_site(shared, "page_id, host, path, title, engaged_ms, scroll", "pageviews", site)
    assert answer_of(answer) == (202, STORED, {})
    assert stored == [("abcdefgh", site, "/a", "", 0, 0)]


def test_each_type_of_event_is_stored_and_is_a_beat(shared, site):
    page = new_id()
    sent = [
        pageview(page, "/a", site),
        heartbeat(page, site, state="idle"),
        heartbeat(page, site, state="hidden"),
        event(new_id(), "Sign-up", "/b", site, pageview=page),
        leave(page, site),
    ]
    answers = [answer_of(shared.collect(one)) for one in sent]
    beats = of_site(shared, "path, state", "heartbeats", site)
    assert answers == [(202, STORED, {})] * 5
    assert beats == [("/a", 0), ("/a", 1), ("/a", 2), ("/b", 0), ("/a", 3)]
    assert of_site(shared, "pageviews, events, entry_page, exit_page", "visits", site) == [(1, 1, "/a", "/a")]


def test_an_event_is_stored_with_everything_it_tells(shared, site):
    fields = {
        "props": {"plan": "pro", "seats": 3, "trial": False, "coupon": None, "share": 0.5},
        "value": 49.9,
        "currency": "EUR",
        "description": "Ada bought Pro",
        "user_name": "Ada",
        "user_id": "u-1",
        "user_type": "supplier",
    }
    shared.collect(event("event-01", "Purchase", "/buy", site, **fields))
    columns = "page_id, user_id, path, t.name, props, value, currency, description, user_name"
    props = '{"plan":"pro","seats":3,"trial":false,"coupon":null,"share":0.5}'
    assert of_site(shared, columns, "events", site) == [
        ("event-01", "u-1", "/buy", "Purchase", props, 49.9, "EUR", "Ada bought Pro", "Ada")
    ]
    assert of_site(shared, "user_id, user_type", "visits", site) == [("u-1", "supplier")]


def test_an_exact_repeat_is_counted_once(shared, site):
    for sent in (pageview("page-one", site=site), event("event-one", "Sign-up", site=site)):
        answers = [answer_of(shared.collect(sent)) for _ in range(3)]
        assert answers == [(202, STORED, {}), *[(202, {"stored": 0, "duplicate": 1}, {})] * 2]
    assert of_site(shared, "pageviews, events", "visits", site) == [(1, 1)]
    assert len(of_site(shared, "t.id", "heartbeats", site)) == 2


def test_fifty_repeats_at_once_are_counted_once(shared, site):
    with ThreadPoolExecutor(10) as threads:
        answers = list(threads.map(shared.collect, [pageview("page-one", site=site)] * 50))
    assert {answer.status for answer in answers} == {202}
    assert sum(answer.json["stored"] for answer in answers) == 1
    assert of_site(shared, "pageviews", "visits", site) == [(1,)]


def test_the_same_id_on_another_site_is_another_pageview(shared, site, other_site):
    answers = [answer_of(shared.collect(pageview("page-one", site=domain))) for domain in (site, other_site)]
    assert answers == [(202, STORED, {})] * 2


def test_heartbeats_carry_totals_so_a_lost_or_late_one_changes_nothing(shared, site):
    page = new_id()
    shared.collect(pageview(page, site=site))
    for engaged, scroll in ((30_000, 40), (90_000, 80), (60_000, 60)):
        shared.collect(heartbeat(page, site, engaged_ms=engaged, scroll=scroll))
    assert of_site(shared, "engaged_ms, scroll", "pageviews", site) == [(90_000, 80)]


def test_a_heartbeat_of_an_unknown_pageview_counts_only_with_its_url(shared, site):
    unknown = shared.collect(heartbeat("not-there", site))
    with_url = shared.collect(heartbeat("not-there", site, url=f"https://{site}/lost"))
    message = "no such pageview; send `url` with the heartbeat"
    assert answer_of(unknown) == rejected(422, "unknown_pageview", message, field="pageview")
    assert answer_of(with_url) == (202, STORED, {})
    assert of_site(shared, "path", "heartbeats", site) == [("/lost",)]
    assert of_site(shared, "pageviews, entry_page", "visits", site) == [(0, "/lost")]


def test_a_subdomain_and_a_listed_host_count_too(shared, site):
    shared.tell("site set", domain=site, hosts=["shop.test"])
    for host in (f"www.{site}", f"blog.{site}", "shop.test"):
        assert answer_of(shared.collect(pageview(new_id(), site=site, url=f"https://{host}/"))) == (202, STORED, {})


def test_a_page_on_localhost_does_for_a_visitor_on_this_machine_only(shared, site, key):
    local = {"site": site, "type": "pageview", "url": "http://localhost:3000/try"}
    assert answer_of(shared.collect(local | {"id": new_id()})) == (202, STORED, {})
    assert answer_of(shared.collect(local | {"id": new_id(), "ip": "203.0.113.9"}, key)) == filtered("unlisted_host")
    assert paths(shared, site) == ["/try"]


def test_the_site_is_found_in_any_case(shared, site):
    assert answer_of(shared.collect(pageview(new_id(), site=site) | {"site": site.upper()})) == (202, STORED, {})


# ── 200: understood, and left out ────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("headers", "reason"),
    [
        ({"User-Agent": ROBOT}, "bot"),
        ({"User-Agent": "curl/8.5.0"}, "bot"),
        ({"User-Agent": ""}, "bot"),
        ({"User-Agent": ASKED_BY_A_PERSON}, "bot"),
        ({"User-Agent": SPEED_TEST}, "bot"),
        ({"User-Agent": PROBE}, "bot"),
        ({"DNT": "1"}, "opted_out"),
        ({"Sec-GPC": "1"}, "opted_out"),
        ({"Sec-Purpose": "prefetch;prerender"}, "prefetch"),
        ({"Purpose": "prefetch"}, "prefetch"),
    ],
)
def test_robots_and_whoever_opts_out_leave_nothing_but_a_counter(shared, site, headers, reason):
    assert answer_of(shared.collect(pageview(new_id(), site=site), headers)) == filtered(reason)
    for table in ("visits", "pageviews", "heartbeats"):
        assert of_site(shared, "t.id", table, site) == []


def test_who_reads_a_page_in_a_desktop_application_is_counted(shared, site):
    assert answer_of(shared.collect(pageview(new_id(), site=site), {"User-Agent": SLACK})) == (202, STORED, {})


@pytest.mark.parametrize(
    ("agent", "system"),
    [
        (
            "Mozilla/5.0 (iPhone; CPU iPhone OS 18_7 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) "
            "Version/26.2 Mobile/15E148 Safari/604.1",
            ("Safari", "iOS", "26.2", "Mobile"),
        ),
        (
            "Mozilla/5.0 (Phone; OpenHarmony 5.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/114.0.0.0 "
            "Safari/537.36  ArkWeb/4.1.6.1 Mobile HuaweiBrowser/5.1.3.311",
            ("Huawei Browser", "HarmonyOS", "5.0", "Mobile"),
        ),
    ],
)
def test_systems_whose_version_stands_elsewhere_are_stored_as_they_are(shared, site, agent, system):
    assert answer_of(shared.collect(pageview(new_id(), site=site), {"User-Agent": agent})) == (202, STORED, {})
    assert of_site(shared, "browser, os, os_version, device", "visits", site) == [system]


def test_dnt_0_is_no_objection(shared, site):
    answer = shared.collect(pageview(new_id(), site=site), {"DNT": "0", "Sec-GPC": "0"})
    assert answer_of(answer) == (202, STORED, {})


def test_an_excluded_address_is_left_out_from_the_next_event_on(shared, site):
    shared.collect(pageview(new_id(), "/before", site))
    shared.tell("site set", domain=site, excluded_addresses=["10.0.0.0/8", "127.0.0.1"])
    assert answer_of(shared.collect(pageview(new_id(), "/after", site))) == filtered("excluded_address")
    assert paths(shared, site) == ["/before"]


@pytest.mark.parametrize(
    ("path", "left_out"),
    [("/admin", True), ("/team/ada", True), ("/team/ada/x", False), ("/api/v1/x", True), ("/administer", False)],
)
def test_excluded_paths_are_left_out(shared, site, path, left_out):
    shared.tell("site set", domain=site, excluded_paths=["/admin", "/team/*", "/api/**"])
    expected = filtered("excluded_path") if left_out else (202, STORED, {})
    assert answer_of(shared.collect(pageview(new_id(), path, site))) == expected
    assert paths(shared, site) == ([] if left_out else [path])


def test_pages_of_another_host_are_left_out(shared, site):
    for host in ("evil.example", f"{site}.evil.example", f"not{site}"):
        answer = shared.collect(pageview(new_id(), site=site, url=f"https://{host}/"))
        assert answer_of(answer) == filtered("unlisted_host")
    assert paths(shared, site) == []


def test_a_leave_of_an_unknown_pageview_is_nothing(shared, site):
    assert answer_of(shared.collect(leave("not-there", site))) == filtered("unknown_pageview")
    assert of_site(shared, "t.id", "heartbeats", site) == []


# ── 4xx: wrong ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_an_unknown_site_is_404(shared):
    answer = answer_of(shared.collect(pageview(new_id(), site="nowhere.example")))
    assert answer == rejected(404, "unknown_site", "no site 'nowhere.example' here", field="site")


@pytest.mark.parametrize(
    ("sent", "headers", "expected"),
    [
        (b"{", {}, rejected(400, "bad_json", "the body is not JSON")),
        (
            b"{}",
            {"Content-Type": "text/html"},
            rejected(415, "wrong_content_type", "the body is application/json or text/plain"),
        ),
        (b"{}", {"Content-Encoding": "gzip"}, rejected(415, "encoded_body", "the body may not be compressed")),
        (b" " * 65_537, {}, rejected(413, "too_large", "the body is too large")),
        (b"[" + b"1," * 100 + b"1]", {}, rejected(413, "too_many", "101 events; at most 100 go into one request")),
        (
            {"type": "pageview"},
            {},
            rejected(422, "missing_field", "Object missing required field `site`", field="site"),
        ),
    ],
)
def test_what_cannot_be_taken_is_told_with_a_code(shared, sent, headers, expected):
    assert answer_of(shared.collect(sent, headers)) == expected


@pytest.mark.parametrize(
    ("kind", "missing"),
    [
        ("pageview", "id"),
        ("pageview", "url"),
        ("event", "id"),
        ("event", "url"),
        ("event", "name"),
        ("heartbeat", "pageview"),
        ("leave", "pageview"),
    ],
)
def test_a_missing_field_is_named(shared, site, kind, missing):
    whole = {"site": site, "type": kind, "id": new_id(), "pageview": new_id(), "url": f"https://{site}/", "name": "x"}
    status, body, _ = answer_of(shared.collect({name: value for name, value in whole.items() if name != missing}))
    assert (status, body["error"]["code"], body["error"]["field"]) == (422, "missing_field", missing)


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "PATCH"])
def test_other_methods_are_405(shared, method):
    answer = shared.request(method, "/api/collect")
    assert (answer.status, answer.headers["allow"]) == (405, "OPTIONS, POST")
    assert answer.headers["access-control-allow-origin"] == "*"


PREFLIGHT = {"Origin": "https://shop.test", "Access-Control-Request-Method": "POST"}


def allowed(shared, path="/api/collect", **asked):
    """The CORS headers of a preflight's answer, without their common prefix."""
    more = {f"Access-Control-Request-{name.replace('_', '-')}": value for name, value in asked.items()}
    answer = shared.request("OPTIONS", path, headers=PREFLIGHT | more)
    assert (answer.status, answer.body) == (204, b"")
    prefix = "access-control-"
    return {name.removeprefix(prefix): value for name, value in answer.headers.items() if name.startswith(prefix)}


def test_a_preflight_lets_any_page_send_json_without_credentials(shared):
    assert allowed(shared, Headers="content-type") == {
        "allow-origin": "*",
        "expose-headers": "Retry-After, X-Footfall-Outcome",
        "allow-methods": "POST",
        "allow-headers": "content-type",
        "max-age": "86400",
    }


@pytest.mark.parametrize(
    "names",
    [
        "traceparent",
        "baggage,content-type,sentry-trace,traceparent,tracestate",
        "x-datadog-origin, x-datadog-parent-id",
        "authorization,newrelic",
        "X-ANY-THING_at.all",
    ],
)
def test_any_header_may_come_along(shared, names):
    """Agents that trace requests wrap `fetch`. A `*` would leave Authorization out, and old browsers do not know it."""
    assert allowed(shared, Headers=names)["allow-headers"] == names


@pytest.mark.parametrize("names", ["", "a b", "a\tb", "x" * 5_000, "a,,b", "é", '"a"', "a;b"])
def test_what_is_no_list_of_names_does_not_come_back(shared, names):
    assert allowed(shared, Headers=names)["allow-headers"] == "*, Authorization"


def test_a_public_page_may_send_to_a_server_in_the_own_network(shared):
    assert allowed(shared, Private_Network="true")["allow-private-network"] == "true"


@pytest.mark.parametrize("path", ["/js/footfall.js", "/pixel.gif"])
def test_what_pages_fetch_has_a_preflight_too(shared, path):
    cors = allowed(shared, path, Headers="traceparent")
    assert (cors["allow-origin"], cors["allow-methods"], cors["allow-headers"]) == ("*", "GET, HEAD", "traceparent")


# ── addresses that are nearly right ──────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("path", ["//api/collect", "/api/collect/", "///api//collect//", "/api//collect"])
def test_slashes_too_many_are_passed_over(shared, site, path):
    foreign = {"Origin": f"https://{site}", "Sec-Fetch-Site": "cross-site", "Content-Type": "text/plain"}
    body = json.dumps(pageview("page-slashes", site=site))
    answer = shared.request("POST", path, body, foreign | {"User-Agent": AGENT})
    assert (answer.status, answer.headers["access-control-allow-origin"]) == (202, "*")
    assert allowed(shared, path)["allow-origin"] == "*"


@pytest.mark.parametrize("path", ["//js/footfall.js", "/js/footfall.js/", "//pixel.gif", "/healthz/", "//readyz"])
def test_of_every_public_route(shared, path):
    assert shared.request("GET", path).status == 200


@pytest.mark.parametrize("path", ["/api/collect/x", "/api/Collect", "/api/colect", "//api/x", "/api/collect.php"])
def test_another_address_is_not_found_and_a_page_may_read_that(shared, site, path):
    foreign = {"Origin": f"https://{site}", "Sec-Fetch-Site": "cross-site", "Content-Type": "text/plain"}
    answer = shared.request("POST", path, json.dumps(pageview("page-astray", site=site)), foreign)
    assert (answer.status, answer.headers["access-control-allow-origin"]) == (404, "*")
    assert b"FOOTFALL_BASE_URL" not in answer.body


# ── batches ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_one_bad_event_does_not_sink_the_others(shared, site):
    shared.collect(pageview("seen-before", site=site))
    batch = [
        pageview("page-aaaa", "/a", site),
        pageview("page-aaaa", "/a", site),
        pageview("seen-before", site=site),
        {"site": site, "type": "pageview", "id": "short", "url": f"https://{site}/"},
        leave("not-there", site),
        pageview(new_id(), site=site, url="https://evil.example/"),
        pageview(new_id(), site="nowhere.example"),
        "no event",
        event("event-aaa", "Sign-up", "/a", site),
    ]
    answer = shared.collect(batch)
    assert answer_of(answer) == (
        202,
        {
            "stored": 2,
            "duplicate": 2,
            "filtered": 2,
            "reasons": {"unknown_pageview": 1, "unlisted_host": 1},
            "rejected": [
                {
                    "index": 3,
                    "error": {"code": "wrong_field", "message": "Expected `str` of length >= 8 at `id`", "field": "id"},
                },
                {
                    "index": 6,
                    "error": {"code": "unknown_site", "message": "no site 'nowhere.example' here", "field": "site"},
                },
                {"index": 7, "error": {"code": "not_an_object", "message": "an event is a JSON object"}},
            ],
        },
        {"x-footfall-outcome": "filtered; reason=unknown_pageview"},
    )
    assert paths(shared, site) == ["/", "/a"]


def test_a_batch_of_which_nothing_is_stored_is_200_when_something_was_filtered(shared, site):
    status, body, headers = answer_of(shared.collect([leave("not-there", site), {"site": site, "type": "pageview"}]))
    assert (status, headers) == (200, {"x-footfall-outcome": "filtered; reason=unknown_pageview"})
    assert (body["stored"], body["duplicate"], body["filtered"]) == (0, 0, 1)
    assert [(one["index"], one["error"]["field"]) for one in body["rejected"]] == [(1, "id")]


def test_a_batch_of_nothing_but_wrong_ones_is_422(shared, site):
    answer = shared.collect([pageview(new_id(), site="nowhere.example"), heartbeat("not-there", site)])
    status, body, _ = answer_of(answer)
    assert status == 422
    assert [(one["index"], one["error"]["code"]) for one in body["rejected"]] == [
        (0, "unknown_site"),
        (1, "unknown_pageview"),
    ]
    assert body["error"] == body["rejected"][0]["error"]


def test_a_batch_that_is_sent_again_is_a_duplicate_as_a_whole(shared, site):
    batch = [pageview(f"page-{number:04}", f"/{number}", site) for number in range(100)]
    assert answer_of(shared.collect(batch)) == (202, {"stored": 100, "duplicate": 0}, {})
    assert answer_of(shared.collect(batch)) == (202, {"stored": 0, "duplicate": 100}, {})
    assert sorted(paths(shared, site)) == sorted(f"/{number}" for number in range(100))


def test_a_page_and_its_beats_may_come_in_one_batch(shared, site):
    page = new_id()
    batch = [pageview(page, "/a", site), heartbeat(page, site, engaged_ms=5, scroll=9), leave(page, site)]
    assert answer_of(shared.collect(batch)) == (202, {"stored": 3, "duplicate": 0}, {})
    assert of_site(shared, "engaged_ms, scroll", "pageviews", site) == [(5, 9)]


# ── speaking for others ──────────────────────────────────────────────────────────────────────────────────────────────


def test_a_server_with_a_key_speaks_for_its_visitors(shared, site, key):
    then = int(time.time()) - 3 * 86_400
    for number, moment in enumerate((then, then + 1, then + 2)):
        visitor = {"ip": f"203.0.113.{number % 2}", "user_agent": f"{AGENT} Edg/140.0", "time": moment}
        sent = pageview(new_id(), f"/{number}", site) | visitor
        assert answer_of(shared.collect(sent, key | {"User-Agent": "our-panel/1", "DNT": "1"})) == (202, STORED, {})
    assert of_site(shared, "at", "pageviews", site) == [(then,), (then + 1,), (then + 2,)]
    assert of_site(shared, "started_at, pageviews, browser", "visits", site) == [
        (then, 2, "Edge"),
        (then + 1, 1, "Edge"),
    ]


def test_what_a_server_says_of_its_visitor_decides_what_is_left_out(shared, site, key):
    shared.tell("site set", domain=site, excluded_addresses=["203.0.113.0/24"])
    excluded = shared.collect(pageview(new_id(), site=site, ip="203.0.113.7"), key)
    robot = shared.collect(pageview(new_id(), site=site, ip="198.51.100.7", user_agent=ROBOT), key)
    assert (answer_of(excluded), answer_of(robot)) == (filtered("excluded_address"), filtered("bot"))


def test_the_scheme_of_a_key_may_be_in_either_case(shared, site, key):
    moment = int(time.time()) - 600
    lower = {"Authorization": key["Authorization"].replace("Bearer", "bearer")}
    said = {"ip": "203.0.113.7", "user_agent": "Mozilla/5.0 Firefox/130.0", "time": moment}
    assert answer_of(shared.collect(pageview(new_id(), site=site, **said), lower)) == (202, STORED, {})
    assert of_site(shared, "started_at, browser", "visits", site) == [(moment, "Firefox")]


def test_what_a_server_tells_of_itself_is_an_event_of_nobody(shared, site, key):
    payment = event(new_id(), "Payment", "/checkout", site, value=12, currency="EUR", user_id="7")
    answer = shared.collect(payment, key | {"User-Agent": "python-requests/2.32.3"})
    assert answer_of(answer) == (202, STORED, {})
    stored = of_site(shared, "t.name, path, value, currency, user_id, visit_id", "events", site)
    assert stored == [("Payment", "/checkout", 12.0, "EUR", "7", 0)]
    assert of_site(shared, "t.id", "visits", site) == []


@pytest.mark.parametrize(
    "sent",
    [
        event("an-event-1", "Payment", "/checkout", ip="203.0.113.7"),
        event("an-event-1", "Payment", "/checkout", user_agent="curl/8.5.0"),
        event("an-event-1", "Payment", "/checkout", visitor_id="v-1"),
        event("an-event-1", "Payment", "/checkout", pageview="a-pageview-1"),
        pageview("a-pageview-1", "/checkout"),
    ],
    ids=["address", "user agent", "visitor", "pageview", "no event"],
)
def test_a_servers_robot_that_speaks_for_a_visitor_stays_a_robot(shared, site, key, sent):
    answer = shared.collect(
        sent | {"site": site, "url": f"https://{site}/checkout"}, key | {"User-Agent": "curl/8.5.0"}
    )
    assert answer_of(answer)[:2] == (200, {"stored": 0, "filtered": "bot"})


@pytest.mark.parametrize("whose", ["nobody", "wrong", "stats", "another site's"])
def test_without_the_sites_ingest_key_what_is_said_of_a_visitor_is_ignored(shared, site, other_site, whose):
    keys = {
        "nobody": lambda: "",
        "wrong": lambda: "ff_" + "x" * 32,
        "stats": lambda: shared.tell("key add", name="s", scope="stats", site=site),
        "another site's": lambda: shared.tell("key add", name="o", scope="ingest", site=other_site),
    }
    shared.tell("site set", domain=site, excluded_addresses=["203.0.113.7"])
    said = {"ip": "203.0.113.7", "user_agent": ROBOT, "time": 1}
    before = int(time.time())
    answer = shared.collect(pageview(new_id(), site=site, **said), {"Authorization": f"Bearer {keys[whose]()}"})
    assert answer_of(answer) == (202, STORED, {})
    ((at, browser),) = of_site(shared, "started_at, browser", "visits", site)
    assert before <= at <= time.time()
    assert browser == "Chrome"


@pytest.mark.parametrize("shift", [-8 * 86_400, -7 * 86_400 - 60, 400, 86_400 * 3650, "ms", "0"])
def test_a_moment_out_of_reach_is_422(shared, site, key, shift):
    now = time.time()
    moment = {"ms": now * 1000, "0": 0}.get(shift) if isinstance(shift, str) else now + shift
    answer = answer_of(shared.collect(pageview(new_id(), site=site, time=moment), key))
    message = "`time` lies more than 7 days back or 5 minutes ahead"
    assert answer == rejected(422, "bad_time", message, field="time")
    assert paths(shared, site) == []


def test_a_servers_wrong_address_is_422(shared, site, key):
    answer = answer_of(shared.collect(pageview(new_id(), site=site, ip="127.1"), key))
    assert answer == rejected(422, "wrong_field", "`ip` is no address", field="ip")


# ── who it is ────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(("identity", "visits"), [("daily", 1), ("browser", 2)])
def test_a_browsers_own_id_tells_visitors_apart_only_where_the_site_wants_it(shared, site, identity, visits):
    shared.tell("site set", domain=site, identity=identity)
    for visitor in ("aaa", "bbb", "aaa"):
        shared.collect(pageview(new_id(), site=site, visitor_id=visitor))
    assert len(of_site(shared, "t.id", "visits", site)) == visits


def test_browser_identity_follows_a_visitor_to_another_address(shared, site, key):
    shared.tell("site set", domain=site, identity="browser")
    for address in ("203.0.113.1", "198.51.100.2"):
        shared.collect(pageview(new_id(), site=site, visitor_id="aaa", ip=address), key)
    assert of_site(shared, "pageviews", "visits", site) == [(2,)]


SPOOFED = {
    "X-Forwarded-For": "203.0.113.7",
    "X-Real-IP": "203.0.113.7",
    "True-Client-IP": "203.0.113.7",
    "CF-Connecting-IP": "203.0.113.7",
    "Forwarded": "for=203.0.113.7",
    "X-Client-IP": "203.0.113.7",
}


@pytest.mark.parametrize("name", SPOOFED)
def test_no_header_changes_the_address_without_a_trusted_proxy(shared, site, name):
    shared.tell("site set", domain=site, excluded_addresses=["203.0.113.7"])
    for headers in ({}, {name: SPOOFED[name]}, {name: "::1"}, {name: "garbage, ,\t,"}, {name: "1.1.1.1, " * 50}):
        assert answer_of(shared.collect(pageview(new_id(), site=site), headers)) == (202, STORED, {})
    assert of_site(shared, "pageviews", "visits", site) == [(5,)]


@pytest.fixture(scope="module")
def proxied(tmp_path_factory):
    """A server behind two trusted proxies, with a site that leaves out 203.0.113.7."""
    config = Config(data_dir=tmp_path_factory.mktemp("proxied"))
    with serving(config, FOOTFALL_TRUSTED_PROXIES="127.0.0.1, 10.0.0.0/8") as server:
        server.tell("site add", domain="example.com", name="", timezone="UTC")
        server.tell("site set", domain="example.com", excluded_addresses=["203.0.113.7", "2001:db8::7"])
        yield server


@pytest.mark.parametrize(
    ("hops", "left_out"),
    [
        ("203.0.113.7", True),
        ("198.51.100.1, 203.0.113.7", True),
        ("198.51.100.1, 203.0.113.7, 10.1.2.3", True),
        ("203.0.113.7, 198.51.100.1", False),
        ("203.0.113.7, 198.51.100.1, 10.1.2.3", False),
        ("203.0.113.7:4711", True),
        ("[2001:db8::7]:4711", True),
        ("::ffff:203.0.113.7", True),
        ("203.0.113.7, garbage", False),
        ("", False),
    ],
)
def test_behind_trusted_proxies_the_right_most_untrusted_hop_is_the_visitor(proxied, hops, left_out):
    answer = answer_of(proxied.collect(pageview(new_id()), {"X-Forwarded-For": hops}))
    assert answer == (filtered("excluded_address") if left_out else (202, STORED, {}))


@pytest.mark.parametrize("name", [name for name in SPOOFED if name != "X-Forwarded-For"])
def test_behind_a_trusted_proxy_too_no_other_header_counts(proxied, name):
    assert answer_of(proxied.collect(pageview(new_id()), {name: SPOOFED[name]})) == (202, STORED, {})


# ── 429 ──────────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture(scope="module")
def strict(tmp_path_factory):
    """A server that takes three events a minute from one address for one site."""
    with serving(Config(data_dir=tmp_path_factory.mktemp("strict")), FOOTFALL_COLLECT_RATE="3") as server:
        for domain in ("one.example", "two.example", "three.example", "four.example", "five.example"):
            server.tell("site add", domain=domain, name="", timezone="UTC")
        yield server


def within_one_minute():
    """Returns when the limiter's minute, of the machine's monotonic clock, has 3 s or more to go."""
    eventually(lambda: time.monotonic() % 60 < 57)


def test_over_the_limit_one_address_is_told_when_to_come_back(strict):
    within_one_minute()
    spoofed = ({"X-Forwarded-For": f"203.0.113.{number}"} for number in itertools.count())
    answers = [answer_of(strict.collect(pageview(new_id(), site="one.example"), next(spoofed))) for _ in range(5)]
    other_site = answer_of(strict.collect(pageview(new_id(), site="two.example")))
    error = {"code": "too_many_requests", "message": "this address sends too many events; slow down"}
    assert answers[:3] == [(202, STORED, {})] * 3
    assert [answer[:2] for answer in answers[3:]] == [(429, {"error": error})] * 2
    assert all(1 <= int(headers["retry-after"]) <= 60 for _, _, headers in answers[3:])
    assert other_site == (202, STORED, {})
    assert len(paths(strict, "one.example")) == 3


def test_over_the_limit_a_batch_keeps_what_was_within_it(strict):
    within_one_minute()
    status, body, headers = answer_of(strict.collect([pageview(new_id(), site="three.example") for _ in range(5)]))
    assert (status, body["stored"], body["duplicate"]) == (202, 3, 0)
    assert [(one["index"], one["error"]["code"]) for one in body["rejected"]] == [
        (3, "too_many_requests"),
        (4, "too_many_requests"),
    ]
    assert 1 <= int(headers["retry-after"]) <= 60


def test_a_batch_that_is_over_the_limit_as_a_whole_is_told_when_to_come_back(strict):
    within_one_minute()
    batch = [pageview(new_id(), site="five.example") for _ in range(3)]
    assert strict.collect(batch).status == 202
    wrong = {"site": "five.example", "type": "pageview", "id": new_id()}
    strange = pageview(new_id(), site="nobody.example")
    status, body, headers = answer_of(strict.collect([wrong, strange, pageview(new_id(), site="five.example")]))
    assert (status, body["stored"], body["error"]["code"]) == (429, 0, "too_many_requests")
    codes = [(one["index"], one["error"]["code"]) for one in body["rejected"]]
    assert codes == [(0, "missing_field"), (1, "unknown_site"), (2, "too_many_requests")]
    assert 1 <= int(headers["retry-after"]) <= 60


def test_a_flood_from_one_address_stores_up_to_the_limit_and_all_of_it_is_in_the_books(strict):
    within_one_minute()
    answers = [strict.collect(pageview(new_id(), site="four.example")).status for _ in range(30)]
    assert answers == [202] * 3 + [429] * 27
    of_site = "site_id = (SELECT id FROM sites WHERE domain = 'four.example')"
    books = f"SELECT outcome, sum(count) FROM outcomes WHERE {of_site} GROUP BY 1 ORDER BY 1"
    eventually(lambda: rows(strict.config, books) == [("shed", 27), ("stored", 3)])
    assert len(paths(strict, "four.example")) == 3


# ── the books ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_every_event_has_one_outcome_in_the_books(shared, site):
    sent = [
        *[pageview("page-aaaa", site=site)] * 3,
        event("event-aa", "x", site=site),
        heartbeat("page-aaaa", site),
        heartbeat("not-there", site),
        leave("not-there", site),
        pageview(new_id(), site=site, url="https://evil.example/"),
        pageview(new_id(), site=site, url="mailto:x"),
    ]
    for one in sent[:4]:
        shared.collect(one)
    shared.collect(sent[4:])
    expected = Counter(
        {
            ("stored", ""): 3,
            ("duplicate", ""): 2,
            ("filtered", "unknown_pageview"): 1,
            ("filtered", "unlisted_host"): 1,
            ("rejected", "unknown_pageview"): 1,
            ("rejected", "wrong_field"): 1,
        }
    )

    def booked():
        found = rows(
            shared.config,
            "SELECT outcome, reason, SUM(count) FROM outcomes JOIN sites ON sites.id = site_id "
            f"WHERE domain = '{site}' GROUP BY 1, 2",
        )
        return Counter({(outcome, reason): int(count) for outcome, reason, count in found})

    eventually(lambda: booked() == expected)
