"""`GET /api/live/stream`: what is pushed, in which order, and that nothing is missed."""

from __future__ import annotations

import itertools
import json
import time

import pytest

from tests.support.serving import AGENT, SITE, event, eventually, listening, pageview, serving

_numbers = itertools.count(40_000_000)


def new_id():
    return f"page-{next(_numbers)}"


def bearer(server, site):
    return {"Authorization": "Bearer " + server.tell("key add", name="test", scope="stats", site=site)}


@pytest.fixture(scope="module")
def quiet(shared):
    """A stream of a site on which nothing happens, open since the first test of this module."""
    shared.tell("site add", domain="quiet.example", name="", timezone="UTC")
    with listening(shared, "site=quiet.example", bearer(shared, "quiet.example")) as listener:
        yield listener


@pytest.fixture
def reader(shared, site, quiet):
    """The headers of a person who may read the site."""
    return bearer(shared, site)


def paths(listener):
    return [message.data["path"] for message in listener.of("new_event")]


def heard(listener, count):
    """Waits for so many events and gives their paths."""
    eventually(lambda: len(paths(listener)) >= count)
    return paths(listener)


# ── what it says ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_it_is_a_stream_of_events_that_nobody_keeps(shared, site, reader):
    with listening(shared, f"site={site}", reader) as listener:
        assert listener.status == 200
        assert listener.headers["content-type"] == "text/event-stream; charset=utf-8"
        assert listener.headers["cache-control"] == "no-store, no-transform"
        assert listener.headers["x-accel-buffering"] == "no"
        assert not {"set-cookie", "access-control-allow-origin"} & listener.headers.keys()


def test_first_it_tells_who_is_here_and_what_happened_last(shared, site, reader):
    for number in range(25):
        shared.collect(
            pageview(new_id(), f"/{number}", site), {"User-Agent": AGENT.replace("140", str(100 + number % 3))}
        )
    shared.collect(pageview(new_id(), "/last", site, user_id="ada"), {"User-Agent": AGENT.replace("140", "200")})
    shared.collect(pageview(new_id(), "/last", site, user_id="ada"), {"User-Agent": AGENT.replace("140", "201")})
    with listening(shared, f"site={site}", reader) as listener:
        eventually(lambda: listener.of("stats"))
        first, second = listener.messages[:2]
    assert (first.type, second.type) == ("connected", "stats")
    assert first.data.keys() == {"currentVisitors", "uniqueVisitors", "recentEvents", "activePages", "window_s"}
    assert first.data["window_s"] == 300, "that of its numbers; the frames after it say theirs"
    assert (first.data["currentVisitors"], first.data["uniqueVisitors"]) == (5, 4)
    assert [item["path"] for item in first.data["recentEvents"]] == ["/last"] * 2 + [f"/{n}" for n in range(24, 6, -1)]
    assert first.data["activePages"] == [{"path": path, "count": 1} for path in ("/22", "/23", "/24", "/last")]


def test_stats_are_what_the_live_api_answers(shared, site, reader):
    with listening(shared, f"site={site}", reader) as listener:
        eventually(lambda: listener.of("stats"))
        shared.collect(pageview(new_id(), "/a", site, user_id="ada"))
        eventually(lambda: listener.of("stats")[-1].data["active_sessions"] == 1)
        figures = listener.of("stats")[-1].data
    asked = shared.request("GET", f"/api/live?site={site}", headers=reader).json
    assert figures | {"as_of": 0} == asked | {"as_of": 0}


