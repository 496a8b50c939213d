"""The live state of a site, as the Live page, the card and `/api/live` show it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

FACTS = ("page", "source", "country", "city", "user_type", "signed_in")
"""The dimensions by which the people who are here can be filtered; `facts.py` reads them."""

ITEM_FACTS = (*FACTS, "event", "device", "browser")
"""The dimensions by which pageviews and events that have just come can be filtered."""


class LabelCount(NamedTuple):
    """How many people share one label: a page's path, a source, a country code, a user type."""

    label: str
    people: int


class Others(NamedTuple):
    """What a shortened list leaves out: so many people on so many other pages (sources, countries)."""

    people: int
    others: int


class PlaceCount(NamedTuple):
    """People in one place. If `city` is empty, the position is that of the country."""

    country: str
    city: str
    lat: float
    lon: float
    people: int


@dataclass(frozen=True, slots=True)
class LiveState:
    """The active people of a site at one moment (epoch s), by several labels; lists have the most people first."""

    at: int
    window_s: int
    active: int
    signed_in: int
    anonymous: int
    user_types: tuple[LabelCount, ...]
    pages: tuple[LabelCount, ...]
    other_pages: Others
    sources: tuple[LabelCount, ...]
    other_sources: Others
    countries: tuple[LabelCount, ...]
    other_countries: Others
    places: tuple[PlaceCount, ...]


@dataclass(frozen=True, slots=True)
class Concurrency:
    """How many people were active at each minute; `points` are (epoch s, people) of the last hour, oldest first.

    `hour_ago` is None if that minute is unknown; `peak` is today's (people, epoch s) or None.
    """

    points: tuple[tuple[int, int], ...]
    hour_ago: int | None
    peak: tuple[int, int] | None
