"""What pages show of a site beside its figures."""

from __future__ import annotations

from urllib.parse import quote

from dash import html

from layouts.components.address import at


def stream_address(domain: str) -> str:
    """Where the site's live messages come from."""
    return at(f"/api/live/stream?site={quote(domain, safe='')}")


def demo_badge() -> html.Span:
    """What marks a site whose traffic is made up."""
    return html.Span("Demo", className="ff-badge is-demo", title="Made-up visitors")
