"""The rate limit of one address and site: a fixed window of one minute, under hashed keys."""

from __future__ import annotations

import secrets
from hashlib import blake2b

from analytics.base.address_prefix import address_prefix

MAX_ADDRESSES = 200_000


class Rate:
    """Counts the events of each address prefix and site in the current minute; in memory only.

    Addresses are hashed under a key of this process. With more than `MAX_ADDRESSES` in one minute the oldest counts are
    discarded, so that the limit errs towards accepting events. `per_minute` 0 means no limit.
    """

    def __init__(self, per_minute: int) -> None:
        self._per_minute = per_minute
        self._key = secrets.token_bytes(16)
        self._minute = 0
        self._counts: dict[bytes, int] = {}

    def wait(self, site_id: int, address: str, now: float) -> int:
        """0 if the event is within the limit, else the seconds to wait (1–60). `now` is monotonic seconds."""
        if not self._per_minute:
            return 0
        minute = int(now // 60)
        if minute != self._minute:
            self._minute, self._counts = minute, {}
        prefix = address_prefix(address) if ":" in address else address
        key = blake2b(f"{site_id} {prefix}".encode("utf-8", "replace"), key=self._key, digest_size=8).digest()
        count = self._counts.get(key, 0) + 1
        if count > self._per_minute:
            return 60 - int(now % 60)
        if len(self._counts) >= MAX_ADDRESSES and key not in self._counts:
            del self._counts[next(iter(self._counts))]
        self._counts[key] = count
        return 0
