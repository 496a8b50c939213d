"""One HTTP/1.1 connection: bytes come in, whole requests go on; their answers and streams go back in order.

`httptools` (the parser of Node.js) reads the bytes on the event loop itself. A request costs no task, no future and no
other thread: on two cores a bare answer takes 16 µs, where Granian's ASGI took 20 without a body and 36 to 50 with one.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from email.utils import formatdate
from functools import lru_cache
from http import HTTPStatus
from typing import NamedTuple, Protocol, cast
from urllib.parse import unquote_to_bytes

import httptools

from analytics.faults import told
from collector.hub import Subscription
from collector.request import Headers, Request, Response, error, routed, sealed

log = logging.getLogger("footfall.connection")

HEAD_S = 10.0  # how long the lines before a body may take
BODY_S = 10.0  # how long a body may take
IDLE_S = 75.0  # how long a connection may stay without a request
UNREAD_S = 10.0  # how long a reader may take nothing of an answer
LINGER_S = 2.0  # how long a refused client may still send: closed at once, it would not see why
LARGEST_HEADERS = 16 * 1024
LARGEST_UNSENT = 64 * 1024  # from here on a client has to read before it gets more
MOST_CONNECTIONS = 10_000
CLOSE = (("Connection", "close"),)

MOST_WAITING = 128  # pipelined requests behind the one under way
AT_ONCE = 64  # answers of one connection before the others have their turn
MOST_HELD = 256 * 1024 * 1024  # of unfinished bodies, in all connections together
FRAMING = 64 * 1024  # beside its body, what a body's chunks and trailers may take

BAD_REQUEST = error(400, "bad_request", "this is no HTTP/1.1 request", CLOSE)
TOO_SLOW = error(408, "too_slow", "the request did not arrive in time", CLOSE)
TOO_LARGE = error(413, "too_large", "the body is too large", CLOSE)
TOO_MUCH = error(503, "busy", "too many requests are under way", (*CLOSE, ("Retry-After", "2")))
HEADERS_TOO_LARGE = error(431, "headers_too_large", f"the headers are larger than {LARGEST_HEADERS} bytes", CLOSE)

NEVER = float("inf")


class Handler(Protocol):
    """Who answers. All of it is called on the loop, and answers by `Connection.answer` or `stream`, now or later."""

    connections: set[Connection]
    held: int  # bytes of all the bodies that have not come to their end
    seal: Headers  # the security headers of every answer
    base_path: str  # below which requests may arrive

    def largest_body(self, path: str) -> int:
        """How many bytes a body for that path may have."""

    def take(self, request: Request, connection: Connection, number: int) -> None:
        """Answers the request; `number` goes with the answer."""

    def refused(self, path: str, response: Response) -> Response:
        """The answer to a request that could not be read to its end; the path is "" where it is not known."""


class _Asked(NamedTuple):
    """What waits for its turn: a request, or the refusal of one; what its answer has to keep to."""

    what: Request | Response
    keeps: bool
    chunked: bool


class Connection(asyncio.Protocol):
    """A client's connection. One request at a time is under way; what is pipelined behind it waits for its turn."""

    def __init__(self, handler: Handler) -> None:
        self._handler = handler
        self._loop = asyncio.get_running_loop()
        self._parser = httptools.HttpRequestParser(self)
        self._waiting: deque[_Asked] = deque()
        self._number = 0  # of the request under way; an answer to another one comes too late
        self._answering = self._keeps = self._is_head = self._turning = False
        self._chunked = True
        self._held = 0
        self._subscription: Subscription | None = None
        self._ended: Callable[[], None] | None = None
        self._woken = self._paused = self._eof = False
        self._deaf = False  # nothing that comes in is looked at any more
        self._unsent = 0
        self._until = time.monotonic() + HEAD_S
        self._begin()

    def _begin(self) -> None:
        self._url = b""
        self._fields: list[tuple[bytes, bytes]] = []
        self._body = bytearray()
        self._raw = self._head_size = 0
        self._let_go()
        self._in_head = True
        self._path = ""
        self._most = 0

    # ── what the transport tells ─────────────────────────────────────────────────────────────────────────────────

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop registers none of its own
        self._transport.set_write_buffer_limits(high=LARGEST_UNSENT)
        peer = self._transport.get_extra_info("peername")
        self._peer = str(peer[0]).removeprefix("::ffff:") if peer else "127.0.0.1"  # IPv4 at a socket for both families
        self._handler.connections.add(self)
        if len(self._handler.connections) > MOST_CONNECTIONS:
            self._transport.abort()

    def connection_lost(self, _: Exception | None) -> None:
        self._deaf = True
        self._answering = False
        self._waiting.clear()
        self._let_go()
        self._handler.connections.discard(self)
        self._end_stream()

    def eof_received(self) -> bool:
        """Who has sent everything may still wait for the answer."""
        self._eof = self._deaf = True
        return self._subscription is None and (self._answering or bool(self._waiting))

    def data_received(self, data: bytes) -> None:
        if self._deaf:
            return
        self._raw += len(data)
        if self._in_head:
            self._head_size += len(data)
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            self._deaf = True  # no other protocol is spoken here: what was asked for is answered, and that is all
        except httptools.HttpParserCallbackError as failed:
            log.error("a request failed: %s", told(failed))
            self._transport.abort()
        except httptools.HttpParserError:
            self._refuse(BAD_REQUEST)
        if self._in_head and self._head_size > LARGEST_HEADERS:
            self._refuse(HEADERS_TOO_LARGE)
        elif not self._in_head and self._raw > len(data) + LARGEST_HEADERS + 2 * self._most + FRAMING:
            self._refuse(TOO_LARGE)  # chunks and trailers without end

    def pause_writing(self) -> None:
        self._paused = True
        self._unsent = self._transport.get_write_buffer_size()
        self._until = time.monotonic() + UNREAD_S

    def resume_writing(self) -> None:
        self._paused = False
        self._until = NEVER if self._answering else time.monotonic() + (LINGER_S if self._deaf else IDLE_S)
        self._flush()
        self._next()

    def check(self, now: float) -> None:
        """Ends what has taken too long; asked about once a second, `now` is monotonic."""
        if now < self._until:
            return
        if self._paused and self._transport.get_write_buffer_size() < self._unsent:
            self.pause_writing()  # slow, but reading
        elif self._paused or self._transport.is_closing():
            self._transport.abort()
        elif self._deaf:
            self._transport.close()
            self._until = now + UNREAD_S
        elif self._in_head and not self._head_size:
            self._transport.close()
        else:
            self._refuse(TOO_SLOW)

    # ── what the parser tells ────────────────────────────────────────────────────────────────────────────────────

    def on_message_begin(self) -> None:
        self._begin()
        self._head_size = 1
        self._expect_within(HEAD_S)

    def on_url(self, url: bytes) -> None:
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._in_head:  # trailers are none of ours
            self._fields.append((name, value))

    def on_headers_complete(self) -> None:
        self._in_head = False
        if self._deaf:
            return
        self._path, self._query = _target(self._url) if len(self._url) < 512 else _target.__wrapped__(self._url)
        if self._handler.base_path:
            self._path = routed(self._path, self._handler.base_path)
        self._headers = _headers(self._fields)
        self._most = self._handler.largest_body(self._path)
        self._expect_within(BODY_S)
        length = self._headers.get("content-length", "0")
        if len(self._url) + sum(len(name) + len(value) for name, value in self._fields) > LARGEST_HEADERS:
            self._refuse(HEADERS_TOO_LARGE)
        elif self._parser.get_http_version() == "1.1" and "," in self._headers.get("host", ","):
            self._refuse(BAD_REQUEST)  # none, or several
        elif not length.isdecimal() or len(length) > 18 or int(length) > self._most:
            self._refuse(TOO_LARGE)
        elif "expect" in self._headers and not self._answering:
            self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def on_body(self, body: bytes) -> None:
        if self._deaf:
            return
        if len(self._body) + len(body) > self._most:
            self._refuse(TOO_LARGE)
        elif self._handler.held > MOST_HELD:
            self._refuse(TOO_MUCH)
        else:
            self._body += body
            self._held += len(body)
            self._handler.held += len(body)

    def on_message_complete(self) -> None:
        if self._deaf:
            return
        method = self._parser.get_method().decode("latin-1")
        request = Request(method, self._path, self._query, self._headers, self._peer, bytes(self._body))
        self._let_go()
        self._in_head, self._head_size = True, 0
        chunked = self._parser.get_http_version() == "1.1"
        keeps = chunked and self._parser.should_keep_alive() and not self._parser.should_upgrade()
        self._waiting.append(_Asked(request, keeps, chunked))
        if len(self._waiting) > MOST_WAITING:
            self._refuse(TOO_MUCH)
        elif self._answering or self._paused:
            self._transport.pause_reading()  # what has come already waits here, the rest with the client
        else:
            self._next()

    def _expect_within(self, seconds: float) -> None:
        if not self._answering:
            self._until = time.monotonic() + seconds

    # ── answering ────────────────────────────────────────────────────────────────────────────────────────────────

    def _let_go(self) -> None:
        """The body has come to its end, one way or the other."""
        self._handler.held -= self._held
        self._held = 0

    def _next(self) -> None:
        """Goes on with what waits, while nothing is under way and the client reads; the others have their turn too."""
        if self._turning:
            return  # an answer that was given at once: the loop below goes on
        self._turning = True
        try:
            for _ in range(AT_ONCE):
                if not self._waiting or self._answering or self._paused:
                    return
                self._take(self._waiting.popleft())
        except Exception as failed:
            log.error("a request failed: %s", told(failed))
            self._transport.abort()
        finally:
            self._turning = False
        if self._waiting:
            self._loop.call_soon(self._next)

    def _take(self, asked: _Asked) -> None:
        self._number += 1
        self._keeps, self._chunked = asked.keeps, asked.chunked
        self._answering, self._until = True, NEVER
        if isinstance(asked.what, Response):
            self._is_head = False
            self.answer(self._number, asked.what)
            return
        self._is_head = asked.what.method == "HEAD"
        self._handler.take(asked.what, self, self._number)

    def answer(self, number: int, response: Response) -> None:
        """Sends the answer to the request with that number; nothing where it was answered or its client has gone."""
        if number != self._number or not self._answering or self._subscription:
            return
        self._answering = False
        self._until = time.monotonic() + (HEAD_S if self._head_size else IDLE_S)
        length = None if response.status in (204, 304) else len(response.body)
        seal = self._handler.seal
        head = _head(response.status, response.headers, length, self._keeps, seal) + _date(int(time.time()))
        self._transport.write(head if self._is_head else head + response.body)
        if not self._keeps or (self._eof and not self._waiting):
            self._end()
        elif self._waiting:
            self._next()
        elif not self._deaf:
            self._transport.resume_reading()

    def _refuse(self, response: Response) -> None:
        """The last answer, after those that are due before it: nothing else is read."""
        if not self._deaf:
            self._deaf = True
            self._let_go()
            self._waiting.append(_Asked(self._handler.refused(self._path, response), keeps=False, chunked=True))
            self._next()

    def _end(self) -> None:
        """Says that nothing more comes, and gives the client a moment to stop: closed at once, it may see no answer."""
        self._deaf = True
        self._waiting.clear()
        if self._eof:
            self._transport.close()
            return
        self._until = time.monotonic() + (UNREAD_S if self._paused else LINGER_S)
        self._transport.resume_reading()
        self._transport.write_eof()

    def close_if_idle(self) -> bool:
        """Ends the connection unless a request is under way; whether it did."""
        if not self._answering and not self._paused:
            self._transport.close()
        return not self._answering

    # ── streaming ────────────────────────────────────────────────────────────────────────────────────────────────

    def stream(
        self,
        number: int,
        headers: Headers,
        subscription: Subscription,
        ended: Callable[[], None],
    ) -> None:
        """Sends what the subscription holds, as it comes, until it closes or the reader goes; then calls `ended`."""
        if number != self._number or not self._answering:
            ended()
            return
        self._subscription, self._ended = subscription, ended
        self._deaf = True  # it ends the connection: what may come behind it is answered by nobody
        self._waiting.clear()
        self._transport.resume_reading()  # and thrown away, so that a reader who leaves is noticed
        coded = (*headers, ("Transfer-Encoding", "chunked")) if self._chunked else headers
        self._transport.write(_head(200, coded, None, False, self._handler.seal) + _date(int(time.time())))
        self._flush()

    def wake(self) -> None:
        """There is something to take: called from any thread."""
        if not self._woken:
            self._woken = True
            with suppress(RuntimeError):  # the loop has ended
                self._loop.call_soon_threadsafe(self._flush)

    def _flush(self) -> None:
        self._woken = False
        if self._subscription is None or self._paused:
            return
        if frame := self._subscription.take():
            self._transport.write(b"%x\r\n%b\r\n" % (len(frame), frame) if self._chunked else frame)
        if self._subscription.closed:
            self._answering = False
            self._transport.write(b"0\r\n\r\n" if self._chunked else b"")
            self._end_stream()
            self._end()

    def _end_stream(self) -> None:
        self._subscription = None
        if self._ended:
            self._ended()
            self._ended = None


