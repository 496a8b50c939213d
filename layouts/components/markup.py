"""Attributes whose names Python cannot spell, sentences with components, pictograms, names that may be long, and
components as JSON.
"""

from __future__ import annotations

import json
import re
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


ENDLESS = 160  # letters of a name from which on it is also cut where it wraps
_HALVES = (
    re.compile(r"(.{8,}?)([\s/.@?&=_-].{7,23})", re.DOTALL),
    re.compile(r"(.+)(.{20})", re.DOTALL),
)


def name(text: str, **attributes: Any) -> html.Bdi:
    """A name that is cut in its middle where there is no room, since names of pages differ in their ends; on a phone it
    wraps. `footfall.write.halves` cuts at the same place.
    """
    found = next(filter(None, (halves.fullmatch(text) for halves in _HALVES)), None) if len(text) > 32 else None
    if found is None:
        return html.Bdi(text, **attributes)
    return html.Bdi(
        [html.Span(half) for half in found.groups()],
        className="ff-mid is-endless" if len(text) > ENDLESS else "ff-mid",
        **attributes,
    )


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
