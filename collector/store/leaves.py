"""Leaves: which pageviews have left. A heartbeat of theirs that comes later is no sign of life."""

from __future__ import annotations

from collections.abc import Container, Sequence

Tab = tuple[int, int]
"""A pageview in a browser: its site's id, and the tab of its beats."""

NOBODY: Container[Tab] = frozenset()
RECALLED_S = 300
"""So far back the leaves are read when a process starts: a request that takes longer has failed long before."""


class Leaves(dict[Tab, None]):
    """The pageviews that left last, of all sites, at most 100,000 (20 MB). Not safe for several threads at once."""

    def __init__(self, left: Sequence[Tab] = (), most: int = 100_000) -> None:
        super().__init__(dict.fromkeys(left[-most:]))  # the oldest first
        self._most = most

    def add(self, tab: Tab) -> None:
        """Remembers a leave; past the limit the oldest is forgotten."""
        self[tab] = None
        if len(self) > self._most:
            del self[next(iter(self))]
