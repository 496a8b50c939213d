"""The way of a heartbeat: what `docs/design.md` lists is what runs, and nothing else does."""

from __future__ import annotations

import asyncio
import http.client
import json
import re
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager

import pytest
import uvloop

from analytics.base.config import Config
from analytics.sites import store
from collector.doors.endpoint import Endpoint
from collector.http.connection import Connection
from collector.service import Service
from tests.support.factories import AGENT, NOW
from tests.support.tracing import ROOT, Tracing, tracing

DESIGN = ROOT / "docs" / "design.md"
MAX_FILES = 16
THREADS = ("loop", "footfall-writer", "footfall-hub")
BY_THE_CLOCK = (
    "Endpoint.watch",
    "Endpoint._check_streams",
    "Endpoint._check_commits",
    "date_line",
)  # whatever comes in
URL = "https://example.com/pricing"
PAGEVIEW = {"site": "example.com", "type": "pageview", "id": "page-0001", "url": URL}
HEARTBEAT = {"site": "example.com", "type": "heartbeat", "pageview": "page-0001", "url": URL, "state": "active"}
HEADERS = {"Content-Type": "text/plain;charset=UTF-8", "User-Agent": AGENT}


@contextmanager
def serving_here(service: Service) -> Iterator[int]:
    """The port of an endpoint over that service, in a thread of this process; nobody has to sign in."""
    ready, stop = threading.Event(), asyncio.Event()
    found: list[tuple[asyncio.AbstractEventLoop, int]] = []

    async def serve() -> None:
        endpoint = Endpoint(service.routes(lambda _: lambda _: True), service.writer, lambda *_: ())
        watching = asyncio.create_task(endpoint.watch())
        await asyncio.sleep(0)
        loop = asyncio.get_running_loop()
        server = await loop.create_server(lambda: Connection(endpoint), "127.0.0.1", 0)
        found.append((loop, server.sockets[0].getsockname()[1]))
        ready.set()
        await stop.wait()
        server.close()
        while len(endpoint.connections):
            await asyncio.sleep(0.01)
        watching.cancel()
        endpoint.close()

    thread = threading.Thread(target=uvloop.run, args=(serve(),), name="loop")
    thread.start()
    assert ready.wait(10)
    (loop, port) = found[0]
    try:
        yield port
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join(10)


def post(connection: http.client.HTTPConnection, event: dict[str, object]) -> None:
    connection.request("POST", "/api/collect", json.dumps(event), HEADERS)
    response = connection.getresponse()
    assert (response.status, response.read()) == (202, b'{"stored":1,"duplicate":0}')


def wait_for(stream: http.client.HTTPResponse, words: bytes) -> None:
    while words not in stream.readline():
        pass


@pytest.fixture(scope="module")
def way(tmp_path_factory) -> Tracing:
    """What runs for a heartbeat like the script's, from the bytes to the row and to the frame that tells of it.

    It comes after two minutes of silence, so that it changes the number of people: else no frame would be due.
    """
    now = float(NOW)
    config = Config(data_dir=tmp_path_factory.mktemp("data"))
    with tracing(BY_THE_CLOCK, THREADS) as recording, closing(Service(config, lambda: now)) as service:
        store.add(service.database, "example.com", now=NOW)
        service.refresh()
        with serving_here(service) as port:
            sending, reading = (http.client.HTTPConnection("127.0.0.1", port, timeout=20) for _ in "ab")
            post(sending, PAGEVIEW)
            post(sending, HEARTBEAT | {"engaged_ms": 15_000, "scroll": 30})  # what is remembered is remembered now
            now += 120
            reading.request("GET", "/api/live/stream?site=example.com")
            stream = reading.getresponse()
            wait_for(stream, b'"active_sessions":0')
            time.sleep(1.5)  # nothing of before is under way any more
            recording.begin()
            post(sending, HEARTBEAT | {"engaged_ms": 30_000, "scroll": 60})
            wait_for(stream, b'"active_sessions":1')
            recording.end()
            for one in (sending, stream, reading):
                one.close()
    return recording


def listed() -> list[list[str]]:
    """The functions that the page lists, as "file:function", in its three parts: stored, answered, shown."""
    section = DESIGN.read_text().split("## One heartbeat's way")[1].split("\n## ")[0]
    return [re.findall(r"`([\w/]+\.py:[\w.]+)`", part) for part in section.split("\n### ")[1:]]


def test_the_page_lists_every_file_that_a_heartbeat_meets_and_no_other(way):
    assert {function.partition(":")[0] for part in listed() for function in part} == set(way.files)


def test_each_function_on_the_page_runs_in_its_order(way):
    for part in listed():
        ran = [function for function in way.functions if function in part]
        assert ran == part


def test_a_heartbeat_meets_few_files(way):
    assert len(way.files) <= MAX_FILES, way.files
    assert len(listed()) == 3


@pytest.mark.parametrize("room", ["collector/store", "collector/live"])
def test_below_the_pipeline_nothing_knows_the_wire(room):
    files = sorted((ROOT / room).glob("*.py"))
    assert files
    for file in files:
        assert "collector.ingest.event" not in file.read_text(), file
        assert "collector.ingest.pipeline" not in file.read_text(), file
