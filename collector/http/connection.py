"""One HTTP/1.1 connection: it receives bytes, passes whole requests to the handler, and sends responses in order.

`reader.py` parses the bytes. This module decides which request is next, how much may be buffered, and when the
connection ends.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from functools import partial
from typing import NamedTuple, Protocol, cast

from analytics.base.address_prefix import address_prefix
from analytics.base.addresses import plain_address
from analytics.base.error_log import describe
from collector.http.answer_head import NO_CONTENT, InvalidHeader, answer_head, date_line
from collector.http.budget import Allowance, Budget
from collector.http.counts import Counts
from collector.http.limits import Limits
from collector.http.messages import Headers, Request, Response
from collector.http.open_connections import OpenConnections
from collector.http.reader import Reader
from collector.http.refusals import FAILED, TOO_LARGE, TOO_MUCH, TOO_SLOW

log = logging.getLogger("footfall.connection")

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
NEVER = float("inf")
UNIX_PEER = "127.0.0.1"  # the peer of a Unix socket is on this machine


class FrameSource(Protocol):
    """The source of a stream's frames. It calls `Client.wake` when it has some."""

    closed: bool

    def take(self) -> bytes:
        """Removes and returns everything that is buffered; empty if nothing is."""


class Client(Protocol):
    """The receiver of a response: a `Connection`, or a request of an ASGI server (`asgi.py`)."""

    def answer(self, number: int, response: Response, route: str = "") -> None:
        """Sends the response to the request `number`; does nothing if that was answered or its client is gone.

        `route` is the pattern under which it is counted, "" if it has none.
        """

    def stream(
        self, number: int, headers: Headers, frames: FrameSource, on_end: Callable[[], None], route: str = ""
    ) -> None:
        """Sends the frames until their source closes or the client disconnects; then calls `on_end`."""

    def wake(self) -> None:
        """Says that the source has frames. Any thread may call it."""


class Handler(Protocol):
    """Answers requests by `Client.answer` or `Client.stream`, now or later. The event loop calls every method."""

    limits: Limits
    counts: Counts
    connections: OpenConnections[Connection]
    security_headers: Headers  # of every response
    anonymous_budget: Budget  # for requests whose sender is not known yet

    def canonical(self, path: str) -> str:
        """The path as the routes have it: without the base path and without extra slashes."""

    def allowance(self, path: str, headers: Mapping[str, str]) -> Allowance:
        """The maximum size of a body for that path and those headers."""

    def identify_sender(
        self, path: str, headers: Mapping[str, str], respond: Callable[[Allowance | Response], None]
    ) -> None:
        """Looks up whether the sender is signed in; calls `respond` later, with the allowance or the refusal."""

    def address(self, peer: str, headers: Mapping[str, str]) -> str:
        """The address whose part of a budget the request uses."""

    def handle(self, request: Request, client: Client, number: int) -> None:
        """Answers the request; `number` identifies it in `Client.answer` and `Client.stream`."""

    def refused(self, path: str, response: Response) -> Response:
        """The response to send for a refusal by the edge; `path` is "" if it is not known yet."""


class _Waiting(NamedTuple):
    """A queued request, or a queued refusal; and how its response has to be sent."""

    what: Request | Response
    keep_alive: bool
    chunked: bool