def test_a_pageview_and_an_event_are_told_with_the_fields_of_the_contract(shared, site, reader):
    seen = {"user_id": "ada", "user_type": "couple", "source": "Google", "country": "", "city": ""}
    seen |= {"device": "Desktop", "browser": "Chrome"}
    before = int(time.time())
    with listening(shared, f"site={site}", reader) as listener:
        fields = {"user_id": "ada", "user_type": "couple"}
        shared.collect(pageview(new_id(), "/a", site, title="A", referrer="https://www.google.com/", **fields))
        done = {"description": "Ada paid", "user_name": "Ada", "value": 3, "currency": "EUR", "props": {"private": 1}}
        shared.collect(event(new_id(), "Purchase", "/b", site, **fields, **done))
        heard(listener, 2)
        view, deed = (message.data for message in listener.of("new_event"))
        ids = [message.id for message in listener.of("new_event")]
    own = {name: view[name] for name in ("id", "visitor_id", "timestamp")}
    assert view == seen | own | {"type": "pageview", "path": "/a", "title": "A"}
    assert before <= view["timestamp"] <= time.time()
    assert len(view["visitor_id"]) == 16
    same = {"visitor_id": view["visitor_id"], "timestamp": deed["timestamp"], "id": deed["id"]}
    details = {"name": "Purchase", "description": "Ada paid", "user_name": "Ada", "value": 3.0, "currency": "EUR"}
    assert deed == seen | same | details | {"type": "event", "path": "/b", "title": ""}
    assert ids == [view["id"], deed["id"]]


def test_neither_address_nor_user_agent_is_in_it(shared, site, reader):
    speaking = {"Authorization": "Bearer " + shared.tell("key add", name="x", scope="ingest", site=site)}
    marked = {"ip": "203.0.113.77", "user_agent": "Mozilla/5.0 (X11; Linux x86_64) Firefox/140.0 Marked-7f3a"}
    with listening(shared, f"site={site}", reader) as listener:
        shared.collect(pageview(new_id(), "/a", site, **marked), speaking)
        shared.collect(pageview(new_id(), "/b", site))
        heard(listener, 2)
        text = "\n".join(line for _, line in listener.lines)
    assert not [part for part in ("203.0.113", "Marked", "Mozilla", "127.0.0.1", AGENT) if part in text]


def test_heartbeats_and_what_is_left_out_are_no_events(shared, site, reader):
    page = new_id()
    with listening(shared, f"site={site}", reader) as listener:
        shared.collect(pageview(page, "/a", site))
        shared.collect({"site": site, "type": "heartbeat", "pageview": page})
        shared.collect(pageview(page, "/a", site))
        shared.collect(pageview(new_id(), "/robot", site), {"User-Agent": "Googlebot/2.1"})
        shared.collect(pageview(new_id(), "/z", site))
        assert heard(listener, 2) == ["/a", "/z"]


def test_every_message_has_an_id_and_frames_are_at_most_five_a_second(shared, site, reader):
    with listening(shared, f"site={site}", reader) as listener:
        eventually(lambda: listener.of("stats"))
        started, before = time.monotonic(), len(listener.of("stats"))
        for number in range(160):
            shared.collect(pageview(new_id(), f"/{number}", site), {"User-Agent": AGENT.replace("140", str(number))})
            if number % 20 == 19:
                assert heard(listener, number + 1) == [f"/{n}" for n in range(number + 1)]
        frames = len(listener.of("stats")) - before
        elapsed = time.monotonic() - started
        assert all(message.id.isdecimal() for message in listener.messages)
    assert 4 <= frames <= 5 * elapsed + 1


def test_what_happens_is_told_at_once_and_not_with_the_next_quiet_frame(shared, site, reader):
    with listening(shared, f"site={site}", reader) as listener:
        eventually(lambda: listener.of("stats"))
        waits = []
        for number in range(5):
            started = time.monotonic()
            shared.collect(pageview(new_id(), f"/{number}", site))
            heard(listener, number + 1)
            waits.append(time.monotonic() - started)
    assert sorted(waits)[2] < 5


def test_another_site_is_not_in_it(shared, site, other_site, reader):
    with listening(shared, f"site={site}", reader) as listener:
        shared.collect([pageview(new_id(), "/other", other_site), pageview(new_id(), "/own", site)])
        assert heard(listener, 1) == ["/own"]


CROWD = {
    "name": "Crowd",
    "when": {"metric": "active_sessions", "above": 0, "for_s": 0},
    "notify": {"priority": "high", "title": "{rule}: {value}", "severity": "critical"},
}


