"""An access log as live visitors: each address walks, beats and leaves at the log's pace times a speed."""

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
from collector.simulate.client import Body, Outcome, RefusedError, Sender
from collector.simulate.schedule import BEAT_S, PERSON, Step, length, plan

BATCH_EVENTS = 100
BATCH_BYTES = 60_000  # the collector takes 64 KiB
BATCH_S = 0.1
GLANCE_S = 0.25  # how long a wait goes without a report
TICK_S = 0.001  # less than this is no time to wait for
PATIENCE_S = 120.0  # of nothing but refusals, before giving up
GOODBYE_S = 2.0
FORGOTTEN_S = 3 * BEAT_S

Post = Callable[[list[Body]], Outcome]


@dataclass(slots=True)
class Totals:
    """What a replay has done so far; `sent` is by type of event, `filtered` and `rejected` by reason."""

    sent: Counter[str] = field(default_factory=Counter)
    stored: int = 0
    duplicate: int = 0
    filtered: Counter[str] = field(default_factory=Counter)
    rejected: Counter[str] = field(default_factory=Counter)
    retried: int = 0
    interrupted: bool = False

    def count(self, batch: list[Body], outcome: Outcome) -> None:
        """Adds those of a batch that were answered for good."""
        self.sent.update(body["type"] for index, body in enumerate(batch) if index not in outcome.again)
        self.stored += outcome.stored
        self.duplicate += outcome.duplicate
        self.filtered.update(outcome.filtered)
        self.rejected.update(outcome.rejected)


def summary(totals: Totals, skipped: Mapping[str, int]) -> str:
    """One line: what was sent, what the log has besides pages (`skipped`, by reason), what was left out."""
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


class Progress:
    """Tells how far a replay is: one rewritten line on a terminal, elsewhere a line every 10 s."""

    def __init__(self, stream: TextIO, length_s: float) -> None:
        self._stream, self._length_s = stream, length_s
        self._terminal = stream.isatty()
        self._every_s = GLANCE_S if self._terminal else 10.0
        self._next_s = 0.0

    def __call__(self, totals: Totals, elapsed_s: float, here: int) -> None:
        """Says it if it is time to; `here` is the number of visitors' pages that are open."""
        if elapsed_s < self._next_s:
            return
        self._next_s = elapsed_s + self._every_s
        done = f"{_clock(elapsed_s)} of {_clock(self._length_s)}"
        line = f"{done}: {here} here, {totals.sent['pageview']:,} pageviews"
        self._stream.write(f"\r{line}\x1b[K" if self._terminal else f"{line}\n")
        self._stream.flush()

    def close(self) -> None:
        """Clears the rewritten line, so that the summary can stand there."""
        if self._terminal:
            self._stream.write("\r\x1b[K")
            self._stream.flush()


def _clock(seconds: float) -> str:
    minutes, second = divmod(int(seconds), 60)
    return f"{minutes}:{second:02}"


Report = Callable[[Totals, float, int], None]


def run(
    steps: Iterable[Step],
    post: Post,
    *,
    clock: Callable[[], float],
    sleep: Callable[[float], None],
    report: Report = lambda _totals, _elapsed_s, _here: None,
    stopped: Callable[[], bool] = lambda: False,
) -> Totals:
    """Sends each step when it is due (at once if it is late), up to 100 in a request, and counts the answers.

    What the server does not take for now is sent again with the same ids after the time that it asks for.
    KeyboardInterrupt or `stopped()` ends it: the visitors still on a page leave, within 2 s if the server
    answers, and the totals so far are returned. Raises `RefusedError` for an answer that will not change and
    after two minutes of retries. `clock` is in seconds, monotonic.
    """
    replay = _Run(post, clock, sleep, report, stopped, clock())
    try:
        for batch in replay.batches(steps):
            replay.deliver(batch)
    except (KeyboardInterrupt, _StoppedError):
        replay.totals.interrupted = True
        replay.say_goodbye()
    return replay.totals


