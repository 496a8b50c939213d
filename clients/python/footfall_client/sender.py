"""Sends samples and events to Footfall from a thread of its own. The application never waits for it, and no error of
it reaches the application.
"""

from __future__ import annotations

import atexit
import contextlib
import logging
import os
import random
import sys
import threading
import time
import weakref
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple
from urllib.parse import quote

from footfall_client.outbox import Item, Packed, Queue, encoded
from footfall_client.post import Later, Poster, Refused, Taken

log = logging.getLogger("footfall_client")

Source = Callable[[bool], Iterable[Item]]
"""Called once a second by the thread, with True before the process exits; returns samples."""

TICK_AT_S = 0.05  # after the beginning of each second
MAX_BODY = 60_000  # bytes; Footfall takes 64 KiB
MIN_BACKOFF_S, MAX_BACKOFF_S = 1.0, 60.0
METRICS, EVENTS = "/api/metrics", "/api/collect"
SAMPLES_BATCH, EVENTS_BATCH = 500, 100


class Counts(NamedTuple):
    """What became of samples and events so far. `dropped`: a queue was full; `refused`: Footfall did not want them."""

    sent: int
    dropped: int
    refused: int


class Sender:
    """Samples and events go into queues of at most `queue_size` each; a daemon thread posts them every second.

    The thread starts with the first item, in a forked process again with its first item. While Footfall is away it
    waits longer and longer, up to a minute. When the process exits, it has `exit_s` seconds to send the rest.
    """

    def __init__(
        self,
        server: str,
        key: str,
        *,
        site: str | None = None,
        queue_size: int = 10_000,
        timeout_s: float = 10.0,
        exit_s: float = 2.0,
    ) -> None:
        """`site` is the domain to which samples belong, for a key of every site. `timeout_s` is longer than Footfall
        lets a sender wait: what it stores afterwards would be sent twice. Raises `ValueError` if `server` is not an
        address of http or https.
        """
        self._poster = Poster(server, key)
        self._server = server
        self._timeout_s, self._exit_s = timeout_s, exit_s
        self._samples = Queue(METRICS + (f"?site={quote(site)}" if site else ""), SAMPLES_BATCH, queue_size)
        self._events = Queue(EVENTS, EVENTS_BATCH, queue_size)
        self._sources: list[tuple[Source, Callable[[], None]]] = []
        self._sent = self._refused = 0
        self._said: set[str] = set()
        self._reset()
        _senders.add(self)

    def _reset(self) -> None:
        self._thread: threading.Thread | None = None
        self._starting = threading.RLock()
        self._closing = threading.Event()
        self._end = 0.0  # of what the thread may do while the process exits, as monotonic time

    @property
    def counts(self) -> Counts:
        """What became of everything so far, in this process."""
        return Counts(self._sent, self._samples.dropped + self._events.dropped, self._refused)

    def sample(
        self, name: str, value: float, tags: Mapping[str, str] | None = None, timestamp: int | None = None
    ) -> None:
        """Queues a metric's value; `timestamp` is in epoch seconds, by default now."""
        self._samples.put(as_sample(name, value, int(time.time()) if timestamp is None else timestamp, tags))
        self.start()

    def event(self, event: Item) -> None:
        """Queues a pageview, heartbeat, leave or event in the format of `POST /api/collect`."""
        self._events.put(event)
        self.start()

    def every_second(self, source: Source, forget: Callable[[], None]) -> None:
        """Calls `source` in the thread once a second, and sends its samples. Does not start the thread.

        In a forked process `forget` is called: what was measured before belongs to the parent.
        """
        self._sources.append((source, forget))

    def start(self) -> None:
        """Starts the thread if it does not run. Cheap if it does."""
        if self._thread is None:
            self._start()

    def _start(self) -> None:
        with self._starting:
            if self._thread or self._closing.is_set():
                return
            thread = threading.Thread(target=self._run, name="footfall-client", daemon=True)
            with contextlib.suppress(RuntimeError):  # no thread can start while the interpreter ends
                thread.start()
                self._thread = thread
                _close_at_the_end_of_a_worker(self)

    def close(self, within_s: float | None = None) -> None:
        """Sends what is queued and stops the thread, within `exit_s` seconds. Nothing is sent afterwards."""
        self.begin_to_close(within_s)
        thread, rest = self._thread, self._end - time.monotonic()
        if thread and thread is not threading.current_thread() and rest > 0:
            thread.join(rest)

    def begin_to_close(self, within_s: float | None = None) -> None:
        """Has the thread do so, without waiting for it."""
        with self._starting:
            if not self._closing.is_set():
                self._end = time.monotonic() + (self._exit_s if within_s is None else within_s)
                self._closing.set()

    def after_fork(self) -> None:
        """Prepares the sender in a forked process, in which its thread does not run."""
        self._reset()
        self._poster.forget()
        for _, forget in self._sources:
            forget()
        for queue in (self._samples, self._events):
            queue.forget()
        self._sent = self._refused = 0

    # ── the thread ───────────────────────────────────────────────────────────────────────────────────────────────────

    def _run(self) -> None:
        closing = False
        while not closing:
            closing = self._closing.wait(1.0 - (time.time() - TICK_AT_S) % 1.0)
            try:
                self._collect(closing)
                self._send()
            except Exception as failed:  # a mistake of ours is no reason to stop
                self._say(f"a mistake in footfall_client: {failed!r}")
        self._poster.close()

    def _collect(self, closing: bool) -> None:
        for source, _ in self._sources:
            try:
                for sample in source(closing):
                    self._samples.put(sample)
            except Exception as failed:
                self._say(f"a source of samples failed: {failed!r}")

    def _send(self) -> None:
        """Posts batch after batch until the queues are empty or Footfall does not take one."""
        for queue in (self._samples, self._events):
            while self._may_send(queue) and (batch := queue.take()):
                packed, rest = self._packed(batch)
                queue.put_back(rest)
                if packed and not self._post(queue, packed):
                    break

    def _may_send(self, queue: Queue) -> bool:
        now = time.monotonic()
        return now < self._end if self._closing.is_set() else now >= queue.not_before

    def _packed(self, batch: list[Item]) -> tuple[list[Packed], list[Item]]:
        """As many items as fit into a body, and the rest."""
        packed: list[Packed] = []
        size = 2
        for index, item in enumerate(batch):
            text = encoded(item)
            if not text or len(text) > MAX_BODY - 2:
                self._refused += 1
                self._say("a sample or event that is no JSON, or too large, was not sent")
                continue
            size += len(text) + 1
            if size > MAX_BODY and packed:
                return packed, batch[index:]
            packed.append(Packed(item, text))
        return packed, []

    def _post(self, queue: Queue, batch: list[Packed]) -> bool:
        """Whether the next batch may follow at once."""
        body = b"[" + b",".join(one.text for one in batch) + b"]"
        timeout_s = self._end - time.monotonic() if self._closing.is_set() else self._timeout_s
        match self._poster.post(queue.path, body, min(timeout_s, self._timeout_s)):
            case Taken(refused, why):
                self._sent += len(batch) - refused
                self._refused += refused
                if refused:
                    self._say(f"Footfall refused a part of what was sent: {why}")
                self._note_answer(queue)
                return True
            case Refused(_, _, True) if len(batch) > 1:  # because of one of them, perhaps
                middle = len(batch) // 2
                first = self._post(queue, batch[:middle])
                return self._post(queue, batch[middle:]) and first
            case Refused(why, wrong_key):
                self._refused += len(batch)
                self._say(f"Footfall at {self._server} refuses {queue.path}: {why}")
                if wrong_key:
                    queue.not_before = time.monotonic() + MAX_BACKOFF_S
                return not wrong_key
            case Later(why, wait_s):
                queue.put_back([one.item for one in batch])
                queue.failures += 1
                self._say(f"Footfall at {self._server} does not take {queue.path} now: {why}")
                queue.not_before = time.monotonic() + (_backoff_s(queue.failures) if wait_s is None else wait_s)
                return self._closing.is_set() and self._wait_before_exit(queue)

    def _wait_before_exit(self, queue: Queue) -> bool:
        """Waits until the next attempt and returns True, or returns False if the process will have exited by then."""
        if queue.not_before >= self._end:
            return False
        time.sleep(max(0.0, queue.not_before - time.monotonic()))
        return True

    def _note_answer(self, queue: Queue) -> None:
        if queue.failures:
            log.info("Footfall at %s takes %s again", self._server, queue.path)
            self._said.clear()
        queue.failures, queue.not_before = 0, 0.0

    def _say(self, what: str) -> None:
        """Logs a warning, once for each text until Footfall answers again."""
        if what not in self._said and len(self._said) < 20:
            self._said.add(what)
            log.warning("%s", what)


