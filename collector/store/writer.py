"""The one writer thread: what waits is committed together, then presence knows it, then each request is answered."""

from __future__ import annotations

import logging
import sqlite3
import threading
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from math import inf
from queue import Empty, SimpleQueue
from typing import NamedTuple

import psycopg
from sqlalchemy import Connection
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from analytics.base.error_log import describe
from analytics.base.ids import Ids
from analytics.jobs import daily
from analytics.live.beat import PageState
from analytics.live.restore import left_tabs
from analytics.storage.availability import UNRESPONSIVE_S
from analytics.storage.database import Database
from collector.ingest.accepted import Arrival, Outcome, Shed, Stored
from collector.store import outcome_counters as tallies
from collector.store.batch import store, write_tally
from collector.store.leaves import RECALLED_S, Leaves
from collector.store.outcome_counters import Tally

log = logging.getLogger("footfall.writer")

FULL = Shed("queue_full", "too many events are waiting to be stored; send it again", 2)
CROWDED = Shed("site_queue_full", "too many events of this site are waiting to be stored; send it again", 2, status=429)
AWAY = Shed("database_away", "the database cannot be written to right now; send it again", 5)
STOPPING = Shed("stopping", "the server is going down; send it again", 5)

# `store` speaks to the driver itself, so the driver's own errors come up beside SQLAlchemy's
AWAY_ERRORS = (OperationalError, PoolTimeoutError, sqlite3.OperationalError, psycopg.OperationalError)
TAKEN_ERRORS = (sqlite3.IntegrityError, psycopg.IntegrityError)

# Under load the writer lets a group fill: loop and writer share one interpreter, and fewer, larger groups mean fewer
# hand-overs of it. With 64 connections groups of 22 became groups of 42, and a pageview cost a fifth less time.
QUIET = 8
ENOUGH = 48
FILL_STEP_S = 0.0003
LONGEST_FILL_S = 0.003
LONGEST_WAY_S = 0.005  # a group takes 2 ms; a database that hangs must not hang the loop

LEFT = int(PageState.LEFT)
PATIENCE_S = 0.6  # a request that has waited so long for a slow commit gets 503: an answer comes within a second
SLOW_S = 0.25  # a commit takes milliseconds; whoever waits behind many of them waits for a queue, not for a database

Done = Callable[[list[Outcome]], None]


class Waiting(NamedTuple):
    """The arrivals of one request, and who wants to know their outcomes."""

    arrivals: Sequence[Arrival]
    done: Done


