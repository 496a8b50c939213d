"""Where people are: rings on the map, the countries, the scale of the rings."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dash import html
from dash.development.base_component import Component

from analytics.base import countries
from analytics.live.state import LiveState, PlaceCount
from layouts.components import figures, ranking, world
from layouts.components.markup import aria

MAX_PLACES = 120  # drawn at once; the country list counts everybody
COUNTRIES = 6
MAX_SCALE_PX = 32  # px; a wider ring would crowd the map's foot


def rings(places: Sequence[PlaceCount]) -> html.Div:
    """The map with a ring for each place. The ring's area grows with the people; a tip has the name."""
    drawn = [_ring(place, n) for n, place in enumerate(places[:MAX_PLACES])]
    return html.Div(drawn, className="ff-map-box")


def list_of_countries(state: LiveState) -> html.Ul:
    """Countries by people, and how many people are in the others."""
    shown, rest = ranking.top(state.countries, state.other_countries, COUNTRIES)
    lines = [_line(_country(entry.label), entry.people) for entry in shown]
    if rest.people:
        lines.append(_line(f"{figures.count(rest.others)} more", rest.people))
    return html.Ul(lines, className="ff-map-list", **aria(label="Countries now"))


def scale(places: Sequence[PlaceCount]) -> html.Div | None:
    """What the sizes of the rings mean; None without places."""
    if not places:
        return None
    most = max(place.people for place in places)
    while world.diameter(most) > MAX_SCALE_PX:
        most //= 2
    parts: list[Any] = []
    for people in sorted({1, (most + 1) // 2, most}):
        d = f"{world.diameter(people):.0f}px"
        parts += [html.I(style={"width": d, "height": d}), figures.count(people)]
    parts[-1] = figures.people(most)
    return html.Div(parts, className="ff-map-size", **aria(hidden="true"))


def _ring(place: PlaceCount, n: int) -> Component:
    left, top = world.position(place.lat, place.lon)
    name = place.city or _country(place.country)
    tip = html.Span([html.Bdi(name), html.B(figures.count(place.people))], className="ff-tip")
    return html.Button(
        tip,
        type="button",
        className=f"ff-place{_tip_side(left, top)}",
        style={
            "left": f"{left:.2f}%",
            "top": f"{top:.2f}%",
            "--d": f"{world.diameter(place.people):.1f}px",
            "--dl": f"{-0.7 * n % 3 - 3:.1f}s",
        },
        **aria(label=f"{name}: {figures.count(place.people)} active now"),
    )


def _tip_side(left: float, top: float) -> str:
    """Tips of places at the map's edge open inwards."""
    below = " is-high" if top < 16 else ""
    return below + (" is-west" if left < 12 else " is-east" if left > 88 else "")


def _country(code: str) -> str:
    return countries.name(code) if code else "Unknown"


def _line(name: str, people: int) -> html.Li:
    return html.Li([html.Bdi(name, className="ff-trunc"), html.B(figures.count(people))])
