"""A cache with a time to live, for one value that is slow to read and used on a hot path."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class TtlCache(Generic[T]):
    """The result of `read`, at most `stale_s` seconds old. When it expires, one thread reads and the others wait."""

    def __init__(self, read: Callable[[], T], stale_s: float) -> None:
        self._read = read
        self._stale_s = stale_s
        self._lock = threading.Lock()
        self._cached: tuple[float, T] | None = None  # when it was read, and the value

    def get(self) -> T:
        """The value. Errors of `read` pass through; the next call reads again."""
        cached = self._cached
        if cached is None or self._has_expired(cached):
            with self._lock:
                cached = self._cached
                if cached is None or self._has_expired(cached):
                    cached = self._cached = (time.monotonic(), self._read())
        return cached[1]

    def refresh(self) -> None:
        """Reads now. If `read` fails, its error passes through and the old value stays.

        Serialised, so that a slow read cannot overwrite a newer one.
        """
        with self._lock:
            self._cached = (time.monotonic(), self._read())

    def invalidate(self) -> None:
        """Makes the next `get` read again. Waits for a read that is under way."""
        with self._lock:
            self._cached = None

    def _has_expired(self, cached: tuple[float, T]) -> bool:
        return time.monotonic() - cached[0] >= self._stale_s
