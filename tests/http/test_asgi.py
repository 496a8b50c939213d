"""The ASGI door: the same answers behind Granian and hypercorn, over HTTP/1.1 and HTTP/2."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import NamedTuple

import h2.config
import h2.connection
import h2.events
import pytest

from analytics.base.config import Config
from tests.support.proxy import free_port
from tests.support.serving import (
    AGENT,
    ROOT,
    SITE,
    Server,
    environment_of,
    eventually,
    listening,
    pageview,
    rows,
    run_command,
    with_data,
)

GRANIAN = ("granian", "--interface", "asgi", "--host", "127.0.0.1", "--no-ws", "--port")
HYPERCORN = ("hypercorn", "--bind")
POSTED = {"content-type": "text/plain", "user-agent": AGENT}


class Behind(Server):
    """Another server that serves Footfall, as the shipped one is talked to."""

    def __init__(self, config: Config, process: subprocess.Popen[str], port: int) -> None:
        self.config, self.process, self.port = config, process, port
        self.url = f"http://127.0.0.1:{port}"


@contextmanager
def behind(config: Config, program: str) -> Iterator[Behind]:
    """That program with Footfall in it."""
    port = free_port()
    words = [*GRANIAN, str(port)] if program == "granian" else [*HYPERCORN, f"127.0.0.1:{port}"]
    process = subprocess.Popen(
        [sys.executable, "-m", *words, "app:asgi"],
        cwd=ROOT,
        env=environment_of(config) | {"FOOTFALL_COLLECT_RATE": "0"},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    server = Behind(config, process, port)
    try:
        eventually(lambda: process.poll() is not None or _answers(server), within=180)
        assert process.poll() is None, process.stdout and process.stdout.read()
        yield server
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)  # its workers too
        process.wait(10)
        assert process.stdout
        process.stdout.close()


def _answers(server: Behind) -> bool:
    with suppress(OSError):
        return server.request("GET", "/healthz").status == 200
    return False


@pytest.fixture(scope="module", params=["granian", "hypercorn"])
def server(request, tmp_path_factory) -> Iterator[Behind]:
    config = with_data(Config(data_dir=tmp_path_factory.mktemp(request.param)))
    assert run_command(config, "site", "add", SITE).returncode == 0
    with behind(config, request.param) as running:
        yield running


def test_what_is_collected_is_stored(server):
    answer = server.collect([pageview("by-asgi-1", "/one"), pageview("by-asgi-2", "/two")])
    assert (answer.status, answer.json["stored"]) == (202, 2)
    found = rows(server.config, "SELECT path FROM pageviews WHERE page_id LIKE 'by-asgi-%' ORDER BY path")
    assert found == [("/one",), ("/two",)]


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", "/healthz", b"", 200),
        ("GET", "/readyz", b"", 200),
        ("GET", "/js/footfall.js", b"", 200),
        ("GET", "/sign-in", b"", 200),
        ("GET", f"/api/live?site={SITE}", b"", 401),
        ("GET", "/nowhere", b"", 401),
        ("OPTIONS", "/api/collect", b"", 204),
        ("GET", f"/pixel.gif?site={SITE}", b"", 200),
        ("POST", "/api/collect", b"{", 400),
        ("POST", "/api/collect", b" " * 65_537, 413),
        ("POST", "/sign-in", b"x" * 16_385, 413),
        ("POST", "/_dash-update-component", b"{}", 401),
        ("GET", "//healthz/", b"", 200),
    ],
)
def test_every_door_answers_as_it_does_on_a_connection_of_ours(server, method, path, body, status):
    answer = server.request(method, path, body, POSTED)
    assert answer.status == status
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize("path", ["/healthz", "/js/footfall.js", "/sign-in"])
def test_head_has_the_length_of_get(server, path):
    head, whole = (server.request(method, path) for method in ("HEAD", "GET"))
    assert (head.status, head.body) == (200, b"")
    assert head.headers["content-length"] == str(len(whole.body))


def test_a_stream_carries_what_is_stored_and_ends_with_its_reader(server):
    key = server.tell("key add", name="reader", scope="stats", site=SITE)
    with listening(server, f"site={SITE}", {"Authorization": f"Bearer {key}"}) as listener:
        eventually(lambda: listener.of("stats"))
        assert server.collect(pageview("streamed", "/streamed")).status == 202
        eventually(lambda: "/streamed" in [message.data["path"] for message in listener.of("new_event")])


class Answer2(NamedTuple):
    status: str
    body: bytes


def over_http_2(port: int, requests: list[tuple[str, str, bytes]]) -> list[Answer2]:
    """The answers to these requests, all at once on one HTTP/2 connection (RFC 9113, prior knowledge)."""
    connection = h2.connection.H2Connection(h2.config.H2Configuration(header_encoding="utf-8"))
    connection.initiate_connection()
    for method, path, body in requests:
        stream = connection.get_next_available_stream_id()
        lines = {":method": method, ":path": path, ":scheme": "http", ":authority": "stats.example.com"}
        connection.send_headers(stream, [*(lines | POSTED).items()], end_stream=not body)
        if body:
            connection.send_data(stream, body, end_stream=True)
    statuses: dict[int, str] = {}
    bodies: dict[int, bytes] = {}
    ended: set[int] = set()
    with socket.create_connection(("127.0.0.1", port), 30) as bare:
        while len(ended) < len(requests):
            bare.sendall(connection.data_to_send())
            received = bare.recv(65_536)
            assert received, "it closes the connection"
            for event in connection.receive_data(received):
                if isinstance(event, h2.events.ResponseReceived):
                    statuses[event.stream_id] = dict(event.headers)[":status"]
                elif isinstance(event, h2.events.DataReceived):
                    bodies[event.stream_id] = bodies.get(event.stream_id, b"") + event.data
                    connection.acknowledge_received_data(event.flow_controlled_length, event.stream_id)
                elif isinstance(event, h2.events.StreamEnded):
                    ended.add(event.stream_id)
    return [Answer2(statuses[stream], bodies.get(stream, b"")) for stream in sorted(statuses)]


def test_http_2_collects_and_serves(server):
    events = [json.dumps(pageview(f"by-http-2-{number}")).encode() for number in range(20)]
    answers = over_http_2(
        server.port,
        [("GET", "/healthz", b""), ("GET", "/sign-in", b""), *[("POST", "/api/collect", body) for body in events]],
    )
    assert [answer.status for answer in answers] == ["200", "200", *["202"] * 20]
    assert answers[0].body == b'{"status":"up"}'
    assert b"<form" in answers[1].body
    [(count,)] = rows(server.config, "SELECT count(*) FROM pageviews WHERE page_id LIKE 'by-http-2-%'")
    assert count == 20


def test_it_lets_go_of_the_data_when_the_server_ends(tmp_path):
    config = with_data(Config(data_dir=tmp_path))
    with behind(config, "hypercorn") as server:
        assert server.stop() == 0
        assert run_command(config, "site", "list").returncode == 0
