"""Figures: what a site has had since midnight."""

from __future__ import annotations

from typing import NamedTuple


class TodayCounts(NamedTuple):
    """One site's day so far. With `at_least` there were more people than are kept apart."""

    people: int
    visits: int
    pageviews: int
    at_least: bool = False
