"""What is pipelined behind a request that takes long is counted for as long as it is held, whatever becomes of it."""

from __future__ import annotations

import asyncio
import re
import socket
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import ExitStack, asynccontextmanager

import pytest
import uvloop

from collector.http.budget import Allowance, Budget
from collector.http.connection import Connection
from collector.http.counts import Counts
from collector.http.limits import DEFAULT
from collector.http.messages import SECURITY_HEADERS, Request, Response, error
from collector.http.open_connections import OpenConnections

MAX_BYTES = 64 * 1024
BODY = b" " * 60_000
SLOW = b"GET /slow HTTP/1.1\r\nHost: x\r\n\r\n"
WHOLE = b"POST /c HTTP/1.1\r\nHost: x\r\nContent-Length: 60000\r\n\r\n" + BODY
TOO_LARGE = error(413, "too_large", "the body is too large")
DONE = Response(200, (), b"done")


class Slow:
    """A handler that answers nothing, and notes what it is to answer."""

    security_headers = SECURITY_HEADERS

    def __init__(self, room: int) -> None:
        self.limits = DEFAULT
        self.counts = Counts()
        self.connections: OpenConnections[Connection] = OpenConnections(1_000, 1_000)
        self.anonymous_budget = Budget(room, room)
        self.bodies = Budget(room, room)
        self.under_way: list[tuple[Connection, int]] = []

    def canonical(self, path: str) -> str:
        return path

    def allowance(self, _path: str, _headers: Mapping[str, str]) -> Allowance:
        return Allowance(MAX_BYTES, self.bodies, TOO_LARGE)

    def identify_sender(
        self, _path: str, _headers: Mapping[str, str], respond: Callable[[Allowance | Response], None]
    ) -> None:
        raise AssertionError

    def address(self, peer: str, _headers: Mapping[str, str]) -> str:
        return peer

    def handle(self, _request: Request, connection: Connection, number: int) -> None:
        self.under_way.append((connection, number))

    def refused(self, _path: str, response: Response) -> Response:
        return response


@asynccontextmanager
async def serving(handler: Slow) -> AsyncIterator[tuple[str, int]]:
    """The address at which the handler serves."""
    server = await asyncio.get_running_loop().create_server(lambda: Connection(handler), "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()
    finally:
        server.close()
        for connection in handler.connections:
            connection._transport.abort()
        await server.wait_closed()


async def pipelined(handler: Slow, address: tuple[str, int], behind: bytes) -> socket.socket:
    """A connection with a slow request under way and that behind it, when the server has read it."""
    loop = asyncio.get_running_loop()
    connection = socket.create_connection(address)
    connection.setblocking(False)
    before = len(handler.under_way)
    await loop.sock_sendall(connection, SLOW)
    while len(handler.under_way) == before:
        await asyncio.sleep(0.001)
    await loop.sock_sendall(connection, behind)
    for _ in range(50):  # turns of the loop that reads it
        await asyncio.sleep(0.001)
    return connection


def waiting(handler: Slow) -> int:
    """The bytes of bodies that wait."""
    return sum(len(one.what.body) for connection, _ in handler.under_way for one in connection._waiting)


@pytest.mark.parametrize("behind", [WHOLE * 4, WHOLE * 2 + b"no request\r\n\r\n", WHOLE * 2 + TOO_LARGE.body])
def test_no_stranger_holds_more_by_being_refused(behind):
    """Refused for lack of room, 269 connections could hold a quarter of a mebibyte each that no budget knew of."""

    async def attack() -> int:
        handler = Slow(500_000)
        with ExitStack() as stack:
            async with serving(handler) as address:
                for _ in range(12):
                    stack.enter_context(await pipelined(handler, address, behind))
                return waiting(handler)

    assert uvloop.run(attack()) <= 500_000


def test_who_is_refused_for_lack_of_room_gets_the_answer_under_way_and_then_the_refusal():
    async def refuse() -> bytes:
        handler = Slow(100_000)
        async with serving(handler) as address:
            with await pipelined(handler, address, WHOLE * 3) as client:
                [(connection, number)] = handler.under_way
                connection.answer(number, DONE)
                answers = b""
                async with asyncio.timeout(5):
                    while piece := await asyncio.get_running_loop().sock_recv(client, 65_536):
                        answers += piece
                return answers

    assert re.findall(rb"HTTP/1.1 (\d+)", uvloop.run(refuse())) == [b"200", b"503"]
