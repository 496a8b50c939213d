"""Visitors by country as shades of one colour. The shapes are in assets/shapes/countries.svg, each under its code."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from math import sqrt
from pathlib import Path
from typing import Any

from dash import html
from dash.development.base_component import Component

from analytics.query.filters import Filter
from analytics.query.result import Row
from analytics.reports.lists import read, written
from analytics.reports.view import excluded, filtered, narrowed
from layouts.components import figures
from layouts.components.address import at
from layouts.components.markup import Tag, aria

FILE = Path(__file__).parents[2] / "assets" / "shapes" / "countries.svg"
SHAPES = "/assets/shapes/countries.svg"
NAMED = 3  # below the map
SHADES = (0, 25, 50, 75, 100)


def choropleth(rows: Sequence[Row], current: tuple[Filter, ...]) -> list[Any]:
    """The map of countries with their visitors, the largest first; a click filters as in the lists."""
    found = [(str(row.dimensions[0]), int(row.metrics[0] or 0)) for row in rows if row.dimensions[0]]
    most = max((people for _, people in found), default=1)
    drawn = [_country(code, people, most, current) for code, people in found if code in shapes()]
    named = [f"{read('country', code)} {figures.count(people)}" for code, people in found[:NAMED]]
    said = "Visitors by country: " + (", ".join(named) or "unknown") + ". The list of countries has all."
    picture: Any = Tag(
        "svg",
        {"viewBox": "0 0 1000 432", "role": "img", "aria-label": said},
        [Tag("use", {"class": "ff-cbase", "href": f"{at(SHAPES)}#world"}), *drawn],
    )
    return [html.Div([picture, _foot(named, most)], className="ff-choro")]


@cache
def shapes() -> frozenset[str]:
    """The codes of the countries that have a shape; the smallest have none."""
    return frozenset(re.findall(r'id="([A-Z]{2})"', FILE.read_text("utf-8")))


def _country(code: str, people: int, most: int, current: tuple[Filter, ...]) -> Tag:
    name = written("country", code)
    return Tag(
        "use",
        {
            "class": "ff-cv",
            "href": f"{at(SHAPES)}#{code}",
            "style": {"--v": 15 + round(85 * sqrt(people / most))},
            "data-change": filtered(narrowed(current, "country", name)),
            "data-out": filtered(excluded(current, "country", name)),
        },
        Tag("title", {}, f"{read('country', code)} {figures.count(people)}"),
    )


def _foot(named: Sequence[str], most: int) -> Component:
    scale: list[Any] = [
        "0 ",
        *(html.I(style={"--v": shade}) for shade in SHADES),
        f" {figures.on_scale(most, 'count')}",
    ]
    return html.Div(
        [html.Span(" · ".join(named)), html.Span(scale, className="ff-scale", **aria(hidden="true"))],
        className="ff-row",
    )
