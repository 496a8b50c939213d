"""What the shades of a map or of a table of hours mean: from nothing to the most."""

from __future__ import annotations

from dash import html
from dash.development.base_component import Component

from layouts.components.markup import aria

SHADES = (0, 25, 50, 75, 100)


def scale(most: str) -> Component:
    """The shades between 0 and `most`, which is a number in words; screen readers do not read it."""
    shades = [html.I(style={"--v": shade}) for shade in SHADES]
    whole: Component = html.Span(["0 ", *shades, f" {most}"], className="ff-scale", **aria(hidden="true"))
    return whole
