"""The Live page's map: a dot for each place, whose area is its people."""

from __future__ import annotations

from collections.abc import Sequence
from math import log10, sqrt

from analytics.base.words import _, ngettext
from analytics.live.state import PlaceCount
from layouts.components import figures
from layouts.figures import template, world
from layouts.figures.template import Figure
from layouts.figures.text import plain

MAX_PLACES = 120  # drawn at once, since each dot pulses; the page says so, and the list of countries counts everybody
PERSON_PX, MAX_PX, MIN_PX = 10.0, 48.0, 4.0  # diameters
TRANSLUCENT, RIM = (template.LIGHT["map-dot"] + opacity for opacity in ("4d", "8c"))  # 30% and 55%, in both themes


def figure(places: Sequence[PlaceCount]) -> Figure:
    """The map. Places are those with the most people, first the largest, so that small dots lie on large ones."""
    drawn = sorted(places, key=lambda place: -place.people)[:MAX_PLACES]
    most = max((place.people for place in drawn), default=1)
    where = {"type": "scattergeo", "lat": [place.lat for place in drawn], "lon": [place.lon for place in drawn]}
    rings = {
        **where,
        "mode": "markers",
        "ids": [f"{place.country} {plain(place.city)} {place.lat} {place.lon}" for place in drawn],
        "text": [f"{plain(name(place))} · <b>{figures.people(place.people)}</b>" for place in drawn],
        "hovertemplate": "%{text}<extra></extra>",
        "marker": {
            "size": [diameter(place.people, most) for place in drawn],
            "color": TRANSLUCENT,
            "opacity": 1,
            "line": {"color": RIM, "width": 1},
        },
    }
    middles = {
        **where,
        "mode": "markers",
        "hoverinfo": "skip",
        "marker": {"size": 5, "color": template.LIGHT["map-dot"], "opacity": 1, "line": {"width": 0}},
    }
    return {
        "data": [middles, rings],
        "layout": world.layout(
            "map",
            land=template.LAND,
            borders=template.LIGHT["ocean"],
            border_px=0.5,
            paper_bgcolor=template.LIGHT["ocean"],
            modebar={
                "bgcolor": template.CLEAR,
                "color": template.LIGHT["on-map-2"],
                "activecolor": template.LIGHT["on-map"],
                "orientation": "v",
            },
        ),
    }


def left_out(places: Sequence[PlaceCount]) -> str:
    """How many of the places are dots; "" where all are."""
    if len(places) <= MAX_PLACES:
        return ""
    few, all_places = figures.count(MAX_PLACES), figures.count(len(places))
    return _("Dots: the {n} largest of {places} places", n=few, places=all_places)


def name(place: PlaceCount) -> str:
    """`Berlin, Germany`; the country alone where the city is not known."""
    country = figures.country(place.country) if place.country else _("Unknown")
    return f"{place.city}, {country}" if place.city else country


def words(places: Sequence[PlaceCount]) -> str:
    """The map in a sentence."""
    if not places:
        return _("Nobody is on the map.")
    most = max(places, key=lambda place: place.people)
    people = figures.people(sum(place.people for place in places))
    return _(
        "{people} in {places}; most in {place}: {n}.",
        people=people,
        places=ngettext("{n} place", "{n} places", len(places), n=figures.count(len(places))),
        place=name(most),
        n=figures.count(most.people),
    )


def diameter(people: int, most: int) -> float:
    """A dot's diameter in px on the map whose largest place has `most` people.

    Its area is proportional to the people, on one scale for all dots and for the legend: 10 px for one person, or less
    where the largest dot would be wider than 48 px. Below 4 px a dot would be too small to see.
    """
    a_person = min(PERSON_PX, MAX_PX / sqrt(max(1, most)))
    return round(max(MIN_PX, a_person * sqrt(people)), 1)


def legend(most: int) -> list[int]:
    """Round numbers of people that explain the sizes, from the largest place's down."""
    top = _round(most)
    return sorted({top, _round(max(1, top / 4)), _round(max(1, top / 20))})


def _round(number: float) -> int:
    """The largest of 1, 2, 5, 10, 20, … that is not above `number`."""
    power = 10 ** int(log10(number))
    return max(int(step * power) for step in (1, 2, 5) if step * power <= number)
