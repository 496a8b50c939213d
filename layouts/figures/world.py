"""The world below a map's figure: one projection and one frame for every map."""

from __future__ import annotations

from typing import Any

from layouts.figures import template
from layouts.figures.template import Figure


def layout(name: str, *, land: str, borders: str, border_px: float, **own: Any) -> Figure:
    """The `layout` of a map from 84° north to 56° south; the reader's view is kept by `name` through redraws."""
    return template.layout(
        margin={"l": 0, "r": 0, "t": 0, "b": 0},
        hovermode="closest",
        dragmode="pan",
        uirevision=name,
        geo={
            "lataxis": {"range": [-56, 84]},
            "projection": {"type": "natural earth", "rotation": {"lon": 11}},
            "bgcolor": template.CLEAR,
            "showframe": False,
            "showcoastlines": False,
            "showland": True,
            "landcolor": land,
            "showcountries": True,
            "countrycolor": borders,
            "countrywidth": border_px,
            "resolution": 110,
        },
        **own,
    )


def country_layout(name: str) -> Figure:
    """The `layout` of a map of one country, as large as fits, with nothing around it."""
    return template.layout(
        margin={"l": 0, "r": 0, "t": 0, "b": 0},
        hovermode="closest",
        dragmode="pan",
        uirevision=name,
        geo={
            "fitbounds": "geojson",
            "projection": {"type": "mercator"},
            "bgcolor": template.CLEAR,
            "showframe": False,
            "showcoastlines": False,
            "showland": False,
        },
    )
