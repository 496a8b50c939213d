"""A note: a day of the chart with a sentence of the owner's."""

from __future__ import annotations

from datetime import date
from typing import NamedTuple

MAX_TEXT = 80


class Note(NamedTuple):
    """One of them; `day` is the site's."""

    id: int
    day: date
    text: str
