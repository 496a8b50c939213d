"""SIGTERM under load: the server ends in time, with 0, and keeps its word."""

from __future__ import annotations

import json
import signal
import socket
import sqlite3
import time
from contextlib import ExitStack, closing, contextmanager

import pytest
from senders import REFUSED, Senders, check_books, took

from tests.support.serving import AGENT, SITE, eventually, listening, pageview, received, serving

pytestmark = pytest.mark.alone  # it measures how long others wait


def test_sigterm_under_load_loses_nothing_acknowledged(config):
    with serving(config, FOOTFALL_COLLECT_RATE="0") as server:
        server.tell("site add", domain=SITE, name="", timezone="UTC")
        senders = Senders(server.port)
        eventually(lambda: len(senders.acknowledged) >= 300, within=60)
        assert took(server.stop) < 10
        senders.abandon()
        assert server.process.returncode == 0
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", server.port), timeout=1).close()
    check_books(config, senders)
    assert senders.statuses.keys() <= {202, 503, 0, REFUSED}
    assert all(int(headers["retry-after"]) >= 1 for _, headers in senders.answers)
    assert "Traceback" not in "".join(server.errors)


@pytest.mark.parametrize("config", ["sqlite"], indirect=True)
def test_neither_open_streams_nor_half_sent_bodies_nor_idle_connections_hold_it_up(config):
    with ExitStack() as open_ones, serving(config) as server:
        server.tell("site add", domain=SITE, name="", timezone="UTC")
        reader = {"Authorization": "Bearer " + server.tell("key add", name="r", scope="stats", site=SITE)}
        streams = [open_ones.enter_context(listening(server, f"site={SITE}", reader)) for _ in range(5)]
        for sent in (
            b"",
            b"POST /api/collect HTTP/1.1\r\n",
            b"POST /api/collect HTTP/1.1\r\nContent-Length: 9\r\n\r\n{",
        ):
            open_ones.enter_context(server.connect()).sendall(sent)
        eventually(lambda: all(stream.of("stats") for stream in streams))
        assert took(server.stop) < 10
        assert server.process.returncode == 0
        assert all(stream.ended.wait(1) for stream in streams)


@contextmanager
def committing(server):
    """A connection whose pageview waits for its commit, and another one: a third party has the database's lock."""
    file = server.config.data_dir / "footfall.db"
    with closing(sqlite3.connect(file, isolation_level=None)) as other, server.connect(30) as waits:
        other.execute("BEGIN IMMEDIATE")
        body = json.dumps(pageview("committing")).encode()
        head = f"POST /api/collect HTTP/1.1\r\nHost: x\r\nUser-Agent: {AGENT}\r\nContent-Type: text/plain\r\n"
        with server.connect(30) as kept:
            asked(kept, "/readyz")
            waits.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
            asked(kept, "/healthz")  # the pageview has been read
            yield waits, kept, other


def asked(connection, path):
    """The answer to one more question on that connection."""
    connection.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    return received(connection, until="}")


@pytest.mark.parametrize("config", ["sqlite"], indirect=True)
def test_readyz_is_red_from_the_moment_that_the_end_begins_and_who_waits_is_answered(config):
    with serving(config) as server:
        server.tell("site add", domain=SITE, name="", timezone="UTC")
        with committing(server) as (waits, kept, other):
            server.process.send_signal(signal.SIGTERM)
            answer = eventually(lambda: (said := asked(kept, "/readyz")).startswith("HTTP/1.1 503") and said)
            assert '"code":"ending"' in answer
            other.execute("ROLLBACK")
            assert received(waits, until="}").startswith("HTTP/1.1 202")
            assert server.process.wait(20) == 0
    assert "forced" not in "".join(server.errors)
    assert "INFO footfall.server: ended: " in "".join(server.errors)


@pytest.mark.parametrize("config", ["sqlite"], indirect=True)
def test_an_end_that_has_to_be_forced_exits_1_and_says_what_was_left(config):
    with serving(config) as server:
        server.tell("site add", domain=SITE, name="", timezone="UTC")
        with committing(server):
            started = time.monotonic()
            assert server.stop() == 1
            assert time.monotonic() - started < 10
    [said] = [line for line in server.errors if "forced" in line]
    assert " ERROR footfall.server: the end was forced after 8 s, while what was taken was committed; left: " in said
