"""FOOTFALL_BASE_URL with a path: what answers below it, and what every answer names."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urljoin

import pytest
from doorway import CALL, NOW, PAGE, doorway
from house import CALLS, House, open_house

from analytics.access import accounts
from analytics.base.config import Config
from callbacks.gate import gate
from callbacks.table import PAGES
from tests.support.serving import AGENT, SITE, Server, listening, pageview, serving

BASE = "https://example.com/stats"
LEADING = re.compile(r'(?:href|src|action|data-stream|data-address)(?:=|":)"(/[^"]*)')


@pytest.fixture(scope="module")
def server(tmp_path_factory) -> Iterator[Server]:
    with serving(Config(data_dir=tmp_path_factory.mktemp("data")), FOOTFALL_BASE_URL=BASE) as running:
        running.command("site", "add", SITE)
        yield running


# ── where routes are found ───────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/healthz", 200),
        ("/js/footfall.js", 200),
        (f"/pixel.gif?site={SITE}&url=https://{SITE}/", 200),
        ("/api/openapi.json", 200),
        ("/api/docs", 200),
        (f"/api/live?site={SITE}", 401),
        (f"/api/live/stream?site={SITE}", 401),
        ("/embed/live?token=x", 404),
        ("/embed/card.woff2", 200),
        ("/assets/css/footfall.css", 200),
        ("/sign-in", 200),
        ("/", 302),
        (f"/live/{SITE}", 302),
        ("/_dash-layout", 401),
    ],
)
def test_a_proxy_may_pass_the_path_on_or_take_it_away(server, path, status):
    passed_on, taken_away = (server.request("GET", one, headers=PAGE) for one in (f"/stats{path}", path))
    assert (passed_on.status, taken_away.status) == (status, status)
    assert passed_on.headers.get("location") == taken_away.headers.get("location")


def test_without_a_slash_it_is_the_first_page(server):
    answer = server.request("GET", "/stats", headers=PAGE)
    assert (answer.status, answer.headers["location"]) == (302, "/stats/sign-in")


@pytest.mark.parametrize("path", ["/statsx/healthz", "/Stats/healthz", "/stats/stats/healthz"])
def test_what_only_looks_like_it_is_not_below_it(server, path):
    assert server.request("GET", path).status in (401, 404)


@pytest.mark.parametrize("before", ["/stats", ""])
def test_the_collector_answers_below_it_and_beside_it(server, before):
    headers = {"Content-Type": "text/plain", "User-Agent": "Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0"}
    sent = json.dumps(pageview(f"page-below{before.replace('/', '-')}", "/stats/of/the/site"))
    answer = server.request("POST", f"{before}/api/collect", sent, headers)
    assert (answer.status, answer.json) == (202, {"stored": 1, "duplicate": 0})
    assert server.request("POST", f"{before}/api/collect", b" " * 65_537, headers).status == 413
    preflight = server.request("OPTIONS", f"{before}/api/collect", headers={"Origin": "https://a.example"})
    assert (preflight.status, preflight.headers["access-control-allow-origin"]) == (204, "*")


def test_the_script_sends_to_the_collector_beside_it(server):
    script = server.request("GET", "/stats/js/footfall.js").body
    (collector,) = re.findall(rb'new \w+\("([^"]+/api/collect)"', script)
    assert (
        urljoin("https://example.com/stats/js/footfall.js", collector.decode())
        == "https://example.com/stats/api/collect"
    )


def test_slashes_too_many_lead_to_the_same_route(server):
    assert server.request("GET", "//stats///healthz").status == 200


def test_the_stream_runs_below_it(server):
    key = server.command("key", "add", "reader", "--scope", "stats", "--site", SITE)
    with listening(server, f"site={SITE}", {"Authorization": f"Bearer {key}"}) as listener:
        assert listener.status == 200


def test_the_description_of_the_api_names_it(server):
    document = server.request("GET", "/stats/api/openapi.json").json
    assert document["servers"] == [{"url": "/stats"}]


def test_a_path_that_looks_like_one_of_ours_works_where_it_is_passed_on_and_the_log_says_so(tmp_path):
    with serving(Config(data_dir=tmp_path), FOOTFALL_BASE_URL="https://example.com/live") as server:
        server.command("site", "add", SITE)
        moved = server.request("GET", f"/live/live/{SITE}", headers=PAGE)
        assert (moved.status, moved.headers["location"]) == (302, f"/live/sign-in?next=/live/live/{SITE}")
        assert server.request("GET", "/live/healthz").status == 200
        assert [line for line in server.errors if "the proxy has to pass /live on" in line]


# ── what commands print ──────────────────────────────────────────────────────────────────────────────────────────────


def test_every_line_that_is_printed_names_the_whole_address(server):
    embed = server.command("embed", "add", "--site", SITE, "--host", "panel.example.com")
    invited = server.command("user", "invite", "--role", "viewer", "--site", SITE)
    added = server.command("site", "add", "second.example")
    assert f'src="{BASE}/embed/live?token=' in embed
    assert f"{BASE}/invitation?token=" in invited
    assert f'src="{BASE}/js/footfall.js"' in added
    assert [line for line in server.lines if f"{BASE}/setup?token=" in line]
    token = embed.split("token=")[1].split('"')[0]
    card = server.request("GET", f"/stats/embed/live?token={token}").body.decode()
    assert '"stream":"/stats/api/live/stream?site=' in card
    assert "url(/stats/embed/card.woff2)" in card


# ── what pages name ──────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.fixture
def house(tmp_path) -> Iterator[House]:
    with open_house(Config(data_dir=tmp_path, base_url="http://localhost/stats")) as house:
        house.app.server.config["APPLICATION_ROOT"] = "/stats"  # where the test's browsers think it is
        house.add_site(SITE)
        house.add_site("second.example")
        yield house


def leading(page: str) -> list[str]:
    """The addresses on this host that a page, or what a call draws, leads to or loads."""
    return LEADING.findall(page.replace("\\u002f", "/"))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.address)
def test_every_page_of_the_dashboard_leads_below_it_alone(house, page):
    owner = house.join("owner@example.com", "owner")
    drawn = house.drawn(owner, "/stats" + page.address.replace("<domain>", SITE))
    named = leading(drawn)
    assert len(named) > 8
    assert [one for one in named if not one.startswith("/stats/")] == []
    assert "Page not found" not in drawn


def test_links_of_notifications_begin_with_it(house):
    drawn = json.loads(house.drawn(house.join("owner@example.com", "owner"), f"/stats/live/{SITE}"))
    assert [one["props"]["base_path"] for one in components(drawn, "Bell")] == ["/stats"]


def components(drawn: Any, kind: str) -> list[Any]:
    """The components of that kind in what a call draws."""
    inner = drawn.values() if isinstance(drawn, dict) else drawn if isinstance(drawn, list) else ()
    own = [drawn] if isinstance(drawn, dict) and drawn.get("type") == kind else []
    return own + [found for one in inner for found in components(one, kind)]


def test_the_frame_loads_everything_from_below_it(house):
    owner = house.join("owner@example.com", "owner")
    frame = owner.get("/").text
    named = leading(frame)
    assert len(named) > 14
    assert [one for one in named if not one.startswith("/stats/")] == []


@pytest.mark.parametrize("path", ["/sign-in", "/api/docs", "/nowhere", "/invitation?token={invited}"])
def test_the_pages_without_dash_too(house, path):
    owner = house.join("owner@example.com", "owner")
    invited = house.send(owner, "invite", "", role="viewer") if "invited" in path else {}
    token = json.dumps(invited).partition("token=")[2].partition('"')[0]
    shown = house.app.server.test_client().get(path.format(invited=token), headers=PAGE)
    page = shown if shown.status_code != 302 else owner.get(path, headers=PAGE)
    named = leading(page.text)
    assert len(named) > 4
    assert [one for one in named if not one.startswith("/stats/")] == []


def test_another_wsgi_server_takes_both_ways_too(house):
    house.app.server.config["APPLICATION_ROOT"] = "/"
    browser = house.app.server.test_client()
    for path in ("/sign-in", "/healthz", "/js/footfall.js", "/assets/css/footfall.css"):
        assert (browser.get(path).status_code, browser.get("/stats" + path).status_code) == (200, 200)
    for n, before in enumerate(("", "/stats")):
        answer = browser.post(f"{before}/api/collect", json=pageview(f"page-wsgi-{n}"), headers={"User-Agent": AGENT})
        assert answer.status_code == 202
    assert browser.get("/stats/", headers=PAGE).headers["Location"] == "/stats/sign-in"


# ── who is believed ──────────────────────────────────────────────────────────────────────────────────────────────────


def status(client, origin, page=None):
    given = {"Origin": origin} | ({"Referer": page} if page else {})
    return client.post("/sign-out", headers={**given, "Host": "example.com"}).status_code


def test_the_origin_is_the_address_without_its_path(database):
    client = doorway(database, base_url=BASE).client()
    assert [status(client, origin) for origin in ("https://example.com", BASE, "https://evil.example")] == [
        302,
        403,
        403,
    ]


@pytest.mark.parametrize(
    ("page", "wanted"),
    [
        (f"{BASE}/account", 302),
        (f"{BASE}/", 302),
        (BASE, 302),
        (f"{BASE}?a=b", 302),
        ("https://example.com/", 403),
        ("https://example.com/guestbook", 403),
        ("https://example.com/statsx/", 403),
        ("https://example.com/guestbook?/stats/", 403),
        (None, 302),  # some browsers name no page
        ("http://[", 302),
    ],
)
def test_a_form_on_another_page_of_the_host_is_foreign(database, page, wanted):
    assert status(doorway(database, base_url=BASE).client(), "https://example.com", page) == wanted


def test_the_login_s_cookie_goes_to_no_page_beside_the_path(database):
    accounts.add_person(database, "ada@example.com", "owner", "correct horse", now=NOW)
    client = doorway(database, base_url=BASE).client()
    answer = client.post("/sign-in", data={"email": "ada@example.com", "password": "correct horse"})
    name, *flags = answer.headers["Set-Cookie"].split("; ")
    assert name.startswith("__Secure-footfall=")
    assert {"Secure", "HttpOnly", "Path=/stats", "SameSite=Lax"} <= set(flags)
    assert not [flag for flag in flags if flag.startswith("Domain")]
    assert answer.headers["Location"] == "/stats/"
    gone = client.post("/sign-out").headers
    assert gone["Location"] == "/stats/sign-in"
    assert "Path=/stats" in gone["Set-Cookie"].split("; ")


def test_how_long_browsers_keep_to_https_is_left_to_the_host_s_owner(server):
    answers = [server.request("GET", path) for path in ("/stats/sign-in", "/stats/js/footfall.js", "/stats/healthz")]
    assert [answer.headers.get("strict-transport-security") for answer in answers] == [None] * 3


@pytest.mark.parametrize(
    ("wanted", "leads_to"),
    [
        ("/stats/live/example.com", "/stats/live/example.com"),
        ("/stats/live/example.com?wall=1", "/stats/live/example.com?wall=1"),
        ("/stats", "/stats/"),
        ("/stats?a=b", "/stats/?a=b"),
        ("/live/example.com", "/stats/"),
        ("/statsx", "/stats/"),
        ("/stats//evil.example", "/stats/"),
        ("/stats/../admin", "/stats/"),
        ("/stats/%2e%2e/admin", "/stats/"),
        ("/stats/live/..%2f..%2fadmin", "/stats/"),
        ("//evil.example/stats", "/stats/"),
        ("https://evil.example/stats", "/stats/"),
        ("/stats/sign-in", "/stats/"),
        ("/stats/sign-out", "/stats/"),
        ("", "/stats/"),
    ],
)
def test_nobody_is_led_out_of_it_after_signing_in(wanted, leads_to):
    assert gate.local_path(wanted, BASE) == leads_to


def test_calls_are_checked_below_it(database):
    client = doorway(database, base_url=BASE, public=True).client()
    sent = {"Origin": "https://example.com", "Host": "example.com"}
    assert client.post(CALLS, json=CALL, headers=sent).status_code == 200
    assert client.post(CALLS, json=CALL, headers=sent | {"Referer": "https://example.com/blog"}).status_code == 403
