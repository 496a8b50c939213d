"""The open connections by address: when there are too many, the address with the most loses one."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from typing import Generic, Protocol, TypeVar

log = logging.getLogger("footfall.connections")

WARNING_INTERVAL_S = 60.0


class OpenConnection(Protocol):
    """An open connection."""

    peer: str

    def close_if_idle(self) -> bool:
        """Closes the connection at once unless it is being answered; returns whether it closed."""


G = TypeVar("G", bound=OpenConnection)


class OpenConnections(Generic[G]):
    """At most `max_total` connections, and `max_per_address` from one address, so that no client locks out the others.

    The limit per address does not apply to a peer for which `trusts` is true: it forwards for many clients. Not
    thread-safe: it belongs to one event loop.
    """

    def __init__(self, max_total: int, max_per_address: int, trusts: Callable[[str], bool] = lambda _: False) -> None:
        self._max_total = max_total
        self._max_per_address = max_per_address
        self._trusts = trusts
        self._by_address: dict[str, dict[G, None]] = {}  # the oldest connection of an address first
        self._count = 0
        self._warned_at = -WARNING_INTERVAL_S

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[G]:
        return (one for connections in list(self._by_address.values()) for one in list(connections))

    def add(self, connection: G, address: str) -> bool:
        """Adds a connection; returns whether one was closed for it.

        Over `max_total` the address with the most connections loses one, over `max_per_address` this address. It loses
        its oldest connection that is not being answered; if all are, the new connection is closed.
        """
        connections = self._by_address.setdefault(address, {})
        connections[connection] = None
        self._count += 1
        if self._count > self._max_total:
            self._warn(
                f"{self._max_total:,} connections are open, the most that there may be: the oldest of one address"
            )
            largest, group = max(self._by_address.items(), key=lambda item: len(item[1]))
        elif len(connections) > self._max_per_address and not self._trusts(connection.peer):
            self._warn(f"one address has {self._max_per_address:,} connections, the most that it may have: the oldest")
            largest, group = address, connections
        else:
            return False
        closed = next((one for one in group if one.close_if_idle()), None)
        if closed is None:
            largest, closed = address, connection
            connection.close_if_idle()
        self.discard(closed, largest)
        return True

    def discard(self, connection: G, address: str) -> None:
        """Removes a connection that has ended. Does nothing if it was removed before."""
        connections = self._by_address.get(address)
        if connections and connection in connections:
            del connections[connection]
            self._count -= 1
            if not connections:
                del self._by_address[address]

    def _warn(self, words: str) -> None:
        """Logs at most once a minute, and without the address, which may be a visitor's."""
        if time.monotonic() - self._warned_at >= WARNING_INTERVAL_S:
            self._warned_at = time.monotonic()
            log.warning("%s ends for each that comes (`ss -tn` lists them)", words)
