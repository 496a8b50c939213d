"""Finds a proxy in the owner's network that is not configured as trusted: all visitors behind it count as one.

It remembers, in memory only, the proxy address of the last hundred events and nothing else of them. An address is a
proxy's if it is private and forwards for another hop; the address of a visitor in the same network forwards for none.
"""

from __future__ import annotations

import logging
from collections import Counter, deque
from typing import NamedTuple

log = logging.getLogger("footfall.proxies")

WINDOW_EVENTS = 100
MIN_EVENTS = 10  # before a proxy is reported
# Every private address begins like this, and some public ones: a quick first check.
PRIVATE_PREFIXES = ("10.", "172.", "192.168.", "100.", "127.", "169.254.", "::1", "fc", "fd", "fe")


class Suspect(NamedTuple):
    """A private address that forwarded `events` of the last `total_events` events for others."""

    address: str
    events: int
    total_events: int

    @property
    def words(self) -> str:
        """The finding as text, for a page and for the log."""
        return f"{self.events} of {self.total_events} events came from {self.address}, an address of your own network"


class UntrustedProxies:
    """The untrusted proxies of the last events."""

    def __init__(self) -> None:
        self.recent: deque[str] = deque(maxlen=WINDOW_EVENTS)  # the proxy of each event, "" for none
        self._warned_of = ""

    def record(self, proxy: str, events: int) -> None:
        """Records that so many events came through that proxy; "" for no proxy."""
        if events == 1:
            self.recent.append(proxy)
        else:
            self.recent.extend((proxy,) * min(events, WINDOW_EVENTS))

    def suspect(self) -> Suspect | None:
        """The proxy that forwarded at least half of the last events; None if there is none."""
        recent = list(self.recent)
        [(address, events)] = Counter(one for one in recent if one).most_common(1) or [("", 0)]
        enough = len(recent) >= MIN_EVENTS and 2 * events >= len(recent)
        return Suspect(address, events, len(recent)) if enough else None

    def warn(self) -> None:
        """Logs the finding, once for each address in a row."""
        found = self.suspect()
        if found and found.address != self._warned_of:
            self._warned_of = found.address
            log.warning(
                "FOOTFALL_TRUSTED_PROXIES: %s; if it is a proxy, add it, its visitors count as one", found.words
            )
