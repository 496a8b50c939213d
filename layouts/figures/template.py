"""The look of all figures: colours, type and grid of the stylesheet, in light and in dark.

Figures are written in the light colours. assets/lib/figures.js replaces them by the dark ones where the page is dark,
so that switching the theme redraws a figure without a request. A test compares the colours with the stylesheet's.
"""

from __future__ import annotations

from typing import Any

from layouts.components import figures

Figure = dict[str, Any]

LIGHT = {
    "text": "#12171c",
    "text-2": "#47515c",
    "text-3": "#5f6a75",
    "surface": "#ffffff",
    "surface-2": "#f0f2f4",
    "line-2": "#cfd5db",
    "line-strong": "#87919c",
    "grid": "#e8ebee",
    "c1": "#08795a",
    "c2": "#2f6bd8",
    "c-prev": "#7a8590",
    "band": "#08795a1c",
    "heat-0": "#f0f2f4",
    "heat-1": "#08795a",
    "ocean": "#0e1a24",
    "on-map": "#e9eff4",
    "on-map-2": "#a5b3c0",
    "map-dot": "#3ddba6",
}
"""The tokens of the stylesheet that figures use, by their names there."""

DARK = {
    "text": "#e9edf1",
    "text-2": "#aeb8c2",
    "text-3": "#8a95a1",
    "surface": "#11161b",
    "surface-2": "#1a2027",
    "line-2": "#323c46",
    "line-strong": "#66727e",
    "grid": "#1d242b",
    "c1": "#3ddba6",
    "c2": "#7fabff",
    "c-prev": "#7c8894",
    "band": "#3ddba61a",
    "heat-0": "#1a2027",
    "heat-1": "#3ddba6",
    "ocean": "#0a121a",
    "on-map": "#e9eff4",
    "on-map-2": "#a5b3c0",
    "map-dot": "#3ddba6",
}
LAND = "#22303d"  # of the live map, in both themes
FONT = '"Inter Variable", Inter, system-ui, sans-serif'
CLEAR = "rgba(0,0,0,0)"
DASHES = "4px,4px"  # of what a line is compared with


def dark_of_light() -> dict[str, str]:
    """What assets/lib/figures.js replaces: each light colour with the dark one of the same token."""
    return {LIGHT[token]: DARK[token] for token in LIGHT if LIGHT[token] != DARK[token]}


def layout(**own: Any) -> Figure:
    """A figure's `layout`: the template, the reader's decimal and grouping signs, and what the figure says itself."""
    return {"template": _template(LIGHT), "separators": figures.separators(), **own}


def time_format() -> str:
    """A time of day in d3's format, for ticks and hover texts: `14:05`, or `2:05 PM` where clocks have 12 hours."""
    return "%-I:%M %p" if figures.has_12_hours() else "%H:%M"


def _template(colours: dict[str, str]) -> Figure:
    axis = {
        "showgrid": False,
        "zeroline": False,
        "showline": False,
        "ticks": "",
        "ticklabelstandoff": 6,
        "title": {"text": ""},
        "spikecolor": colours["line-strong"],
        "spikethickness": 1,
        "spikedash": "solid",
        "spikemode": "across",
    }
    hover_label = {
        "bgcolor": colours["surface"],
        "bordercolor": colours["line-2"],
        "font": {"family": FONT, "size": 12, "color": colours["text"]},
        "align": "left",
        "namelength": -1,
    }
    return {
        "layout": {
            "font": {"family": FONT, "size": 11, "color": colours["text-3"]},
            "paper_bgcolor": colours["surface"],  # of downloaded pictures alone (assets/css/figures.css)
            "plot_bgcolor": CLEAR,
            "margin": {"l": 36, "r": 8, "t": 8, "b": 24},
            "colorway": [colours["c1"], colours["c2"]],
            "showlegend": False,
            "hovermode": "x unified",
            "dragmode": "zoom",
            "hoverlabel": hover_label,
            "modebar": {"bgcolor": CLEAR, "color": colours["text-3"], "activecolor": colours["c1"]},
            "xaxis": axis,
            "yaxis": {
                **axis,
                "showgrid": True,
                "gridcolor": colours["grid"],
                "nticks": 4,
                "rangemode": "tozero",
                "fixedrange": True,
                "tickformat": ",",
            },
        }
    }