def test_open_alerts_come_at_the_beginning_and_at_each_change_but_not_for_a_card(shared, site, reader):
    line = shared.tell("embed add", site=site, hosts=["panel.example"], expires="1d")
    token = line.split("token=")[1].split('"')[0]
    with listening(shared, f"site={site}", reader) as listener, listening(shared, f"token={token}") as card:
        eventually(lambda: len(listener.of("alerts")) == 1)
        added = shared.tell("rule add", site=site, definition=json.dumps(CROWD))
        shared.collect(pageview(new_id(), "/a", site))
        eventually(lambda: len(listener.of("alerts")) == 2)
        opened = shared.request("GET", f"/api/live/metrics?site={site}", headers=reader).json["alerts"]
        shared.tell("rule remove", rule_id=int(added.split()[1].strip(",")))
        eventually(lambda: len(listener.of("alerts")) == 3)
        assert [one.data for one in listener.of("alerts")] == [[], opened, []]
        assert [(one["severity"], one["message"]) for one in opened] == [("critical", "Crowd: 1")]
        assert [one.type for one in listener.messages[:1]] == ["connected"]
        assert card.of("alerts") == []


# ── coming back ──────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("by", ["header", "address"])
def test_who_comes_back_gets_what_was_missed_in_order_and_once(shared, site, reader, by):
    with listening(shared, f"site={site}", reader) as listener:
        shared.collect(pageview(new_id(), "/heard", site))
        heard(listener, 1)
        last_id = listener.messages[-1].id
    for number in range(3):
        shared.collect(pageview(new_id(), f"/missed-{number}", site))
    query, headers = (f"site={site}", reader | {"Last-Event-ID": last_id})
    if by == "address":
        query, headers = (f"site={site}&last_event_id={last_id}", reader)
    with listening(shared, query, headers) as listener:
        heard(listener, 3)
        shared.collect(pageview(new_id(), "/after", site))
        assert heard(listener, 4) == ["/missed-0", "/missed-1", "/missed-2", "/after"]


def test_while_others_are_listening_nothing_is_missed_or_told_twice(shared, site, reader):
    """The one who comes back joins in the middle of a frame."""
    with listening(shared, f"site={site}", reader) as steady:
        shared.collect(pageview(new_id(), "/0", site))
        heard(steady, 1)
        last_id = steady.messages[-1].id
        for number in range(1, 40):
            shared.collect(pageview(new_id(), f"/{number}", site))
            if number % 8 == 0:
                with listening(shared, f"site={site}", reader | {"Last-Event-ID": last_id}) as again:
                    assert heard(again, number) == [f"/{n}" for n in range(1, len(paths(again)) + 1)]
        assert heard(steady, 40) == [f"/{n}" for n in range(40)]


def test_after_a_restart_too(config):
    with serving(config) as server:
        server.tell("site add", domain=SITE, name="", timezone="UTC")
        headers = bearer(server, SITE)
        with listening(server, f"site={SITE}", headers) as listener:
            server.collect(pageview(new_id(), "/heard", SITE))
            heard(listener, 1)
            last_id = listener.messages[-1].id
            server.collect(pageview(new_id(), "/missed", SITE))
            heard(listener, 2)
            assert server.stop() == 0
            assert listener.ended.wait(20)
    with (
        serving(config) as server,
        listening(server, f"site={SITE}", headers | {"Last-Event-ID": last_id}) as listener,
    ):
        server.collect(pageview(new_id(), "/after", SITE))
        assert heard(listener, 2) == ["/missed", "/after"]
        assert [item["path"] for item in listener.of("connected")[0].data["recentEvents"]][-1] == "/heard"
        assert listener.of("connected")[0].data["uniqueVisitors"] == 1