class Connection(asyncio.Protocol):
    """A client's connection. It handles one request at a time; pipelined requests wait in order."""

    def __init__(self, handler: Handler) -> None:
        self._handler = handler
        self._limits = handler.limits
        self._counts = handler.counts
        self._loop = asyncio.get_running_loop()
        self._reader = Reader(self, handler.limits, handler.canonical)
        self._waiting: deque[_Waiting] = deque()
        self._number = 0  # of the current request; a response to another one is too late
        self._answering = self._keep_alive = self._is_head = self._in_next = False
        self._chunked = True
        self._begun = 0.0  # when the current request was passed on (monotonic)
        self._reserved = 0  # bytes in the budget
        self._budget, self._address = handler.anonymous_budget, ""
        self._unidentified: Mapping[str, str] | None = (
            None  # the headers of the request whose sender is being looked up
        )
        self._continue_due = False  # 100 Continue follows the current response
        self._frames: FrameSource | None = None
        self._on_end: Callable[[], None] | None = None
        self._woken = self._paused = self._eof = False
        self._unsent = 0
        self._step = 0  # the reader's step when the deadline was last set
        self._deadline = time.monotonic() + self._limits.head_s

    # ── callbacks of the transport ───────────────────────────────────────────────────────────────────────────────

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's transports are not subclasses
        self._transport.set_write_buffer_limits(high=self._limits.unsent_bytes)
        peer = self._transport.get_extra_info("peername")
        self.peer = self._reader.peer = plain_address(peer[0]) if isinstance(peer, tuple) else UNIX_PEER
        self._address_prefix = address_prefix(self.peer)
        self._counts.connections += 1
        self._counts.displaced += self._handler.connections.add(self, self._address_prefix)

    def connection_lost(self, _: Exception | None) -> None:
        self._answering = False
        self._waiting.clear()
        self._release_memory()
        self._reader.close()
        self._handler.connections.discard(self, self._address_prefix)
        self._end_stream()

    def eof_received(self) -> bool:
        """The client sends no more; it may still wait for responses. TLS connections cannot be half closed."""
        self._eof = self._reader.ended = True
        return self._frames is None and (self._answering or bool(self._waiting)) and self._transport.can_write_eof()

    def data_received(self, data: bytes) -> None:
        reader = self._reader
        if reader.ended:
            return
        try:
            reader.feed(data)
        except Exception as failed:
            log.error("a request failed: %s", describe(failed))
            self._transport.abort()
        if reader.head_size and reader.step != self._step:
            self._step = reader.step
            if not self._answering:
                self._deadline = time.monotonic() + (self._limits.head_s if reader.in_head else self._limits.body_s)
        if reader.head_size or self._waiting or self._reserved:
            self._reserve_memory()

    def pause_writing(self) -> None:
        self._paused = True
        self._unsent = self._transport.get_write_buffer_size()
        self._deadline = time.monotonic() + self._limits.unread_s

    def resume_writing(self) -> None:
        self._paused = False
        quiet_s = self._limits.linger_s if self._reader.ended else self._limits.idle_s
        self._deadline = NEVER if self._answering else time.monotonic() + quiet_s
        self._flush()
        self._next()

    def check(self, now: float) -> None:
        """Closes the connection if its deadline has passed. Called about once a second; `now` is monotonic."""
        if now < self._deadline:
            return
        if self._paused and self._transport.get_write_buffer_size() < self._unsent:
            self.pause_writing()  # the client is slow, but reads
        elif self._paused or self._transport.is_closing():
            self._counts.timeouts += self._paused
            self._transport.abort()
        elif self._reader.ended:
            self._transport.close()
            self._deadline = now + self._limits.unread_s
        elif not self._reader.head_size:
            self._transport.close()
        else:
            self._counts.timeouts += 1
            self.refuse(TOO_SLOW)

    # ── callbacks of the reader ──────────────────────────────────────────────────────────────────────────────────

    def admit(self, path: str, headers: Mapping[str, str]) -> None:
        reader = self._reader
        self._release_memory()
        reader.max_body, self._budget, over = self._handler.allowance(path, headers)
        reader.body_refusal = over or TOO_LARGE
        length = headers.get("content-length", "")
        if int(length) <= reader.max_body if length else bool(over and reader.max_body):
            self._send_continue()
        elif over:
            self.refuse(over)
        else:
            reader.max_body = (
                self._limits.call_bytes
            )  # for bytes that have arrived: reading pauses until the sender is known
            self._unidentified = headers
            self._transport.pause_reading()
            self._handler.identify_sender(path, headers, partial(self._on_identified, headers))

    def _on_identified(self, headers: Mapping[str, str], found: Allowance | Response) -> None:
        """Goes on with the body now that its sender is known, unless that request is over."""
        reader = self._reader
        if self._unidentified is not headers or reader.ended:
            return
        self._unidentified = None
        if isinstance(found, Response):
            self.refuse(found)
        elif max(int(headers.get("content-length", "0")), len(reader.body)) > found.max_bytes:
            self.refuse(found.refusal or TOO_LARGE)
        else:
            self._release_memory()
            reader.max_body, self._budget, over = found
            reader.body_refusal = over or TOO_LARGE
            self._reserve_memory()
            self._send_continue()
            if not self._waiting:
                self._transport.resume_reading()

    def _send_continue(self) -> None:
        """Sends 100 Continue if the client expects it, after the responses that are due before."""
        if self._reader.expects:
            self._continue_due = self._answering
            if not self._answering:
                self._transport.write(CONTINUE)

    def receive(self, request: Request, keep_alive: bool, chunked: bool) -> None:
        self._unidentified, self._continue_due = None, False
        if not (self._answering or self._paused or self._waiting):
            self._start(request, keep_alive, chunked)
            return
        self._waiting.append(_Waiting(request, keep_alive, chunked))
        if len(self._waiting) > self._limits.pipelined:
            self.refuse(TOO_MUCH)
        else:
            self._transport.pause_reading()  # the rest waits at the client

    def refuse(self, response: Response) -> None:
        """Queues a refusal as the last response of the connection. Nothing more is read."""
        if not self._reader.ended:
            self._reader.ended = True
            last = self._handler.refused(self._reader.path, response)
            self._reader.forget()
            self._waiting.append(_Waiting(last, keep_alive=False, chunked=True))
            self._reserve_memory()
            self._next()

    # ── buffered memory ──────────────────────────────────────────────────────────────────────────────────────────

    def _reserve_memory(self) -> None:
        """Counts incomplete and queued requests in the budget; refuses them if the budget is exhausted."""
        reader, each = self._reader, self._limits.waiting_bytes
        size = reader.size + sum(each + len(waiting.what.body) for waiting in self._waiting)
        if size <= self._limits.free_bytes:
            self._release_memory()
        elif size > self._reserved:
            self._address = self._address or self._handler.address(self.peer, {} if reader.in_head else reader.headers)
            if self._budget.reserve(self._address, size - self._reserved):
                self._reserved = size
            else:
                self._refuse_waiting()
        else:
            self._budget.release(self._address, self._reserved - size)
            self._reserved = size

    def _refuse_waiting(self) -> None:
        """Replaces all queued requests by one refusal: they would use memory until the current one is answered."""
        refused = [self._waiting[-1]] if self._reader.ended else []
        self._waiting.clear()
        self._release_memory()
        self._waiting.extend(refused)
        self.refuse(TOO_MUCH)

    def _release_memory(self) -> None:
        """Releases all reserved memory."""
        if self._reserved:
            self._budget.release(self._address, self._reserved)
        self._reserved, self._address = 0, ""

    # ── answering ────────────────────────────────────────────────────────────────────────────────────────────────

    def _next(self) -> None:
        """Starts queued requests until one is under way or the client stops reading. Yields to other connections."""
        if self._in_next:
            return  # a handler has answered at once: the loop below continues
        self._in_next = True
        try:
            for _ in range(self._limits.answers_per_turn):
                if not self._waiting or self._answering or self._paused:
                    return
                self._start(*self._waiting.popleft())
        except Exception as failed:
            log.error("a request failed: %s", describe(failed))
            self._transport.abort()
        finally:
            self._in_next = False
        if self._waiting:
            self._loop.call_soon(self._next)
        elif self._reserved and not self._reader.head_size:
            self._release_memory()

    def _start(self, what: Request | Response, keep_alive: bool, chunked: bool) -> None:
        self._number += 1
        self._keep_alive, self._chunked = keep_alive, chunked
        self._answering, self._deadline, self._begun = True, NEVER, time.monotonic()
        if isinstance(what, Response):
            self._is_head = False
            self.answer(self._number, what)
            return
        self._is_head = what.method == "HEAD"
        self._handler.handle(what, self, self._number)

    def answer(self, number: int, response: Response, route: str = "") -> None:
        if number != self._number or not self._answering or self._frames:
            return
        now = time.time()
        self._answering = False
        monotonic = time.monotonic()
        self._deadline = monotonic + (self._limits.head_s if self._reader.head_size else self._limits.idle_s)
        length = None if response.status in NO_CONTENT else len(response.body)
        try:
            head = answer_head(
                response.status, response.headers, length, self._keep_alive, self._handler.security_headers
            )
        except InvalidHeader as wrong:
            log.error("the header %s of an answer cannot be sent", wrong)
            response = FAILED
            head = answer_head(500, FAILED.headers, len(FAILED.body), False, self._handler.security_headers)
            self._keep_alive = False
        self._counts.record(route, response.status, monotonic - self._begun)
        head += date_line(int(now))
        self._transport.write(head if self._is_head else head + response.body)
        if not self._keep_alive or (self._eof and not self._waiting):
            self._end()
        elif self._waiting:
            self._next()
        elif not self._reader.ended and self._unidentified is None:
            self._transport.resume_reading()
            if self._continue_due:
                self._continue_due = False
                self._transport.write(CONTINUE)

    def _end(self) -> None:
        """Half-closes the connection: after an immediate close the client might not see the response."""
        self._reader.ended = True
        self._waiting.clear()
        self._release_memory()
        if self._eof or not self._transport.can_write_eof():  # TLS has no half-close
            self._transport.close()
            return
        self._deadline = time.monotonic() + (self._limits.unread_s if self._paused else self._limits.linger_s)
        self._transport.resume_reading()
        self._transport.write_eof()

    def close_if_idle(self) -> bool:
        """Closes the connection at once unless a request or a stream is being answered; returns whether it closed."""
        if not self._answering:
            self._reader.ended = True
            self._transport.abort()
        return not self._answering

    @property
    def has_waiting(self) -> bool:
        """Whether requests are queued and none is under way."""
        return bool(self._waiting) and not self._answering

    @property
    def is_answering(self) -> bool:
        """Whether a request or a stream is under way."""
        return self._answering

    def close_when_answered(self) -> bool:
        """Closes the connection if its responses have been read; returns whether one is still due."""
        if not self._answering and not self._paused:
            self._transport.close()
        return self._answering or self._transport.get_write_buffer_size() > 0

    # ── streaming ────────────────────────────────────────────────────────────────────────────────────────────────

    def stream(
        self, number: int, headers: Headers, frames: FrameSource, on_end: Callable[[], None], route: str = ""
    ) -> None:
        if number != self._number or not self._answering:
            on_end()
            return
        self._frames, self._on_end = frames, on_end
        self._reader.ended = True  # a stream is the last response of its connection
        self._waiting.clear()
        self._release_memory()
        self._transport.resume_reading()  # discards the bytes, but notices a disconnect
        coded = (*headers, ("Transfer-Encoding", "chunked")) if self._chunked else headers
        self._counts.record(route, 200, time.monotonic() - self._begun)
        head = answer_head(200, coded, None, False, self._handler.security_headers)
        self._transport.write(head + date_line(int(time.time())))
        self._flush()

    def wake(self) -> None:
        if not self._woken:
            self._woken = True
            with suppress(RuntimeError):  # the loop has ended
                self._loop.call_soon_threadsafe(self._flush)

    def _flush(self) -> None:
        self._woken = False
        if self._frames is None or self._paused:
            return
        if frame := self._frames.take():
            self._transport.write(b"%x\r\n%b\r\n" % (len(frame), frame) if self._chunked else frame)
        if self._frames.closed:
            self._answering = False
            self._transport.write(b"0\r\n\r\n" if self._chunked else b"")
            self._end_stream()
            self._end()

    def _end_stream(self) -> None:
        self._frames = None
        if self._on_end:
            self._on_end()
            self._on_end = None
