"""The ASGI application: the same handler behind Granian, hypercorn or uvicorn, which add HTTP/2 and worker processes.

The ASGI server limits how long a client may take to send its request. The maximum body size and the responses are the
same as on our own connections.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, MutableMapping
from contextlib import suppress
from typing import Any, NamedTuple, Protocol

from collector.http.budget import Allowance
from collector.http.connection import UNIX_PEER, FrameSource, Handler
from collector.http.messages import Headers, Request, Response, with_security_headers
from collector.http.reader import headers_of, target_of
from collector.http.refusals import TOO_LARGE, TOO_MUCH

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

HOP_BY_HOP = {"connection"}  # HTTP/2 forbids it


class WatchedHandler(Handler, Protocol):
    """A handler that also ends what takes too long."""

    async def watch(self) -> None:
        """Runs until it is cancelled: ends requests and streams that take too long."""


class Asgi:
    """An ASGI application. `open_handler` runs in the serving process and returns the handler and a close function."""

    def __init__(self, open_handler: Callable[[], tuple[WatchedHandler, Callable[[], None]]]) -> None:
        self._open_handler = open_handler
        self._handler: WatchedHandler | None = None
        self._close: Callable[[], None] = lambda: None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._run_lifespan(receive, send)
        elif scope["type"] == "http":
            with suppress(_ClientGone):
                await _Exchange(self._opened_handler(), scope, receive, send).run()
        else:
            await send({"type": "websocket.close"})

    def _opened_handler(self) -> WatchedHandler:
        """The handler; the first request opens it if the server sends no lifespan events."""
        if self._handler is None:
            self._handler, self._close = self._open_handler()
            self._watch_task = asyncio.create_task(self._handler.watch())
        return self._handler

    async def _run_lifespan(self, receive: Receive, send: Send) -> None:
        await receive()
        try:
            self._opened_handler()
        except Exception as failed:
            await send({"type": "lifespan.startup.failed", "message": str(failed)})
            raise
        await send({"type": "lifespan.startup.complete"})
        await receive()
        self._watch_task.cancel()
        await asyncio.get_running_loop().run_in_executor(None, self._close)
        await send({"type": "lifespan.shutdown.complete"})


class _ClientGone(Exception):
    """The client has disconnected."""


class _Streaming(NamedTuple):
    headers: Headers
    frames: FrameSource
    on_end: Callable[[], None]


class _Exchange:
    """One request and its response; the `Client` of the handler."""

    def __init__(self, handler: WatchedHandler, scope: Scope, receive: Receive, send: Send) -> None:
        self._handler, self._receive, self._send = handler, receive, send
        self._loop = asyncio.get_running_loop()
        self._answered: asyncio.Future[Response | _Streaming] = self._loop.create_future()
        self._begun = time.monotonic()
        self._route = ""
        self._woken = asyncio.Event()
        self._method = scope["method"]
        target = scope.get("raw_path") or scope["path"].encode()
        self._path = handler.canonical(target_of(target.partition(b"?")[0])[0])
        self._query = scope["query_string"].decode("latin-1")
        self._headers = headers_of([(bytes(name), bytes(value)) for name, value in scope["headers"]], b"")
        self._peer = scope["client"][0] if scope.get("client") else UNIX_PEER

    async def run(self) -> None:
        """Reads the request and sends the response. Raises `_ClientGone` if the client disconnects before."""
        body = await self._body()
        if isinstance(body, Response):
            await self._respond(self._handler.refused(self._path, body))
            return
        request = Request(self._method, self._path, self._query, self._headers, self._peer, body)
        self._handler.handle(request, self, 1)
        answered = await self._answered
        if isinstance(answered, Response):
            await self._respond(answered)
        else:
            await self._stream(answered)

    # ── the handler's client ─────────────────────────────────────────────────────────────────────────────────────

    def answer(self, number: int, response: Response, route: str = "") -> None:
        if not self._answered.done():
            self._route = route
            self._answered.set_result(response)

    def stream(
        self, number: int, headers: Headers, frames: FrameSource, on_end: Callable[[], None], route: str = ""
    ) -> None:
        if self._answered.done():
            on_end()
        else:
            self._route = route
            self._answered.set_result(_Streaming(headers, frames, on_end))

    def wake(self) -> None:
        with suppress(RuntimeError):  # the loop has ended
            self._loop.call_soon_threadsafe(self._woken.set)

    # ── the body ─────────────────────────────────────────────────────────────────────────────────────────────────

    async def _body(self) -> bytes | Response:
        """The whole body, or the response that refuses it."""
        allowed = self._handler.allowance(self._path, self._headers)
        length = self._headers.get("content-length", "")
        body, reserved, more = bytearray(), 0, True
        size = int(length) if length.isdecimal() and len(length) <= 18 else 0
        address = self._handler.address(self._peer, self._headers)
        try:
            while True:
                if size > allowed.max_bytes:
                    found = allowed.refusal or await self._identify_sender()
                    if isinstance(found, Response):
                        return found
                    if size > found.max_bytes:
                        return found.refusal or TOO_LARGE
                    if reserved:
                        allowed.budget.release(address, reserved)
                    allowed, reserved = found, 0
                if not more:
                    return bytes(body)
                if len(body) > reserved:
                    if not allowed.budget.reserve(address, len(body) - reserved):
                        return TOO_MUCH
                    reserved = len(body)
                message = await self._receive()
                if message["type"] == "http.disconnect":
                    raise _ClientGone
                body += message.get("body", b"")
                size, more = max(size, len(body)), message.get("more_body", False)
        finally:
            if reserved:
                allowed.budget.release(address, reserved)

    async def _identify_sender(self) -> Allowance | Response:
        identified: asyncio.Future[Allowance | Response] = self._loop.create_future()
        self._handler.identify_sender(self._path, self._headers, identified.set_result)
        return await identified

    # ── the answer ───────────────────────────────────────────────────────────────────────────────────────────────

    async def _begin(self, status: int, headers: Headers) -> None:
        self._handler.counts.record(self._route, status, time.monotonic() - self._begun)
        lines = [
            (name.lower().encode("latin-1"), value.encode("latin-1", "replace"))
            for name, value in with_security_headers(headers, self._handler.security_headers)
            if name.lower() not in HOP_BY_HOP
        ]
        await self._send({"type": "http.response.start", "status": status, "headers": lines})

    async def _respond(self, response: Response) -> None:
        length = () if response.status in (204, 304) else (("Content-Length", str(len(response.body))),)
        await self._begin(response.status, (*response.headers, *length))
        body = b"" if self._method == "HEAD" else response.body
        await self._send({"type": "http.response.body", "body": body})

    async def _stream(self, streaming: _Streaming) -> None:
        """Sends frames until the stream ends or the client disconnects."""
        gone = asyncio.ensure_future(self._receive())
        try:
            await self._begin(200, streaming.headers)
            while not streaming.frames.closed and not gone.done():
                self._woken.clear()
                if frame := streaming.frames.take():
                    await self._send({"type": "http.response.body", "body": frame, "more_body": True})
                    continue
                woken = asyncio.ensure_future(self._woken.wait())
                await asyncio.wait({gone, woken}, return_when=asyncio.FIRST_COMPLETED)
                woken.cancel()
            await self._send({"type": "http.response.body", "body": b""})
        finally:
            gone.cancel()
            streaming.on_end()