@pytest.mark.parametrize("last_id", ["0", "-1", "x", "9" * 19, "9" * 30, "1' OR 1=1--", "%00", "\xff"])
def test_an_id_that_was_never_given_does_no_harm(shared, site, reader, last_id):
    shared.collect(pageview(new_id(), "/before", site))
    with listening(shared, f"site={site}", reader | {"Last-Event-ID": last_id}) as listener:
        eventually(lambda: listener.of("stats"))
        shared.collect(pageview(new_id(), "/after", site))
        eventually(lambda: "/after" in paths(listener))
        assert paths(listener) in (["/after"], ["/before", "/after"])


# ── its end ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_cards_stream_ends_when_its_token_is_revoked(shared, site):
    line = shared.tell("embed add", site=site, hosts=["panel.example"], expires="1d")
    token = line.partition("token=")[2].partition('"')[0]
    with listening(shared, f"token={token}") as listener:
        eventually(lambda: listener.of("stats"))
        number = shared.tell("embed list").splitlines()[-1].split()[0]
        shared.tell("embed revoke", embed_id=int(number))
        assert listener.ended.wait(20)
    assert shared.request("GET", f"/api/live/stream?token={token}").status == 404


def test_a_persons_streams_end_when_their_login_does(shared, site):
    email, password = f"{site}@people.example", "correct horse battery"
    shared.tell("user add", email=email, role="viewer", password=password)
    signed_out, reset = shared.sign_in(email, password), shared.sign_in(email, password)
    with (
        listening(shared, f"site={site}", {"Cookie": signed_out}) as first,
        listening(shared, f"site={site}", {"Cookie": reset}) as second,
    ):
        eventually(lambda: first.of("stats") and second.of("stats"))
        shared.request("POST", "/sign-out", headers={"Cookie": signed_out})
        assert first.ended.wait(20)
        assert not second.ended.is_set()
        shared.tell("user reset", email=email, password=password)
        assert second.ended.wait(20)


def test_the_streams_of_a_site_end_when_it_is_removed(shared, site, other_site):
    """At once, and not with the next tidying up, a minute later."""
    key = bearer(shared, other_site)
    with (
        listening(shared, f"site={site}", bearer(shared, site)) as ending,
        listening(shared, f"site={other_site}", key) as staying,
    ):
        eventually(lambda: ending.of("stats") and staying.of("stats"))
        shared.tell("site remove", domain=site)
        assert ending.ended.wait(20)
        shared.collect(pageview(new_id(), "/still", other_site))
        assert heard(staying, 1) == ["/still"]


def test_a_persons_stream_ends_when_their_role_on_the_site_does(shared, site, other_site):
    email, password = f"{site}@people.example", "correct horse battery"
    shared.tell("user add", email=email, role="viewer", password=password, on=[site, other_site])
    login = {"Cookie": shared.sign_in(email, password)}
    with listening(shared, f"site={site}", login) as lost, listening(shared, f"site={other_site}", login) as kept:
        eventually(lambda: lost.of("stats") and kept.of("stats"))
        shared.tell("user set", email=email, role="none", on=[site])
        assert lost.ended.wait(4)
        assert not kept.ended.is_set()
    assert shared.request("GET", f"/api/live/stream?site={site}", headers=login).status == 404


def test_two_hundred_readers_come_and_go_and_the_next_is_served(shared, site, reader):
    for _ in range(200):
        with shared.connect() as connection:
            connection.sendall(f"GET /api/live/stream?site={site} HTTP/1.1\r\nHost: x\r\n".encode())
            connection.sendall(f"Authorization: {reader['Authorization']}\r\n\r\n".encode())
    with listening(shared, f"site={site}", reader) as listener:
        shared.collect(pageview(new_id(), "/a", site))
        assert "/a" in heard(listener, 1)


def test_a_quiet_stream_says_something_at_least_every_30_seconds(quiet):
    """The last of this module: most of the time has passed already. What the hub intends are 10 s."""
    comments = [at for at, line in quiet.lines if line.startswith(":")]
    eventually(lambda: sum(line.startswith(":") for _, line in quiet.lines) > len(comments), within=30)
    assert not quiet.ended.is_set()
