"""Turns: how many questions may wait for the threads that answer them, in all and of each asker."""

from __future__ import annotations

from collections import Counter


class Turns:
    """Who is being answered or waits. For one thread, the event loop's; forgets whoever has nothing left."""

    def __init__(self, most: int, most_each: int) -> None:
        self._most = most
        self._most_each = most_each
        self._waiting: Counter[str] = Counter()

    def begin(self, who: str) -> bool:
        """Takes a turn; False where there is none for them now. Whoever has one ends it."""
        if self._waiting[who] >= self._most_each or self._waiting.total() >= self._most:
            self._forget(who)
            return False
        self._waiting[who] += 1
        return True

    def end(self, who: str) -> None:
        """Gives a turn back."""
        self._waiting[who] -= 1
        self._forget(who)

    def _forget(self, who: str) -> None:
        if not self._waiting[who]:
            del self._waiting[who]
