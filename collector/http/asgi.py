"""The ASGI door: the same handler behind Granian, hypercorn or uvicorn, which bring HTTP/2 and processes of their own.

How long a client may take over its head and body is that server's matter; how large a body may be, and what is
answered, is the same as on a connection of ours.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from contextlib import suppress
from typing import Any, NamedTuple, Protocol

from collector.http.budget import Allowance
from collector.http.connection import Handler, Subscription
from collector.http.messages import Headers, Request, Response, sealed
from collector.http.reader import headers_of, target_of
from collector.http.refusals import TOO_LARGE, TOO_MUCH

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

HERE = "127.0.0.1"  # whoever comes over a Unix socket
HOP_BY_HOP = {"connection"}  # HTTP/2 has none


class Watched(Handler, Protocol):
    """A handler that looks after what waits."""

    async def watch(self) -> None:
        """Runs as long as requests come."""


class Asgi:
    """An ASGI application. `opens` gives the handler and what closes it, in the process that serves."""

    def __init__(self, opens: Callable[[], tuple[Watched, Callable[[], None]]]) -> None:
        self._opens = opens
        self._handler: Watched | None = None
        self._close: Callable[[], None] = lambda: None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif scope["type"] == "http":
            with suppress(_Gone):
                await _Exchange(self._opened(), scope, receive, send).run()
        else:
            await send({"type": "websocket.close"})

    def _opened(self) -> Watched:
        """The handler; opened by the first request where the server tells of no beginning."""
        if self._handler is None:
            self._handler, self._close = self._opens()
            self._watching = asyncio.create_task(self._handler.watch())
        return self._handler

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        try:
            self._opened()
        except Exception as failed:
            await send({"type": "lifespan.startup.failed", "message": str(failed)})
            raise
        await send({"type": "lifespan.startup.complete"})
        await receive()
        self._watching.cancel()
        await asyncio.get_running_loop().run_in_executor(None, self._close)
        await send({"type": "lifespan.shutdown.complete"})


class _Gone(Exception):
    """The client has left."""


class _Streaming(NamedTuple):
    headers: Headers
    subscription: Subscription
    ended: Callable[[], None]


class _Exchange:
    """One request and its answer: the client that a handler answers."""

    def __init__(self, handler: Watched, scope: Scope, receive: Receive, send: Send) -> None:
        self._handler, self._receive, self._send = handler, receive, send
        self._loop = asyncio.get_running_loop()
        self._answered: asyncio.Future[Response | _Streaming] = self._loop.create_future()
        self._woken = asyncio.Event()
        self._method = scope["method"]
        target = scope.get("raw_path") or scope["path"].encode()
        self._path = handler.canonical(target_of(target.partition(b"?")[0])[0])
        self._query = scope["query_string"].decode("latin-1")
        self._headers = headers_of([(bytes(name), bytes(value)) for name, value in scope["headers"]], b"")
        self._peer = scope["client"][0] if scope.get("client") else HERE

    async def run(self) -> None:
        """Answers it. Raises `_Gone` where nobody waits any more."""
        body = await self._body()
        if isinstance(body, Response):
            await self._respond(self._handler.refused(self._path, body))
            return
        request = Request(self._method, self._path, self._query, self._headers, self._peer, body)
        self._handler.take(request, self, 1)
        answered = await self._answered
        if isinstance(answered, Response):
            await self._respond(answered)
        else:
            await self._stream(answered)

    # ── the handler's client ─────────────────────────────────────────────────────────────────────────────────────

    def answer(self, number: int, response: Response) -> None:
        if not self._answered.done():
            self._answered.set_result(response)

    def stream(self, number: int, headers: Headers, subscription: Subscription, ended: Callable[[], None]) -> None:
        if self._answered.done():
            ended()
        else:
            self._answered.set_result(_Streaming(headers, subscription, ended))

    def wake(self) -> None:
        with suppress(RuntimeError):  # the loop has ended
            self._loop.call_soon_threadsafe(self._woken.set)

    # ── the body ─────────────────────────────────────────────────────────────────────────────────────────────────

    async def _body(self) -> bytes | Response:
        """The body, or why it is not taken."""
        allowed = self._handler.allowance(self._path, self._headers)
        length = self._headers.get("content-length", "")
        body, held, more = bytearray(), 0, True
        size = int(length) if length.isdecimal() and len(length) <= 18 else 0
        address = self._handler.address(self._peer, self._headers)
        try:
            while True:
                if size > allowed.largest:
                    found = allowed.over or await self._who()
                    if isinstance(found, Response):
                        return found
                    if size > found.largest:
                        return found.over or TOO_LARGE
                    if held:
                        allowed.budget.give_back(address, held)
                    allowed, held = found, 0
                if not more:
                    return bytes(body)
                if len(body) > held:
                    if not allowed.budget.take(address, len(body) - held):
                        return TOO_MUCH
                    held = len(body)
                message = await self._receive()
                if message["type"] == "http.disconnect":
                    raise _Gone
                body += message.get("body", b"")
                size, more = max(size, len(body)), message.get("more_body", False)
        finally:
            if held:
                allowed.budget.give_back(address, held)

    async def _who(self) -> Allowance | Response:
        told: asyncio.Future[Allowance | Response] = self._loop.create_future()
        self._handler.ask_who(self._path, self._headers, told.set_result)
        return await told

    # ── the answer ───────────────────────────────────────────────────────────────────────────────────────────────

    async def _begin(self, status: int, headers: Headers) -> None:
        self._handler.counts.answers[status] += 1
        lines = [
            (name.lower().encode("latin-1"), value.encode("latin-1", "replace"))
            for name, value in sealed(headers, self._handler.seal)
            if name.lower() not in HOP_BY_HOP
        ]
        await self._send({"type": "http.response.start", "status": status, "headers": lines})

    async def _respond(self, response: Response) -> None:
        length = () if response.status in (204, 304) else (("Content-Length", str(len(response.body))),)
        await self._begin(response.status, (*response.headers, *length))
        body = b"" if self._method == "HEAD" else response.body
        await self._send({"type": "http.response.body", "body": body})

    async def _stream(self, streaming: _Streaming) -> None:
        """Sends what comes until the stream ends or its reader goes."""
        gone = asyncio.ensure_future(self._receive())
        try:
            await self._begin(200, streaming.headers)
            while not streaming.subscription.closed and not gone.done():
                self._woken.clear()
                if frame := streaming.subscription.take():
                    await self._send({"type": "http.response.body", "body": frame, "more_body": True})
                    continue
                woken = asyncio.ensure_future(self._woken.wait())
                await asyncio.wait({gone, woken}, return_when=asyncio.FIRST_COMPLETED)
                woken.cancel()
            await self._send({"type": "http.response.body", "body": b""})
        finally:
            gone.cancel()
            streaming.ended()
