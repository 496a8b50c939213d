"""Answers the requests on `serve`'s connections: the collector on the event loop, live state and pages in threads.

A slow or silent client occupies a connection, never a thread: a request is complete before it is handled, and an answer
is complete before its first byte is sent.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from typing import Any

from analytics.base.address_prefix import address_prefix
from analytics.base.error_log import describe
from collector.api import statistics
from collector.api.context import DATABASE_AWAY, NO_STORE, Stream
from collector.doors.door import Answers, Collects, Threads
from collector.doors.routes import Routes
from collector.http.budget import Allowance, Budget
from collector.http.concurrency_limit import ConcurrencyLimit
from collector.http.connection import Client, Connection
from collector.http.limits import DEFAULT, Limits
from collector.http.messages import Request, Response, error
from collector.http.open_connections import OpenConnections
from collector.http.refusals import CLOSE, TOO_LARGE
from collector.http.wsgi_bridge import AppResponse, Wsgi, call_wsgi
from collector.ingest.outcomes import Outcome
from collector.store.writer import MAX_COMMIT_S, QueuedRequest, Writer

log = logging.getLogger("footfall.endpoint")

Finish = Callable[[list[Outcome]], Response]  # makes the answer from the outcomes of the commit
Exchange = tuple[Client, int, Finish, str]  # a request that waits for a commit: client, its number, and the route
Lane = tuple[ThreadPoolExecutor, ConcurrencyLimit, Response]  # of programs: threads, how many may wait, else what

CALLS = "/_dash-update-component"  # the one path with large bodies
CHECK_COMMITS_S = 0.05  # between two checks for senders that have waited too long
CHECKED_PER_TURN = 100  # connections, before the event loop does other work
CHECK_STREAMS_S = 0.4  # between two checks whether a stream may still be read
MAX_WAITING = 300  # requests that wait for a thread
PAGES_THREADS = 6
LIVE_THREADS = 4  # of their own, so that slow pages do not delay the live state
STATISTICS_THREADS = 2  # of their own, so that programs delay neither
MAX_WAITING_QUERIES = 60  # of programs
SAMPLE_THREADS = 8  # they wait for a commit together
MAX_WAITING_BODIES = 60  # with samples; of one key half of them

SIGN_IN_FIRST = error(401, "unauthorized", "Sign in first.", (NO_STORE, *CLOSE))  # the same words as the gate's
SIGN_IN_UNKNOWN = DATABASE_AWAY._replace(headers=(*DATABASE_AWAY.headers, *CLOSE))
LIVE_STATE_UNAVAILABLE = error(503, "away", "the live state cannot be read right now", (("Retry-After", "5"),))
BUSY = error(503, "busy", "too many requests are waiting", (("Retry-After", "2"),))


class Endpoint:
    """Handles the requests of all clients of one event loop; `wsgi` answers those that have no door.

    `scheme` is "http", or "https" if this process has the certificate.
    """

    def __init__(
        self, routes: Routes, writer: Writer, wsgi: Wsgi, limits: Limits = DEFAULT, scheme: str = "http"
    ) -> None:
        self.limits = limits
        self.counts = routes.counts
        trusts = routes.collector.trusts
        self.connections: OpenConnections[Connection] = OpenConnections(
            limits.connections, limits.connections_per_address, trusts
        )
        self.anonymous_budget = Budget(*limits.anonymous_memory)
        members, events = Budget(*limits.member_memory), Budget(*limits.event_memory)
        self._event_allowance = Allowance(limits.event_bytes, events, TOO_LARGE)
        self._call_allowance = Allowance(limits.call_bytes, members, TOO_LARGE)
        self._member_allowance = Allowance(limits.event_bytes, members, TOO_LARGE)
        self._public_allowance = Allowance(
            limits.event_bytes, self.anonymous_budget, TOO_LARGE
        )  # a dashboard without login
        self._stranger_allowance = Allowance(limits.form_bytes, self.anonymous_budget, TOO_LARGE)
        self._sign_in_allowance = Allowance(0, self.anonymous_budget, SIGN_IN_FIRST)
        self._cookie_allowance = Allowance(limits.form_bytes, self.anonymous_budget, None)
        self.security_headers = routes.security_headers
        self.base_path = routes.base_path
        self._routes = routes
        self._writer = writer
        self._wsgi = wsgi
        self._scheme = scheme
        self._pages = ThreadPoolExecutor(PAGES_THREADS, thread_name_prefix="footfall-page")
        self._live = ThreadPoolExecutor(LIVE_THREADS, thread_name_prefix="footfall-live")
        self._lanes: dict[Threads, Lane] = {
            Threads.STATISTICS: (
                ThreadPoolExecutor(STATISTICS_THREADS, thread_name_prefix="footfall-statistics"),
                ConcurrencyLimit(MAX_WAITING_QUERIES, statistics.MAX_PARALLEL),
                statistics.TOO_MANY_AT_ONCE,
            ),
            Threads.SAMPLES: (
                ThreadPoolExecutor(SAMPLE_THREADS, thread_name_prefix="footfall-sample"),
                ConcurrencyLimit(MAX_WAITING_BODIES, MAX_WAITING_BODIES // 2),
                BUSY,
            ),
        }
        self._in_threads = 0
        self._to_submit: list[QueuedRequest] = []
        self._committing: dict[Client, tuple[float, Exchange]] = {}  # with the start of the wait; longest wait first
        self._check_scheduled = False  # whether `_check_commits` is scheduled
        self._answers: deque[tuple[Exchange, list[Outcome]]] = deque()
        self._drain_scheduled = False  # whether `_drain` is scheduled
        self._streams: dict[Client, tuple[Stream, Any]] = {}

    async def watch(self) -> None:
        """Ends connections and waits that take too long, while the event loop runs."""
        self._loop = asyncio.get_running_loop()
        checking = self._loop.create_task(self._check_streams())
        try:
            while True:
                await asyncio.sleep(1)
                try:
                    self._end_waits(time.monotonic())
                    await self._end_slow()
                except Exception as failed:
                    log.error("connections could not be looked after: %s", describe(failed))
        finally:
            checking.cancel()

    # ── what may be sent ─────────────────────────────────────────────────────────────────────────────────────────

    def canonical(self, path: str) -> str:
        return path if path in self._routes.collecting else self._routes.canonical(path)

    def allowance(self, path: str, headers: Mapping[str, str]) -> Allowance:
        if path in self._routes.collecting:
            return self._event_allowance
        if self._routes.is_for_programs(path):
            return self._member_allowance if self._routes.has_key(headers) else self._stranger_allowance
        if self._routes.public:
            return self._public_allowance
        if "cookie" in headers:
            return self._cookie_allowance
        return self._sign_in_allowance if path == CALLS else self._stranger_allowance

    def identify_sender(
        self, path: str, headers: Mapping[str, str], respond: Callable[[Allowance | Response], None]
    ) -> None:
        if self._in_threads >= MAX_WAITING:
            respond(BUSY)
            return
        self._in_threads += 1
        asking = self._loop.run_in_executor(self._pages, self._routes.is_signed_in, headers)
        asking.add_done_callback(partial(self._on_sign_in_checked, path, respond))

    def _on_sign_in_checked(
        self, path: str, respond: Callable[[Allowance | Response], None], done: asyncio.Future[bool]
    ) -> None:
        self._in_threads -= 1
        if done.cancelled():
            return
        is_call = path == CALLS
        if failed := done.exception():  # of any kind: the client gets an answer
            log.error("who sends something is not known: %s", describe(failed))
            respond(SIGN_IN_UNKNOWN)
        elif done.result():
            respond(self._call_allowance if is_call else self._member_allowance)
        else:
            respond(SIGN_IN_FIRST if is_call else TOO_LARGE)

    def address(self, peer: str, headers: Mapping[str, str]) -> str:
        return address_prefix(self._routes.collector.client(Request("", "", "", headers, peer)))

    def refused(self, path: str, response: Response) -> Response:
        return self._routes.not_collected(response) if path in self._routes.collecting else response

    def handle(self, request: Request, client: Client, number: int) -> None:
        """Answers a request: at once, after the commit, or from a thread."""
        door = self._routes.collects.get((request.method, request.path)) or self._routes.find(request)
        if door is None:
            self._in_thread(
                self._pages, partial(call_wsgi, self._wsgi, request, self.base_path, self._scheme), client, number, ""
            )
        elif isinstance(door, Collects):
            self._collect(request, client, number, door)
        elif door.threads is Threads.LOOP:
            answer = self._routes.answer(door, request)
            assert isinstance(answer, Response), f"{door.path}: a stream begins in a thread"
            client.answer(number, answer, door.path)
        elif lane := self._lanes.get(door.threads):
            self._answer_program(lane, door, request, client, number)
        else:
            self._in_thread(self._live, partial(self._live_answer, door, request, client), client, number, door.path)

    # ── collecting ───────────────────────────────────────────────────────────────────────────────────────────────

    def _collect(self, request: Request, client: Client, number: int, door: Collects) -> None:
        """Answers after the commit. The events of one turn of the event loop are submitted together."""
        self._writer.yield_to_writer()
        pending = self._routes.collector.begin(request, door)
        if isinstance(pending, Response):
            client.answer(number, pending, door.path)
            return
        exchange: Exchange = client, number, pending.answer, door.path
        self._committing[client] = time.monotonic(), exchange
        if not self._check_scheduled:
            self._check_scheduled = True
            self._loop.call_later(MAX_COMMIT_S, self._check_commits)
        if not self._to_submit:
            self._loop.call_soon(self._submit)
        self._to_submit.append(QueuedRequest(pending.accepted, partial(self._deliver, exchange)))

    def _submit(self) -> None:
        waiting, self._to_submit = self._to_submit, []
        self._writer.submit(waiting)

    def _deliver(self, exchange: Exchange, outcomes: list[Outcome]) -> None:
        """Passes outcomes from the writer's thread to the event loop, with one wake-up for a whole batch."""
        self._answers.append((exchange, outcomes))
        if not self._drain_scheduled:  # a race of two threads only schedules it twice, which does no harm
            self._drain_scheduled = True
            with suppress(RuntimeError):  # the loop has ended
                self._loop.call_soon_threadsafe(self._drain)

    def _drain(self) -> None:
        self._drain_scheduled = False  # first, so that outcomes that arrive during the loop schedule it again
        while self._answers:
            exchange, outcomes = self._answers.popleft()
            client, number, finish, route = exchange
            if (waiting := self._committing.get(client)) and waiting[1] is exchange:
                del self._committing[client]  # else this request has its answer, and a later one waits
            try:
                client.answer(number, finish(outcomes), route)
            except Exception as failed:
                log.error("an answer could not be given: %s", describe(failed))

    def _check_commits(self) -> None:
        """Answers the senders that have waited too long for a commit while the database is slow.

        The commit may still succeed. Then it counts as stored, and a retry of the sender is a duplicate, by its id.
        """
        if self._writer.slow:
            self._end_commits(time.monotonic() - MAX_COMMIT_S)
        self._check_scheduled = bool(self._committing)
        if self._check_scheduled:
            self._loop.call_later(CHECK_COMMITS_S, self._check_commits)

    def _end_commits(self, before: float) -> None:
        """Answers the requests that have waited since `before` (monotonic seconds) or longer."""
        while self._committing:
            client, (since, (_, number, finish, route)) = next(iter(self._committing.items()))
            if since > before:
                return
            del self._committing[client]
            client.answer(number, finish([]), route)

    def _end_waits(self, now: float) -> None:
        self._end_commits(now - self.limits.commit_s)

    async def _end_slow(self) -> None:
        """Ends connections that take too long, in small groups, because thousands may be due at the same time."""
        for number, connection in enumerate(list(self.connections), 1):
            try:
                connection.check(time.monotonic())
            except Exception as failed:
                log.error("a connection could not be looked after: %s", describe(failed))
            if number % CHECKED_PER_TURN == 0:
                await asyncio.sleep(0)

    @property
    def left(self) -> str:
        """The requests without an answer, in words; "" if there are none."""
        commits, threads, streams = len(self._committing), self._in_threads, len(self._streams)
        counts = ((commits, "waiting for a commit"), (threads, "for a thread"), (streams, "open streams"))
        return ", ".join(f"{count} {kind}" for count, kind in counts if count)

    # ── everything else ──────────────────────────────────────────────────────────────────────────────────────────

    def _in_thread(
        self, threads: ThreadPoolExecutor, work: Callable[[], Any], client: Client, number: int, route: str
    ) -> asyncio.Future[Any] | None:
        """Runs the work in one of the threads and answers with its result. None, with 503, if too many are waiting."""
        if self._in_threads >= MAX_WAITING:
            client.answer(number, BUSY, route)
            return None
        self._in_threads += 1
        working = self._loop.run_in_executor(threads, work)
        working.add_done_callback(partial(self._on_done, client, number, route))
        return working

    def _answer_program(self, lane: Lane, door: Answers, request: Request, client: Client, number: int) -> None:
        """Answers a program, or refuses it if its key has too many requests in progress."""
        threads, limit, refusal = lane
        key = request.headers.get("authorization", "")
        if not limit.acquire(key):
            client.answer(number, refusal, door.path)
            return
        answering = partial(self._routes.answer, door, request)
        working = self._in_thread(threads, answering, client, number, door.path)
        if working is None:
            limit.release(key)
        else:
            working.add_done_callback(lambda _: limit.release(key))

    def _on_done(self, client: Client, number: int, route: str, done: asyncio.Future[Any]) -> None:
        self._in_threads -= 1
        if done.cancelled():
            return
        if failed := done.exception():
            log.error("a request failed: %s", describe(failed))
            client.answer(number, LIVE_STATE_UNAVAILABLE, route)
        elif isinstance(done.result(), AppResponse):
            client.answer(number, *done.result())
        elif isinstance(done.result(), Response):
            client.answer(number, done.result(), route)
        else:
            self._begin_stream(client, number, route, *done.result())

    def _live_answer(self, door: Answers, request: Request, client: Client) -> Any:
        """The answer, or a stream with its subscription. Runs in a thread."""
        answer = self._routes.answer(door, request)
        return (answer, answer.subscribe(client.wake)) if isinstance(answer, Stream) else answer

    def _begin_stream(self, client: Client, number: int, route: str, stream: Stream, subscription: Any) -> None:
        def ended() -> None:
            self._streams.pop(client, None)
            stream.unsubscribe(subscription)

        self._streams[client] = stream, subscription
        client.stream(number, stream.headers, subscription, ended, route)

    async def _check_streams(self) -> None:
        """Closes the streams whose readers have lost access, while the event loop runs."""
        while True:
            await asyncio.sleep(CHECK_STREAMS_S)
            try:
                await self._loop.run_in_executor(self._live, _close_forbidden, list(self._streams.values()))
            except Exception as failed:
                log.warning("streams could not be checked: %s", describe(failed))

    def close(self) -> None:
        """Shuts the threads down without waiting for them."""
        self._pages.shutdown(wait=False, cancel_futures=True)
        self._live.shutdown(wait=False, cancel_futures=True)
        for threads, _, _ in self._lanes.values():
            threads.shutdown(wait=False, cancel_futures=True)


def _close_forbidden(streams: list[tuple[Stream, Any]]) -> None:
    for stream, subscription in streams:
        if not stream.allowed():
            subscription.close()
