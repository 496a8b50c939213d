"""What background work calls between its steps: to pause or stop, and to report its progress."""

from __future__ import annotations

from collections.abc import Callable

Pause = Callable[[float], bool]
"""Waits for so many seconds; True: stop now. `threading.Event().wait` is one."""

Report = Callable[[str], None]
"""Receives the progress as a sentence, often."""

PAUSE_PER_BATCH = 9.0
"""How long to pause after a batch of writes, as a multiple of its duration: others have nine tenths of the time."""
