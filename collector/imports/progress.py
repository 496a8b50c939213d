"""Progress: how far a long command is. One line that is written anew on a terminal, a line now and then elsewhere."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import TextIO

GLANCE_S, LINE_S = 0.2, 5.0
BAR = 24

_SHARE = re.compile(r"(\d+) %")


class Progress:
    """Writes the latest of what it is told; close it before the result is printed."""

    def __init__(self, stream: TextIO, clock: Callable[[], float] = time.monotonic) -> None:
        self._stream = stream
        self._clock = clock
        self._terminal = stream.isatty()
        self._written = False
        self._last = ""
        self._next = clock() if self._terminal else clock() + LINE_S  # what is quick needs no line in a log

    def tell(self, line: str) -> None:
        """Writes the line where it is time to and it says something new; one that begins with `45 %` with a bar."""
        if line == self._last or self._clock() < self._next:
            return
        self._last = line
        self._next = self._clock() + (GLANCE_S if self._terminal else LINE_S)
        self._written = True
        self._stream.write(f"\r{_bar(line)}{line}\x1b[K" if self._terminal else f"{line}\n")
        self._stream.flush()

    def close(self) -> None:
        """Clears the line that is written anew."""
        if self._terminal and self._written:
            self._stream.write("\r\x1b[K")
            self._stream.flush()


def _bar(line: str) -> str:
    share = _SHARE.match(line)
    if share is None:
        return ""
    done = min(BAR, int(share[1]) * BAR // 100)
    return f"[{'#' * done}{'.' * (BAR - done)}] "