class Writer:
    """Commits arrivals in groups: whatever is waiting when the last commit ends, under load a moment later.

    `submit` never blocks. Bounded: past `most_waiting` arrivals the outcome is `FULL`. Where `most_of_one` of one site
    wait it is `CROWDED`, so that a flooded one leaves room for the others. `on_stored` gets each group's stored
    arrivals after their commit and before any of their requests is answered.
    """

    def __init__(
        self,
        database: Database,
        on_stored: Callable[[list[Stored]], None],
        most_waiting: int = 10_000,
        most_of_one: int = 8_000,
        group: int = 256,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._database = database
        self._availability = database.availability
        self._on_stored = on_stored
        self._most_waiting = most_waiting
        self._most_of_one = most_of_one
        self._group = group
        self._clock = clock
        self._ids = Ids(database.worker)
        self._queue: SimpleQueue[list[Waiting]] = SimpleQueue()
        self._held: deque[Waiting] = deque()
        self._lock = threading.Lock()
        self._submitted = 0
        self._answered = 0
        self._waiting_of: Counter[int] = Counter()  # by site, of those of which some wait
        self._tally: Tally = Counter()
        self._stopping = False
        self._busy = False
        self._aside = threading.Event()  # set unless the thread works in the interpreter
        self._aside.set()
        self._in_vain = False  # the loop has waited for this group long enough
        self._leaves = Leaves(left_tabs(database, int(clock()) - RECALLED_S))
        self._begun = inf  # when the commit under way began, on the monotonic clock
        self._again: Arrival | None = None  # the last that could not be stored, until a commit of events succeeds
        self._uncounted = False  # whether the last commit of mere counters failed
        self._thread = threading.Thread(target=self._run, name="footfall-writer", daemon=True)
        self._thread.start()

    @property
    def alive(self) -> bool:
        """Whether the thread runs."""
        return self._thread.is_alive()

    @property
    def waiting(self) -> int:
        """How many arrivals are not committed yet."""
        return self._submitted - self._answered

    @property
    def failing(self) -> bool:
        """Whether the last commit failed. A commit of counters alone does not say that events can be stored."""
        return self._again is not None or self._uncounted

    @property
    def slow(self) -> bool:
        """Whether the commit under way takes longer than commits do."""
        return time.monotonic() - self._begun > SLOW_S

    @property
    def stuck(self) -> bool:
        """Whether the commit under way takes so long, or the database is silent, that nobody should wait for it."""
        now = time.monotonic()
        return now - self._begun > PATIENCE_S or now - self._availability.probe_began > UNRESPONSIVE_S

    def submit(self, requests: list[Waiting]) -> None:
        """Queues the arrivals of these requests. Each `done` is called once: after the commit, on the writer's
        thread, or at once with `FULL`, `CROWDED` or `STOPPING`.
        """
        taken: list[Waiting] = []
        refused: list[tuple[Waiting, Shed]] = []
        with self._lock:
            for request in requests:
                if why := self._no_room(request.arrivals):
                    refused.append((request, why))
                    continue
                taken.append(request)
                self._submitted += len(request.arrivals)
                for arrival in request.arrivals:
                    self._waiting_of[arrival.site_id] += 1
            if taken:
                self._queue.put(taken)
        for request, why in refused:
            self._shed(request, why)

    def _no_room(self, arrivals: Sequence[Arrival]) -> Shed | None:
        """Why they cannot wait, None where they can; under the lock."""
        if self._stopping:
            return STOPPING
        waiting = self.waiting + len(arrivals)
        if waiting > self._most_waiting:
            return FULL
        if waiting > self._most_of_one and any(self._waiting_of[one.site_id] >= self._most_of_one for one in arrivals):
            return CROWDED
        return None

    def _shed(self, request: Waiting, why: Shed) -> None:
        for arrival in request.arrivals:
            self.count(arrival.site_id, arrival.at, "shed", why.code)
        request.done([why] * len(request.arrivals))

    def give_way(self) -> None:
        """Waits until the thread needs the interpreter no more: for the event loop, before it works.

        For at most 5 ms, and where that was in vain not again before the next group. With a server as database there
        is nothing to wait for: the thread waits itself, for its answers.
        """
        if not self._aside.is_set() and not self._aside.wait(LONGEST_WAY_S):
            self._in_vain = True
            self._aside.set()

    def _work(self) -> None:
        """From here on the thread works in the interpreter."""
        if self._database.embedded and not self._in_vain:
            self._aside.clear()

    def count(self, site_id: int, at: int, outcome: str, reason: str, name: str = "") -> None:
        """Counts an outcome that needs no row of its own; it is written with the next group, or within a second.

        `name` says whose event it was, for the reasons of `tally.KINDS`.
        """
        with self._lock:
            tallies.count(self._tally, site_id, at, outcome, reason, name)

    def settle(self, timeout_s: float) -> bool:
        """Waits until all that was submitted and counted so far is in the database; False where that takes longer."""
        done = threading.Event()
        self.submit([Waiting([], lambda _: done.set())])
        return done.wait(timeout_s)

    def stop(self, timeout_s: float = 8.0) -> None:
        """Commits what is waiting, refuses what comes, and ends. May be called twice."""
        with self._lock:
            self._stopping = True
            self._queue.put([])
        self._thread.join(timeout_s)

    def _run(self) -> None:
        while True:
            if group := self._take():
                self._commit(group)
                self._begun = inf
                continue
            if self._again is None or self._rehearse(self._again):
                self._flush()
            self._begun = inf
            if self._stopping and self._queue.empty():
                return

    def _take(self) -> list[Waiting]:
        """The next group, at most about `group` arrivals; empty after a second of quiet."""
        if not self._held:
            with suppress(Empty):
                self._held.extend(self._queue.get(timeout=1.0))
            if self._busy:
                self._let_fill()
        with suppress(Empty):
            while len(self._held) < self._group:
                self._held.extend(self._queue.get_nowait())
        group: list[Waiting] = []
        size = 0
        while self._held and size < self._group:
            group.append(self._held.popleft())
            size += len(group[-1].arrivals)
        self._busy = size > QUIET
        return group

    def _let_fill(self) -> None:
        """Waits for more, as long as more keeps coming, for at most 3 ms."""
        before, until = 0, time.monotonic() + LONGEST_FILL_S
        while before < self.waiting < ENOUGH and time.monotonic() < until:
            before = self.waiting
            time.sleep(FILL_STEP_S)

    def _commit(self, group: list[Waiting]) -> None:
        self._in_vain = False
        arrivals = [arrival for request in group for arrival in request.arrivals]
        outcomes = self._stored(arrivals) if arrivals else []
        if not arrivals:  # somebody waits for what was counted
            self._flush()
        stored = [outcome for outcome in outcomes if type(outcome) is Stored]
        for one in stored:
            if one.beat.state == LEFT:
                self._leaves.add((one.beat.site_id, one.beat.tab))
        if stored:
            self._tell(stored)
        with self._lock:
            self._answered += len(arrivals)
            for arrival in arrivals:
                self._waiting_of[arrival.site_id] -= 1
                if not self._waiting_of[arrival.site_id]:
                    del self._waiting_of[arrival.site_id]
        start = 0
        for request in group:
            end = start + len(request.arrivals)
            request.done(outcomes[start:end])
            start = end
        self._aside.set()

    def _tell(self, stored: list[Stored]) -> None:
        """It is committed: a fault of the live side takes neither the answers nor this thread."""
        try:
            self._on_stored(stored)
        except Exception as failed:
            log.error("the live side has missed %d events: %s", len(stored), describe(failed))

    def _stored(self, arrivals: list[Arrival]) -> list[Outcome]:
        """The outcomes after the commit. One arrival that the database refuses does not sink the others."""
        tally = self._swap_tally()
        try:
            return self._store(arrivals, tally)
        except AWAY_ERRORS as away:
            log.error("the database cannot be written to: %s", describe(away))
            self._return_tally(tally)
            if not self._database.embedded:  # an embedded one is there, whatever its disk does
                self._availability.mark_failed()
        except Exception as refused:
            log.error("%d arrivals could not be stored: %s", len(arrivals), describe(refused))
            self._return_tally(tally)
            if len(arrivals) > 1:
                return [outcome for arrival in arrivals for outcome in self._stored([arrival])]
        self._again = arrivals[-1]
        for arrival in arrivals:
            self.count(arrival.site_id, arrival.at, "shed", AWAY.code)
        return [AWAY] * len(arrivals)

    def _rehearse(self, arrival: Arrival) -> bool:
        """Tries whether what could not be stored could be now: else readiness would not come back by itself, since
        nobody sends anything to a server that is not ready. Nothing of it stays: its sender was told to come again.

        False where the database is still away.
        """
        tally = self._swap_tally()
        try:
            with self._transaction() as connection:
                with connection.begin_nested() as rehearsal:
                    store(connection, [arrival], self._ids, Counter())
                    rehearsal.rollback()
                write_tally(connection, tally)
            self._again, self._uncounted = None, False
        except Exception as failed:
            log.debug("still nothing can be stored: %s", describe(failed))
            self._return_tally(tally)
            return not isinstance(failed, AWAY_ERRORS)
        return True

    def _store(self, arrivals: list[Arrival], tally: Tally) -> list[Outcome]:
        """One transaction; once more with other ids where one was taken (rows of the past, see
        `analytics.base.ids`).
        """
        for tries_left in (2, 1, 0):
            try:
                with self._transaction() as connection:
                    self._work()
                    outcomes = store(connection, arrivals, self._ids, Counter(tally), left=self._leaves)
                    daily.count_again(connection, [arrival.at for arrival in arrivals], int(self._clock()))
                    self._aside.set()  # the commit itself waits for the disk
                self._work()
                self._again, self._uncounted = None, False
                return outcomes
            except TAKEN_ERRORS:
                if not tries_left:
                    raise
        raise AssertionError

    @contextmanager
    def _transaction(self) -> Iterator[Connection]:
        """A transaction of the database; others may look at how long it, and what comes after it, has taken."""
        self._begun = time.monotonic()
        with self._database.transaction() as connection:
            yield connection

    def _swap_tally(self) -> Tally:
        with self._lock:
            tally, self._tally = self._tally, Counter()
        return tally

    def _return_tally(self, tally: Tally) -> None:
        with self._lock:
            self._tally.update(tally)

    def _flush(self) -> None:
        tally = self._swap_tally()
        if not tally:
            return
        try:
            with self._transaction() as connection:
                write_tally(connection, tally)
            self._uncounted = False
        except Exception as away:
            self._uncounted = True
            log.error("the outcome counters cannot be written: %s", describe(away))
            self._return_tally(tally)
