"""A segment: a filter with a name."""

from __future__ import annotations

from typing import NamedTuple

from analytics.query.filters import Filter

MAX_NAME_LENGTH = 60


class Segment(NamedTuple):
    """One segment. `person_id` is its owner, None where it is everybody's."""

    id: int
    name: str
    filters: tuple[Filter, ...]
    person_id: int | None