def as_sample(name: str, value: float, timestamp: int, tags: Mapping[str, str] | None = None) -> Item:
    """A sample in the format of `POST /api/metrics`."""
    made: dict[str, Any] = {"name": name, "value": value, "timestamp": timestamp}
    return made | {"tags": dict(tags)} if tags else made


def _backoff_s(failures: int) -> float:
    """Doubles with each failure; random, so that many processes do not come back at once."""
    return min(MIN_BACKOFF_S * 2.0 ** min(failures - 1, 10), MAX_BACKOFF_S) * random.uniform(0.75, 1.25)  # noqa: S311


# ── the process ──────────────────────────────────────────────────────────────────────────────────────────────────────

_senders: weakref.WeakSet[Sender] = weakref.WeakSet()


def _close_all() -> None:
    senders = list(_senders)
    for sender in senders:
        sender.begin_to_close()
    for sender in senders:
        sender.close()


def _close_at_the_end_of_a_worker(sender: Sender) -> None:
    """Processes of multiprocessing, in which some servers run their workers, end without calling `atexit`."""
    if util := sys.modules.get("multiprocessing.util"):
        util.Finalize(sender, sender.close, exitpriority=100)


def _after_fork() -> None:
    for sender in list(_senders):
        sender.after_fork()


atexit.register(_close_all)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
