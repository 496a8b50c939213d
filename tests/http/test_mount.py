"""`gunicorn app:server`: any WSGI server collects, shows and streams, with the same answers."""

from __future__ import annotations

import json
import re
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing

import pytest

from analytics.base.config import Config
from tests.support.serving import (
    AGENT,
    ROOT,
    SITE,
    Server,
    environment_of,
    eventually,
    heartbeat,
    leave,
    listening,
    pageview,
    received,
    rows,
    run_command,
    with_data,
)

FORM = {"Content-Type": "application/x-www-form-urlencoded"}


class Gunicorn(Server):
    """A running `gunicorn app:server` with threads."""

    def __init__(self, config: Config) -> None:
        self.config = config
        self.environment = environment_of(config)
        words = "--worker-class gthread --workers 1 --threads 8 --graceful-timeout 2 --bind 127.0.0.1:0 app:server"
        self.process = subprocess.Popen(
            [sys.executable, "-m", "gunicorn", *words.split()],
            cwd=ROOT,
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        self.errors = []
        self._drainer = threading.Thread(target=self._drain, daemon=True)
        self._drainer.start()
        self.port = eventually(self._listens_on, within=60)
        self.url = f"http://127.0.0.1:{self.port}"
        eventually(self._answers, within=60)

    def _listens_on(self) -> int:
        found = re.search(r"Listening at: http://127\.0\.0\.1:(\d+)", "".join(self.errors))
        return int(found[1]) if found else 0

    def _answers(self) -> bool:
        return self.request("GET", "/readyz", timeout=20).status == 200


@pytest.fixture(scope="module")
def gunicorn(tmp_path_factory) -> Iterator[tuple[Gunicorn, str]]:
    """The server and a key that reads the site's figures; both were added before it started."""
    config = with_data(Config(data_dir=tmp_path_factory.mktemp("gunicorn")))
    for words in (("site", "add", SITE), ("key", "add", "reader", "--scope", "stats", "--site", SITE)):
        done = run_command(config, *words)
        assert done.returncode == 0, done.stderr
    server = Gunicorn(config)
    try:
        yield server, done.stdout.strip()
    finally:
        server.close()


def test_programs_ask_there_too(gunicorn):
    server, key = gunicorn
    headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
    asked = json.dumps({"site_id": SITE, "metrics": ["visits"], "date_range": ["2026-01-01", "2026-01-01"]})
    assert server.request("POST", "/api/v2/query", asked, headers).json["results"] == [
        {"metrics": [0], "dimensions": []}
    ]
    assert server.request("POST", "/api/v2/query", b" " * 100_000, headers).status == 413


def test_commands_go_through_it_and_are_known_at_once(gunicorn):
    server, _ = gunicorn
    added = run_command(server.config, "site", "add", "second.example")
    assert (added.returncode, added.stderr) == (0, "")
    assert "http://127.0.0.1:8000/js/footfall.js" in added.stdout
    answer = server.collect(pageview("page-second", "/", site="second.example"))
    assert (answer.status, answer.json) == (202, {"stored": 1, "duplicate": 0})


def test_it_collects_with_the_same_answers(gunicorn):
    server, _ = gunicorn
    stored = server.collect([pageview("page-one", "/a"), heartbeat("page-one"), leave("page-one")])
    again = server.collect(pageview("page-one", "/a"))
    robot = server.collect(pageview("page-two"), {"User-Agent": "Googlebot/2.1"})
    wrong = server.collect(b"{")
    large = server.collect(b" " * 65_537)
    typeless = server.request("POST", "/api/collect", b"{}")
    assert (stored.status, stored.json) == (202, {"stored": 3, "duplicate": 0})
    assert (again.status, again.json) == (202, {"stored": 0, "duplicate": 1})
    assert (robot.status, robot.json) == (200, {"stored": 0, "filtered": "bot"})
    assert robot.headers["x-footfall-outcome"] == "filtered; reason=bot"
    errors = [(answer.status, answer.json["error"]["code"]) for answer in (wrong, large, typeless)]
    assert errors == [(400, "bad_json"), (413, "too_large"), (415, "wrong_content_type")]
    for answer in (stored, again, robot, wrong, large, typeless):
        assert answer.headers["access-control-allow-origin"] == "*"
        assert answer.headers["content-security-policy"] == "default-src 'none'; frame-ancestors 'none'"
    assert rows(server.config, "SELECT page_id, path FROM pageviews WHERE site_id = 1") == [("page-one", "/a")]


def test_a_stranger_sends_no_more_than_signing_in_takes(gunicorn):
    server, _ = gunicorn
    call = server.request("POST", "/_dash-update-component", b" " * 20_000, {"Content-Type": "application/json"})
    assert (call.status, call.json["error"]["code"]) == (401, "unauthorized")
    assert server.request("POST", "/sign-in", b" " * 20_000, FORM).status == 413
    assert server.request("POST", "/sign-in", b"email=x&password=y", FORM).status == 401


@pytest.mark.parametrize("path", ["/api/collect", "//api/collect", "/api/collect/"])
def test_a_wish_for_another_protocol_and_slashes_too_many_are_passed_over(gunicorn, path):
    server, _ = gunicorn
    wish = {"Connection": "Upgrade, HTTP2-Settings", "Upgrade": "h2c", "HTTP2-Settings": "AAMAAABk"}
    sent = {"Content-Type": "text/plain", "User-Agent": AGENT, "Origin": f"https://{SITE}"}
    body = json.dumps(pageview(f"page-wish-{len(path)}{path[-1] == '/'}"[:36]))
    assert server.request("POST", path, body, sent | wish).status == 202


def test_a_preflight_is_answered_alike(gunicorn):
    server, _ = gunicorn
    asked = {"Origin": "https://shop.test", "Access-Control-Request-Headers": "traceparent"}
    answer = server.request("OPTIONS", "/api/collect", headers=asked)
    assert (answer.status, answer.headers["access-control-allow-headers"]) == (204, "traceparent")


def test_a_chunked_body_is_read_to_its_end(gunicorn):
    server, _ = gunicorn
    body = json.dumps(pageview("page-chunked")).encode()
    head = f"POST /api/collect HTTP/1.1\r\nHost: x\r\nContent-Type: text/plain\r\nUser-Agent: {AGENT}\r\n"
    with server.connect() as connection:
        connection.sendall(f"{head}Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n".encode())
        connection.sendall(b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body))
        assert received(connection).startswith("HTTP/1.1 202")


