"""An embed: the right to show one site's card in a frame on the pages of listed hosts."""

from __future__ import annotations

from dataclasses import dataclass

ON, EXPIRED, OFF = "on", "expired", "off"


@dataclass(frozen=True, slots=True)
class Embed:
    """The right of one card. `hosts` are `name` or `name:port`. Times are epoch seconds; `revoked_at` may be None."""

    id: int
    site_id: int
    hosts: tuple[str, ...]
    created_at: int
    expires_at: int
    revoked_at: int | None

    def is_valid(self, now: int) -> bool:
        """Whether the card is shown at `now`."""
        return self.state(now) == ON

    def state(self, now: int) -> str:
        """`ON`, `EXPIRED`, or `OFF` if it was revoked."""
        if self.revoked_at is not None:
            return OFF
        return ON if now < self.expires_at else EXPIRED
