"""Visitors by country as shades of one colour."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cache
from typing import Any, NamedTuple

from babel.core import get_global

from analytics.base import countries
from analytics.base.words import _
from layouts.components import figures
from layouts.figures import bundle, template, world
from layouts.figures.template import Figure
from layouts.figures.text import plain

NAMED = 3  # in the sentence
DOT_PX = 9  # of a country without a shape
FOCUS = 4  # times as large as the whole world


class CountryCount(NamedTuple):
    """A country with its visitors, and the changes of the address that filter by it and exclude it."""

    code: str
    people: int
    change: str = ""
    out: str = ""


@cache
def shapes() -> dict[str, str]:
    """The id of each country's shape on the map, by its two-letter code. The smallest countries have none."""
    outlines = json.loads((bundle.FOLDER / bundle.WORLD).read_bytes())
    known = {shape.get("id") for shape in outlines["objects"]["countries"]["geometries"]}
    aliases = get_global("territory_aliases")  # of CLDR, in which three-letter codes stand for two-letter codes
    return {of[0]: code for code, of in aliases.items() if code in known and len(of) == 1}


def figure(found: Sequence[CountryCount], focus: str = "") -> Figure:
    """The map; a country without a shape is a dot. `customdata` has the changes of a click.

    `focus` is the code of a country in the middle of the map, which is enlarged.
    """
    most = max((one.people for one in found), default=1)
    drawn = [one for one in found if one.code in shapes()]
    small = [one for one in found if one.code not in shapes() and countries.middle(one.code)]
    shaded = {
        "type": "choropleth",
        "locationmode": "ISO-3",
        "locations": [shapes()[one.code] for one in drawn],
        **shades([one.people for one in drawn], most),
        **_said(drawn),
    }
    layout = world.layout(
        f"countries {focus}".strip(),
        land=template.LIGHT["heat-0"],
        borders=template.LIGHT["surface"],
        border_px=0.6,
    )
    if middle := countries.middle(focus):
        layout["geo"] |= _focus(*middle)
    return {"data": [shaded, _dots(small, most)] if small else [shaded], "layout": layout}


def shades(people: Sequence[int], most: int = 0) -> dict[str, Any]:
    """The part of a choropleth that shades these numbers by their roots, up to that of `most`, else of the largest."""
    return {
        "z": [each**0.5 for each in people],
        "zmin": 0,
        "zmax": (most or max(people, default=0) or 1) ** 0.5,
        "colorscale": _scale(),
        "showscale": False,
        "hovertemplate": "%{text}<extra></extra>",
        "marker": {"line": {"color": template.LIGHT["surface"], "width": 0.6}},
    }


def _dots(found: Sequence[CountryCount], most: int) -> dict[str, Any]:
    middles = [countries.middle(one.code) or (0.0, 0.0) for one in found]
    return {
        "type": "scattergeo",
        "mode": "markers",
        "lat": [lat for lat, _lon in middles],
        "lon": [lon for _lat, lon in middles],
        "ids": [one.code for one in found],
        "hovertemplate": "%{text}<extra></extra>",
        "marker": {
            "size": DOT_PX,
            "opacity": 1,
            "color": [one.people**0.5 for one in found],
            "cmin": 0,
            "cmax": most**0.5,
            "colorscale": _scale(),
            "showscale": False,
            "line": {"color": template.LIGHT["text-2"], "width": 1},
        },
        **_said(found),
    }


def _said(found: Sequence[CountryCount]) -> dict[str, Any]:
    return {
        "text": [f"{plain(figures.country(one.code))} · <b>{figures.count(one.people)}</b>" for one in found],
        "customdata": [[one.change, one.out] for one in found],
    }


def _scale() -> list[list[Any]]:
    return [[0, template.LIGHT["heat-0"]], [1, template.LIGHT["heat-1"]]]


def _focus(lat: float, lon: float) -> dict[str, Any]:
    projection = {"type": "natural earth", "rotation": {"lon": lon}, "scale": FOCUS}
    return {"projection": projection, "center": {"lat": lat, "lon": lon}}


def words(found: Sequence[CountryCount]) -> str:
    """The map in a sentence."""
    named = ", ".join(f"{figures.country(one.code)} {figures.count(one.people)}" for one in found[:NAMED])
    return _("Visitors by country: {named}. The list of countries has all.", named=named or _("unknown"))
