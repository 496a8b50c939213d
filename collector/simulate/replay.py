"""Replays an access log as live visitors: pageviews, heartbeats and leaves at the log's pace times a speed."""

from __future__ import annotations

import json
import secrets
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from types import FrameType
from typing import TextIO

from collector.imports.log_sessions import LogSession
from collector.simulate.client import BatchResult, EventBody, RefusedError, Sender
from collector.simulate.schedule import BEAT_S, VISITOR_FIELDS, TimedEvent, length, plan

MAX_BATCH = 100  # events
MAX_BATCH_BYTES = 60_000  # the collector accepts 64 KiB
BATCH_INTERVAL_S = 0.1
REPORT_EVERY_S = 0.25  # at least, while it waits
MIN_WAIT_S = 0.001
MAX_RETRY_S = 120.0  # of nothing but refusals, before it gives up
MAX_LEAVE_S = 2.0
PAGE_EXPIRY_S = 3 * BEAT_S

Post = Callable[[list[EventBody]], BatchResult]


@dataclass(slots=True)
class ReplayTotals:
    """The result of a replay so far; `sent` counts by type of event, `filtered` and `rejected` by reason."""

    sent: Counter[str] = field(default_factory=Counter)
    stored: int = 0
    duplicate: int = 0
    filtered: Counter[str] = field(default_factory=Counter)
    rejected: Counter[str] = field(default_factory=Counter)
    retried: int = 0
    interrupted: bool = False

    def count(self, batch: list[EventBody], result: BatchResult) -> None:
        """Adds the events of a batch that are not to be sent again."""
        self.sent.update(body["type"] for index, body in enumerate(batch) if index not in result.retry)
        self.stored += result.stored
        self.duplicate += result.duplicate
        self.filtered.update(result.filtered)
        self.rejected.update(result.rejected)


def summary(totals: ReplayTotals, skipped: Mapping[str, int]) -> str:
    """The result in one line: the events sent, the lines of the log that are no pages (`skipped`), the other counts."""
    sent = ", ".join(
        f"{totals.sent[kind]:,} {kind}s" for kind in ("pageview", "heartbeat", "event") if totals.sent[kind]
    )
    parts = [f"sent {sent or '0 pageviews'}, {totals.sent['leave']:,} leaves"]
    parts += [f"skipped: {_by_reason(skipped)}"] if skipped else []
    parts += [f"filtered: {_by_reason(totals.filtered)}"] if totals.filtered else []
    parts += [f"rejected: {_by_reason(totals.rejected)}"] if totals.rejected else []
    parts += [f"sent before: {totals.duplicate:,}"] if totals.duplicate else []
    parts += [f"retries: {totals.retried:,}"] if totals.retried else []
    parts += ["stopped early"] if totals.interrupted else []
    return "; ".join(parts)


