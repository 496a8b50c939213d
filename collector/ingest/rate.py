"""How much one address may send to one site: a fixed window of a minute, kept under hashed keys."""

from __future__ import annotations

import secrets
from hashlib import blake2b

from analytics.base.address_prefix import address_prefix

MOST_ADDRESSES = 200_000


class Rate:
    """Counts events a minute for each address_prefix and site; bounded memory, gone with the process.

    Addresses are hashed under a key of this process. When more than `MOST_ADDRESSES` are counted within one minute
    the oldest are let go: the limit then errs towards letting events in.
    """

    def __init__(self, a_minute: int) -> None:
        self._a_minute = a_minute
        self._key = secrets.token_bytes(16)
        self._minute = 0
        self._counts: dict[bytes, int] = {}

    def wait(self, site_id: int, address: str, now: float) -> int:
        """0 when the event is within the limit, else the seconds to wait (1–60). `now` is monotonic seconds."""
        if not self._a_minute:
            return 0
        minute = int(now // 60)
        if minute != self._minute:
            self._minute, self._counts = minute, {}
        home = address_prefix(address) if ":" in address else address
        key = blake2b(f"{site_id} {home}".encode("utf-8", "replace"), key=self._key, digest_size=8).digest()
        count = self._counts.get(key, 0) + 1
        if count > self._a_minute:
            return 60 - int(now % 60)
        if len(self._counts) >= MOST_ADDRESSES and key not in self._counts:
            del self._counts[next(iter(self._counts))]
        self._counts[key] = count
        return 0
