"""Leaves: which pageviews have left. A later heartbeat of such a pageview is not a sign of life."""

from __future__ import annotations

from collections.abc import Container, Sequence

Tab = tuple[int, int]
"""A pageview in a browser: the id of its site and the tab of its beats."""

NO_TABS: Container[Tab] = frozenset()
RESTORED_S = 300
"""How far back leaves are read when a process starts: a request that takes longer has timed out before."""


class Leaves(dict[Tab, None]):
    """The latest pageviews that left, of all sites, at most 100,000 (20 MB). Not thread-safe."""

    def __init__(self, left: Sequence[Tab] = (), max_tabs: int = 100_000) -> None:
        super().__init__(dict.fromkeys(left[-max_tabs:]))  # oldest first
        self._max_tabs = max_tabs

    def add(self, tab: Tab) -> None:
        """Remembers a leave; over the limit the oldest is forgotten."""
        self[tab] = None
        if len(self) > self._max_tabs:
            del self[next(iter(self))]