def _by_reason(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{reason} {count:,}" for reason, count in Counter(counts).most_common())


class ReplayProgress:
    """Shows the progress of a replay: one line that is overwritten on a terminal, a line every 10 s elsewhere."""

    def __init__(self, stream: TextIO, length_s: float) -> None:
        self._stream, self._length_s = stream, length_s
        self._terminal = stream.isatty()
        self._every_s = REPORT_EVERY_S if self._terminal else 10.0
        self._next_s = 0.0

    def __call__(self, totals: ReplayTotals, elapsed_s: float, open_pages: int) -> None:
        """Writes the progress, if the last line is old enough."""
        if elapsed_s < self._next_s:
            return
        self._next_s = elapsed_s + self._every_s
        done = f"{_clock(elapsed_s)} of {_clock(self._length_s)}"
        line = f"{done}: {open_pages} here, {totals.sent['pageview']:,} pageviews"
        self._stream.write(f"\r{line}\x1b[K" if self._terminal else f"{line}\n")
        self._stream.flush()

    def close(self) -> None:
        """Clears the line on the terminal, for the summary."""
        if self._terminal:
            self._stream.write("\r\x1b[K")
            self._stream.flush()


def _clock(seconds: float) -> str:
    minutes, second = divmod(int(seconds), 60)
    return f"{minutes}:{second:02}"


ReportProgress = Callable[[ReplayTotals, float, int], None]


def run(
    events: Iterable[TimedEvent],
    post: Post,
    *,
    clock: Callable[[], float],
    sleep: Callable[[float], None],
    report: ReportProgress = lambda _totals, _elapsed_s, _open_pages: None,
    stopped: Callable[[], bool] = lambda: False,
) -> ReplayTotals:
    """Sends each event when it is due (at once if it is late), up to 100 in a request. Returns the counts.

    Events that the server cannot store for now are sent again, with the same ids, after the time in its answer.
    KeyboardInterrupt or `stopped()` ends the replay: leaves are sent for the open pages, for at most 2 s, and the
    counts so far are returned. Raises `RefusedError` if a retry would not help, and after two minutes of retries.
    `clock` returns seconds, monotonic.
    """
    replay = _Run(post, clock, sleep, report, stopped, clock())
    try:
        for batch in replay.batches(events):
            replay.deliver(batch)
    except (KeyboardInterrupt, _StoppedError):
        replay.totals.interrupted = True
        replay.send_leaves()
    return replay.totals


def play(sessions: list[LogSession], site: str, speed: float, sender: Sender, out: TextIO) -> ReplayTotals:
    """Replays sessions now, as new visits, and shows the progress on `out`. Ctrl-C and SIGTERM end it (main thread)."""
    progress = ReplayProgress(out, length(sessions, speed))
    events = plan(sessions, site, speed, nonce=secrets.token_hex(8))
    try:
        with interruptible() as interrupted:
            return run(events, sender, clock=time.monotonic, sleep=time.sleep, report=progress, stopped=interrupted)
    finally:
        progress.close()
        sender.close()


@contextmanager
def interruptible() -> Iterator[Callable[[], bool]]:
    """A function that says whether Ctrl-C or SIGTERM was received; for the main thread only.

    The first signal lets the current request end, so that it is known whether its events were stored. The second one
    interrupts it.
    """
    received = threading.Event()

    def receive(number: int, frame: FrameType | None) -> None:
        if received.is_set():
            signal.default_int_handler(number, frame)
        received.set()

    previous = {number: signal.signal(number, receive) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield received.is_set
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


class _StoppedError(Exception):
    pass


@dataclass(slots=True)
class _Run:
    """A replay in progress: its clock, its totals and the open pages."""

    post: Post
    clock: Callable[[], float]
    sleep: Callable[[float], None]
    report: ReportProgress
    stopped: Callable[[], bool]
    started: float
    totals: ReplayTotals = field(default_factory=ReplayTotals)
    free_s: float = 0.0  # when the next request may be sent
    # By id of the pageview, the latest last: the time of its last event, and the fields of its events so far.
    open: dict[str, tuple[float, EventBody]] = field(default_factory=dict)

    def elapsed(self) -> float:
        return self.clock() - self.started

    def batches(self, events: Iterable[TimedEvent]) -> Iterator[list[EventBody]]:
        """The events in batches, when they are due. After a batch that is not full, the next follows after 100 ms."""
        batch: list[EventBody] = []
        size = 0
        for due, body in events:
            length = len(json.dumps(body)) + 2
            is_full = len(batch) == MAX_BATCH or size + length > MAX_BATCH_BYTES
            if batch and (is_full or due > self.elapsed()):
                yield batch
                self.free_s = self.elapsed() if is_full else self.elapsed() + BATCH_INTERVAL_S
                batch, size = [], 0
            if not batch:
                self.wait(max(due, self.free_s) - self.elapsed())
            batch.append(body)
            size += length
        if batch:
            yield batch

    def wait(self, seconds: float) -> None:
        end = self.elapsed() + seconds
        while True:
            if self.stopped():
                raise _StoppedError
            now = self.elapsed()
            self.report(self.totals, now, len(self.open))
            if end - now < MIN_WAIT_S:
                return
            self.sleep(min(REPORT_EVERY_S, end - now))

    def deliver(self, batch: list[EventBody]) -> None:
        self._update_open_pages(batch)
        end = self.elapsed() + MAX_RETRY_S
        while batch:
            result = self.post(batch)
            self.totals.count(batch, result)
            batch = [batch[index] for index in result.retry]
            if batch:
                if self.elapsed() + result.retry_after > end:
                    raise RefusedError(f"given up after {MAX_RETRY_S:.0f} s: {result.failure}")
                self.totals.retried += 1
                self.wait(result.retry_after)

    def _update_open_pages(self, batch: list[EventBody]) -> None:
        """Records the fields for the leaves of open pages. Called before the request, whose answer may never arrive."""
        now = self.elapsed()
        for body in batch:
            page = body["id"] if body["type"] == "pageview" else body["pageview"]
            last = self.open.pop(page, (0.0, {}))[1]
            if body["type"] != "leave":
                self.open[page] = (now, last | body)
        while self.open and next(iter(self.open.values()))[0] < now - PAGE_EXPIRY_S:
            del self.open[next(iter(self.open))]  # it ended without a leave, as some do in the demo

    def send_leaves(self) -> None:
        leaves = [_leave(page, last) for page, (_, last) in self.open.items()]
        end = self.clock() + MAX_LEAVE_S
        with suppress(RefusedError):
            while leaves and self.clock() < end:
                batch, leaves = leaves[:MAX_BATCH], leaves[MAX_BATCH:]
                result = self.post(batch)
                self.totals.count(batch, result)
                if result.retry:
                    return


def _leave(page: str, last: EventBody) -> EventBody:
    names = (*VISITOR_FIELDS, "engaged_ms", "scroll")
    return {"type": "leave", "pageview": page} | {name: last[name] for name in names if name in last}
