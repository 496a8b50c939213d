"""The way of a heartbeat, from the bytes of its request to its row and to the frame of the live stream."""

from __future__ import annotations

import asyncio
import http.client
import json
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager

import uvloop

from analytics.base.config import Config
from analytics.sites import store
from collector.doors.endpoint import Endpoint
from collector.http.connection import Connection
from collector.service import Service
from tests.support.factories import AGENT, NOW
from tests.support.tracing import Tracing, tracing

BY_THE_CLOCK = (
    "collector/doors/endpoint.py:Endpoint.watch",
    "collector/doors/endpoint.py:Endpoint._check_streams",
    "collector/doors/endpoint.py:Endpoint._look",
    "collector/service.py:Service._every",
)
URL = "https://example.com/pricing"
PAGEVIEW = {"site": "example.com", "type": "pageview", "id": "page-0001", "url": URL}
HEARTBEAT = {"site": "example.com", "type": "heartbeat", "pageview": "page-0001", "url": URL, "state": "active"}
HEADERS = {"Content-Type": "text/plain;charset=UTF-8", "User-Agent": AGENT}


class Clock:
    def __init__(self) -> None:
        self.now = float(NOW)

    def __call__(self) -> float:
        return self.now


@contextmanager
def serving_here(service: Service) -> Iterator[int]:
    """The port of an endpoint over that service, in a thread of this process; nobody has to sign in."""
    ready, port = threading.Event(), [0]
    stop: list[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = []

    async def serve() -> None:
        endpoint = Endpoint(service.routes(lambda _: lambda _: True), service.writer, lambda *_: ())
        watching = asyncio.create_task(endpoint.watch())
        await asyncio.sleep(0)
        server = await asyncio.get_running_loop().create_server(lambda: Connection(endpoint), "127.0.0.1", 0)
        port[0] = server.sockets[0].getsockname()[1]
        stop.append((asyncio.get_running_loop(), asyncio.Event()))
        ready.set()
        await stop[0][1].wait()
        server.close()
        while len(endpoint.connections):
            await asyncio.sleep(0.01)
        watching.cancel()
        endpoint.close()

    loop = threading.Thread(target=uvloop.run, args=(serve(),), name="loop")
    loop.start()
    ready.wait(10)
    try:
        yield port[0]
    finally:
        stop[0][0].call_soon_threadsafe(stop[0][1].set)
        loop.join(10)


def post(connection: http.client.HTTPConnection, event: dict[str, object]) -> int:
    connection.request("POST", "/api/collect", json.dumps(event), HEADERS)
    response = connection.getresponse()
    response.read()
    return response.status


def heartbeats_way(config: Config) -> Tracing:
    """What runs for a heartbeat that brings back somebody who was away for two minutes: a frame says so."""
    clock = Clock()
    with tracing(BY_THE_CLOCK) as recording, closing(Service(config, clock)) as service:
        store.add(service.database, "example.com", now=NOW)
        service.renew()
        with serving_here(service) as port:
            sending = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
            reading = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
            assert post(sending, PAGEVIEW) == 202
            assert post(sending, HEARTBEAT | {"engaged_ms": 15_000, "scroll": 30}) == 202
            clock.now += 120
            reading.request("GET", "/api/live/stream?site=example.com")
            stream = reading.getresponse()
            while b'"type":"stats"' not in (line := stream.readline()):
                pass
            assert b'"active_sessions":0' in line
            threading.Event().wait(1.3)  # frames and counters of before are through
            recording.begin()
            assert post(sending, HEARTBEAT | {"engaged_ms": 30_000, "scroll": 60}) == 202
            while b'"active_sessions":1' not in stream.readline():
                pass
            recording.end()
            sending.close()
            stream.close()
            reading.close()
    return recording


def test_way(tmp_path):
    found = heartbeats_way(Config(data_dir=tmp_path / "data"))
    crossing = [call for call in found.calls if call.caller and call.caller.partition(":")[0] != call.file]
    print("x")
    print(*found.files, sep="\n")
    print()
    for call in found.calls:
        print(f"{call.thread:20} {call.function:70} {call.caller}")
