"""What this process has to do: requests a second, their times and errors, over the last minute."""

from __future__ import annotations

import threading
from collections import deque
from typing import NamedTuple

from analytics.notify.live_metrics import SYSTEM_METRICS
from collector.http.counts import Counts

WINDOW_S = 60.0
MIN_STEP_S = 1.0  # readings are at least this far apart, so there are at most a minute's


class Load(NamedTuple):
    """Over the last minute: requests a second, milliseconds for each, the share of answers 5xx in %."""

    requests_per_second: float
    average_ms: float
    error_rate: float


class _Reading(NamedTuple):
    at: float
    requests: int
    seconds: float
    errors: int


class SystemLoad:
    """Compares the totals of the edge with those that it read up to a minute ago. Safe for many threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._readings: deque[_Reading] = deque()

    def read(self, counts: Counts, now: float) -> Load:
        """The load at that moment (epoch s); all 0 at the first call, and a minute after the last one."""
        return self._read(counts, now) or Load(0.0, 0.0, 0.0)

    def measured(self, counts: Counts, waiting: int, now: float) -> dict[str, float]:
        """The load by the names that rules use, with the events that wait to be stored. At the first call, and a
        minute after the last one, nothing else is known.
        """
        load = self._read(counts, now)
        known = dict(zip(SYSTEM_METRICS, load, strict=False)) if load else {}
        return {**known, SYSTEM_METRICS[-1]: float(waiting)}

    def _read(self, counts: Counts, now: float) -> Load | None:
        new = _reading(counts, now)
        with self._lock:
            while self._readings and self._readings[0].at < now - WINDOW_S:
                self._readings.popleft()
            first = self._readings[0] if self._readings else None
            if not self._readings or now - self._readings[-1].at >= MIN_STEP_S:
                self._readings.append(new)
        return _between(first, new) if first else None


def _reading(counts: Counts, now: float) -> _Reading:
    routes = list(counts.routes.values())
    answers = counts.answers
    errors = sum(many for status, many in answers.items() if status >= 500)
    return _Reading(now, answers.total(), sum(route.seconds for route in routes), errors)


def _between(first: _Reading, last: _Reading) -> Load:
    requests, seconds = last.requests - first.requests, last.at - first.at
    if requests <= 0 or seconds <= 0:
        return Load(0.0, 0.0, 0.0)
    average_ms = 1000 * (last.seconds - first.seconds) / requests
    return Load(requests / seconds, average_ms, 100 * (last.errors - first.errors) / requests)
