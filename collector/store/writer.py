"""The one writer thread: commits queued events in batches, publishes them, then answers their requests."""

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
from sqlalchemy.exc import DataError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError

from analytics.base.error_log import describe
from analytics.base.ids import Ids
from analytics.jobs import daily
from analytics.live.beat import PageState
from analytics.live.minute_query import SETTLED_S
from analytics.live.reasons import RejectedReason, ShedReason
from analytics.live.restore import left_tabs
from analytics.storage.availability import UNRESPONSIVE_S
from analytics.storage.database import Database
from collector.ingest.accepted import Accepted
from collector.ingest.outcomes import Outcome, Rejected, Shed, Stored
from collector.store import outcome_counters
from collector.store.batch import store, write_counts
from collector.store.leaves import RESTORED_S, Leaves
from collector.store.outcome_counters import OutcomeCounts

log = logging.getLogger("footfall.writer")

QUEUE_FULL = Shed(ShedReason.QUEUE_FULL, "too many events are waiting to be stored; send it again", 2)
SITE_QUEUE_FULL = Shed(
    ShedReason.SITE_QUEUE_FULL, "too many events of this site are waiting to be stored; send it again", 2, status=429
)
AWAY = Shed(ShedReason.DATABASE_AWAY, "the database cannot be written to right now; send it again", 5)
UNSTORABLE = Rejected(422, RejectedReason.WRONG_FIELD, "the database has no room for a value of this event")
STOPPING = Shed(ShedReason.STOPPING, "the server is going down; send it again", 5)

# `store` uses the driver's cursor, so errors of the driver occur as well as those of SQLAlchemy
AWAY_ERRORS = (OperationalError, PoolTimeoutError, sqlite3.OperationalError, psycopg.OperationalError)
DATA_ERRORS = (DataError, sqlite3.DataError, psycopg.DataError, OverflowError)  # the event is at fault
ID_CONFLICTS = (sqlite3.IntegrityError, psycopg.IntegrityError)

# Under load the writer waits for a batch to fill: event loop and writer share the GIL, and fewer, larger batches mean
# fewer switches. With 64 connections batches of 22 became batches of 42, and a pageview took a fifth less time.
BUSY_BATCH = 8  # after a larger batch the writer waits for the next one to fill
FULL_BATCH = 48
FILL_STEP_S = 0.0003
MAX_FILL_S = 0.003
MAX_YIELD_S = 0.005  # a batch takes 2 ms; a database that hangs must not block the event loop

LEFT = int(PageState.LEFT)
DAY_S = 86_400
MAX_COMMIT_S = 0.6  # requests that have waited longer for a slow commit get 503, so within a second
SLOW_COMMIT_S = 0.25  # commits take milliseconds

OnOutcomes = Callable[[list[Outcome]], None]
OnStored = Callable[[list[Stored]], None]
WithinCommit = Callable[[Connection, Sequence[tuple[Accepted, Outcome]]], Callable[[], None] | None]
"""Called in the transaction that stores the events; what it returns is called after the commit."""


class QueuedRequest(NamedTuple):
    """The accepted events of one request; `on_outcomes` receives their outcomes."""

    accepted: Sequence[Accepted]
    on_outcomes: OnOutcomes


