"""Usage: how many people a site had on a UTC day."""

from __future__ import annotations

from typing import NamedTuple


class Usage(NamedTuple):
    """People of one site on one UTC day; `people` is the sum of the other two."""

    site_id: int
    day: str  # YYYY-MM-DD
    people: int
    signed_in: int
    anonymous: int
