"""Attributes whose names Python cannot spell, sentences with components, pictograms, and components as JSON."""

from __future__ import annotations

import json
from string import Formatter
from typing import Any

from dash import html
from dash.development.base_component import Component


def aria(**attributes: Any) -> dict[str, Any]:
    """`aria-…` attributes for a component, whose names Python cannot spell: `html.Div(rows, **aria(label="Pages"))`;
    `None` leaves one out.
    """
    return {f"aria-{name}": value for name, value in attributes.items()}


def data(**attributes: Any) -> dict[str, Any]:
    """`data-…` attributes, with `_` for each further hyphen; `None` leaves one out."""
    return {f"data-{name.replace('_', '-')}": value for name, value in attributes.items()}


def sentence(text: str, **parts: Any) -> list[Any]:
    """Children of an element: the text, with components in the places of their names, so that a translation chooses
    their order: `sentence(_("Not connected since {since}. {again}"), since=figures.day(at), again=button)`. Lists are
    inserted one by one, and texts that meet become one.
    """
    made: list[Any] = []
    for words, name, _format, _conversion in Formatter().parse(text):
        part = [] if name is None else parts[name]
        for piece in (words, *(part if isinstance(part, list) else [part])):
            if isinstance(piece, str) and made and isinstance(made[-1], str):
                made[-1] += piece
            elif piece != "":
                made.append(piece)
    return made


def as_json(component: Component) -> str:
    """A component as scripts give it to Dash (`set_props`)."""
    return json.dumps(component, default=lambda inner: inner.to_plotly_json())


def icon(name: str, size: int = 16) -> html.Span:
    """A pictogram: the shape `ff-i-NAME` of assets/css/footfall.css cut out of the text colour, 12, 14 or 16 px wide;
    hidden from screen readers.
    """
    sized = "" if size == 16 else f" ff-i-{size}"
    return html.Span(className=f"ff-i ff-i-{name}{sized}", **aria(hidden="true"))
