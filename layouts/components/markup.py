"""Markup: attributes and elements that Dash lacks, and components as HTML text.

The text is for parts that scripts insert themselves because React would be slow. Every text and every attribute is
escaped; there is no way to pass markup through.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from html import escape
from typing import Any, NamedTuple

from dash import html
from dash.development.base_component import Component

VOID = {"input", "br", "hr", "img", "col"}
_RENAMED = {"className": "class", "htmlFor": "for"}


def aria(**attributes: Any) -> dict[str, Any]:
    """`aria-…` attributes for a component, whose names Python cannot spell: `html.Div(rows, **aria(label="Pages"))`;
    `None` leaves one out.
    """
    return {f"aria-{name}": value for name, value in attributes.items()}


def data(**attributes: Any) -> dict[str, Any]:
    """`data-…` attributes, with `_` for each further hyphen; `None` leaves one out."""
    return {f"data-{name.replace('_', '-')}": value for name, value in attributes.items()}


def as_json(component: Component) -> str:
    """A component as scripts give it to Dash (`set_props`)."""
    return json.dumps(component, default=lambda inner: inner.to_plotly_json())


def icon(name: str, size: int = 16) -> html.Span:
    """A pictogram: the shape `ff-i-NAME` of assets/css/footfall.css cut out of the text colour, 12, 14 or 16 px wide;
    hidden from screen readers.
    """
    sized = "" if size == 16 else f" ff-i-{size}"
    return html.Span(className=f"ff-i ff-i-{name}{sized}", **aria(hidden="true"))


class Tag(NamedTuple):
    """An element for which Dash has no component, such as those of forms and SVG."""

    name: str
    attributes: Mapping[str, Any] = {}
    children: Any = None


def markup(part: Any) -> str:
    """The HTML of a component, a text, or a list of them; "" for None."""
    if part is None:
        return ""
    if isinstance(part, Tag):
        return _element(part.name, part.attributes, part.children)
    if isinstance(part, Component):
        props = dict(part.to_plotly_json()["props"])
        children = props.pop("children", None)
        return _element(type(part).__name__.lower(), props, children)
    if isinstance(part, Iterable) and not isinstance(part, str):
        return "".join(map(markup, part))
    return escape(str(part), quote=False)


def _element(name: str, attributes: Mapping[str, Any], children: Any) -> str:
    written = (_attribute(key, value) for key, value in sorted(attributes.items()))  # Dash returns them unordered
    opening = "".join([f"<{name}", *written, ">"])
    return opening if name in VOID else f"{opening}{markup(children)}</{name}>"


def _attribute(name: str, value: Any) -> str:
    if value is None or value is False:
        return ""
    written = _RENAMED.get(name) or (name if name == "viewBox" or name.startswith("preserve") else name.lower())
    if value is True:
        return f" {written}"
    text = _style(value) if name == "style" else str(value)
    return f' {written}="{escape(text)}"'


def _style(rules: Mapping[str, Any]) -> str:
    return ";".join(f"{_kebab(name)}:{value}" for name, value in rules.items())


def _kebab(name: str) -> str:
    return name if name.startswith("--") else re.sub("[A-Z]", lambda found: f"-{found[0].lower()}", name)
