"""A memory budget: how many bytes of unanswered requests may be buffered, in total and per address."""

from __future__ import annotations

from typing import NamedTuple

from collector.http.messages import Response


class Budget:
    """At most `max_bytes` in total, and `max_per_address` for one address.

    It stores one number for each address that has reserved bytes now. Not thread-safe: it belongs to one event loop.
    """

    def __init__(self, max_bytes: int, max_per_address: int) -> None:
        self._max_bytes = max_bytes
        self._max_per_address = max_per_address
        self._reserved = 0
        self._by_address: dict[str, int] = {}

    def reserve(self, address: str, size: int) -> bool:
        """Reserves `size` more bytes for the address; False, and nothing is reserved, if that exceeds a maximum."""
        reserved = self._by_address.get(address, 0) + size
        if reserved > self._max_per_address or self._reserved + size > self._max_bytes:
            return False
        self._by_address[address] = reserved
        self._reserved += size
        return True

    def release(self, address: str, size: int) -> None:
        """Releases bytes that were reserved for the address."""
        self._reserved -= size
        left = self._by_address[address] - size
        if left:
            self._by_address[address] = left
        else:
            del self._by_address[address]


class Allowance(NamedTuple):
    """The maximum size of a request's body and the budget that counts its bytes.

    `refusal` answers a larger body. None means: first find out whether the sender is signed in.
    """

    max_bytes: int
    budget: Budget
    refusal: Response | None
