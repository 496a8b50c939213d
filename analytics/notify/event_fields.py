"""The fields of an event, by which conditions compare and which templates show.

An event is a mapping with the names of the columns of `events` and of its visit; `props` is a mapping, or a JSON
object as text. Whatever it contains, nothing here raises.
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from typing import Any

NUMBER_FIELDS = ("value",)
TEXT_FIELDS = (
    *("name", "currency", "user_id", "user_name", "user_type", "path"),
    *("description", "country", "source"),
)
FIELDS = (*NUMBER_FIELDS, *TEXT_FIELDS)
PROPERTY = "props."
MAX_PROPERTY_LENGTH = 300


def is_field(name: str) -> bool:
    """Whether events have a field of that name: one of `FIELDS`, or `props.NAME` for any property."""
    return name in FIELDS or is_property(name)


def is_property(name: str) -> bool:
    """Whether the name is that of a property, like `props.plan`."""
    key = name.removeprefix(PROPERTY)
    return key != name and 0 < len(key) <= MAX_PROPERTY_LENGTH and key.isprintable()


def value_of(event: Mapping[str, object], field: str) -> object:
    """What the event has in that field; None where it has nothing."""
    if not field.startswith(PROPERTY):
        return event.get(field)
    return properties(event.get("props")).get(field.removeprefix(PROPERTY))


def properties(given: object) -> Mapping[str, Any]:
    """The properties in a JSON object, or in a text with one; none in anything else."""
    if isinstance(given, str):
        try:
            given = json.loads(given)
        except (ValueError, RecursionError):
            return {}
    return given if isinstance(given, Mapping) else {}


def as_number(value: object) -> float | None:
    """The number, also of a text that is one; None for everything else, and for what is not finite."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def as_text(value: object) -> str:
    """The value as people write it: `true`, `49`, `49.9`; "" for nothing, and for what is neither text nor number."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return value
    number = as_number(value)
    return "" if number is None else number_text(number)


def exact_text(value: object) -> str:
    """As `as_text`, but of a number every digit, so that its text is that number again: `99.999`, `0.015`."""
    number = None if isinstance(value, bool | str) else as_number(value)
    if number is None:
        return as_text(value)
    return f"{number:.0f}" if number == round(number) and abs(number) < 1e15 else repr(number)


def number_text(number: float) -> str:
    """A finite number with at most two decimals, small ones with three digits: `49`, `49.9`, `0.00123`."""
    if number == round(number):
        return f"{number:.0f}" if abs(number) < 1e15 else f"{number:.6g}"
    return f"{number:.2f}".rstrip("0").rstrip(".") if abs(number) >= 0.01 else f"{number:.3g}"


def brief(value: str | float) -> str | float:
    """The value as JSON has it: a number without a fraction as a whole one."""
    return int(value) if isinstance(value, float) and math.isfinite(value) and value == int(value) else value
