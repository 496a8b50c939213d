"""A rate limit by key: so many attempts in a sliding window."""

from __future__ import annotations

import threading
from collections import OrderedDict, deque


class RateLimit:
    """Allows `limit` attempts of one key in any `window_s` seconds. Remembers the `capacity` most recent keys."""

    def __init__(self, limit: int, window_s: int, capacity: int = 10_000) -> None:
        self._limit = limit
        self._window_s = window_s
        self._capacity = capacity
        self._lock = threading.Lock()
        self._attempts: OrderedDict[str, deque[int]] = OrderedDict()  # their seconds, by key

    def take(self, key: str, now: int) -> int:
        """Counts an attempt and returns 0; over the limit, returns the whole seconds until the next is allowed."""
        with self._lock:
            times = self._attempts.setdefault(key, deque())
            self._attempts.move_to_end(key)
            while len(self._attempts) > self._capacity:
                self._attempts.popitem(last=False)
            while times and abs(now - times[0]) >= self._window_s:  # abs(): a clock may be set back
                times.popleft()
            if len(times) >= self._limit:
                return self._window_s - (now - times[0])
            times.append(now)
            return 0

    def give_back(self, key: str) -> None:
        """Uncounts the key's last attempt."""
        with self._lock:
            if times := self._attempts.get(key):
                times.pop()

    def clear(self, key: str) -> None:
        """Forgets every attempt of the key."""
        with self._lock:
            self._attempts.pop(key, None)
