"""Conditions of rules on events as people write them, one a line: `value > 100`."""

from __future__ import annotations

import math
from typing import Any

from analytics.notify.event_fields import as_text
from analytics.notify.kinds.event import Condition, Operator


def written(one: Condition) -> str:
    """The line of a condition."""
    return f"{one.field} {one.operator.value} {as_text(one.value)}"


def parsed(line: str) -> list[Any] | None:
    """`value > 100` as the contract's [field, operator, value]; None if it is no condition."""
    for operator in sorted(Operator, key=lambda one: -len(one.value)):
        field, found, value = line.partition(f" {operator.value} ")
        if found and field.strip() and value.strip():
            return [field.strip(), operator.value, _typed(value.strip())]
    return None


def _typed(value: str) -> float | str:
    """The number that is written there; a text like `Nan` or `Infinity` is a name."""
    try:
        found = float(value)
    except ValueError:
        return value
    return found if math.isfinite(found) else value
