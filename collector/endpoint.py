"""The ASGI application of `serve`: the collector and the live routes on the event loop, Flask behind a thread pool.

A slow or silent client costs a task, never a thread: bodies are read here, within a time and a size, before Flask sees
them, and Flask's answers are whole before they are sent.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Mapping, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import lru_cache, partial
from itertools import chain
from typing import Any

from collector.arrival import Outcome
from collector.bridge import call_wsgi
from collector.collect import Pending
from collector.hub import Subscription
from collector.payload import LARGEST_BODY
from collector.request import Request, Response, error, sealed
from collector.routes import QUICK, Routes, Stream, answered_by
from collector.writer import Waiting, Writer

log = logging.getLogger("footfall.endpoint")

Scope = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
Wsgi = Callable[..., Iterable[bytes]]

BODY_S = 10.0  # how long a body may take
COMMIT_S = 15.0  # how long a commit may take before the sender is told to come again; its id makes that safe
CHECK_S = 0.4  # how often a stream is asked whether it may still be read
UNREAD_S = 10.0  # how long a reader may leave an answer unread
LARGEST_FORM = 1024 * 1024
LARGEST_HEADERS = 16 * 1024
MOST_WAITING = 300  # requests for the threads
PAGES_THREADS = 6
LIVE_THREADS = 4  # of their own: heavy pages do not hold up who looks at the live state

TOO_SLOW = error(408, "too_slow", "the body did not arrive in time", (("Connection", "close"),))
TOO_LARGE = error(413, "too_large", "the body is too large", (("Connection", "close"),))
HEADERS_TOO_LARGE = error(431, "headers_too_large", f"the headers are larger than {LARGEST_HEADERS} bytes")
AWAY = error(503, "away", "the live state cannot be read right now", (("Retry-After", "5"),))
BUSY = error(503, "busy", "too many requests are waiting", (("Retry-After", "2"),))


class Endpoint:
    """The application; `wsgi` answers what is neither collected nor live."""

    def __init__(self, routes: Routes, writer: Writer, wsgi: Wsgi) -> None:
        self._routes = routes
        self._writer = writer
        self._wsgi = wsgi
        self._pages = ThreadPoolExecutor(PAGES_THREADS, thread_name_prefix="footfall-page")
        self._live = ThreadPoolExecutor(LIVE_THREADS, thread_name_prefix="footfall-live")
        self._in_threads = 0
        self._answers: deque[tuple[asyncio.Future[list[Outcome]], list[Outcome]]] = deque()
        self._turn: list[Waiting] = []
        self._reading: dict[asyncio.Task[Any], float] = {}
        self._committing: dict[asyncio.Future[list[Outcome]], float] = {}
        self._loop: asyncio.AbstractEventLoop | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        if self._loop is None:
            self._loop = asyncio.get_running_loop()
            self._loop.call_later(1.0, self._end_waits)
        request = _request(scope)
        if sum(map(len, chain.from_iterable(scope["headers"]))) > LARGEST_HEADERS:
            await _send(send, HEADERS_TOO_LARGE)
        elif request.path == "/api/collect" and request.method == "POST":
            await _send(send, await self._collected(request, receive))
        else:
            await self._other(request, scope, receive, send)

    # ── collecting ───────────────────────────────────────────────────────────────────────────────────────────────

    async def _collected(self, request: Request, receive: Receive) -> Response:
        body = await self._body(request, receive, LARGEST_BODY)
        if isinstance(body, Response):
            return self._routes.not_collected(body)
        begun = self._routes.collector.begin(request._replace(body=body))
        return await self._committed(begun) if isinstance(begun, Pending) else begun

    async def _committed(self, pending: Pending) -> Response:
        """The answer after the commit. The requests of one turn of the loop are handed over together."""
        assert self._loop is not None
        waiting: asyncio.Future[list[Outcome]] = self._loop.create_future()
        if not self._turn:
            self._loop.call_soon(self._hand_over)
        self._turn.append(Waiting(pending.arrivals, partial(self._deliver, waiting)))
        self._committing[waiting] = time.monotonic() + COMMIT_S
        try:
            return pending.answer(await waiting)
        finally:
            del self._committing[waiting]

    def _hand_over(self) -> None:
        turn, self._turn = self._turn, []
        self._writer.submit(turn)

    def _deliver(self, waiting: asyncio.Future[list[Outcome]], outcomes: list[Outcome]) -> None:
        """Hands outcomes to the loop, from the writer's thread: one wake-up serves a whole group."""
        assert self._loop is not None
        self._answers.append((waiting, outcomes))
        if len(self._answers) == 1:
            with suppress(RuntimeError):  # the loop has ended
                self._loop.call_soon_threadsafe(self._drain)

    def _drain(self) -> None:
        while self._answers:
            waiting, outcomes = self._answers[0]
            if not waiting.done():
                waiting.set_result(outcomes)
            self._answers.popleft()

    # ── everything else ──────────────────────────────────────────────────────────────────────────────────────────

    async def _other(self, request: Request, scope: Scope, receive: Receive, send: Send) -> None:
        body = await self._body(request, receive, LARGEST_FORM)
        if isinstance(body, Response):
            await _send(send, body)
            return
        request = request._replace(body=body)
        own = self._routes.find(request)
        if own is None:
            await _send(send, await self._page(request, scope))
            return
        if request.path in QUICK:
            answered = answered_by(own, request)
        else:
            answered = await self._in_thread(self._live, lambda asked: answered_by(own, asked), request)
        if isinstance(answered, Stream):
            await self._stream(answered, receive, send)
        else:
            await _send(send, answered)

    async def _page(self, request: Request, scope: Scope) -> Response:
        work = partial(call_wsgi, self._wsgi, scope=scope)
        answered: Response = await self._in_thread(self._pages, work, request)
        return answered

    async def _in_thread(self, threads: ThreadPoolExecutor, work: Callable[[Request], Any], request: Request) -> Any:
        if self._in_threads >= MOST_WAITING:
            return BUSY
        assert self._loop is not None
        self._in_threads += 1
        try:
            return await self._loop.run_in_executor(threads, work, request)
        finally:
            self._in_threads -= 1

    async def _stream(self, stream: Stream, receive: Receive, send: Send) -> None:
        """Sends what the subscription holds until the reader goes, stops reading, or may read no more."""
        assert self._loop is not None
        loop, woken = self._loop, asyncio.Event()

        def wake() -> None:
            with suppress(RuntimeError):
                loop.call_soon_threadsafe(woken.set)

        try:
            subscription = await loop.run_in_executor(self._live, stream.subscribe, wake)
        except Exception:
            log.exception("a stream could not begin")
            await _send(send, AWAY)
            return
        reading = asyncio.ensure_future(self._forward(stream, subscription, woken, send))
        leaving = asyncio.ensure_future(_left(receive))
        try:
            await asyncio.wait({reading, leaving}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            reading.cancel()
            leaving.cancel()
            stream.unsubscribe(subscription)
            with suppress(Exception):
                await send({"type": "http.response.body", "body": b"", "more_body": False})

    async def _forward(self, stream: Stream, subscription: Subscription, woken: asyncio.Event, send: Send) -> None:
        assert self._loop is not None
        await send({"type": "http.response.start", "status": 200, "headers": _headers(stream.headers)})
        checked = time.monotonic()
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(CHECK_S):
                    await woken.wait()
            woken.clear()
            if frame := subscription.take():
                async with asyncio.timeout(UNREAD_S):
                    await send({"type": "http.response.body", "body": frame, "more_body": True})
            if subscription.closed:
                return
            if time.monotonic() - checked >= CHECK_S:
                checked = time.monotonic()
                if not await self._loop.run_in_executor(self._live, stream.allowed):
                    return

    # ── reading ──────────────────────────────────────────────────────────────────────────────────────────────────

    async def _body(self, request: Request, receive: Receive, most: int) -> bytes | Response:
        """The whole body, or the answer that says why it is not taken. Nothing is read past `most`."""
        length = request.headers.get("content-length", "")
        if length and (not length.isdecimal() or int(length) > most):
            return TOO_LARGE
        if not length and "transfer-encoding" not in request.headers:
            return b""
        task = asyncio.current_task(self._loop)
        assert task is not None
        self._reading[task] = time.monotonic() + BODY_S
        try:
            return await _read(receive, most)
        except asyncio.CancelledError:
            if self._reading.get(task, 1.0) > 0:
                raise
            task.uncancel()
            return TOO_SLOW
        finally:
            del self._reading[task]

    def _end_waits(self) -> None:
        """Once a second: a time-out of its own for each request would cost more than reading a small body."""
        assert self._loop is not None
        now = time.monotonic()
        for task, until in list(self._reading.items()):
            if 0 < until < now:
                self._reading[task] = 0
                task.cancel()
        for waiting, until in list(self._committing.items()):
            if until < now and not waiting.done():
                waiting.set_result([])
        self._loop.call_later(1.0, self._end_waits)

    def close(self) -> None:
        """Lets the threads end."""
        self._pages.shutdown(wait=False, cancel_futures=True)
        self._live.shutdown(wait=False, cancel_futures=True)


async def _left(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _request(scope: Scope) -> Request:
    headers: Mapping[str, str] = {name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]}
    peer = scope["client"][0] if scope.get("client") else "127.0.0.1"
    return Request(scope["method"], scope["path"], scope["query_string"].decode("latin-1"), headers, peer)


async def _read(receive: Receive, most: int) -> bytes | Response:
    pieces: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return TOO_SLOW
        piece = message.get("body", b"")
        size += len(piece)
        if size > most:
            return TOO_LARGE
        if not message.get("more_body"):
            return b"".join([*pieces, piece]) if pieces else piece
        pieces.append(piece)


@lru_cache(256)
def _headers(headers: tuple[tuple[str, str], ...]) -> list[tuple[bytes, bytes]]:
    return [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in sealed(headers)]


async def _send(send: Send, response: Response) -> None:
    length = [(b"content-length", str(len(response.body)).encode())] if response.status not in (204, 304) else []
    await send(
        {"type": "http.response.start", "status": response.status, "headers": _headers(response.headers) + length}
    )
    await send({"type": "http.response.body", "body": response.body})
