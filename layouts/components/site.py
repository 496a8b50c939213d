"""Parts of pages that belong to a site, apart from its figures."""

from __future__ import annotations

from urllib.parse import quote

from dash import html

from analytics.base.words import _
from layouts.components.address import at


def stream_address(domain: str) -> str:
    """The address of the site's live stream."""
    return at(f"/api/live/stream?site={quote(domain, safe='')}")


def demo_badge() -> html.Span:
    """The badge of a site whose traffic is made up."""
    return html.Span(_("Demo"), className="ff-badge is-demo", title=_("Made-up visitors"))
