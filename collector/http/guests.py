"""The open connections by address: where there are too many, the address with the most of them gives one up."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Generic, Protocol, TypeVar


class Guest(Protocol):
    """An open connection."""

    def leave(self) -> bool:
        """Ends it at once unless it is being answered; whether it did."""


G = TypeVar("G", bound=Guest)


class Guests(Generic[G]):
    """At most `most` connections, so that nobody who takes them all keeps the others out. Belongs to one event loop."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._by_address: dict[str, dict[G, None]] = {}  # the inner ones in the order of their coming
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[G]:
        return (guest for own in list(self._by_address.values()) for guest in list(own))

    def add(self, guest: G, address: str) -> None:
        """Takes it in. Over the limit the first of the largest group that is not being answered leaves, or this one."""
        self._by_address.setdefault(address, {})[guest] = None
        self._count += 1
        if self._count > self._most:
            most, own = max(self._by_address.items(), key=lambda item: len(item[1]))
            left = next((one for one in own if one.leave()), None)
            if left is None:
                most, left = address, guest
                guest.leave()
            self.discard(left, most)

    def discard(self, guest: G, address: str) -> None:
        """It has gone; it may have gone before."""
        own = self._by_address.get(address)
        if own and guest in own:
            del own[guest]
            self._count -= 1
            if not own:
                del self._by_address[address]
