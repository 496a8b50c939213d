"""What a page needs to know of a site."""

from __future__ import annotations

from typing import Protocol
from urllib.parse import quote


class Site(Protocol):
    """Anything with a domain and the IANA name of its time zone."""

    @property
    def domain(self) -> str: ...

    @property
    def timezone(self) -> str: ...


def stream_address(domain: str) -> str:
    """Where the site's live messages come from."""
    return f"/api/live/stream?site={quote(domain, safe='')}"
