"""Failures in the log: what failed and where, and nothing of what a visitor sent."""

from __future__ import annotations

import re
import socket
import sys
from pathlib import Path

import pytest

from tests.support.serving import SITE, eventually, pageview, received, serving

BROKEN = Path(__file__).with_name("broken.py")
MARKS = ("198.18.77.123", "Marked-7f3a91", "/marked-path")
HEADERS = {"X-Forwarded-For": MARKS[0], "User-Agent": f"Mozilla/5.0 Firefox/140.0 {MARKS[1]}"}
FAILED = {  # what it was called for, and the line that tells of it
    "a place for the visitor": "ERROR footfall.collect: an event could not be taken apart: ValueError at faults/broken",
    "the figures": "ERROR footfall.routes: /api/live failed: LookupError at faults/broken",
    "an invitation": "ERROR footfall.gate: GET /invitation failed: KeyError at faults/broken",
    "a picture": "ERROR footfall.connection: a request failed: TypeError at faults/broken",
    "the end of a connection": "ERROR footfall.faults: the event loop: RuntimeError at faults/broken",
}


@pytest.mark.parametrize("config", ["sqlite"], indirect=True)  # nothing of it is the database's
def test_what_a_failing_step_was_given_is_not_in_the_log(config):
    with serving(
        config, before=(sys.executable, str(BROKEN)), FOOTFALL_TRUSTED_PROXIES="127.0.0.1", FOOTFALL_LOG_LEVEL="DEBUG"
    ) as server:
        server.tell("site add", domain=SITE, name="", timezone="UTC")
        key = {"Authorization": "Bearer " + server.tell("key add", name="reader", scope="stats", site=SITE)}
        assert server.collect(pageview("page-0001", MARKS[2]), HEADERS).status == 503
        assert server.request("GET", f"/api/live?site={SITE}", headers=HEADERS | key).status == 500
        assert server.request("GET", f"/invitation?token={MARKS[1]}", headers=HEADERS).status == 500
        with server.connect() as connection:
            asked = f"GET /pixel.gif?site={SITE}&url=https://{SITE}{MARKS[2]} HTTP/1.1\r\nHost: x\r\n"
            connection.sendall(f"{asked}User-Agent: {MARKS[1]}\r\nX-Forwarded-For: {MARKS[0]}\r\n\r\n".encode())
            assert received(connection) == ""
        with server.connect() as connection:
            connection.shutdown(socket.SHUT_WR)
            received(connection)
        eventually(lambda: not _missing(server.errors))
        server.stop()
    log = "".join(server.errors)
    assert [mark for mark in MARKS if mark in log] == []
    assert re.search(r"DEBUG footfall\.collect: ValueError at [\w/.]+:\d+ find_place < [\w/.]+:\d+ \w+ <", log)


def _missing(lines: list[str]) -> list[str]:
    stamp = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ ")
    messages = [stamp.sub("", line, count=1) for line in lines if stamp.match(line)]
    return [what for what, begin in FAILED.items() if not any(line.startswith(begin) for line in messages)]
