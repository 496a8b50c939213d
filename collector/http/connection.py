"""One HTTP/1.1 connection: bytes come in, whole requests go on; their answers and streams go back in order.

`http/reader.py` makes requests of the bytes; what is here decides whose turn it is, what may be held, and what ends.
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
from collector.http.answer_head import NO_CONTENT, WrongHeader, answer_head, date_line
from collector.http.budget import Allowance, Budget
from collector.http.counts import Counts
from collector.http.guests import Guests
from collector.http.limits import Limits
from collector.http.messages import Headers, Request, Response
from collector.http.reader import Reader
from collector.http.refusals import FAILED, TOO_LARGE, TOO_MUCH, TOO_SLOW

log = logging.getLogger("footfall.connection")

CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
NEVER = float("inf")
UNIX_PEER = "127.0.0.1"  # whoever comes over a Unix socket is on this machine


class Subscription(Protocol):
    """What a stream sends: it is taken when `Connection.wake` was called."""

    closed: bool

    def take(self) -> bytes:
        """Everything that waits; empty when nothing does."""


class Client(Protocol):
    """Who waits for the answer to a request: a connection, or an exchange of another server."""

    def answer(self, number: int, response: Response) -> None:
        """Sends the answer to the request with that number; nothing where it was answered or its client has gone."""

    def stream(self, number: int, headers: Headers, subscription: Subscription, ended: Callable[[], None]) -> None:
        """Sends what the subscription holds, as it comes, until it closes or the reader goes; then calls `ended`."""

    def wake(self) -> None:
        """There is something to take: called from any thread."""


class Handler(Protocol):
    """Who answers. All of it is called on the loop, and answers by `Client.answer` or `stream`, now or later."""

    limits: Limits
    counts: Counts
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

    def take(self, request: Request, client: Client, number: int) -> None:
        """Answers the request; `number` goes with the answer."""

    def refused(self, path: str, response: Response) -> Response:
        """The answer to a request that could not be read to its end; the path is "" where it is not known."""


class _Waiting(NamedTuple):
    """What waits for its turn: a request, or the refusal of one; what its answer has to keep to."""

    what: Request | Response
    keeps: bool
    chunked: bool


class Connection(asyncio.Protocol):
    """A client's connection. One request at a time is under way; what is pipelined behind it waits for its turn."""

    def __init__(self, handler: Handler) -> None:
        self._handler = handler
        self._limits = handler.limits
        self._counts = handler.counts
        self._loop = asyncio.get_running_loop()
        self._reader = Reader(self, handler.limits, handler.canonical)
        self._waiting: deque[_Waiting] = deque()
        self._number = 0  # of the request under way; an answer to another one comes too late
        self._answering = self._keeps = self._is_head = self._turning = False
        self._chunked = True
        self._held = 0  # bytes that are counted in the budget
        self._budget, self._address = handler.strangers, ""
        self._asking: Mapping[str, str] | None = None  # the head of the request whose sender is being found out
        self._continues = False  # 100 Continue is due after the answer under way
        self._subscription: Subscription | None = None
        self._ended: Callable[[], None] | None = None
        self._woken = self._paused = self._eof = False
        self._unsent = 0
        self._step = 0  # of the reader, when the time was last set
        self._until = time.monotonic() + self._limits.head_s

    # ── what the transport tells ─────────────────────────────────────────────────────────────────────────────────

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop registers none of its own
        self._transport.set_write_buffer_limits(high=self._limits.unsent_bytes)
        peer = self._transport.get_extra_info("peername")
        self.peer = self._reader.peer = plain_address(peer[0]) if isinstance(peer, tuple) else UNIX_PEER
        self._home = address_prefix(self.peer)
        self._counts.connections += 1
        self._counts.displaced += self._handler.connections.add(self, self._home)

    def connection_lost(self, _: Exception | None) -> None:
        self._answering = False
        self._waiting.clear()
        self._let_go()
        self._reader.close()
        self._handler.connections.discard(self, self._home)
        self._end_stream()

    def eof_received(self) -> bool:
        """Who has sent everything may still wait for the answer."""
        self._eof = self._reader.ended = True
        return self._subscription is None and (self._answering or bool(self._waiting))

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
                self._until = time.monotonic() + (self._limits.head_s if reader.in_head else self._limits.body_s)
        if reader.head_size or self._waiting or self._held:
            self._hold()

    def pause_writing(self) -> None:
        self._paused = True
        self._unsent = self._transport.get_write_buffer_size()
        self._until = time.monotonic() + self._limits.unread_s

    def resume_writing(self) -> None:
        self._paused = False
        quiet_s = self._limits.linger_s if self._reader.ended else self._limits.idle_s
        self._until = NEVER if self._answering else time.monotonic() + quiet_s
        self._flush()
        self._next()

    def check(self, now: float) -> None:
        """Ends what has taken too long; asked about once a second, `now` is monotonic."""
        if now < self._until:
            return
        if self._paused and self._transport.get_write_buffer_size() < self._unsent:
            self.pause_writing()  # slow, but reading
        elif self._paused or self._transport.is_closing():
            self._counts.timeouts += self._paused
            self._transport.abort()
        elif self._reader.ended:
            self._transport.close()
            self._until = now + self._limits.unread_s
        elif not self._reader.head_size:
            self._transport.close()
        else:
            self._counts.timeouts += 1
            self.refuse(TOO_SLOW)

    # ── what the reader tells ────────────────────────────────────────────────────────────────────────────────────

    def admit(self, path: str, headers: Mapping[str, str]) -> None:
        reader = self._reader
        self._let_go()
        reader.largest, self._budget, over = self._handler.allowance(path, headers)
        reader.over = over or TOO_LARGE
        length = headers.get("content-length", "")
        if int(length) <= reader.largest if length else bool(over and reader.largest):
            self._go_on()
        elif over:
            self.refuse(over)
        else:
            reader.largest = self._limits.call_bytes  # of what is here already: nothing more is read before it is known
            self._asking = headers
            self._transport.pause_reading()
            self._handler.ask_who(path, headers, partial(self._found_out, headers))

    def _found_out(self, headers: Mapping[str, str], found: Allowance | Response) -> None:
        """Who sends the body is known now; too late where that request is over."""
        reader = self._reader
        if self._asking is not headers or reader.ended:
            return
        self._asking = None
        if isinstance(found, Response):
            self.refuse(found)
        elif max(int(headers.get("content-length", "0")), len(reader.body)) > found.largest:
            self.refuse(found.over or TOO_LARGE)
        else:
            self._let_go()
            reader.largest, self._budget, over = found
            reader.over = over or TOO_LARGE
            self._hold()
            self._go_on()
            if not self._waiting:
                self._transport.resume_reading()

    def _go_on(self) -> None:
        """Tells a client that waits for it to send its body, after the answers that are due before."""
        if self._reader.expects:
            self._continues = self._answering
            if not self._answering:
                self._transport.write(CONTINUE)

    def receive(self, request: Request, keeps: bool, chunked: bool) -> None:
        self._asking, self._continues = None, False
        if not (self._answering or self._paused or self._waiting):
            self._take(request, keeps, chunked)
            return
        self._waiting.append(_Waiting(request, keeps, chunked))
        if len(self._waiting) > self._limits.pipelined:
            self.refuse(TOO_MUCH)
        else:
            self._transport.pause_reading()  # what has come already waits here, the rest with the client

    def refuse(self, response: Response) -> None:
        """The last answer, after those that are due before it: nothing else is read."""
        if not self._reader.ended:
            self._reader.ended = True
            last = self._handler.refused(self._reader.path, response)
            self._reader.forget()
            self._waiting.append(_Waiting(last, keeps=False, chunked=True))
            self._hold()
            self._next()

    # ── what may be held ─────────────────────────────────────────────────────────────────────────────────────────

    def _hold(self) -> None:
        """Counts what is held of requests that are not whole or wait, and refuses what is too much."""
        reader, each = self._reader, self._limits.waiting_bytes
        size = reader.size + sum(each + len(waiting.what.body) for waiting in self._waiting)
        if size <= self._limits.free_bytes:
            self._let_go()
        elif size > self._held:
            self._address = self._address or self._handler.address(self.peer, {} if reader.in_head else reader.headers)
            if self._budget.take(self._address, size - self._held):
                self._held = size
            else:
                self._refuse_all()
        else:
            self._budget.give_back(self._address, self._held - size)
            self._held = size

    def _refuse_all(self) -> None:
        """One refusal for everything that waits, which would take its room until the request under way is answered."""
        refused = [self._waiting[-1]] if self._reader.ended else []
        self._waiting.clear()
        self._let_go()
        self._waiting.extend(refused)
        self.refuse(TOO_MUCH)

    def _let_go(self) -> None:
        """Nothing is held any more."""
        if self._held:
            self._budget.give_back(self._address, self._held)
        self._held, self._address = 0, ""

    # ── answering ────────────────────────────────────────────────────────────────────────────────────────────────

    def _next(self) -> None:
        """Goes on with what waits, while nothing is under way and the client reads; the others have their turn too."""
        if self._turning:
            return  # an answer that was given at once: the loop below goes on
        self._turning = True
        try:
            for _ in range(self._limits.answers_per_turn):
                if not self._waiting or self._answering or self._paused:
                    return
                self._take(*self._waiting.popleft())
        except Exception as failed:
            log.error("a request failed: %s", describe(failed))
            self._transport.abort()
        finally:
            self._turning = False
        if self._waiting:
            self._loop.call_soon(self._next)
        elif self._held and not self._reader.head_size:
            self._let_go()

    def _take(self, what: Request | Response, keeps: bool, chunked: bool) -> None:
        self._number += 1
        self._keeps, self._chunked = keeps, chunked
        self._answering, self._until = True, NEVER
        if isinstance(what, Response):
            self._is_head = False
            self.answer(self._number, what)
            return
        self._is_head = what.method == "HEAD"
        self._handler.take(what, self, self._number)

    def answer(self, number: int, response: Response) -> None:
        if number != self._number or not self._answering or self._subscription:
            return
        now = time.time()
        self._answering = False
        self._until = time.monotonic() + (self._limits.head_s if self._reader.head_size else self._limits.idle_s)
        length = None if response.status in NO_CONTENT else len(response.body)
        try:
            head = answer_head(response.status, response.headers, length, self._keeps, self._handler.seal)
        except WrongHeader as wrong:
            log.error("the header %s of an answer cannot be sent", wrong)
            response = FAILED
            head = answer_head(500, FAILED.headers, len(FAILED.body), False, self._handler.seal)
            self._keeps = False
        self._counts.answers[response.status] += 1
        head += date_line(int(now))
        self._transport.write(head if self._is_head else head + response.body)
        if not self._keeps or (self._eof and not self._waiting):
            self._end()
        elif self._waiting:
            self._next()
        elif not self._reader.ended and self._asking is None:
            self._transport.resume_reading()
            if self._continues:
                self._continues = False
                self._transport.write(CONTINUE)

    def _end(self) -> None:
        """Says that nothing more comes, and gives the client a moment to stop: closed at once, it may see no answer."""
        self._reader.ended = True
        self._waiting.clear()
        self._let_go()
        if self._eof or not self._transport.can_write_eof():  # TLS says the same by closing
            self._transport.close()
            return
        self._until = time.monotonic() + (self._limits.unread_s if self._paused else self._limits.linger_s)
        self._transport.resume_reading()
        self._transport.write_eof()

    def leave(self) -> bool:
        """Ends the connection at once unless a request is being answered, or a stream; whether it did."""
        if not self._answering:
            self._reader.ended = True
            self._transport.abort()
        return not self._answering

    @property
    def waits(self) -> bool:
        """Whether a whole request has yet to have its turn, though none is under way."""
        return bool(self._waiting) and not self._answering

    @property
    def answering(self) -> bool:
        """Whether a request is under way, or a stream."""
        return self._answering

    def finish(self) -> bool:
        """Ends the connection once its answer has been read; whether that has yet to come."""
        if not self._answering and not self._paused:
            self._transport.close()
        return self._answering or self._transport.get_write_buffer_size() > 0

    # ── streaming ────────────────────────────────────────────────────────────────────────────────────────────────

    def stream(self, number: int, headers: Headers, subscription: Subscription, ended: Callable[[], None]) -> None:
        if number != self._number or not self._answering:
            ended()
            return
        self._subscription, self._ended = subscription, ended
        self._reader.ended = True  # it ends the connection: what may come behind it is answered by nobody
        self._waiting.clear()
        self._let_go()
        self._transport.resume_reading()  # and thrown away, so that a reader who leaves is noticed
        coded = (*headers, ("Transfer-Encoding", "chunked")) if self._chunked else headers
        self._counts.answers[200] += 1
        head = answer_head(200, coded, None, False, self._handler.seal)
        self._transport.write(head + date_line(int(time.time())))
        self._flush()

    def wake(self) -> None:
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
