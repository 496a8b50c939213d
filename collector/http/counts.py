"""Running totals of the HTTP edge since its start, for operators."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field


@dataclass(slots=True)
class Counts:
    """The totals of one edge. Only its event loop writes them; other threads may read them."""

    connections: int = 0
    displaced: int = 0  # connections that were closed because too many were open
    timeouts: int = 0  # connections that were closed because the client took too long
    answers: Counter[int] = field(default_factory=Counter)  # by status; a stream is counted when it begins

    @property
    def requests(self) -> int:
        """How many requests were answered, including refused ones."""
        return self.answers.total()

    @property
    def words(self) -> str:
        """All totals in one line of text."""
        by_status = ", ".join(f"{status}: {count:,}" for status, count in sorted(self.answers.items()))
        ended = f"{self.displaced:,} displaced, {self.timeouts:,} too slow"
        return f"{self.requests:,} requests ({by_status or 'none'}) on {self.connections:,} connections ({ended})"
