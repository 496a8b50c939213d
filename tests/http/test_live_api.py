"""`GET /api/live`: who is active now, who counts as one person, and who may know it."""

from __future__ import annotations

import itertools
import time

import pytest
from house import NOW, open_house

from analytics.access import api_keys
from analytics.base.config import Config
from tests.support.serving import AGENT, event, eventually, heartbeat, leave, pageview, rows, serving

PASSWORD = "correct horse battery"
_numbers = itertools.count(30_000_000)


def new_id():
    return f"page-{next(_numbers)}"


def bearer(server, scope, site):
    return {"Authorization": "Bearer " + server.tell("key add", name="test", scope=scope, site=site)}


@pytest.fixture
def live(shared, site):
    """Asks for the live state of the site, without its moment."""
    headers = bearer(shared, "stats", site)

    def ask():
        answer = shared.request("GET", f"/api/live?site={site}", headers=headers)
        assert answer.status == 200, answer
        return {name: value for name, value in answer.json.items() if name not in ("as_of", "window_s")}

    return ask


@pytest.fixture
def visit(shared, site):
    """Opens a page in a browser of that number and gives its id; events of that browser may follow."""

    def send(browser, path="/", page=None, **fields):
        sent = page or pageview(new_id(), path, site)
        answer = shared.collect(sent | fields, {"User-Agent": AGENT.replace("140", str(100 + browser))})
        assert answer.json == {"stored": 1, "duplicate": 0}, answer
        return sent.get("id")

    return send


def state(active, signed_in=0, **pages):
    """What `/api/live` answers, but for its moment."""
    return {
        "active_sessions": active,
        "authenticated_users": signed_in,
        "anonymous_sessions": active - signed_in,
        "top_pages": [{"path": f"/{path}", "count": count} for path, count in pages.items()],
    }


# ── what it says ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_answer_has_the_fields_of_the_contract_and_no_others(shared, site):
    before = int(time.time())
    shared.collect(pageview(new_id(), "/a", site))
    answer = shared.request("GET", f"/api/live?site={site}", headers=bearer(shared, "stats", site))
    as_of = answer.json["as_of"]
    assert (answer.status, answer.json) == (200, state(1, a=1) | {"window_s": 60, "as_of": as_of})
    assert before <= as_of <= time.time()
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["cache-control"] == "no-store"
    assert not {"set-cookie", "access-control-allow-origin"} & answer.headers.keys()


def test_nobody_is_there_before_the_first_visit(live):
    assert live() == state(0)


def test_the_five_pages_with_the_most_people_come_first_then_by_name(live, visit):
    for browser, path in enumerate("aabbbcdefg"):
        visit(browser, f"/{path}")
    assert live() == state(10, b=3, a=2, c=1, d=1, e=1)


def test_each_kind_of_event_is_a_beat(shared, site, live, visit):
    visit(1, "/a", event(new_id(), "Sign-up", "/a", site))
    visit(2, "/b", heartbeat(new_id(), site, url=f"https://{site}/b"))
    assert live() == state(2, a=1, b=1)


# ── who is one person ────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_visitor_on_several_tabs_counts_once_on_the_page_seen_last(shared, site, live, visit):
    first, second = visit(1, "/a"), visit(1, "/b")
    assert live() == state(1, b=1)
    visit(1, page=heartbeat(first, site))
    assert live() == state(1, a=1)
    visit(1, page=leave(first, site))
    assert live() == state(1, b=1)
    visit(1, page=leave(second, site))
    assert live() == state(0)


def test_the_next_page_takes_the_place_of_the_one_that_was_left(shared, site, live, visit):
    first = visit(1, "/a")
    visit(1, page=leave(first, site))
    visit(1, "/b")
    assert live() == state(1, b=1)


