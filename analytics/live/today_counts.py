"""People, visits and pageviews of a site since its midnight."""

from __future__ import annotations

from typing import NamedTuple


class TodayCounts(NamedTuple):
    """One site's day so far. `at_least`: there were more people than the limit of those counted exactly."""

    people: int
    visits: int
    pageviews: int
    at_least: bool = False
