"""The files of the Live page."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime, tzinfo

from analytics.live.state import PlaceCount


def places(found: Iterable[PlaceCount], name: Callable[[PlaceCount], str]) -> Iterator[Sequence[str | int]]:
    """The places of active people as rows of a file; the first row has the names of the columns.

    Each has its name in the reader's language, the two-letter code of its country, "" for an unknown one, and people.
    """
    yield "Place", "Country", "People"
    for place in found:
        yield name(place), place.country, place.people


def minutes(line: Iterable[tuple[int, int]], zone: tzinfo) -> Iterator[Sequence[str | int]]:
    """The points of the line (epoch second, people) as rows of a file; the first row has the names of the columns."""
    yield "Time", "People"
    for at, people in line:
        yield datetime.fromtimestamp(at, zone).isoformat(), people
