"""`/metrics`: who may read it, what it says, and that no stranger can make it longer."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4

import pytest
from house import House, open_house
from prometheus_client.parser import text_string_to_metric_families

from analytics.access import api_keys
from analytics.base.config import Config
from collector.api import statistics
from collector.doors.table import PATHS
from tests.support.serving import Server, eventually, listening, pageview, serving

SITE = "example.com"
STRANGER = "203.0.113.9"


@pytest.fixture(scope="module")
def server(tmp_path_factory) -> Iterator[Server]:
    """A server behind a trusted proxy on this machine."""
    config = Config(data_dir=tmp_path_factory.mktemp("data"))
    with serving(config, FOOTFALL_TRUSTED_PROXIES="127.0.0.1") as server:
        server.tell("site add", domain=SITE, name="", timezone="UTC")
        yield server


@pytest.fixture(scope="module")
def house(tmp_path_factory) -> Iterator[House]:
    """The application behind another WSGI server, whose peers a test chooses."""
    with open_house(Config(data_dir=tmp_path_factory.mktemp("data"))) as house:
        house.add_site(SITE)
        yield house


def key_of(server: Server, scope: str, site: str = "") -> dict[str, str]:
    return {"Authorization": f"Bearer {server.tell('key add', name='prometheus', scope=scope, site=site or None)}"}


Samples = dict[tuple[str, tuple[str, ...]], float]


def samples(text: str) -> Samples:
    """Every sample: its name with the values of its labels."""
    families = text_string_to_metric_families(text)
    return {(one.name, tuple(one.labels.values())): one.value for family in families for one in family.samples}


def read(server: Server) -> Samples:
    return samples(server.request("GET", "/metrics").body.decode())


def grown(before: Samples, after: Samples, name: str, *labels: str) -> float:
    return after.get((name, labels), 0) - before.get((name, labels), 0)


# ── who may read it ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_program_on_this_machine_reads_it_in_the_text_format(server):
    answer = server.request("GET", "/metrics")
    assert (answer.status, answer.headers["content-type"]) == (200, "text/plain; version=0.0.4; charset=utf-8")
    assert answer.headers["cache-control"] == "no-store"
    assert server.request("HEAD", "/metrics").status == 200


@pytest.mark.parametrize(
    "header",
    [
        {"X-Forwarded-For": STRANGER},
        {"X-Forwarded-For": "127.0.0.1"},
        {"Forwarded": "for=127.0.0.1"},
        {"X-Real-IP": "127.0.0.1"},
        {"Via": "1.1 proxy"},
        {"Host": "stats.example.com"},
        {"Host": "localhost.example.com:8050"},
    ],
)
def test_a_proxy_and_a_browsers_page_need_a_key(server, header):
    refused = server.request("GET", "/metrics", headers=header)
    assert (refused.status, refused.json["error"]["code"]) == (401, "unauthorized")
    assert server.request("GET", "/metrics", headers=header | key_of(server, "stats")).status == 200


def test_the_key_is_one_of_the_scope_stats_for_every_site(server):
    proxied = {"X-Forwarded-For": STRANGER}
    allowed = {
        (scope, site): server.request("GET", "/metrics", headers=proxied | key_of(server, scope, site)).status
        for scope in api_keys.SCOPES
        for site in ("", SITE)
    }
    assert [key for key, status in allowed.items() if status == 200] == [("stats", ""), ("admin", "")]
    assert set(allowed.values()) == {200, 401}
    assert server.request("GET", "/metrics", headers={"Authorization": "Bearer ff_wrong"} | proxied).status == 401


@pytest.mark.parametrize(
    ("peer", "host", "status"),
    [
        ("127.0.0.1", "127.0.0.1:8050", 200),
        ("127.0.0.9", "localhost", 200),
        ("::1", "[::1]:8050", 200),
        ("::ffff:127.0.0.1", "localhost:8050", 200),
        (STRANGER, "localhost", 401),
        ("10.0.0.7", "10.0.0.1:8050", 401),
        ("::ffff:10.0.0.7", "localhost", 401),
    ],
)
def test_a_machine_is_told_by_the_peer(house, peer, host, status):
    client = house.app.server.test_client()
    assert client.get("/metrics", environ_base={"REMOTE_ADDR": peer}, headers={"Host": host}).status_code == status


# ── what it says ─────────────────────────────────────────────────────────────────────────────────────────────────────


def test_requests_are_counted_and_timed_by_route(server):
    before = read(server)
    for _ in range(3):
        server.collect(pageview(uuid4().hex, site=SITE))
    server.collect(b"{")
    server.request("GET", "/sign-in")
    after = read(server)
    assert grown(before, after, "footfall_requests_total", "/api/collect", "202") == 3
    assert grown(before, after, "footfall_requests_total", "/api/collect", "400") == 1
    assert grown(before, after, "footfall_requests_total", "/sign-in", "200") == 1
    assert grown(before, after, "footfall_request_seconds_count", "/api/collect") == 4
    assert grown(before, after, "footfall_request_seconds_bucket", "+Inf", "/api/collect") == 4
    assert 0 < grown(before, after, "footfall_request_seconds_sum", "/api/collect") < 40


def test_outcomes_of_events_are_counted(server):
    before = read(server)
    event = pageview(uuid4().hex, site=SITE)
    for sent in (event, event, pageview(uuid4().hex, site="nowhere.example")):
        server.collect(sent)
    after = read(server)
    while not grown(before, after, "footfall_events_total", "rejected", "unknown_site"):  # within a second
        after = read(server)
    assert grown(before, after, "footfall_events_total", "stored", "") == 1
    assert grown(before, after, "footfall_events_total", "duplicate", "") == 1


def test_the_state_of_the_server_is_there(server):
    found = read(server)
    assert found["footfall_writer_works", ()] == 1
    assert found["footfall_writer_waiting", ()] == 0
    assert found["footfall_streams", ()] == 0
    assert found["footfall_notification_streams", ()] == 0
    assert (found["footfall_deliveries_waiting", ()], found["footfall_deliveries_oldest_seconds", ()]) == (0, 0)
    assert {key: value for key, value in found.items() if key[0] == "footfall_alerts_open"} == {
        ("footfall_alerts_open", (severity,)): 0 for severity in ("info", "warning", "error", "critical")
    }
    assert 0 <= found["footfall_replica_behind_seconds", ()] < 60
    assert found["process_resident_memory_bytes", ()] > 1_000_000


def test_streams_of_notifications_are_counted_apart(server):
    server.tell("user add", email="bo@example.com", role="owner", password="correct horse battery")
    cookie = {"Cookie": server.sign_in("bo@example.com", "correct horse battery")}
    with (
        listening(server, "", cookie, "/api/notifications/stream") as bell,
        listening(server, f"site={SITE}", cookie) as live,
    ):
        eventually(lambda: bell.of("connected") and live.of("connected"))
        found = read(server)
        assert (found["footfall_notification_streams", ()], found["footfall_streams", ()]) == (1, 1)
    eventually(lambda: read(server)["footfall_notification_streams", ()] == 0)


def test_ten_programs_that_ask_the_same_at_once_cause_one_computation(server):
    headers = key_of(server, "stats", SITE) | {"Content-Type": "application/json"}
    question = {"site_id": SITE, "metrics": ["visitors"], "date_range": ["2026-01-01", "2026-01-31"]}
    sent = json.dumps(question | {"dimensions": ["visit:source"]}).encode()
    before = read(server)
    with ThreadPoolExecutor(10) as threads:
        answers = list(threads.map(lambda _: server.request("POST", statistics.QUERY, sent, headers), range(10)))
    after = read(server)
    assert [answer.status for answer in answers] == [200] * 10
    assert len({answer.body for answer in answers}) == 1
    assert grown(before, after, "footfall_answers_total", "miss") == 1
    kept = sum(grown(before, after, "footfall_answers_total", kind) for kind in ("hit", "shared"))
    assert kept == 9
    assert after["footfall_answers_kept", ()] >= 1


def test_ten_admins_who_open_the_same_at_once_cause_one_computation_of_each_answer(server):
    server.tell("user add", email="ada@example.com", role="owner", password="correct horse battery")
    cookie = {"Cookie": server.sign_in("ada@example.com", "correct horse battery")}

    def computed(readers: int, period: str) -> float:
        """How many answers so many readers cost who open a file of the Overview at the same time."""
        before = read(server)
        address = f"/overview/{SITE}/source.csv?period={period}"
        with ThreadPoolExecutor(readers) as threads:
            answers = list(threads.map(lambda _: server.request("GET", address, headers=cookie), range(readers)))
        assert [answer.status for answer in answers] == [200] * readers
        return grown(before, read(server), "footfall_answers_total", "miss")

    months = iter([f"2025-{month:02}-01,2025-{month:02}-28" for month in range(1, 13)])
    # A change that the replica follows in between makes answers of before useless, so it may take another month.
    eventually(lambda: computed(10, next(months)) == computed(1, next(months)) > 0)


def test_another_wsgi_server_counts_too(house):
    client = house.app.server.test_client()
    local = {"environ_base": {"REMOTE_ADDR": "127.0.0.1"}, "headers": {"Host": "localhost"}}
    for path in ("/healthz", "/sign-in", "/nowhere"):
        client.get(path, **local)
    found = samples(client.get("/metrics", **local).text)
    assert found["footfall_requests_total", ("/healthz", "200")] == 1
    assert found["footfall_requests_total", ("/sign-in", "200")] == 1


# ── what strangers can do ────────────────────────────────────────────────────────────────────────────────────────────


def test_no_path_of_a_stranger_becomes_a_label(server, house):
    patterns = {rule.rule for rule in house.app.server.url_map.iter_rules()} | PATHS | {"(none)"}
    for number in range(20):
        for path in (f"/secret-{number}", f"/live/{number}.example", f"/assets/{number}.js", f"/api/collect/{number}"):
            server.request("GET", path)
        server.request("POST", f"/%00{number}%ff", b"x")
        server.request("DELETE", f'/x{number}"}}%0afootfall_up%201')
        with server.connect() as connection:
            connection.sendall(b"SPY /%d HTTP/1.1\r\n\r\n" % number)
            connection.recv(1000)
    routes = {labels[0] for name, labels in read(server) if name == "footfall_requests_total"}
    assert routes <= patterns
    assert "(none)" in routes
