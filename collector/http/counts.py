"""Running totals of the HTTP edge since its start, for operators."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from dataclasses import dataclass, field

BOUNDS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


@dataclass(slots=True)
class RouteCounts:
    """The answers of one route: how many by status, and how long they took.

    `slots` has a number for each of `BOUNDS_S` (up to and including it), and the last one for what took longer. A
    stream is counted when it begins.
    """

    statuses: dict[int, int] = field(default_factory=dict)
    slots: list[int] = field(default_factory=lambda: [0] * (len(BOUNDS_S) + 1))
    seconds: float = 0.0


@dataclass(slots=True)
class Counts:
    """The totals of one edge. Only its event loop writes them; other threads may read them.

    Routes are patterns, of which there are only as many as in the code: never a path that a client sent.
    """

    connections: int = 0
    displaced: int = 0  # connections that were closed because too many were open
    timeouts: int = 0  # connections that were closed because the client took too long
    routes: dict[str, RouteCounts] = field(default_factory=dict)

    def record(self, route: str, status: int, seconds: float) -> None:
        """Counts an answer. `route` is its pattern, "" if it has none or was refused before that was known."""
        counts = self.routes.get(route)
        if counts is None:
            counts = self.routes[route] = RouteCounts()
        counts.statuses[status] = counts.statuses.get(status, 0) + 1
        counts.slots[bisect_left(BOUNDS_S, seconds)] += 1
        counts.seconds += seconds

    @property
    def answers(self) -> Counter[int]:
        """How many answers there were by status."""
        found: Counter[int] = Counter()
        for counts in list(self.routes.values()):
            found.update(counts.statuses)
        return found

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
