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
from analytics.live.minute_query import SETTLED_S
from analytics.live.reasons import ShedReason
from analytics.live.restore import left_tabs
from analytics.storage.availability import UNRESPONSIVE_S
from analytics.storage.database import Database
from collector.ingest.accepted import Accepted
from collector.ingest.outcomes import Outcome, Shed, Stored
from collector.store import outcome_counters
from collector.store.batch import store, write_counts
from collector.store.leaves import RECALLED_S, Leaves
from collector.store.outcome_counters import OutcomeCounts

log = logging.getLogger("footfall.writer")

FULL = Shed(ShedReason.QUEUE_FULL, "too many events are waiting to be stored; send it again", 2)
CROWDED = Shed(
    ShedReason.SITE_QUEUE_FULL, "too many events of this site are waiting to be stored; send it again", 2, status=429
)
AWAY = Shed(ShedReason.DATABASE_AWAY, "the database cannot be written to right now; send it again", 5)
STOPPING = Shed(ShedReason.STOPPING, "the server is going down; send it again", 5)

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
DAY_S = 86_400
PATIENCE_S = 0.6  # a request that has waited so long for a slow commit gets 503: an answer comes within a second
SLOW_S = 0.25  # a commit takes milliseconds; whoever waits behind many of them waits for a queue, not for a database

Done = Callable[[list[Outcome]], None]
Listener = Callable[[list[Stored]], None]


class Waiting(NamedTuple):
    """The accepted events of one request; `done` gets their outcomes."""

    accepted: Sequence[Accepted]
    done: Done


