"""The pages without Dash: signing in, setting up, and errors. They work without JavaScript."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup, escape

from analytics.base import words
from analytics.base.zones import Zone, offered
from layouts.components import world
from layouts.components.address import at

# The dots of the picture next to the form: latitude, longitude, people, seconds of delay.
CITIES = (
    (40.7, -74.0, 9, 0.0),
    (51.5, -0.1, 8, 0.7),
    (52.5, 13.4, 6, 2.1),
    (-23.5, -46.6, 5, 1.2),
    (12.9, 77.6, 5, 0.5),
    (35.7, 139.7, 5, 1.9),
    (41.9, -87.6, 4, 2.8),
    (30.3, -97.7, 4, 2.6),
    (59.3, 18.1, 3, 1.7),
    (6.5, 3.4, 2, 2.4),
    (-33.9, 18.4, 1, 0.8),
    (-37.8, 145.0, 2, 0.1),
)


class Dot(NamedTuple):
    """One dot: percent from the left and the top edge, diameter in px, seconds of delay."""

    left: float
    top: float
    diameter: float
    delay: float


def render(page: str, **values: Any) -> str:
    """The HTML of `page` ("sign_in", "set_up", "error") in the reader's language; a value that its template names and
    lacks raises.
    """
    common = {"places": _places(), "base_path": at(""), "language": words.html_tag()}
    return _templates().get_template(f"{page}.html").render(**common, **values)


@cache
def zones() -> dict[str, list[tuple[Zone, str]]]:
    """Time zones to choose from: area → (the zone, how people read its place), in alphabetical order."""
    found: dict[str, list[tuple[Zone, str]]] = {}
    for zone in offered():
        area, _, place = zone.name.partition("/")
        found.setdefault(area, []).append((zone, place.replace("_", " ").replace("/", ", ")))
    return found


@cache
def _templates() -> Environment:
    loader = FileSystemLoader(Path(__file__).parent)
    made = Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    made.globals["_"] = _marked_up
    return made


def _marked_up(text: str, **values: object) -> Markup:
    """A text in the reader's language as HTML; values that are HTML already, such as a macro's, stay elements."""
    return escape(words.gettext(text)).format(**values)


@cache
def _places() -> list[Dot]:
    return [Dot(*world.position(lat, lon), world.diameter(people), -delay) for lat, lon, people, delay in CITIES]
