"""A difference: how much one value of a dimension has changed. A few of them explain why an alert fires."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import NamedTuple

from analytics.notify.event_fields import as_text
from analytics.query.dimensions import dimension
from analytics.reports.lists import shown_value


class Difference(NamedTuple):
    """How much one value of a dimension has changed: so many before, so many now. The value "" is none."""

    dimension: str
    value: str
    before: float
    now: float


def label(one: Difference) -> str:
    """The dimension and its value in the reader's language, like `Source: newsletter`."""
    return f"{dimension(one.dimension).shown}: {shown_value(one.dimension, one.value)}"


def change(one: Difference) -> str:
    """How much it has changed, like `0 → 9`."""
    return f"{as_text(one.before)} → {as_text(one.now)}"


def to_json(found: Sequence[Difference]) -> str:
    """The differences as a column of the database has them; "" for none."""
    return json.dumps(found, ensure_ascii=False, separators=(",", ":")) if found else ""


def from_json(text: str) -> tuple[Difference, ...]:
    """The differences in such a column."""
    return tuple(Difference(*one) for one in json.loads(text)) if text else ()
