"""SIGTERM under load: the server ends in time, with 0, and keeps its word."""

from __future__ import annotations

import socket
from contextlib import ExitStack

import pytest
from senders import REFUSED, Senders, check_books, took

from tests.support.serving import SITE, eventually, listening, serving

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
