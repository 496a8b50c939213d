"""The world below a map's figure: one projection and one frame for every map."""

from __future__ import annotations

from typing import Any, NamedTuple

from layouts.figures import template
from layouts.figures.template import Figure

MAX_MERCATOR = 72  # degrees from the equator; nearer to a pole it enlarges too much


class Box(NamedTuple):
    """The edges of a country in degrees; `east` is above 180 where it lies on both sides of the date line."""

    west: float
    east: float
    south: float
    north: float


def layout(name: str, *, land: str, borders: str, border_px: float, **own: Any) -> Figure:
    """The `layout` of a map from 84° north to 56° south; the reader's view is kept by `name` through redraws."""
    geo = {
        "lataxis": {"range": [-56, 84]},
        "projection": {"type": "natural earth", "rotation": {"lon": 11}},
        "showland": True,
        "landcolor": land,
        "showcountries": True,
        "countrycolor": borders,
        "countrywidth": border_px,
        "resolution": 110,
    }
    return _layout(name, geo, **own)


def country_layout(name: str, box: Box) -> Figure:
    """The `layout` of a map of one country, as large as fits, with nothing around it."""
    high = max(box.north, -box.south) > MAX_MERCATOR
    geo = {
        "fitbounds": False,
        "lonaxis": {"range": [box.west, box.east]},
        "lataxis": {"range": [box.south, box.north]},
        "projection": {
            "type": "natural earth" if high else "mercator",
            "rotation": {"lon": (box.west + box.east) / 2},
        },
        "showland": False,
    }
    return _layout(name, geo)


def _layout(name: str, geo: dict[str, Any], **own: Any) -> Figure:
    return template.layout(
        margin={"l": 0, "r": 0, "t": 0, "b": 0},
        hovermode="closest",
        dragmode="pan",
        uirevision=name,
        geo={**geo, "bgcolor": template.CLEAR, "showframe": False, "showcoastlines": False},
        **own,
    )
