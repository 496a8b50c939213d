"""Who answers what comes over `serve`'s connections: the collector on the loop, live questions and pages in threads.

A slow or silent client costs a connection, never a thread: a request is whole before anybody sees it, and an answer is
whole before its first byte is sent.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping
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
from collector.http.counts import Counts
from collector.http.limits import DEFAULT, Limits
from collector.http.messages import Request, Response, error
from collector.http.open_connections import OpenConnections
from collector.http.refusals import CLOSE, TOO_LARGE
from collector.http.wsgi_bridge import call_wsgi
from collector.ingest.outcomes import Outcome
from collector.store.writer import MAX_COMMIT_S, QueuedRequest, Writer

log = logging.getLogger("footfall.endpoint")

Wsgi = Callable[..., Iterable[bytes]]
Finish = Callable[[list[Outcome]], Response]  # the answer, once the outcomes are known
Exchange = tuple[Client, int, Finish]  # who waits: client, number of the request

CALLS = "/_dash-update-component"  # the one path with large bodies
LOOK_S = 0.05  # how often waiting senders are looked after
LOOKED_AFTER = 100  # connections before the others have their turn
CHECK_S = 0.4  # how often a stream is asked whether it may still be read
MOST_WAITING = 300  # requests for the threads
PAGES_THREADS = 6
LIVE_THREADS = 4  # of their own: heavy pages do not hold up who looks at the live state
STATISTICS_THREADS = 2  # of their own: programs hold up neither
MOST_QUESTIONS = 60  # of programs that wait

SIGN_IN_FIRST = error(401, "unauthorized", "Sign in first.", (NO_STORE, *CLOSE))  # as the gate says it
UNKNOWN_FOR_NOW = DATABASE_AWAY._replace(headers=(*DATABASE_AWAY.headers, *CLOSE))
AWAY = error(503, "away", "the live state cannot be read right now", (("Retry-After", "5"),))
BUSY = error(503, "busy", "too many requests are waiting", (("Retry-After", "2"),))


class Endpoint:
    """The handler of every client of one event loop; `wsgi` answers what is neither collected nor live.

    `scheme` is what clients speak: "http", or "https" where this process has the certificate.
    """

    def __init__(
        self, routes: Routes, writer: Writer, wsgi: Wsgi, limits: Limits = DEFAULT, scheme: str = "http"
    ) -> None:
        self.limits = limits
        self.counts = Counts()
        trusts = routes.collector.trusts
        self.connections: OpenConnections[Connection] = OpenConnections(
            limits.connections, limits.connections_per_address, trusts
        )
        self.anonymous_budget = Budget(*limits.anonymous_memory)
        members, events = Budget(*limits.member_memory), Budget(*limits.event_memory)
        self._of_events = Allowance(limits.event_bytes, events, TOO_LARGE)
        self._of_a_call = Allowance(limits.call_bytes, members, TOO_LARGE)
        self._of_members = Allowance(limits.event_bytes, members, TOO_LARGE)
        self._of_anybody = Allowance(limits.event_bytes, self.anonymous_budget, TOO_LARGE)  # on a public dashboard
        self._of_a_stranger = Allowance(limits.form_bytes, self.anonymous_budget, TOO_LARGE)
        self._of_who_has_to_sign_in = Allowance(0, self.anonymous_budget, SIGN_IN_FIRST)
        self._of_a_cookie = Allowance(limits.form_bytes, self.anonymous_budget, None)
        self.security_headers = routes.security_headers
        self.base_path = routes.base_path
        self._routes = routes
        self._writer = writer
        self._wsgi = wsgi
        self._scheme = scheme
        self._pages = ThreadPoolExecutor(PAGES_THREADS, thread_name_prefix="footfall-page")
        self._live = ThreadPoolExecutor(LIVE_THREADS, thread_name_prefix="footfall-live")
        self._statistics = ThreadPoolExecutor(STATISTICS_THREADS, thread_name_prefix="footfall-statistics")
        self._questions = ConcurrencyLimit(MOST_QUESTIONS, statistics.MAX_PARALLEL)
        self._in_threads = 0
        self._turn: list[QueuedRequest] = []
        self._committing: dict[Client, tuple[float, int, Finish]] = {}  # since when; the longest wait comes first
        self._looking = False  # whether `_look` is due
        self._answers: deque[tuple[Exchange, list[Outcome]]] = deque()
        self._waking = False  # the loop has been told that there are answers
        self._streams: dict[Client, tuple[Stream, Any]] = {}

    async def watch(self) -> None:
        """Ends what takes too long, for as long as the loop runs."""
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
            return self._of_events
        if path in self._routes.for_programs:
            return self._of_members if self._routes.shows_key(headers) else self._of_a_stranger
        if self._routes.public:
            return self._of_anybody
        if "cookie" in headers:
            return self._of_a_cookie
        return self._of_who_has_to_sign_in if path == CALLS else self._of_a_stranger

    def identify_sender(
        self, path: str, headers: Mapping[str, str], respond: Callable[[Allowance | Response], None]
    ) -> None:
        if self._in_threads >= MOST_WAITING:
            respond(BUSY)
            return
        self._in_threads += 1
        asking = self._loop.run_in_executor(self._pages, self._routes.is_signed_in, headers)
        asking.add_done_callback(partial(self._found_out, path, respond))

    def _found_out(
        self, path: str, respond: Callable[[Allowance | Response], None], done: asyncio.Future[bool]
    ) -> None:
        self._in_threads -= 1
        if done.cancelled():
            return
        is_call = path == CALLS
        if failed := done.exception():  # whatever it is: who waits gets an answer
            log.error("who sends something is not known: %s", describe(failed))
            respond(UNKNOWN_FOR_NOW)
        elif done.result():
            respond(self._of_a_call if is_call else self._of_members)
        else:
            respond(SIGN_IN_FIRST if is_call else TOO_LARGE)

    def address(self, peer: str, headers: Mapping[str, str]) -> str:
        return address_prefix(self._routes.collector.client(Request("", "", "", headers, peer)))

    def refused(self, path: str, response: Response) -> Response:
        return self._routes.not_collected(response) if path in self._routes.collecting else response

    def handle(self, request: Request, client: Client, number: int) -> None:
        """Answers now, after the commit, or from a thread."""
        door = self._routes.collects.get((request.method, request.path)) or self._routes.find(request)
        if door is None:
            self._in_thread(
                self._pages, partial(call_wsgi, self._wsgi, request, self.base_path, self._scheme), client, number
            )
        elif isinstance(door, Collects):
            self._collect(request, client, number, door)
        elif door.threads is Threads.LOOP:
            answered = self._routes.answer(door, request)
            assert isinstance(answered, Response), f"{door.path}: a stream begins in a thread"
            client.answer(number, answered)
        elif door.threads is Threads.STATISTICS:
            self._ask(door, request, client, number)
        else:
            self._in_thread(self._live, partial(self._live_answer, door, request, client), client, number)

    # ── collecting ───────────────────────────────────────────────────────────────────────────────────────────────

    def _collect(self, request: Request, client: Client, number: int, door: Collects) -> None:
        """The answer comes after the commit. What is asked for in one turn of the loop is handed over together."""
        self._writer.yield_to_writer()
        begun = self._routes.collector.begin(request, door)
        if isinstance(begun, Response):
            client.answer(number, begun)
            return
        finish: Finish = begun.answer
        self._committing[client] = time.monotonic(), number, finish
        if not self._looking:
            self._looking = True
            self._loop.call_later(MAX_COMMIT_S, self._look)
        if not self._turn:
            self._loop.call_soon(self._hand_over)
        self._turn.append(QueuedRequest(begun.accepted, partial(self._deliver, (client, number, finish))))

    def _hand_over(self) -> None:
        turn, self._turn = self._turn, []
        self._writer.submit(turn)

    def _deliver(self, exchange: Exchange, outcomes: list[Outcome]) -> None:
        """Hands outcomes to the loop, from the writer's thread: one wake-up serves a whole group."""
        self._answers.append((exchange, outcomes))
        if not self._waking:  # two threads may both see that: one wake-up too many does no harm
            self._waking = True
            with suppress(RuntimeError):  # the loop has ended
                self._loop.call_soon_threadsafe(self._drain)

    def _drain(self) -> None:
        self._waking = False  # before the first is taken: what comes from now on wakes anew
        while self._answers:
            (client, number, finish), outcomes = self._answers.popleft()
            if (waiting := self._committing.get(client)) and waiting[1] == number:
                del self._committing[client]  # else it was answered before, and a later request waits
            try:
                client.answer(number, finish(outcomes))
            except Exception as failed:
                log.error("an answer could not be given: %s", describe(failed))

    def _look(self) -> None:
        """Answers whoever has waited long enough for a commit that does not come back. It may still be made: then it
        is counted as stored, and its id makes a duplicate of what is sent again.
        """
        if self._writer.slow:
            self._end_commits(time.monotonic() - MAX_COMMIT_S)
        self._looking = bool(self._committing)
        if self._looking:
            self._loop.call_later(LOOK_S, self._look)

    def _end_commits(self, before: float) -> None:
        """Sends away whoever has waited since that moment or longer."""
        while self._committing:
            client, (since, number, finish) = next(iter(self._committing.items()))
            if since > before:
                return
            del self._committing[client]
            client.answer(number, finish([]))

    def _end_waits(self, now: float) -> None:
        self._end_commits(now - self.limits.commit_s)

    async def _end_slow(self) -> None:
        """Ends connections that take too long, some at a time: thousands may be due at once."""
        for number, connection in enumerate(list(self.connections), 1):
            try:
                connection.check(time.monotonic())
            except Exception as failed:
                log.error("a connection could not be looked after: %s", describe(failed))
            if number % LOOKED_AFTER == 0:
                await asyncio.sleep(0)

    @property
    def left(self) -> str:
        """What has no answer yet, in words; "" where that is nothing."""
        commits, threads, streams = len(self._committing), self._in_threads, len(self._streams)
        found = ((commits, "waiting for a commit"), (threads, "for a thread"), (streams, "open streams"))
        return ", ".join(f"{count} {what}" for count, what in found if count)

    # ── everything else ──────────────────────────────────────────────────────────────────────────────────────────

    def _in_thread(
        self, threads: ThreadPoolExecutor, work: Callable[[], Any], client: Client, number: int
    ) -> asyncio.Future[Any] | None:
        """The work under way; None where there is too much of it."""
        if self._in_threads >= MOST_WAITING:
            client.answer(number, BUSY)
            return None
        self._in_threads += 1
        working = self._loop.run_in_executor(threads, work)
        working.add_done_callback(partial(self._worked, client, number))
        return working

    def _ask(self, door: Answers, request: Request, client: Client, number: int) -> None:
        """Answers a program's question, if whoever asks has no more of them than their share."""
        who = request.headers.get("authorization", "")
        if not self._questions.acquire(who):
            client.answer(number, statistics.TOO_MANY_AT_ONCE)
            return
        working = self._in_thread(self._statistics, partial(self._routes.answer, door, request), client, number)
        if working is None:
            self._questions.release(who)
        else:
            working.add_done_callback(lambda _: self._questions.release(who))

    def _worked(self, client: Client, number: int, done: asyncio.Future[Any]) -> None:
        self._in_threads -= 1
        if done.cancelled():
            return
        if failed := done.exception():
            log.error("a request failed: %s", describe(failed))
            client.answer(number, AWAY)
        elif isinstance(done.result(), Response):
            client.answer(number, done.result())
        else:
            self._begin_stream(client, number, *done.result())

    def _live_answer(self, door: Answers, request: Request, client: Client) -> Any:
        """The answer, or a stream with its subscription; in a thread."""
        answered = self._routes.answer(door, request)
        return (answered, answered.subscribe(client.wake)) if isinstance(answered, Stream) else answered

    def _begin_stream(self, client: Client, number: int, stream: Stream, subscription: Any) -> None:
        def ended() -> None:
            self._streams.pop(client, None)
            stream.unsubscribe(subscription)

        self._streams[client] = stream, subscription
        client.stream(number, stream.headers, subscription, ended)

    async def _check_streams(self) -> None:
        """Closes the streams that may not be read any more."""
        while True:
            await asyncio.sleep(CHECK_S)
            try:
                await self._loop.run_in_executor(self._live, _close_forbidden, list(self._streams.values()))
            except Exception as failed:
                log.warning("streams could not be checked: %s", describe(failed))

    def close(self) -> None:
        """Lets the threads end."""
        self._pages.shutdown(wait=False, cancel_futures=True)
        self._live.shutdown(wait=False, cancel_futures=True)
        self._statistics.shutdown(wait=False, cancel_futures=True)


def _close_forbidden(streams: list[tuple[Stream, Any]]) -> None:
    for stream, subscription in streams:
        if not stream.allowed():
            subscription.close()
