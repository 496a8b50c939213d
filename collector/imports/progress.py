"""The progress of a long command: one line that is overwritten on a terminal, a line every few seconds elsewhere."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import TextIO

TERMINAL_EVERY_S, LINE_EVERY_S = 0.2, 5.0
BAR_WIDTH = 24

_SHARE = re.compile(r"(\d+) %")


class Progress:
    """Shows the latest progress on a stream. Close it before the result is printed."""

    def __init__(self, stream: TextIO, clock: Callable[[], float] = time.monotonic) -> None:
        self._stream = stream
        self._clock = clock
        self._terminal = stream.isatty()
        self._written = False
        self._last = ""
        self._next = clock() if self._terminal else clock() + LINE_EVERY_S  # a quick command needs no line in a log

    def show(self, line: str) -> None:
        """Writes the line if it is new and the last one is old enough. If it begins with `45 %`, a bar precedes it."""
        if line == self._last or self._clock() < self._next:
            return
        self._last = line
        self._next = self._clock() + (TERMINAL_EVERY_S if self._terminal else LINE_EVERY_S)
        self._written = True
        self._stream.write(f"\r{_bar(line)}{line}\x1b[K" if self._terminal else f"{line}\n")
        self._stream.flush()

    def close(self) -> None:
        """Clears the line on the terminal."""
        if self._terminal and self._written:
            self._stream.write("\r\x1b[K")
            self._stream.flush()


def _bar(line: str) -> str:
    share = _SHARE.match(line)
    if share is None:
        return ""
    done = min(BAR_WIDTH, int(share[1]) * BAR_WIDTH // 100)
    return f"[{'#' * done}{'.' * (BAR_WIDTH - done)}] "