def test_a_signed_in_person_counts_once_in_all_browsers(live, visit):
    visit(1, "/a", user_id="ada")
    visit(2, "/b", user_id="ada")
    visit(3, "/c", user_id="bob")
    visit(4, "/d")
    assert live() == state(3, signed_in=2, b=1, c=1, d=1)


def test_signed_in_or_not_is_what_the_latest_beat_says(shared, site, live, visit):
    page = visit(1, "/a")
    seen = [live()]
    for user in ("ada", None, "ada", "bob"):
        visit(1, page=heartbeat(page, site, user_id=user))
        seen.append(live())
    assert seen == [state(1, a=1), state(1, 1, a=1), state(1, a=1), state(1, 1, a=1), state(1, 1, a=1)]


def test_another_site_has_people_of_its_own(shared, site, other_site, live, visit):
    visit(1, "/a")
    shared.collect(pageview(new_id(), "/b", other_site))
    assert live() == state(1, a=1)


def test_who_has_not_beaten_for_the_window_is_gone_and_a_beat_brings_them_back(shared, site, live, visit):
    speaking = bearer(shared, "ingest", site)
    now = time.time()
    long_ago, soon_gone = (pageview(new_id(), f"/{path}", site, time=now - ago) for path, ago in (("a", 61), ("b", 58)))
    for sent, browser in ((long_ago, 1), (soon_gone, 2)):
        agent = {"user_agent": AGENT.replace("140", str(100 + browser))}
        assert shared.collect(sent | agent, speaking).status == 202
    assert live() == state(1, b=1)
    eventually(lambda: live() == state(0))
    visit(2, page=heartbeat(soon_gone["id"], site))
    assert live() == state(1, b=1)


def test_a_doubled_or_late_beat_changes_nothing(shared, site, live, visit):
    page = visit(1, "/a")
    visit(1, "/b")
    shared.collect(pageview(page, "/a", site), {"User-Agent": AGENT.replace("140", "101")})
    assert live() == state(1, b=1)


@pytest.mark.parametrize("together", [False, True])
def test_a_heartbeat_that_comes_after_its_leave_brings_nobody_back(shared, site, live, visit, together):
    page = visit(1, "/a")
    late = [leave(page, site, engaged_ms=5_000), heartbeat(page, site, engaged_ms=9_000, scroll=50)]
    for sent in [late] if together else late:
        assert shared.collect(sent, {"User-Agent": AGENT.replace("140", "101")}).json["stored"] in (1, 2)
    assert live() == state(0)
    asked = "SELECT engaged_ms, scroll FROM pageviews t JOIN sites ON sites.id = t.site_id WHERE domain = '{}'"
    assert rows(shared.config, asked.format(site)) == [(9_000, 50)]


def test_not_after_a_restart_of_the_server_either(config):
    with serving(config) as server:
        server.tell("site add", domain="example.com", name="", timezone="UTC")
        for sent in (pageview("page-0001", "/a"), leave("page-0001")):
            assert server.collect(sent).status == 202
        assert server.stop() == 0
    with serving(config) as server:
        headers = bearer(server, "stats", "example.com")
        answer = server.collect(heartbeat("page-0001", engaged_ms=7_000))
        assert (answer.status, answer.json) == (202, {"stored": 1, "duplicate": 0})
        live = server.request("GET", "/api/live?site=example.com", headers=headers).json
        assert (live["active_sessions"], live["top_pages"]) == (0, [])
        assert rows(config, "SELECT engaged_ms FROM pageviews") == [(7_000,)]


# ── who may read ─────────────────────────────────────────────────────────────────────────────────────────────────────

ROUTES = ("/api/live", "/api/live/stream")


def refused(server, path, headers=None):
    """Status and code of a refusal, which tells nothing else."""
    answer = server.request("GET", path, headers=headers)
    assert "access-control-allow-origin" not in answer.headers
    assert answer.json.keys() == {"error"}
    return answer.status, answer.json["error"]["code"]


