"""A snapshot: what a slow question answered a moment ago, kept for those who ask on a hot path."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

T = TypeVar("T")


class TtlCache(Generic[T]):
    """What `read` answered at most `stale_s` seconds ago. One thread asks anew, the others wait for it."""

    def __init__(self, read: Callable[[], T], stale_s: float) -> None:
        self._read = read
        self._stale_s = stale_s
        self._lock = threading.Lock()
        self._held: tuple[float, T] | None = None

    def get(self) -> T:
        """The answer; `read`'s errors pass through, and the next call asks again."""
        held = self._held
        if held is None or time.monotonic() - held[0] >= self._stale_s:
            held = self._renewed()
        return held[1]

    def refresh(self) -> None:
        """Asks now. The old answer stays where `read` fails; its error passes through.

        One asks at a time: the answer to a question of before may not come after that to one of now.
        """
        with self._lock:
            self._held = (time.monotonic(), self._read())

    def invalidate(self) -> None:
        """Asks again at the next `get`: something was changed. Waits for a question that is under way."""
        with self._lock:
            self._held = None

    def _renewed(self) -> tuple[float, T]:
        with self._lock:
            now = time.monotonic()
            if self._held is None or now - self._held[0] >= self._stale_s:
                self._held = (now, self._read())
            return self._held
