"""What is measured: requests as they end, and CPU and memory of the process. Samples are made of it once a second."""

from __future__ import annotations

import contextlib
import itertools
import os
import sys
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from footfall_client.outbox import Item
from footfall_client.sender import as_sample

MAX_TIMES = 20_000  # of requests that end within a second; of more the latest say how long they took
MAX_REPEATED = 60  # seconds that one measurement may be spread over
Read = Callable[[str], str]
Tags = Callable[[], Mapping[str, str]]


class Running:
    """A request in progress. Only the first `end` counts."""

    __slots__ = ("_began", "_requests", "failed")

    def __init__(self, requests: Requests) -> None:
        self._requests: Requests | None = requests
        self.failed = False
        self._began = time.perf_counter()

    def end(self, *, failed: bool = False) -> None:
        """The request has ended. It failed if this or `failed` of before says so."""
        requests, self._requests = self._requests, None
        if requests is not None:
            requests.add(time.perf_counter() - self._began, failed or self.failed)
            requests.running.discard(self)


class Requests:
    """Requests in progress, and those that ended since the last `samples`. All methods but that one are for any thread:
    what they call of a set, a deque and a count is atomic, so that nothing has to be locked.
    """

    def __init__(self, tags: Tags = dict, clock: Callable[[], float] = time.time) -> None:
        self._tags, self._clock = tags, clock
        self.forget()

    def begin(self) -> Running:
        """A request begins."""
        running = Running(self)
        self.running.add(running)
        return running

    def forget(self) -> None:
        """Drops everything, in a forked process."""
        self.running: set[Running] = set()
        self.done: deque[tuple[float, bool]] = deque(maxlen=MAX_TIMES)
        self._ended, self._looks, self._seen = itertools.count(), 0, 0
        self._last = int(self._clock())

    def add(self, took_s: float, failed: bool) -> None:
        """A request has ended."""
        next(self._ended)
        self.done.append((took_s, failed))

    def _newly_ended(self) -> int:
        """How many since the last call. To look at a count is to count; the looks are no requests."""
        ended = next(self._ended) - self._looks
        self._looks += 1
        new, self._seen = ended - self._seen, ended
        return new

    def samples(self, _closing: bool = False) -> list[Item]:
        """`requests_per_second` of each second since the last call, so that their sum is the number of requests; then
        `queue_depth` (requests in progress) and, if any request ended, `response_time_ms` (average),
        `response_time_p95_ms` and `error_rate` in percent, of all of them.
        """
        now, ended = int(self._clock()), self._newly_ended()
        done = [self.done.popleft() for _ in range(len(self.done))]
        seconds = min(max(now - self._last, 1), MAX_REPEATED)
        self._last = now
        found = [
            as_sample("requests_per_second", ended / seconds, now - ago, self._tags())
            for ago in reversed(range(seconds))
        ]
        figures = {"queue_depth": float(len(self.running)), **_figures(done)}
        return found + [as_sample(name, value, now, self._tags()) for name, value in figures.items()]


def _figures(done: Sequence[tuple[float, bool]]) -> dict[str, float]:
    if not done:
        return {}
    average, high, failed = summary(done)
    return {"response_time_ms": average, "response_time_p95_ms": high, "error_rate": failed}


class Summary(NamedTuple):
    """Milliseconds, and percent that failed."""

    average_ms: float
    p95_ms: float
    error_rate: float


def summary(done: Sequence[tuple[float, bool]]) -> Summary:
    """Of durations in seconds, at least one, and whether each failed."""
    times = sorted(took for took, _ in done)
    failed = sum(failed for _, failed in done)
    average, high = sum(times) / len(times) * 1000, p95(times) * 1000
    return Summary(round(average, 3), round(high, 3), round(100 * failed / len(times), 3))


def p95(ordered: Sequence[float]) -> float:
    """The value that 95 % of the ordered values do not exceed (nearest rank)."""
    return ordered[-(-len(ordered) * 95 // 100) - 1]


class Process:
    """CPU and memory of this process.

    `cpu_percent` is that of one core, so that 100 is one core in full use. `memory_percent` is the share of the memory
    that the process may have: its control group's limit, else the machine's memory.
    """

    def __init__(self, tags: Tags = dict, clock: Callable[[], float] = time.time) -> None:
        self._tags, self._clock = tags, clock
        self._limit = memory_limit()
        self.forget()

    def forget(self) -> None:
        """Begins to measure."""
        self._at, self._used = time.monotonic(), time.process_time()

    def samples(self, _closing: bool = False) -> Iterable[Item]:
        """Both, as far as the system says them."""
        at, used = time.monotonic(), time.process_time()
        found = {}
        if at > self._at:
            found["cpu_percent"] = round(100 * (used - self._used) / (at - self._at), 2)
        self._at, self._used = at, used
        if (resident := memory()) and self._limit:
            found["memory_percent"] = round(100 * resident / self._limit, 2)
        now = int(self._clock())
        return [as_sample(name, value, now, self._tags()) for name, value in found.items()]


def _read(path: str) -> str:
    try:
        return Path(path).read_text("ascii")
    except (OSError, ValueError):
        return ""


def memory(read: Read = _read) -> int:
    """The resident memory in bytes: now from /proc, else the peak; 0 if the system says neither."""
    fields = read("/proc/self/statm").split()
    if len(fields) > 1:
        return int(fields[1]) * os.sysconf("SC_PAGE_SIZE")
    try:
        import resource  # noqa: PLC0415 — Windows has none
    except ImportError:
        return 0
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def memory_limit(read: Read = _read) -> int:
    """The bytes that this process may have: the smaller of its control group's limit and the machine's memory; 0 if
    the system says neither.
    """
    limits = [int(said) for path in CGROUP_LIMITS if (said := read(path).strip()).isdecimal()]
    with contextlib.suppress(ValueError, OSError, AttributeError):
        limits.append(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE"))
    return min((limit for limit in limits if limit > 0), default=0)


CGROUP_LIMITS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")