def test_it_serves_the_live_state_the_stream_and_the_script(gunicorn):
    server, key = gunicorn
    reader = {"Authorization": f"Bearer {key}"}
    assert server.request("GET", f"/api/live?site={SITE}").status == 401
    server.collect(pageview("page-live", "/live", user_id="ada"))
    live = server.request("GET", f"/api/live?site={SITE}", headers=reader).json
    assert (live["authenticated_users"], live["top_pages"][0]["path"]) == (1, "/live")
    with listening(server, f"site={SITE}", reader) as listener:
        eventually(lambda: listener.of("stats"))
        server.collect(pageview("page-next", "/next"))
        eventually(lambda: [message.data["path"] for message in listener.of("new_event")] == ["/next"])
    assert server.request("GET", "/js/footfall.js").status == 200


@pytest.mark.alone
def test_it_says_503_within_a_second_while_the_database_is_locked(gunicorn):
    server, _ = gunicorn
    assert server.collect(pageview("page-before-lock")).status == 202
    with closing(sqlite3.connect(server.config.data_dir / "footfall.db", isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        for number in range(8):
            begun = time.monotonic()
            assert server.collect(pageview(f"page-locked-{number}")).status == 503
            assert time.monotonic() - begun < 1
        assert server.request("GET", "/readyz").status == 503
        other.execute("ROLLBACK")
    eventually(lambda: server.request("GET", "/readyz").status == 200)
    assert [server.collect(pageview(f"page-locked-{number}")).status for number in range(8)] == [202] * 8


def test_the_picture_counts_here_too(gunicorn):
    server, _ = gunicorn
    answer = server.request("GET", f"/pixel.gif?site={SITE}&url=https://{SITE}/picture", headers={"User-Agent": AGENT})
    assert (answer.status, len(answer.body), answer.headers["x-footfall-outcome"]) == (200, 43, "stored")
    assert rows(server.config, "SELECT count(*) FROM pageviews WHERE path = '/picture'") == [(1,)]


def test_the_trackers_of_others_are_answered_here_too(gunicorn):
    server, _ = gunicorn
    said = {"n": "pageview", "u": f"https://{SITE}/plausible", "d": SITE}
    plausible = server.request("POST", "/api/event", json.dumps(said), {"User-Agent": AGENT})
    assert (plausible.status, plausible.body) == (202, b"ok")
    payload = {"website": SITE, "hostname": SITE, "url": "/umami"}
    headers = {"User-Agent": AGENT, "Content-Type": "application/json"}
    umami = server.request("POST", "/api/send", json.dumps({"type": "event", "payload": payload}), headers)
    assert (umami.status, umami.json.keys()) == (200, {"cache", "sessionId", "visitId"})
    assert server.request("POST", "/api/event", b" " * 65_537, {"User-Agent": AGENT}).status == 413
    found = "SELECT count(*) FROM pageviews WHERE path IN ('/plausible', '/umami')"
    assert rows(server.config, found) == [(2,)]


def test_it_serves_the_dashboard_to_who_is_signed_in_only(gunicorn):
    server, _ = gunicorn
    assert server.request("GET", "/sign-in").status == 200
    assert server.request("GET", "/_dash-layout").status == 401


def test_it_ends_in_its_grace_time_beside_an_open_stream_and_what_it_acknowledged_is_there(gunicorn):
    """The last of this module."""
    server, key = gunicorn
    with listening(server, f"site={SITE}", {"Authorization": f"Bearer {key}"}) as listener:
        eventually(lambda: listener.of("stats"))
        for number in range(50):
            assert server.collect(pageview(f"page-last-{number}")).status == 202
        assert server.stop() == 0
    assert rows(server.config, "SELECT COUNT(*) FROM pageviews WHERE page_id LIKE 'page-last-%'") == [(50,)]
