"""Readers of streams who are slower than what is sent to them: they are dropped, counted, and the log says so."""

from __future__ import annotations

import logging
import threading
import time

LOG_EVERY_S = 60.0

log = logging.getLogger("footfall.hub")


class SlowReaders:
    """Counts the streams that were ended because their readers were too slow. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._said_at = float("-inf")
        self.dropped = 0
        """Since the start."""

    def note(self) -> None:
        """One more was dropped; logs the number, at most once a minute."""
        with self._lock:
            self.dropped += 1
            is_due = time.monotonic() - self._said_at >= LOG_EVERY_S
            if is_due:
                self._said_at = time.monotonic()
        if is_due:
            log.warning(
                "a reader of a live stream was too slow and was dropped, %d since the start; browsers come back by "
                "themselves and resume",
                self.dropped,
            )
