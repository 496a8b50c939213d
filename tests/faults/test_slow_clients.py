"""Clients that send half a request or never read: they cost nobody else anything, and are sent away."""

from __future__ import annotations

import json
import time
from contextlib import ExitStack

import pytest
from senders import took

from tests.support.serving import SITE, eventually, listening, pageview, received

pytestmark = pytest.mark.alone  # it measures how long others wait

HEAD = "POST /api/collect HTTP/1.1\r\nHost: x\r\nContent-Type: text/plain\r\nUser-Agent: Mozilla/5.0 Firefox/140.0\r\n"
BODIES, HEADS, STREAMS = 20, 20, 50


def test_half_sent_requests_and_unread_streams_hold_up_nobody_and_are_ended_in_time(one_server):
    reader = {"Authorization": "Bearer " + one_server.tell("key add", name="r", scope="stats", site=SITE)}
    body = json.dumps(pageview("half-sent")).encode()
    with ExitStack() as stack:
        slow = [stack.enter_context(one_server.connect()) for _ in range(BODIES + HEADS + STREAMS)]
        started = time.monotonic()
        for connection in slow[:BODIES]:
            connection.sendall(f"{HEAD}Content-Length: {len(body)}\r\n\r\n".encode() + body[:-1])
        for connection in slow[BODIES : BODIES + HEADS]:
            connection.sendall(HEAD.encode())
        for connection in slow[-STREAMS:]:
            request = (
                f"GET /api/live/stream?site={SITE} HTTP/1.1\r\nHost: x\r\nAuthorization: {reader['Authorization']}\r\n"
            )
            connection.sendall(f"{request}\r\n".encode())
        others_are_answered(one_server, reader)
        answers = [received(connection, until="}}") for connection in slow[:BODIES]]
        silences = [received(connection) for connection in slow[BODIES : BODIES + HEADS]]
        assert 9 < time.monotonic() - started < 60
    assert {answer.partition("\r\n")[0] for answer in answers} == {"HTTP/1.1 408 Request Timeout"}
    assert all('"code":"too_slow"' in answer for answer in answers)
    assert {silence[:12] for silence in silences} <= {"", "HTTP/1.1 408"}
    others_are_answered(one_server, reader)


def others_are_answered(server, reader):
    """Each kind of request, several times, long before the slow ones are sent away, and an event is on the stream."""
    for number in range(4):
        page_id = f"good-{time.monotonic_ns()}"
        assert took(lambda page_id=page_id: _ok(server.collect(pageview(page_id)))) < 8
        for path in (
            f"/api/live?site={SITE}",
            "/healthz",
            "/readyz",
            "/js/footfall.js",
            "/sign-in",
            "/assets/css/plain.css",
        ):
            assert took(lambda path=path: _ok(server.request("GET", path, headers=reader))) < 8, (path, number)
    with listening(server, f"site={SITE}", reader) as listener:
        eventually(lambda: listener.of("stats"), within=8)
        server.collect(pageview(f"seen-{time.monotonic_ns()}", "/seen"))
        eventually(lambda: "/seen" in [message.data["path"] for message in listener.of("new_event")], within=8)


def _ok(answer):
    assert answer.status in (200, 202), answer
