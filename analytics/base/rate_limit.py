"""Tries: how often something was tried lately, and how long it takes until it may be tried again."""

from __future__ import annotations

import threading
from collections import OrderedDict, deque


class RateLimit:
    """At most `limit` tries of one key in any `window_s` seconds, for the `capacity` keys tried last."""

    def __init__(self, limit: int, window_s: int, capacity: int = 10_000) -> None:
        self._limit = limit
        self._window_s = window_s
        self._capacity = capacity
        self._lock = threading.Lock()
        self._tried: OrderedDict[str, deque[int]] = OrderedDict()

    def take(self, key: str, now: int) -> int:
        """0 and counted as a try; or, over the limit, the whole seconds until the next one is free."""
        with self._lock:
            times = self._tried.setdefault(key, deque())
            self._tried.move_to_end(key)
            while len(self._tried) > self._capacity:
                self._tried.popitem(last=False)
            while times and abs(now - times[0]) >= self._window_s:  # a clock may be set back
                times.popleft()
            if len(times) >= self._limit:
                return self._window_s - (now - times[0])
            times.append(now)
            return 0

    def give_back(self, key: str) -> None:
        """The last try was none after all."""
        with self._lock:
            if times := self._tried.get(key):
                times.pop()

    def clear(self, key: str) -> None:
        """Every try of the key is forgotten."""
        with self._lock:
            self._tried.pop(key, None)
