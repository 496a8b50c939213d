"""A segment: a filter with a name."""

from __future__ import annotations

from typing import NamedTuple

from analytics.query.filters import Filter

LONGEST_NAME = 60


class Segment(NamedTuple):
    """One of them. `person_id` is whose it is, None where it is everybody's."""

    id: int
    name: str
    filters: tuple[Filter, ...]
    person_id: int | None
