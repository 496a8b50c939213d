"""A pictogram of the stylesheet: a shape cut out of the text colour."""

from __future__ import annotations

from dash import html

from layouts.components.attributes import aria


def icon(name: str, size: int = 16) -> html.Span:
    """The shape `ff-i-NAME` of assets/css/footfall.css, 12, 14 or 16 px wide; hidden from screen readers."""
    sized = "" if size == 16 else f" ff-i-{size}"
    return html.Span(className=f"ff-i ff-i-{name}{sized}", **aria(hidden="true"))
