"""What stands below the map: of the world, its first countries and its shades; of a country, the way back to the world,
and what the map cannot show.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from dash import html
from dash.development.base_component import Component

from analytics.base.words import _, ngettext
from analytics.query.filters import Filter
from analytics.reports.view import filtered, only_value, without
from layouts.components import figures
from layouts.components.scale import scale
from layouts.footfall_components.address_link import AddressLink

MAX_NAMED = 5
FIRST_COUNTRIES = 3

Count = tuple[str, int]


def note_of_world(found: Sequence[Count]) -> list[Component]:
    """The note of the map of the world: the countries with the most visitors, and what the shades mean.

    `found` are the countries' codes with their visitors, the most first; nothing where none is known.
    """
    if not found:
        return []
    named: list[Any] = []
    for code, people in found[:FIRST_COUNTRIES]:
        named += [" · " if named else "", f"{figures.country(code)} ", html.B(figures.count(people))]
    return [html.Span(named), scale(figures.count(found[0][1]))]


def note(
    country: str, found: Sequence[Count], placed: Mapping[str, Sequence[Count]], current: tuple[Filter, ...]
) -> list[Component]:
    """The note of the map; nothing for the map of the world.

    `found` are all regions with their visitors, and `placed` those with a name, by the code of their outline.
    """
    if not country:
        return []
    links = [_link(_("All countries"), filtered(without(current, "country", "region")), "all-countries")]
    if only_value(current, "region"):
        whole = _("All regions of {country}", country=figures.country(country))
        links.append(_link(whole, filtered(without(current, "region")), "all-regions"))
    sentence = _sentence(country, found, placed)
    return [*links, *([html.Span(sentence)] if sentence else [])]


def _sentence(country: str, found: Sequence[Count], placed: Mapping[str, Sequence[Count]]) -> str:
    if not placed:
        return _(
            "The regions of {country} are not known: that takes a database of places with cities.",
            country=figures.country(country),
        )
    unknown = sum(people for region, people in found if not region)
    missing = [*placed.get("", ()), *([(_("unknown region"), unknown)] if unknown else [])]
    if not missing:
        return ""
    named = ", ".join(f"{region} {figures.count(people)}" for region, people in missing[:MAX_NAMED])
    more = len(missing) - MAX_NAMED
    if more <= 0:
        return _("Not on the map: {regions}.", regions=named)
    return ngettext(
        "Not on the map: {regions} and {n} more.",
        "Not on the map: {regions} and {n} more.",
        more,
        regions=named,
        n=figures.count(more),
    )


def _link(text: str, change: str, name: str) -> Component:
    return AddressLink(text, change=change, look="ff-link", name=name)
