"""Finds a proxy of the owner's own network that nobody trusts: behind it all visitors are one.

In memory alone, of the last hundred events, and nothing of an event but the address of such a proxy: private, and in
front of it a hop for which it speaks. A visitor of the same network has none.
"""

from __future__ import annotations

import logging
from collections import Counter, deque
from typing import NamedTuple

log = logging.getLogger("footfall.proxies")

LAST = 100  # events
FEWEST = 10  # events before anything is said
# How addresses of an own network begin: of the others one knows it at once.
LIKE_OWN = ("10.", "172.", "192.168.", "100.", "127.", "169.254.", "::1", "fc", "fd", "fe")


class Suspect(NamedTuple):
    """An address of the own network from which many of the last events came, on behalf of others."""

    address: str
    events: int
    of: int

    @property
    def words(self) -> str:
        """What it is, for a page and for the log."""
        return f"{self.events} of {self.of} events came from {self.address}, an address of your own network"


class UntrustedProxies:
    """Which addresses the last events came from, where those are proxies that are not trusted."""

    def __init__(self) -> None:
        self.last: deque[str] = deque(maxlen=LAST)  # of each event its proxy, "" where it has none
        self._said = ""

    def note(self, proxy: str, events: int) -> None:
        """So many events came through that proxy, "" for none."""
        if events == 1:
            self.last.append(proxy)
        else:
            self.last.extend((proxy,) * min(events, LAST))

    def suspect(self) -> Suspect | None:
        """The proxy that passes on at least half of the last events, None where there is none."""
        last = list(self.last)
        [(address, events)] = Counter(one for one in last if one).most_common(1) or [("", 0)]
        return Suspect(address, events, len(last)) if len(last) >= FEWEST and 2 * events >= len(last) else None

    def warn(self) -> None:
        """Says it in the log, once for the same address."""
        found = self.suspect()
        if found and found.address != self._said:
            self._said = found.address
            log.warning(
                "FOOTFALL_TRUSTED_PROXIES: %s; if it is a proxy, add it, its visitors count as one", found.words
            )
