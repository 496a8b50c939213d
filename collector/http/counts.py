"""What the edge has done since it began, for operators."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field


@dataclass(slots=True)
class Counts:
    """Running totals of one edge. Written by its event loop alone; another thread may read them."""

    connections: int = 0
    displaced: int = 0  # connections that were ended because there were too many
    timeouts: int = 0  # connections that were ended because the client took too long
    answers: Counter[int] = field(default_factory=Counter)  # by status; a stream counts when it begins

    @property
    def requests(self) -> int:
        """The requests that were answered, refused ones too."""
        return self.answers.total()

    @property
    def words(self) -> str:
        """All of it in a line."""
        by_status = ", ".join(f"{status}: {count:,}" for status, count in sorted(self.answers.items()))
        ended = f"{self.displaced:,} displaced, {self.timeouts:,} too slow"
        return f"{self.requests:,} requests ({by_status or 'none'}) on {self.connections:,} connections ({ended})"
