"""A note: a sentence that an owner wrote at a day of the chart."""

from __future__ import annotations

from datetime import date
from typing import NamedTuple

MAX_TEXT = 80


class Note(NamedTuple):
    """One note; `day` is a day of the site's zone."""

    id: int
    day: date
    text: str