@pytest.mark.parametrize("route", ROUTES)
def test_a_stranger_is_asked_to_sign_in(shared, site, route):
    wrong_headers = (
        {},
        {"Authorization": "Bearer ff_" + "x" * 32},
        {"Authorization": "Bearer "},
        {"Authorization": "Basic eDp5"},
        {"Cookie": "footfall_login=" + "x" * 43},
        {"Cookie": "\xff=;;;,"},
        bearer(shared, "ingest", site),
    )
    for headers in wrong_headers:
        assert refused(shared, f"{route}?site={site}", headers) == (401, "sign_in")
    assert refused(shared, f"{route}?site=nowhere.example") == (401, "sign_in")


@pytest.mark.parametrize("route", ROUTES)
def test_a_sites_key_opens_that_site_and_no_other(shared, site, other_site, route):
    headers = bearer(shared, "stats", site)
    for wrong in (f"?site={other_site}", "?site=nowhere.example", "?site=", "", "?site=%00%ff"):
        assert refused(shared, route + wrong, headers) == (404, "not_found")


def test_keys_of_every_site_and_admin_keys_may_read(shared, site):
    for scope, of_site in (("stats", None), ("stats", site), ("admin", None)):
        answer = shared.request("GET", f"/api/live?site={site}", headers=bearer(shared, scope, of_site))
        assert answer.status == 200


@pytest.mark.parametrize("route", ROUTES)
def test_a_card_token_opens_its_site_and_no_other(shared, site, other_site, route):
    line = shared.tell("embed add", site=site, hosts=["panel.example"], expires="1d")
    token = line.partition("token=")[2].partition('"')[0]
    for wrong in (f"site={other_site}&token={token}", f"site={site}&token={token}x", f"site={site}&token=fe_"):
        assert refused(shared, f"{route}?{wrong}") == (404, "not_found")
    if route == "/api/live":
        for right in (f"token={token}", f"site={site}&token={token}"):
            assert shared.request("GET", f"{route}?{right}").json["active_sessions"] == 0
    assert refused(shared, f"{route}?site={site}", {"Authorization": f"Bearer {token}"}) == (401, "sign_in")


def test_who_is_signed_in_may_read_until_they_sign_out_or_are_reset(shared, site, other_site):
    email = f"{site}@people.example"
    shared.tell("user add", email=email, role="viewer", password=PASSWORD)

    def reads(cookie, domain=site):
        return shared.request("GET", f"/api/live?site={domain}", headers={"Cookie": cookie}).status

    first, second, third = (shared.sign_in(email, PASSWORD) for _ in range(3))
    assert [reads(first), reads(second), reads(third)] == [200, 200, 200]
    assert [reads(first, other_site), reads(first, "nowhere.example")] == [200, 404]
    shared.request("POST", "/sign-out", headers={"Cookie": first})
    assert reads(first) == 401
    assert reads(second) == 200
    shared.tell("user reset", email=email, password=PASSWORD)
    assert [reads(second), reads(third)] == [401, 401]


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "OPTIONS"])
@pytest.mark.parametrize("route", ROUTES)
def test_there_is_nothing_to_write(shared, route, method):
    answer = shared.request(method, route)
    assert (answer.status, answer.headers["allow"]) == (405, "GET" if route.endswith("stream") else "GET, HEAD")


def test_when_too_many_streams_are_open_one_more_is_told_when_to_come_back(tmp_path, monkeypatch):
    monkeypatch.setattr("collector.api.live.MAX_STREAMS", 0)
    with open_house(Config(data_dir=tmp_path)) as house:
        key = api_keys.add(house.service.database, "reader", "stats", house.add_site("example.com"), now=NOW)
        house.service.refresh()
        reader = house.app.server.test_client()
        answer = reader.get("/api/live/stream?site=example.com", headers={"Authorization": f"Bearer {key}"})
    assert (answer.status_code, answer.json["error"]["code"]) == (503, "too_many_streams")
    assert answer.headers["Retry-After"] == "30"
