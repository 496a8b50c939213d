"""The HTTP edge alone, without a database behind it: over real sockets, or in memory for thousands of attempts.

`Recorder` answers every request immediately and records it, so that a test sees how the edge read the bytes.
"""

from __future__ import annotations

import asyncio
import json
import re
import socket
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple

import uvloop

from collector.http.budget import Allowance, Budget
from collector.http.connection import Client, Connection
from collector.http.counts import Counts
from collector.http.limits import DEFAULT, Limits
from collector.http.listener import Listener, listen_on
from collector.http.messages import SECURITY_HEADERS, Request, Response
from collector.http.open_connections import OpenConnections
from collector.http.refusals import TOO_LARGE
from collector.server import open_sockets
from tests.support.h11_reader import Message, of_ours

UNANSWERED = "/unanswered"  # requests to it get no answer


class Recorder:
    """A handler whose answers repeat the request: method, path, query, and the length of the body."""

    security_headers = SECURITY_HEADERS

    def __init__(self, limits: Limits = DEFAULT, trusted: str = "") -> None:
        self.limits = limits
        self.counts = Counts()
        self.connections: OpenConnections[Connection] = OpenConnections(
            limits.connections, limits.connections_per_address, lambda address: address == trusted
        )
        self.anonymous_budget = Budget(*limits.anonymous_memory)
        self._allowance = Allowance(limits.event_bytes, Budget(*limits.event_memory), TOO_LARGE)
        self.requests: list[Request] = []

    def canonical(self, path: str) -> str:
        return path

    def allowance(self, _path: str, _headers: Mapping[str, str]) -> Allowance:
        return self._allowance

    def identify_sender(
        self, _path: str, _headers: Mapping[str, str], respond: Callable[[Allowance | Response], None]
    ) -> None:
        raise AssertionError("the allowance says it all")

    def address(self, peer: str, _headers: Mapping[str, str]) -> str:
        return peer

    def refused(self, _path: str, response: Response) -> Response:
        return response

    def handle(self, request: Request, client: Client, number: int) -> None:
        self.requests.append(request)
        if request.path != UNANSWERED:
            answer = {"method": request.method, "path": request.path, "query": request.query, "body": len(request.body)}
            client.answer(number, Response(200, (), json.dumps(answer).encode()))


class Memory(asyncio.Transport):
    """A transport that collects what is written."""

    def __init__(self) -> None:
        super().__init__({"peername": ("203.0.113.9", 50_000)})
        self.written = bytearray()
        self.closed = False

    def set_write_buffer_limits(self, high: int | None = None, low: int | None = None) -> None:
        pass

    def get_write_buffer_size(self) -> int:
        return 0

    def write(self, data: Any) -> None:
        self.written += data

    def can_write_eof(self) -> bool:
        return True

    def write_eof(self) -> None:
        self.closed = True

    def is_closing(self) -> bool:
        return self.closed

    def close(self) -> None:
        self.closed = True

    def abort(self) -> None:
        self.closed = True

    def pause_reading(self) -> None:
        pass

    def resume_reading(self) -> None:
        pass


class Noting(Connection):
    """A connection that records what it reads, up to a request that ends it: nothing after that counts."""

    def __init__(self, handler: Any) -> None:
        super().__init__(handler)
        self.read: list[Message] = []
        self.refused = self._over = False

    def receive(self, request: Request, keep_alive: bool, chunked: bool) -> None:
        if not self._over:
            self.read.append(of_ours(request, self._reader.target.decode("latin-1")))
            self._over = not keep_alive
        super().receive(request, keep_alive, chunked)

    def refuse(self, response: Response) -> None:
        self.refused = self.refused or not self._over
        super().refuse(response)


class Heard(NamedTuple):
    """How the edge read bytes: the requests, the statuses of its answers, and whether it ended the connection."""

    requests: list[Request]
    statuses: list[int]
    closed: bool


def hear(*pieces: bytes, limits: Limits = DEFAULT) -> Heard:
    """How the edge reads these pieces of one connection."""

    async def heard() -> Heard:
        recorder, transport = Recorder(limits), Memory()
        connection = Connection(recorder)
        connection.connection_made(transport)
        for piece in pieces:
            connection.data_received(piece)
            while connection.has_waiting:
                await asyncio.sleep(0)
        connection.connection_lost(None)
        return Heard(recorder.requests, statuses(bytes(transport.written)), transport.closed)

    return asyncio.run(heard())


def statuses(answers: bytes) -> list[int]:
    """The statuses of answers in order, including 100."""
    return [int(status) for status in re.findall(rb"HTTP/1\.1 (\d{3}) ", answers)]


@contextmanager
def edge(handler: Recorder, listener: Listener | None = None) -> Iterator[Listener]:
    """The handler's server on real sockets, for the length of a block; time-outs are checked every 10 ms."""
    listener = listener or listen_on("127.0.0.1", 0)
    ready, ending = threading.Event(), asyncio.Event()
    loops: list[asyncio.AbstractEventLoop] = []

    async def serve() -> None:
        loops.append(asyncio.get_running_loop())
        servers = await open_sockets(handler, listener)
        ready.set()
        while not ending.is_set():
            await asyncio.sleep(0.01)
            for connection in handler.connections:
                connection.check(loops[0].time())
        for server in servers:
            server.close()
        for connection in handler.connections:
            connection._transport.abort()
        while len(handler.connections):
            await asyncio.sleep(0.001)

    thread = threading.Thread(target=lambda: uvloop.run(serve()))
    thread.start()
    try:
        assert ready.wait(20)
        yield listener
    finally:
        loops[0].call_soon_threadsafe(ending.set)
        thread.join(20)
        listener.close()


def opened(listener: Listener, source: str = "127.0.0.1") -> socket.socket:
    """A bare connection to the listener, from that address."""
    connection = socket.create_connection(("127.0.0.1", listener.port), 10, source_address=(source, 0))
    connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return connection


def all_of(connection: socket.socket) -> bytes:
    """All bytes until the other end closes."""
    pieces: Iterable[bytes] = iter(lambda: connection.recv(65_536), b"")
    return b"".join(pieces)
