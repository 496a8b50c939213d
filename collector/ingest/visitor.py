"""Who a visitor is, without keeping who they are: a keyed hash that nobody can undo once the salt is gone."""

from __future__ import annotations

from hashlib import blake2b

from analytics.sites.salts import Salts
from analytics.sites.site import Site


def visitor_of(salt: bytes, site_id: int, address: str, agent: str) -> int:
    """The visitor's number (64 bits, signed): the same for the same site, address and user agent under one salt."""
    text = f"{site_id}\n{address}\n{agent}".encode("utf-8", "replace")
    return int.from_bytes(blake2b(text, key=salt, digest_size=8).digest(), "big", signed=True)


def visitors_of(
    salts: Salts, secret: bytes, site: Site, address: str, agent: str, visitor_id: str | None
) -> tuple[int, int | None]:
    """The visitor by today's salt and, while yesterday's is kept, by that; or by the browser's own id.

    The browser's id counts only where the site's identity is `browser`; then there is no second one.
    """
    if visitor_id and site.identity == "browser":
        return visitor_of(secret[:64], site.id, "", visitor_id), None
    before = visitor_of(salts.before, site.id, address, agent) if salts.before else None
    return visitor_of(salts.today, site.id, address, agent), before
