"""What stands below the map of a country: the way back to the world, and what the map cannot show."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from dash import html
from dash.development.base_component import Component

from analytics.base import countries
from analytics.query.filters import Filter
from analytics.reports.view import filtered, only_value, without
from layouts.components import figures
from layouts.footfall_components.address_link import AddressLink

MAX_NAMED = 5

Count = tuple[str, int]


def note(
    country: str, found: Sequence[Count], placed: Mapping[str, Sequence[Count]], current: tuple[Filter, ...]
) -> list[Component]:
    """The note of the map; nothing for the map of the world.

    `found` are all regions with their visitors, and `placed` those with a name, by the code of their outline.
    """
    if not country:
        return []
    links = [_link("All countries", filtered(without(current, "country", "region")), "all-countries")]
    if only_value(current, "region"):
        whole = f"All regions of {countries.name(country)}"
        links.append(_link(whole, filtered(without(current, "region")), "all-regions"))
    sentence = _sentence(country, found, placed)
    return [*links, *([html.Span(sentence)] if sentence else [])]


def _sentence(country: str, found: Sequence[Count], placed: Mapping[str, Sequence[Count]]) -> str:
    name = countries.name(country)
    if not placed:
        return f"The regions of {name} are not known: that takes a database of places with cities."
    unknown = sum(people for region, people in found if not region)
    missing = [*placed.get("", ()), *([("unknown region", unknown)] if unknown else [])]
    if not missing:
        return ""
    named = [f"{region} {figures.count(people)}" for region, people in missing[:MAX_NAMED]]
    more = f" and {figures.count(len(missing) - MAX_NAMED)} more" if len(missing) > MAX_NAMED else ""
    return f"Not on the map: {', '.join(named)}{more}."


def _link(text: str, change: str, name: str) -> Component:
    return AddressLink(text, change=change, look="ff-link", name=name)
