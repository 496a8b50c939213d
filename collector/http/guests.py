"""The open connections by address: where there are too many, the address with the most of them gives one up."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterator
from typing import Generic, Protocol, TypeVar

log = logging.getLogger("footfall.connections")

SAID_S = 60.0  # for so long nothing is said again


class Guest(Protocol):
    """An open connection."""

    peer: str

    def leave(self) -> bool:
        """Ends it at once unless it is being answered; whether it did."""


G = TypeVar("G", bound=Guest)


class Guests(Generic[G]):
    """At most `most` connections, and `most_each` of an address, so that nobody who takes them all keeps others out.

    `trusts` tells of a peer's address whether it speaks for many: such a one may have all of them. Belongs to one event
    loop.
    """

    def __init__(self, most: int, most_each: int, trusts: Callable[[str], bool] = lambda _: False) -> None:
        self._most = most
        self._most_each = most_each
        self._trusts = trusts
        self._by_address: dict[str, dict[G, None]] = {}  # the inner ones in the order of their coming
        self._count = 0
        self._said_at = -SAID_S

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[G]:
        return (guest for own in list(self._by_address.values()) for guest in list(own))

    def add(self, guest: G, address: str) -> bool:
        """Takes it in; whether one had to leave for it. Over the limit the first of the largest group that is not being
        answered leaves, or this one; over the limit of its address the first of that.
        """
        own = self._by_address.setdefault(address, {})
        own[guest] = None
        self._count += 1
        if self._count > self._most:
            self._say(f"{self._most:,} connections are open, the most that there may be: the oldest of one address")
            largest, group = max(self._by_address.items(), key=lambda item: len(item[1]))
        elif len(own) > self._most_each and not self._trusts(guest.peer):
            self._say(f"one address has {self._most_each:,} connections, the most that it may have: the oldest")
            largest, group = address, own
        else:
            return False
        left = next((one for one in group if one.leave()), None)
        if left is None:
            largest, left = address, guest
            guest.leave()
        self.discard(left, largest)
        return True

    def discard(self, guest: G, address: str) -> None:
        """It has gone; it may have gone before."""
        own = self._by_address.get(address)
        if own and guest in own:
            del own[guest]
            self._count -= 1
            if not own:
                del self._by_address[address]

    def _say(self, words: str) -> None:
        """In the log once a minute, and without the address, which is a visitor's."""
        if time.monotonic() - self._said_at >= SAID_S:
            self._said_at = time.monotonic()
            log.warning("%s ends for each that comes (`ss -tn` lists them)", words)