def play(walked: list[LogSession], site: str, speed: float, sender: Sender, out: TextIO) -> Totals:
    """Plays walks now, as new visits, with progress on `out`; Ctrl-C and SIGTERM end it (main thread)."""
    progress = Progress(out, length(walked, speed))
    steps = plan(walked, site, speed, nonce=secrets.token_hex(8))
    try:
        with interruptible() as interrupted:
            return run(steps, sender, clock=time.monotonic, sleep=time.sleep, report=progress, stopped=interrupted)
    finally:
        progress.close()
        sender.close()


@contextmanager
def interruptible() -> Iterator[Callable[[], bool]]:
    """Whether Ctrl-C or SIGTERM has come; for the main thread only.

    The first one cuts off no request: what was sent is known to be stored or not. The second one does.
    """
    came = threading.Event()

    def note(number: int, frame: FrameType | None) -> None:
        if came.is_set():
            signal.default_int_handler(number, frame)
        came.set()

    before = {number: signal.signal(number, note) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield came.is_set
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class _StoppedError(Exception):
    pass


@dataclass(slots=True)
class _Run:
    """A replay under way: its clock, its totals, and who is on a page."""

    post: Post
    clock: Callable[[], float]
    sleep: Callable[[float], None]
    report: Report
    stopped: Callable[[], bool]
    started: float
    totals: Totals = field(default_factory=Totals)
    free_s: float = 0.0  # when the next request may go
    # By id of the pageview: when it was heard of last (the latest at the end), and what it has said.
    open: dict[str, tuple[float, Body]] = field(default_factory=dict)

    def elapsed(self) -> float:
        return self.clock() - self.started

    def batches(self, steps: Iterable[Step]) -> Iterator[list[Body]]:
        """What is due, when it is due; only full batches (100 events, 60 kB) follow within 100 ms."""
        batch: list[Body] = []
        size = 0
        for due, body in steps:
            weight = len(json.dumps(body)) + 2
            full = len(batch) == BATCH_EVENTS or size + weight > BATCH_BYTES
            if batch and (full or due > self.elapsed()):
                yield batch
                self.free_s = self.elapsed() if full else self.elapsed() + BATCH_S
                batch, size = [], 0
            if not batch:
                self.wait(max(due, self.free_s) - self.elapsed())
            batch.append(body)
            size += weight
        if batch:
            yield batch

    def wait(self, seconds: float) -> None:
        end = self.elapsed() + seconds
        while True:
            if self.stopped():
                raise _StoppedError
            now = self.elapsed()
            self.report(self.totals, now, len(self.open))
            if end - now < TICK_S:
                return
            self.sleep(min(GLANCE_S, end - now))

    def deliver(self, batch: list[Body]) -> None:
        self._note(batch)
        end = self.elapsed() + PATIENCE_S
        while batch:
            outcome = self.post(batch)
            self.totals.count(batch, outcome)
            batch = [batch[index] for index in outcome.again]
            if batch:
                if self.elapsed() + outcome.retry_after > end:
                    raise RefusedError(f"given up after {PATIENCE_S:.0f} s: {outcome.trouble}")
                self.totals.retried += 1
                self.wait(outcome.retry_after)

    def _note(self, batch: list[Body]) -> None:
        """Keeps what a leave would say of each page that is open; before the answer, which may never come."""
        now = self.elapsed()
        for body in batch:
            page = body["id"] if body["type"] == "pageview" else body["pageview"]
            last = self.open.pop(page, (0.0, {}))[1]
            if body["type"] != "leave":
                self.open[page] = (now, last | body)
        while self.open and next(iter(self.open.values()))[0] < now - FORGOTTEN_S:
            del self.open[next(iter(self.open))]  # closed without a word, as some are in the demo

    def say_goodbye(self) -> None:
        leaves = [_leave(page, last) for page, (_, last) in self.open.items()]
        end = self.clock() + GOODBYE_S
        with suppress(RefusedError):
            while leaves and self.clock() < end:
                batch, leaves = leaves[:BATCH_EVENTS], leaves[BATCH_EVENTS:]
                outcome = self.post(batch)
                self.totals.count(batch, outcome)
                if outcome.again:
                    return


def _leave(page: str, last: Body) -> Body:
    kept = (*PERSON, "engaged_ms", "scroll")
    return {"type": "leave", "pageview": page} | {name: last[name] for name in kept if name in last}