class Writer:
    """Commits accepted events in groups: whatever waits when the last commit ends, under load a moment later.

    `submit` never blocks. Bounded: past `most_waiting` events the outcome is `FULL`. Where `most_of_one` of one site
    wait it is `CROWDED`, so that a flooded one leaves room for the others. Each of `on_stored` gets a group's stored
    events after their commit and before any of their requests is answered; before them `on_late` gets the group where
    the minutes of some may have been counted already.
    """

    def __init__(
        self,
        database: Database,
        *on_stored: Listener,
        on_late: Listener | None = None,
        most_waiting: int = 10_000,
        most_of_one: int = 8_000,
        group: int = 256,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._database = database
        self._availability = database.availability
        self._on_stored = on_stored
        self._on_late = on_late
        self._most_waiting = most_waiting
        self._most_of_one = most_of_one
        self._group = group
        self._clock = clock
        self._ids = Ids(database.worker)
        self._queue: SimpleQueue[list[Waiting]] = SimpleQueue()
        self._buffered: deque[Waiting] = deque()  # out of the queue, for the next groups
        self._lock = threading.Lock()
        self._submitted = 0
        self._answered = 0
        self._waiting_of: Counter[int] = Counter()  # by site, of those of which some wait
        self._counts: OutcomeCounts = Counter()
        self._stopping = False
        self._busy = False
        self._aside = threading.Event()  # set unless the thread holds the interpreter
        self._aside.set()
        self._in_vain = False  # the loop has waited for this group long enough
        self._leaves = Leaves(left_tabs(database, int(clock()) - RECALLED_S))
        self._begun = inf  # when the commit under way began, on the monotonic clock
        self._again: Accepted | None = None  # the last that could not be stored, until a commit of events succeeds
        self._uncounted = False  # whether the last commit of mere counters failed
        self._thread = threading.Thread(target=self._run, name="footfall-writer", daemon=True)
        self._thread.start()

    # ── what others ask ──────────────────────────────────────────────────────────────────────────────────────────

    @property
    def alive(self) -> bool:
        """Whether the thread runs."""
        return self._thread.is_alive()

    @property
    def waiting(self) -> int:
        """How many events are not committed yet."""
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

    # ── in, from any thread ──────────────────────────────────────────────────────────────────────────────────────

    def submit(self, requests: list[Waiting]) -> None:
        """Queues the events of these requests. Each `done` is called once: after the commit, on the writer's thread,
        or at once with `FULL`, `CROWDED` or `STOPPING`.
        """
        queued: list[Waiting] = []
        refused: list[tuple[Waiting, Shed]] = []
        with self._lock:
            for request in requests:
                if why := self._no_room(request.accepted):
                    refused.append((request, why))
                    continue
                queued.append(request)
                self._submitted += len(request.accepted)
                for one in request.accepted:
                    self._waiting_of[one.site_id] += 1
            if queued:
                self._queue.put(queued)
        for request, why in refused:
            request.done(self._shed(request.accepted, why))

    def _no_room(self, accepted: Sequence[Accepted]) -> Shed | None:
        """Why they cannot wait, None where they can; under the lock."""
        if self._stopping:
            return STOPPING
        waiting = self.waiting + len(accepted)
        if waiting > self._most_waiting:
            return FULL
        if waiting > self._most_of_one and any(self._waiting_of[one.site_id] >= self._most_of_one for one in accepted):
            return CROWDED
        return None

    def _shed(self, accepted: Sequence[Accepted], why: Shed) -> list[Outcome]:
        """Counts these events as shed: their outcomes."""
        for one in accepted:
            self.count(one.site_id, one.at, "shed", why.code)
        return [why] * len(accepted)

    def count(self, site_id: int, at: int, outcome: str, reason: str, name: str = "") -> None:
        """Counts an outcome that needs no row of its own; it is written with the next group, or within a second.

        `name` says whose event it was, for the reasons of `outcome_counters.KINDS`.
        """
        with self._lock:
            outcome_counters.count(self._counts, site_id, at, outcome, reason, name)

    def give_way(self) -> None:
        """Waits until the thread does not hold the interpreter any more: for the event loop, before it works.

        For at most 5 ms, and where that was in vain not again before the next group. With a server as database there
        is nothing to wait for: the thread waits itself, for its answers.
        """
        if not self._aside.is_set() and not self._aside.wait(LONGEST_WAY_S):
            self._in_vain = True
            self._aside.set()

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

    # ── the thread: group, commit, publish, answer ───────────────────────────────────────────────────────────────

    def _run(self) -> None:
        while True:
            if group := self._next_group():
                self._store_group(group)
                self._begun = inf
                continue
            if self._again is None or self._rehearse(self._again):
                self._flush()
            self._begun = inf
            if self._stopping and self._queue.empty():
                return

    def _next_group(self) -> list[Waiting]:
        """The next group, at most about `group` events; empty after a second of quiet."""
        if not self._buffered:
            with suppress(Empty):
                self._buffered.extend(self._queue.get(timeout=1.0))
            if self._busy:
                self._let_fill()
        with suppress(Empty):
            while len(self._buffered) < self._group:
                self._buffered.extend(self._queue.get_nowait())
        group: list[Waiting] = []
        size = 0
        while self._buffered and size < self._group:
            group.append(self._buffered.popleft())
            size += len(group[-1].accepted)
        self._busy = size > QUIET
        return group

    def _let_fill(self) -> None:
        """Waits for more, as long as more keeps coming, for at most 3 ms."""
        before, until = 0, time.monotonic() + LONGEST_FILL_S
        while before < self.waiting < ENOUGH and time.monotonic() < until:
            before = self.waiting
            time.sleep(FILL_STEP_S)

    def _store_group(self, group: list[Waiting]) -> None:
        self._in_vain = False
        accepted = [one for request in group for one in request.accepted]
        if accepted:
            outcomes = self._commit(accepted)
            self._publish([outcome for outcome in outcomes if type(outcome) is Stored])
        else:  # somebody waits for what was counted
            outcomes = []
            self._flush()
        with self._lock:
            self._answered += len(accepted)
            for one in accepted:
                self._waiting_of[one.site_id] -= 1
                if not self._waiting_of[one.site_id]:
                    del self._waiting_of[one.site_id]
        start = 0
        for request in group:
            end = start + len(request.accepted)
            request.done(outcomes[start:end])
            start = end
        self._aside.set()

    def _publish(self, stored: list[Stored]) -> None:
        """It is committed: a fault of the live side takes neither the answers nor this thread."""
        if not stored:
            return
        settled = self._clock() - SETTLED_S
        is_late = False
        for beat, _, _ in stored:
            is_late = is_late or beat.at <= settled
            if beat.state == LEFT:
                self._leaves.add((beat.site_id, beat.tab))
        try:
            if is_late and self._on_late:
                self._on_late(stored)
            for listener in self._on_stored:
                listener(stored)
        except Exception as failed:
            log.error("the live side has missed %d events: %s", len(stored), describe(failed))

    def _commit(self, accepted: list[Accepted]) -> list[Outcome]:
        """The outcomes after the commit. One event that the database refuses does not sink the others."""
        counts = self._take_counts()
        try:
            return self._commit_batch(accepted, counts)
        except AWAY_ERRORS as away:
            log.error("the database cannot be written to: %s", describe(away))
            self._return_counts(counts)
            if not self._database.embedded:  # an embedded one is there, whatever its disk does
                self._availability.mark_failed()
        except Exception as refused:
            log.error("%d events could not be stored: %s", len(accepted), describe(refused))
            self._return_counts(counts)
            if len(accepted) > 1:
                return [outcome for one in accepted for outcome in self._commit([one])]
        self._again = accepted[-1]
        return self._shed(accepted, AWAY)

    def _commit_batch(self, accepted: list[Accepted], counts: OutcomeCounts) -> list[Outcome]:
        """One transaction; once more with other ids where one was taken (rows of the past, see
        `analytics.base.ids`).
        """
        now = int(self._clock())
        for tries_left in (2, 1, 0):
            try:
                with self._transaction() as connection:
                    self._hold_interpreter()
                    outcomes = store(connection, accepted, self._ids, Counter(counts), left=self._leaves)
                    if late := [one.at for one in accepted if one.at < now - now % DAY_S]:
                        daily.count_again(connection, late, now)
                    self._aside.set()  # the commit itself waits for the disk
                self._hold_interpreter()
                self._again, self._uncounted = None, False
                return outcomes
            except TAKEN_ERRORS:
                if not tries_left:
                    raise
        raise AssertionError

    def _hold_interpreter(self) -> None:
        """From here on the thread holds the interpreter: the loop waits in `give_way`."""
        if self._database.embedded and not self._in_vain:
            self._aside.clear()

    @contextmanager
    def _transaction(self) -> Iterator[Connection]:
        """A transaction of the database; others may look at how long it, and what comes after it, has taken."""
        self._begun = time.monotonic()
        with self._database.transaction() as connection:
            yield connection

    def _rehearse(self, one: Accepted) -> bool:
        """Tries whether what could not be stored could be now: else readiness would not come back by itself, since
        nobody sends anything to a server that is not ready. Nothing of it stays: its sender was asked to come again.

        False where the database is still away.
        """
        counts = self._take_counts()
        try:
            with self._transaction() as connection:
                with connection.begin_nested() as rehearsal:
                    store(connection, [one], self._ids, Counter())
                    rehearsal.rollback()
                write_counts(connection, counts)
            self._again, self._uncounted = None, False
        except Exception as failed:
            log.debug("still nothing can be stored: %s", describe(failed))
            self._return_counts(counts)
            return not isinstance(failed, AWAY_ERRORS)
        return True

    def _flush(self) -> None:
        """Writes the counters that no group has taken along."""
        counts = self._take_counts()
        if not counts:
            return
        try:
            with self._transaction() as connection:
                write_counts(connection, counts)
            self._uncounted = False
        except Exception as away:
            self._uncounted = True
            log.error("the outcome counters cannot be written: %s", describe(away))
            self._return_counts(counts)

    def _take_counts(self) -> OutcomeCounts:
        with self._lock:
            counts, self._counts = self._counts, Counter()
        return counts

    def _return_counts(self, counts: OutcomeCounts) -> None:
        with self._lock:
            self._counts.update(counts)