class Writer:
    """Commits accepted events in batches: everything that is queued when a commit ends, under load a moment later.

    `submit` never blocks. At most `max_waiting` events are queued, else the outcome is `QUEUE_FULL`; and at most about
    `max_waiting_per_site` of one site, else it is `SITE_QUEUE_FULL`, so that a flooded site leaves room for the others.

    After the commit, and before the requests are answered, each of `on_stored` receives the stored events of the batch.
    Before them `on_late` receives the batch if it has beats of minutes that may have been counted already. `within`
    is called inside the transaction.
    """

    def __init__(
        self,
        database: Database,
        *on_stored: OnStored,
        on_late: OnStored | None = None,
        within: WithinCommit | None = None,
        max_waiting: int = 10_000,
        max_waiting_per_site: int = 8_000,
        max_batch: int = 256,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._database = database
        self._availability = database.availability
        self._on_stored = on_stored
        self._on_late = on_late
        self._within = within
        self._max_waiting = max_waiting
        self._max_waiting_per_site = max_waiting_per_site
        self._max_batch = max_batch
        self._clock = clock
        self._ids = Ids(database.worker)
        self._queue: SimpleQueue[list[QueuedRequest]] = SimpleQueue()
        self._buffered: deque[QueuedRequest] = deque()  # taken from the queue, for the next batches
        self._lock = threading.Lock()
        self._submitted = 0
        self._answered = 0
        self._waiting_by_site: Counter[int] = Counter()  # queued events of each site that has some
        self._counts: OutcomeCounts = Counter()
        self.outcomes: Counter[tuple[str, str]] = Counter()  # (outcome, reason) -> written since the start
        self._stopping = False
        self._busy = False
        self._gil_free = threading.Event()  # cleared while the writer needs the GIL
        self._gil_free.set()
        self._yield_timed_out = False  # the event loop has waited long enough for this batch
        self._leaves = Leaves(left_tabs(database, int(clock()) - RESTORED_S))
        self._commit_began = inf  # when the current commit began (monotonic)
        self._unstored: Accepted | None = None  # the last event that could not be stored, until a commit succeeds
        self._counts_failed = False  # whether the last commit of counters alone failed
        self._thread = threading.Thread(target=self._run, name="footfall-writer", daemon=True)
        self._thread.start()

    # ── state, for any thread ────────────────────────────────────────────────────────────────────────────────────

    @property
    def alive(self) -> bool:
        """Whether the writer thread runs."""
        return self._thread.is_alive()

    @property
    def waiting(self) -> int:
        """How many submitted events are not committed yet."""
        return self._submitted - self._answered

    @property
    def failing(self) -> bool:
        """Whether the last commit failed. A successful commit of counters alone does not end a failure of events."""
        return self._unstored is not None or self._counts_failed

    @property
    def slow(self) -> bool:
        """Whether the current commit takes longer than usual. A long queue alone is not slow."""
        return time.monotonic() - self._commit_began > SLOW_COMMIT_S

    @property
    def stuck(self) -> bool:
        """Whether the current commit takes too long to wait for, or the database does not answer its probe."""
        now = time.monotonic()
        return now - self._commit_began > MAX_COMMIT_S or now - self._availability.probe_began > UNRESPONSIVE_S

    # ── in, from any thread ──────────────────────────────────────────────────────────────────────────────────────

    def submit(self, requests: list[QueuedRequest]) -> None:
        """Queues the events of these requests. Each `on_outcomes` is called once: after the commit, on the writer's
        thread, or at once with `QUEUE_FULL`, `SITE_QUEUE_FULL` or `STOPPING`.
        """
        queued: list[QueuedRequest] = []
        refused: list[tuple[QueuedRequest, Shed]] = []
        with self._lock:
            for request in requests:
                if why := self._no_room(request.accepted):
                    refused.append((request, why))
                    continue
                queued.append(request)
                self._submitted += len(request.accepted)
                for one in request.accepted:
                    self._waiting_by_site[one.site_id] += 1
            if queued:
                self._queue.put(queued)
        for request, why in refused:
            request.on_outcomes(self._shed(request.accepted, why))

    def _no_room(self, accepted: Sequence[Accepted]) -> Shed | None:
        """Why these events cannot be queued; None if they can. The caller holds the lock."""
        if self._stopping:
            return STOPPING
        waiting = self.waiting + len(accepted)
        if waiting > self._max_waiting:
            return QUEUE_FULL
        if waiting > self._max_waiting_per_site and any(
            self._waiting_by_site[one.site_id] >= self._max_waiting_per_site for one in accepted
        ):
            return SITE_QUEUE_FULL
        return None

    def _shed(self, accepted: Sequence[Accepted], why: Shed) -> list[Outcome]:
        """Counts these events as shed and returns their outcomes."""
        for one in accepted:
            self.count(one.site_id, one.at, "shed", why.code)
        return [why] * len(accepted)

    def count(self, site_id: int, at: int, outcome: str, reason: str, name: str = "") -> None:
        """Counts an outcome without a row. It is written with the next batch, or within a second.

        `name` is the robot or the host, for the reasons in `outcome_counters.NAME_KINDS`.
        """
        with self._lock:
            outcome_counters.count(self._counts, site_id, at, outcome, reason, name)

    def yield_to_writer(self) -> None:
        """Waits until the writer does not need the GIL. The event loop calls it before it handles a request.

        It waits at most 5 ms, and after a time-out not again for the same batch. On PostgreSQL it never waits: there
        the writer itself mostly waits for the server.
        """
        if not self._gil_free.is_set() and not self._gil_free.wait(MAX_YIELD_S):
            self._yield_timed_out = True
            self._gil_free.set()

    def settle(self, timeout_s: float) -> bool:
        """Waits until everything that was submitted and counted before is in the database; False on a time-out."""
        done = threading.Event()
        self.submit([QueuedRequest([], lambda _: done.set())])
        return done.wait(timeout_s)

    def stop(self, timeout_s: float = 8.0) -> None:
        """Commits queued events, refuses new ones, and ends the thread. May be called twice."""
        with self._lock:
            self._stopping = True
            self._queue.put([])
        self._thread.join(timeout_s)

    # ── the thread: batch, commit, publish, answer ───────────────────────────────────────────────────────────────

    def _run(self) -> None:
        while True:
            if batch := self._next_batch():
                self._store_batch(batch)
                self._commit_began = inf
                continue
            if self._unstored is None or self._retry_unstored(self._unstored):
                self._flush_counts()
            self._commit_began = inf
            if self._stopping and self._queue.empty():
                return

    def _next_batch(self) -> list[QueuedRequest]:
        """The next batch, at most about `max_batch` events; empty after a second without events."""
        if not self._buffered:
            with suppress(Empty):
                self._buffered.extend(self._queue.get(timeout=1.0))
            if self._busy:
                self._wait_for_more()
        with suppress(Empty):
            while len(self._buffered) < self._max_batch:
                self._buffered.extend(self._queue.get_nowait())
        batch: list[QueuedRequest] = []
        size = 0
        while self._buffered and size < self._max_batch:
            batch.append(self._buffered.popleft())
            size += len(batch[-1].accepted)
        self._busy = size > BUSY_BATCH
        return batch

    def _wait_for_more(self) -> None:
        """Waits while more events arrive, for at most 3 ms."""
        before, until = 0, time.monotonic() + MAX_FILL_S
        while before < self.waiting < FULL_BATCH and time.monotonic() < until:
            before = self.waiting
            time.sleep(FILL_STEP_S)

    def _store_batch(self, batch: list[QueuedRequest]) -> None:
        self._yield_timed_out = False
        accepted = [one for request in batch for one in request.accepted]
        if accepted:
            outcomes = self._commit(accepted)
            self._publish([outcome for outcome in outcomes if type(outcome) is Stored])
        else:  # `settle` waits for the counters
            outcomes = []
            self._flush_counts()
        with self._lock:
            self._answered += len(accepted)
            for one in accepted:
                self._waiting_by_site[one.site_id] -= 1
                if not self._waiting_by_site[one.site_id]:
                    del self._waiting_by_site[one.site_id]
        start = 0
        for request in batch:
            end = start + len(request.accepted)
            request.on_outcomes(outcomes[start:end])
            start = end
        self._gil_free.set()

    def _publish(self, stored: list[Stored]) -> None:
        """Passes committed events on. An error there affects neither the responses nor this thread."""
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
        """Commits the events and returns their outcomes. If the database refuses a batch, it tries each event alone."""
        counts = self._take_counts()
        try:
            return self._commit_batch(accepted, counts)
        except AWAY_ERRORS as away:
            log.error("the database cannot be written to: %s", describe(away))
            self._return_counts(counts)
            if not self._database.embedded:  # an embedded database answers even if its disk fails
                self._availability.mark_failed()
        except Exception as refused:
            log.error("%d events could not be stored: %s", len(accepted), describe(refused))
            self._return_counts(counts)
            if len(accepted) > 1:
                return [outcome for one in accepted for outcome in self._commit([one])]
            if isinstance(refused, DATA_ERRORS):
                self.count(accepted[0].site_id, accepted[0].at, "rejected", UNSTORABLE.code)
                return [UNSTORABLE]
        self._unstored = accepted[-1]
        return self._shed(accepted, AWAY)

    def _commit_batch(self, accepted: list[Accepted], counts: OutcomeCounts) -> list[Outcome]:
        """Commits the batch in one transaction; repeats it with other row ids if one exists already.

        That happens with rows of the past, see `analytics.base.ids`.
        """
        now = int(self._clock())
        for tries_left in (2, 1, 0):
            try:
                with self._transaction() as connection:
                    self._claim_gil()
                    written = Counter(counts)
                    outcomes = store(connection, accepted, self._ids, written, left=self._leaves)
                    if late := [one.at for one in accepted if one.at < now - now % DAY_S]:
                        daily.count_again(connection, late, now)
                    after_commit = None
                    if self._within and any(one.details for one in accepted):  # events alone have rules
                        after_commit = self._within(connection, list(zip(accepted, outcomes, strict=True)))
                    self._gil_free.set()  # the commit itself waits for the disk
                self._claim_gil()
                self._unstored, self._counts_failed = None, False
                self._add_to_totals(written)
                if after_commit:
                    self._call(after_commit)
                return outcomes
            except ID_CONFLICTS:
                if not tries_left:
                    raise
        raise AssertionError

    def _call(self, after_commit: Callable[[], None]) -> None:
        """An error after the commit affects neither the responses nor this thread."""
        try:
            after_commit()
        except Exception as failed:
            log.error("what follows a commit has failed: %s", describe(failed))

    def _claim_gil(self) -> None:
        """Makes the event loop wait in `yield_to_writer` from here on."""
        if self._database.embedded and not self._yield_timed_out:
            self._gil_free.clear()

    @contextmanager
    def _transaction(self) -> Iterator[Connection]:
        """A transaction of the database whose duration, until the end of the batch, `slow` and `stuck` see."""
        self._commit_began = time.monotonic()
        with self._database.transaction() as connection:
            yield connection

    def _retry_unstored(self, one: Accepted) -> bool:
        """Stores an event that failed before in a savepoint, rolls that back, and commits the counters.

        Without this a server would stay not ready, since nobody sends events to it. Nothing of the event remains: its
        sender sends it again. Returns False if the database is still away.
        """
        counts = self._take_counts()
        try:
            with self._transaction() as connection:
                with connection.begin_nested() as rehearsal:
                    store(connection, [one], self._ids, Counter())
                    rehearsal.rollback()
                write_counts(connection, counts)
            self._unstored, self._counts_failed = None, False
            self._add_to_totals(counts)
        except Exception as failed:
            log.debug("still nothing can be stored: %s", describe(failed))
            self._return_counts(counts)
            return not isinstance(failed, AWAY_ERRORS)
        return True

    def _flush_counts(self) -> None:
        """Writes the counters that were not written with a batch."""
        counts = self._take_counts()
        if not counts:
            return
        try:
            with self._transaction() as connection:
                write_counts(connection, counts)
            self._counts_failed = False
            self._add_to_totals(counts)
        except Exception as away:
            self._counts_failed = True
            log.error("the outcome counters cannot be written: %s", describe(away))
            self._return_counts(counts)

    def _add_to_totals(self, written: OutcomeCounts) -> None:
        for (_, _, outcome, reason), count in written.items():
            if outcome not in outcome_counters.NAMED:
                self.outcomes[outcome, reason] += count

    def _take_counts(self) -> OutcomeCounts:
        with self._lock:
            counts, self._counts = self._counts, Counter()
        return counts

    def _return_counts(self, counts: OutcomeCounts) -> None:
        with self._lock:
            self._counts.update(counts)
