"""The thread that stores samples of metrics, in transactions of their own, and answers who sent them."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Future
from contextlib import suppress
from queue import Empty, SimpleQueue
from typing import NamedTuple

from analytics.base.error_log import describe
from analytics.health.sample import Sample
from analytics.health.samples import Refusals, SiteRemoved, SiteSamples, store
from analytics.live.reasons import ShedReason
from analytics.storage.database import Database
from collector.ingest.outcomes import Shed
from collector.store.writer import AWAY, AWAY_ERRORS

log = logging.getLogger("footfall.samples")

MAX_WAITING = 20_000  # samples
MAX_GROUP = 2_000  # samples of a transaction, which takes SQLite 5 ms
# SQLite has one writing connection, and events come first: they have three quarters of the time.
PAUSE_PER_GROUP = 3.0
QUEUE_FULL = Shed(ShedReason.QUEUE_FULL, "too many samples are waiting to be stored; send them again", 2)
STOPPING = Shed(ShedReason.STOPPING, "the server is going down; send them again", 5)
TOO_SLOW = Shed(ShedReason.BUSY, "the samples could not be stored in time; send them again", 5)

SamplesResult = Refusals | SiteRemoved | Shed
"""Which of the samples were refused, by their position; or why none was stored."""

OnSamples = Callable[[int, Iterable[Sample]], None]
"""Receives the site's id and its samples after they were stored."""


class _Waiting(NamedTuple):
    group: SiteSamples
    result: Future[SamplesResult]


class SampleWriter:
    """Stores samples in groups: whatever was submitted while the last group was stored is the next one.

    At most `MAX_WAITING` samples wait. After each group on SQLite the thread pauses, so that events are stored between
    two groups however many samples come.
    """

    def __init__(self, database: Database, on_stored: OnSamples, clock: Callable[[], float] = time.time) -> None:
        self._database = database
        self._on_stored = on_stored
        self._clock = clock
        self._queue: SimpleQueue[_Waiting | None] = SimpleQueue()
        self._lock = threading.Lock()
        self._waiting = 0
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="footfall-samples", daemon=True)
        self._thread.start()

    def submit(self, group: SiteSamples) -> Future[SamplesResult]:
        """Queues the samples; what became of them, later. Never blocks."""
        one = _Waiting(group, Future())
        with self._lock:
            if self._stopping.is_set():
                one.result.set_result(STOPPING)
            elif self._waiting + len(group.samples) > MAX_WAITING:
                one.result.set_result(QUEUE_FULL)
            else:
                self._waiting += len(group.samples)
                self._queue.put(one)
        return one.result

    def store(self, group: SiteSamples, timeout_s: float) -> SamplesResult:
        """Stores the samples, and waits for it. `TOO_SLOW` if that has not begun after `timeout_s` seconds; then it
        never will.
        """
        result = self.submit(group)
        with suppress(TimeoutError):
            return result.result(timeout_s)
        return TOO_SLOW if result.cancel() else result.result()

    def stop(self, timeout_s: float = 1.5) -> None:
        """Stores what is queued, refuses what comes, and ends the thread. May be called twice."""
        with self._lock:
            self._stopping.set()
            self._queue.put(None)
        self._thread.join(timeout_s)

    # ── the thread ───────────────────────────────────────────────────────────────────────────────────────────────

    def _run(self) -> None:
        while groups := self._next_groups():
            begun = time.monotonic()
            if wanted := [one for one in groups if one.result.set_running_or_notify_cancel()]:
                self._store(wanted)
            if self._database.embedded:
                self._stopping.wait((time.monotonic() - begun) * PAUSE_PER_GROUP)

    def _next_groups(self) -> list[_Waiting]:
        """The next groups, at most about `MAX_GROUP` samples; empty at the end."""
        found: list[_Waiting] = []
        size = 0
        one = self._queue.get()
        while one is not None:
            found.append(one)
            size += len(one.group.samples)
            if size >= MAX_GROUP:
                break
            try:
                one = self._queue.get_nowait()
            except Empty:
                break
        else:
            self._queue.put(None)  # the end, also after these groups
        with self._lock:
            self._waiting -= size
        return found

    def _store(self, groups: Sequence[_Waiting]) -> None:
        """Stores these groups in one transaction. If the database refuses it, it tries each group alone."""
        results: Sequence[SamplesResult]
        try:
            with self._database.transaction() as connection:
                results = store(connection, [one.group for one in groups], int(self._clock()))
        except Exception as failed:
            log.error("%d groups of samples could not be stored: %s", len(groups), describe(failed))
            if len(groups) > 1 and not isinstance(failed, AWAY_ERRORS):
                for one in groups:
                    self._store([one])
                return
            results = [AWAY] * len(groups)
        for one, result in zip(groups, results, strict=True):
            if isinstance(result, dict):
                self._publish(one.group, result)
            one.result.set_result(result)

    def _publish(self, group: SiteSamples, refused: Refusals) -> None:
        """Passes stored samples on. An error there affects neither the response nor this thread."""
        try:
            self._on_stored(group.site_id, [one for place, one in enumerate(group.samples) if place not in refused])
        except Exception as failed:
            log.error("the live side has missed samples: %s", describe(failed))
