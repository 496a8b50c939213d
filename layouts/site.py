"""What a page needs to know of a site."""

from __future__ import annotations

from typing import Protocol
from urllib.parse import quote

from dash import html


class Site(Protocol):
    """Anything with a domain, the IANA name of its time zone, and whether its traffic is made up."""

    @property
    def domain(self) -> str: ...

    @property
    def timezone(self) -> str: ...

    @property
    def demo(self) -> bool: ...


def stream_address(domain: str) -> str:
    """Where the site's live messages come from."""
    return f"/api/live/stream?site={quote(domain, safe='')}"


def demo_badge() -> html.Span:
    """What marks a site whose traffic is made up."""
    return html.Span("Demo", className="ff-badge is-demo", title="Made-up visitors")
