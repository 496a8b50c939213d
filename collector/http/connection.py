"""One HTTP/1.1 connection: bytes come in, whole requests go on; their answers and streams go back in order.

`httptools` (the parser of Node.js) reads the bytes on the event loop itself. A request costs no task, no future and no
other thread: on two cores a bare answer takes 16 µs, where Granian's ASGI took 20 without a body and 36 to 50 with one.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable, Mapping
from contextlib import suppress
from email.utils import formatdate
from functools import lru_cache, partial
from http import HTTPStatus
from typing import NamedTuple, NoReturn, Protocol, cast

import httptools

from analytics.base.address_prefix import address_prefix
from analytics.base.addresses import plain_address
from analytics.base.error_log import describe
from collector.http import head
from collector.http.budget import Allowance, Budget
from collector.http.guests import Guests
from collector.http.messages import Headers, Request, Response, error, sealed
from collector.live.hub import Subscription

log = logging.getLogger("footfall.connection")

HEAD_S = 10.0  # how long the lines before a body may take
BODY_S = 10.0  # how long a body may take
IDLE_S = 75.0  # how long a connection may stay without a request
UNREAD_S = 10.0  # how long a reader may take nothing of an answer
LINGER_S = 2.0  # how long a refused client may still send: closed at once, it would not see why
LARGEST_UNSENT = 64 * 1024  # from here on a client has to read before it gets more
MOST_CONNECTIONS = 10_000
CLOSE = (("Connection", "close"),)

MOST_WAITING = 128  # pipelined requests behind the one under way
AT_ONCE = 64  # answers of one connection before the others have their turn
MOST_CHUNKS = 4_096  # of one body
FRAMING = 64 * 1024  # beside its body, what a body's chunks and trailers may take
WAITS = 1024  # bytes that a waiting request takes beside its body
FREE = 8 * 1024  # bytes that a connection may hold whatever the others do: what a page sends is smaller

BAD_REQUEST = error(400, "bad_request", "this is no HTTP/1.1 request", CLOSE)
TOO_SLOW = error(408, "too_slow", "the request did not arrive in time", CLOSE)
TOO_LARGE = error(413, "too_large", "the body is too large", CLOSE)
TOO_MUCH = error(503, "busy", "too many requests are under way", (*CLOSE, ("Retry-After", "2")))
HEADERS_TOO_LARGE = error(
    431, "headers_too_large", f"the headers are more than {head.MOST_LINES} lines or {head.LARGEST} bytes", CLOSE
)
NO_TUNNEL = error(405, "wrong_method", "this is no proxy", (*CLOSE, ("Allow", "GET, HEAD, OPTIONS, POST")))

NEVER = float("inf")


class Handler(Protocol):
    """Who answers. All of it is called on the loop, and answers by `Connection.answer` or `stream`, now or later."""

    connections: Guests[Connection]
    seal: Headers  # the security headers of every answer
    strangers: Budget  # of those of whom nothing is known yet

    def canonical(self, path: str) -> str:
        """The path as the routes have it, where only slashes are too many."""

    def allowance(self, path: str, headers: Mapping[str, str]) -> Allowance:
        """What body whoever sends those headers to that path may send."""

    def ask_who(self, path: str, headers: Mapping[str, str], tell: Callable[[Allowance | Response], None]) -> None:
        """Finds out whether somebody signed in sends those headers: `tell` gets the allowance or the refusal later."""

    def address(self, peer: str, headers: Mapping[str, str]) -> str:
        """Whose share of a budget is used up."""

    def take(self, request: Request, connection: Connection, number: int) -> None:
        """Answers the request; `number` goes with the answer."""

    def refused(self, path: str, response: Response) -> Response:
        """The answer to a request that could not be read to its end; the path is "" where it is not known."""


class _Asked(NamedTuple):
    """What waits for its turn: a request, or the refusal of one; what its answer has to keep to."""

    what: Request | Response
    keeps: bool
    chunked: bool

    @property
    def size(self) -> int:
        """The bytes that it holds while it waits."""
        return WAITS + len(self.what.body)


class _Ended(Exception):
    """Nothing more of what came is parsed."""


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
        self._held = 0  # bytes that are counted in the budget
        self._budget, self._address = handler.strangers, ""
        self._unparsed = b""  # what has come of a head before the last piece
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
        self._body: bytes | bytearray = b""
        self._raw = self._head_size = self._chunks = self._largest = 0
        self._in_head = True
        self._upgrades = self._asking = False
        self._over: Response | None = TOO_LARGE
        self._path = ""

    # ── what the transport tells ─────────────────────────────────────────────────────────────────────────────────

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop registers none of its own
        self._transport.set_write_buffer_limits(high=LARGEST_UNSENT)
        peer = self._transport.get_extra_info("peername")
        self._peer = plain_address(str(peer[0])) if peer else "127.0.0.1"
        self._home = address_prefix(self._peer)
        self._handler.connections.add(self, self._home)

    def connection_lost(self, _: Exception | None) -> None:
        self._deaf = True
        self._answering = False
        self._waiting.clear()
        self._let_go()
        self._begin()
        del self._parser  # it holds us: nobody would look for such rings among what has lasted for long
        self._handler.connections.discard(self, self._home)
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
        self._received = self._unparsed + data
        rest: bytes | memoryview | None = data
        while rest is not None:
            rest = self._parse(rest)
        if self._in_head and self._head_size > head.LARGEST:
            self._refuse(HEADERS_TOO_LARGE)
        elif not self._in_head and self._raw > len(data) + head.LARGEST + 2 * self._largest + FRAMING:
            self._refuse(TOO_LARGE)  # chunks and trailers without end
        self._unparsed = b""
        if self._in_head and self._head_size:
            self._unparsed = self._received[self._received.rfind(b"\r\n\r\n") + 1 :]
        self._received = b""
        if self._head_size or self._waiting or self._held:
            self._hold()

    def _parse(self, data: bytes | memoryview) -> memoryview | None:
        """Parses, up to a request for another protocol; gives what is behind the head of that one."""
        try:
            self._parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            return None if self._deaf else self._without_upgrade(memoryview(data)[upgrade.args[0] :])
        except httptools.HttpParserCallbackError as failed:
            if not isinstance(failed.__context__, _Ended):
                log.error("a request failed: %s", describe(failed))
                self._transport.abort()
        except httptools.HttpParserError:
            self._refuse(BAD_REQUEST)
        return None

    def _without_upgrade(self, rest: memoryview) -> memoryview:
        """Reads the head again as if no other protocol was asked for: the parser skips the body of such a request."""
        asked = head.without_upgrade(self._method, self._url, self._parser.get_http_version(), self._fields)
        self._parser = httptools.HttpRequestParser(self)
        kept = self._raw, self._received
        self._received = asked
        self._parse(asked)
        self._raw, self._received = kept
        return rest

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
        if self._deaf:
            raise _Ended
        self._begin()
        self._head_size = 1
        self._expect_within(HEAD_S)

    def on_url(self, url: bytes) -> None:
        self._url += url

    def on_header(self, name: bytes, value: bytes) -> None:
        self._fields.append((name, value))  # trailers too, which are none of ours
        if len(self._fields) > head.MOST_LINES:
            self._break(HEADERS_TOO_LARGE)

    def on_headers_complete(self) -> None:
        self._in_head = False
        parser = self._parser
        self._upgrades = parser.should_upgrade()
        self._method = parser.get_method()
        if self._upgrades and self._method != b"CONNECT":
            return  # read again without that
        target = head.target_of if len(self._url) < 512 else head.target_of.__wrapped__
        self._path, self._query = target(self._url)
        self._headers = headers = head.headers_of(self._fields)
        self._head_size = len(self._received)
        if self._head_size > head.LARGEST:
            self._head_size = head.size_of(self._method, self._url, self._fields, self._received)
            if self._head_size > head.LARGEST:
                self._break(HEADERS_TOO_LARGE)
        if head.is_wrong(self._method, self._url, parser.get_http_version(), headers, self._received):
            self._break(BAD_REQUEST)
        if self._method == b"CONNECT":
            self._break(NO_TUNNEL)
        self._path = self._handler.canonical(self._path)
        self._expect_within(BODY_S)
        if "content-length" in headers or "transfer-encoding" in headers:
            self._measure(headers)

    def _measure(self, headers: Mapping[str, str]) -> None:
        """Decides by the head alone what body may come."""
        self._let_go()
        self._largest, self._budget, self._over = self._handler.allowance(self._path, headers)
        length = headers.get("content-length", "")
        if length and (not length.isdecimal() or len(length) > 18):
            self._break(TOO_LARGE)
        whole = int(length) <= self._largest if length else bool(self._over and self._largest)
        if whole:
            self._go_on()
        elif self._over:
            self._break(self._over)
        else:
            self._asking = True
            self._transport.pause_reading()
            self._handler.ask_who(self._path, headers, partial(self._told, self._fields))

    def _told(self, fields: object, found: Allowance | Response) -> None:
        """Who sends the body is known now; too late where that request is over."""
        if not self._asking or fields is not self._fields or self._deaf:
            return
        self._asking = False
        length = int(self._headers.get("content-length", "0"))
        if isinstance(found, Response):
            self._refuse(found)
        elif max(length, len(self._body)) > found.largest:
            self._refuse(found.over or TOO_LARGE)
        else:
            self._let_go()
            self._largest, self._budget, self._over = found
            self._hold()
            self._go_on()
            if not self._waiting:
                self._transport.resume_reading()

    def _go_on(self) -> None:
        if "expect" in self._headers and not self._answering and not self._deaf:
            self._transport.write(b"HTTP/1.1 100 Continue\r\n\r\n")

    def on_chunk_header(self) -> None:
        self._chunks += 1
        if self._chunks > MOST_CHUNKS:
            self._break(TOO_LARGE)

    def on_body(self, body: bytes) -> None:
        if not self._asking and len(self._body) + len(body) > self._largest:
            self._break(self._over or TOO_LARGE)
        if not self._body:
            self._body = body  # usually it is all of it
        elif isinstance(self._body, bytes):
            self._body = bytearray(self._body + body)
        else:
            self._body += body

    def on_message_complete(self) -> None:
        if self._upgrades or self._deaf:
            return
        version = self._parser.get_http_version()
        request = Request(
            self._method.decode("latin-1"), self._path, self._query, self._headers, self._peer, bytes(self._body)
        )
        self._body, self._asking = b"", False
        self._in_head, self._head_size = True, 0
        chunked = version == "1.1"
        keeps = chunked and self._parser.should_keep_alive()
        self._waiting.append(_Asked(request, keeps, chunked))
        if len(self._waiting) > MOST_WAITING:
            self._break(TOO_MUCH)
        elif self._answering or self._paused:
            self._transport.pause_reading()  # what has come already waits here, the rest with the client
        else:
            self._next()

    def _expect_within(self, seconds: float) -> None:
        if not self._answering:
            self._until = time.monotonic() + seconds

    # ── answering ────────────────────────────────────────────────────────────────────────────────────────────────

    def _hold(self) -> None:
        """Counts what is held of requests that are not whole or wait, and refuses what is too much."""
        size = self._head_size + len(self._unparsed) + len(self._body) + sum(asked.size for asked in self._waiting)
        if size <= FREE:
            self._let_go()
        elif size > self._held:
            self._address = self._address or self._handler.address(self._peer, {} if self._in_head else self._headers)
            if self._budget.take(self._address, size - self._held):
                self._held = size
            else:
                self._refuse_all()
        else:
            self._budget.give_back(self._address, self._held - size)
            self._held = size

    def _refuse_all(self) -> None:
        """One refusal for everything that waits, which would take its room until the request under way is answered."""
        refused = [self._waiting[-1]] if self._deaf else []
        self._waiting.clear()
        self._let_go()
        self._waiting.extend(refused)
        self._refuse(TOO_MUCH)

    def _let_go(self) -> None:
        """Nothing is held any more."""
        if self._held:
            self._budget.give_back(self._address, self._held)
        self._held, self._address = 0, ""

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
            log.error("a request failed: %s", describe(failed))
            self._transport.abort()
        finally:
            self._turning = False
        if self._waiting:
            self._loop.call_soon(self._next)
        elif self._held and self._in_head and not self._head_size:
            self._let_go()

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
        elif not self._deaf and not self._asking:
            self._transport.resume_reading()

    def _refuse(self, response: Response) -> None:
        """The last answer, after those that are due before it: nothing else is read."""
        if not self._deaf:
            self._deaf = True
            last = self._handler.refused(self._path, response)
            self._begin()
            self._waiting.append(_Asked(last, keeps=False, chunked=True))
            self._hold()
            self._next()

    def _break(self, response: Response) -> NoReturn:
        """Refuses, out of what the parser tells: it stops there."""
        self._refuse(response)
        raise _Ended

    def _end(self) -> None:
        """Says that nothing more comes, and gives the client a moment to stop: closed at once, it may see no answer."""
        self._deaf = True
        self._waiting.clear()
        self._let_go()
        if self._eof:
            self._transport.close()
            return
        self._until = time.monotonic() + (UNREAD_S if self._paused else LINGER_S)
        self._transport.resume_reading()
        self._transport.write_eof()

    def leave(self) -> bool:
        """Ends the connection at once unless a request is being answered, or a stream; whether it did."""
        if not self._answering:
            self._deaf = True
            self._transport.abort()
        return not self._answering

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
        self._let_go()
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
