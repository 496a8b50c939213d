"""Visitors by region of one country as shades of one colour, with outlines that only this figure loads."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from typing import Any, NamedTuple

from analytics.base.words import _
from layouts.components import figures
from layouts.figures import bundle, region_names, world
from layouts.figures.countries import NAMED, shades
from layouts.figures.template import Figure
from layouts.figures.text import plain
from layouts.figures.world import Box

MARGIN = 0.05  # of the width and the height of a country

Count = tuple[str, int]  # the name of a region, and its visitors


class RegionCount(NamedTuple):
    """A region with its visitors, and the changes of the address that filter by it and exclude it."""

    code: str
    name: str
    people: int
    change: str = ""
    out: str = ""


def placed(country: str, found: Iterable[Count]) -> Mapping[str, list[Count]]:
    """The counts by the code of their region, in their order; under "" those without an outline."""
    outlines = region_names.outlines(country)
    by_code: dict[str, list[Count]] = {}
    for name, people in found:
        code = outlines.find(name) if outlines else ""
        by_code.setdefault(code, []).append((name, people))
    return by_code


def figure(country: str, found: Sequence[RegionCount]) -> Figure:
    """The map of a country that has outlines; regions without visitors are drawn, too, and do nothing on a click."""
    outlines = region_names.outlines(country)
    if outlines is None:
        raise ValueError(f"no outlines of the regions of {country!r}")
    counts = {one.code: one for one in found}
    all_of_them = [counts.get(code, RegionCount(code, name, 0)) for code, name in outlines.names.items()]
    shaded = {
        "type": "choropleth",
        "geojson": bundle.outlines_address(country),
        "locationmode": "geojson-id",
        "locations": [one.code for one in all_of_them],
        **shades([one.people for one in all_of_them]),
        "text": [f"{plain(one.name)} · <b>{figures.count(one.people)}</b>" for one in all_of_them],
        "customdata": [[one.change, one.out] if one.change else None for one in all_of_them],
    }
    return {"data": [shaded], "layout": world.country_layout(f"regions {country}", box(country))}


@cache
def box(country: str) -> Box:
    """The box around the outlines of a country, with a margin."""
    features = json.loads(bundle.unpacked_outlines(country))["features"]
    lon, lat = zip(*(point for one in features for point in _points(one["geometry"]["coordinates"])), strict=True)
    around, up = MARGIN * (max(lon) - min(lon)), MARGIN * (max(lat) - min(lat))
    return Box(min(lon) - around, max(lon) + around, max(-90, min(lat) - up), min(90, max(lat) + up))


def _points(coordinates: Any) -> Iterator[list[float]]:
    if isinstance(coordinates[0], list):
        for part in coordinates:
            yield from _points(part)
    else:
        yield coordinates


def words(country: str, found: Sequence[Count]) -> str:
    """The map in a sentence."""
    named = ", ".join(f"{name} {figures.count(people)}" for name, people in found[:NAMED])
    return _(
        "Visitors by region of {country}: {named}. The list of regions has all.",
        country=figures.country(country),
        named=named,
    )