def _headers(fields: list[tuple[bytes, bytes]]) -> dict[str, str]:
    """Headers by lower-case name; one that came several times is joined, as RFC 9110 §5.3 has it."""
    headers: dict[str, str] = {}
    for name, value in fields:
        key, text = _name(name), value.decode("latin-1")
        headers[key] = f"{headers[key]}{'; ' if key == 'cookie' else ', '}{text}" if key in headers else text
    return headers


@lru_cache(256)
def _name(name: bytes) -> str:
    return name.decode("latin-1").lower()


@lru_cache(1024)
def _target(url: bytes) -> tuple[str, str]:
    """Path (unquoted) and query of a request's target; the path is "" where the target has none."""
    if not url.startswith(b"/"):
        try:
            url = url[url.index(b"/", url.index(b"://") + 3) :]
        except ValueError:
            return "", ""
    path, _, query = url.partition(b"#")[0].partition(b"?")
    return unquote_to_bytes(path).decode("utf-8", "replace"), query.decode("latin-1")


@lru_cache(512)
def _head(status: int, headers: Headers, length: int | None, keeps: bool, seal: Headers) -> bytes:
    named = (f"{name}: {value}" for name, value in sealed(headers, seal))
    lines = [f"HTTP/1.1 {status} {HTTPStatus(status).phrase}", *named]
    if length is not None:
        lines.append(f"Content-Length: {length}")
    if not keeps and CLOSE[0] not in headers:
        lines.append("Connection: close")
    return "\r\n".join(lines).encode("latin-1", "replace") + b"\r\n"


@lru_cache(2)
def _date(second: int) -> bytes:
    """The last header of every answer, and the empty line behind it."""
    return f"Date: {formatdate(second, usegmt=True)}\r\n\r\n".encode()
