"""Visitors by country as shades of one colour."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cache
from typing import NamedTuple

from babel.core import get_global

from analytics.base import countries
from layouts.components import figures
from layouts.figures import bundle, template, world
from layouts.figures.template import Figure
from layouts.figures.text import plain

NAMED = 3  # in the sentence


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


def figure(found: Sequence[CountryCount]) -> Figure:
    """The map; those without a shape are left out. `customdata` has the changes of a click."""
    drawn = [one for one in found if one.code in shapes()]
    most = max((one.people for one in drawn), default=1)
    shaded = {
        "type": "choropleth",
        "locationmode": "ISO-3",
        "locations": [shapes()[one.code] for one in drawn],
        "z": [one.people**0.5 for one in drawn],
        "zmin": 0,
        "zmax": most**0.5,
        "colorscale": [[0, template.LIGHT["heat-0"]], [1, template.LIGHT["heat-1"]]],
        "showscale": False,
        "text": [f"{plain(countries.name(one.code))} · <b>{figures.count(one.people)}</b>" for one in drawn],
        "hovertemplate": "%{text}<extra></extra>",
        "customdata": [[one.change, one.out] for one in drawn],
        "marker": {"line": {"color": template.LIGHT["surface"], "width": 0.6}},
    }
    return {
        "data": [shaded],
        "layout": world.layout(
            "countries", land=template.LIGHT["heat-0"], borders=template.LIGHT["surface"], border_px=0.6
        ),
    }


def words(found: Sequence[CountryCount]) -> str:
    """The map in a sentence."""
    named = [f"{countries.name(one.code)} {figures.count(one.people)}" for one in found[:NAMED]]
    return f"Visitors by country: {', '.join(named) or 'unknown'}. The list of countries has all."
