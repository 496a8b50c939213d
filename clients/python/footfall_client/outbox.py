"""The queues of what is to be sent, with a maximum size."""

from __future__ import annotations

import json
import threading
from collections import deque
from collections.abc import Mapping
from typing import Any, NamedTuple

Item = Mapping[str, Any]


class Packed(NamedTuple):
    """An item with its JSON."""

    item: Item
    text: bytes


class Queue:
    """Items for one address, the oldest first. When it is full, the oldest are dropped and counted.

    `failures` in a row, and `not_before` (monotonic) when the next attempt is due, are the sender's.
    """

    def __init__(self, path: str, batch: int, size: int) -> None:
        self.path, self.batch, self.size = path, batch, size
        self.forget()

    def put(self, item: Item) -> None:
        with self.lock:
            if len(self.items) >= self.size:
                self.items.popleft()
                self.dropped += 1
            self.items.append(item)

    def take(self) -> list[Item]:
        with self.lock:
            return [self.items.popleft() for _ in range(min(self.batch, len(self.items)))]

    def put_back(self, items: list[Item]) -> None:
        """Puts a batch back in front; of its oldest only as many as there is room for."""
        with self.lock:
            room = self.size - len(self.items)
            kept = items[len(items) - room :] if room < len(items) else items
            self.items.extendleft(reversed(kept))
            self.dropped += len(items) - len(kept)

    def forget(self) -> None:
        """Empties it in a forked process: the parent sends what was queued. Another thread may have held the lock."""
        self.lock = threading.RLock()  # a signal may interrupt `put` with another `put`
        self.items: deque[Item] = deque()
        self.dropped = self.failures = 0
        self.not_before = 0.0


def encoded(item: Item) -> bytes:
    """The JSON of an item, empty if it has none."""
    try:
        return json.dumps(item, allow_nan=False, separators=(",", ":")).encode()
    except (TypeError, ValueError, RecursionError):
        return b""
