"""A budget of memory: how many bytes of requests that are not answered yet may be held, in all and of one address."""

from __future__ import annotations

from typing import NamedTuple

from collector.http.messages import Response


class Budget:
    """At most `most` bytes in all, and at most `share` of one address. Not thread-safe: it belongs to one event loop.

    Memory: a number for each address that holds something now.
    """

    def __init__(self, most: int, share: int) -> None:
        self._most = most
        self._share = share
        self._held = 0
        self._by_address: dict[str, int] = {}

    def take(self, address: str, size: int) -> bool:
        """Whether there is room for so many bytes more; they are held then."""
        own = self._by_address.get(address, 0) + size
        if own > self._share or self._held + size > self._most:
            return False
        self._by_address[address] = own
        self._held += size
        return True

    def give_back(self, address: str, size: int) -> None:
        """Releases bytes that were taken for that address."""
        self._held -= size
        left = self._by_address[address] - size
        if left:
            self._by_address[address] = left
        else:
            del self._by_address[address]


class Allowance(NamedTuple):
    """How large a body may be that somebody sends somewhere, and which budget holds it.

    `over` is the answer to a larger one; None: whether its sender is signed in has to be asked first.
    """

    largest: int
    budget: Budget
    over: Response | None
