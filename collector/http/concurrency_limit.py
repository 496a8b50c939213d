"""A limit of parallel questions: how many may wait for the threads that answer them, in total and per client."""

from __future__ import annotations

from collections import Counter


class ConcurrencyLimit:
    """At most `max_total` slots, and `max_per_client` for one client. Not thread-safe: it belongs to one event loop.

    It stores one number for each client that has a slot now.
    """

    def __init__(self, max_total: int, max_per_client: int) -> None:
        self._max_total = max_total
        self._max_per_client = max_per_client
        self._slots: Counter[str] = Counter()

    def acquire(self, client: str) -> bool:
        """Takes a slot for the client; False if there is none. The caller has to release the slot."""
        if self._slots[client] >= self._max_per_client or self._slots.total() >= self._max_total:
            self._forget(client)
            return False
        self._slots[client] += 1
        return True

    def release(self, client: str) -> None:
        """Frees one slot of the client."""
        self._slots[client] -= 1
        self._forget(client)

    def _forget(self, client: str) -> None:
        if not self._slots[client]:
            del self._slots[client]
