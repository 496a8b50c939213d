"""What background work calls between its steps: to pause or stop, and to report its progress."""

from __future__ import annotations

import time
from collections.abc import Callable

Pause = Callable[[float], bool]
"""Waits for so many seconds; True: stop now. `threading.Event().wait` is one."""

Report = Callable[[str], None]
"""Receives the progress as a sentence, often."""

PAUSE_PER_BATCH = 9.0
"""How long to pause after a batch of writes, as a multiple of its duration: others have nine tenths of the time."""


def in_batches(delete_some: Callable[[], int], pause: Pause) -> int:
    """Calls what deletes one batch of rows and returns how many, until it finds none; returns how many rows it were."""
    gone = 0
    while True:
        begun = time.monotonic()
        rows = delete_some()
        gone += rows
        if not rows or pause((time.monotonic() - begun) * PAUSE_PER_BATCH):
            return gone


def rest_s(every_s: float, took_s: float) -> float:
    """How long to wait for the next turn of work that is done each `every_s` seconds and took `took_s` now. A tenth of
    that time is left at least, so that slow work is not done without a break.
    """
    return max(every_s - took_s, every_s / 10)
