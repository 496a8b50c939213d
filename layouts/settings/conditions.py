"""Conditions of rules on events as people write them, one a line: `value > 100`.

A text in quotes, as JSON has it, is a text in any case: `props.sku = "123"` is not the number, and `""` is empty.
"""

from __future__ import annotations

import json
import math
import re
from typing import Any

from analytics.notify.event_fields import NUMBER_FIELDS, brief, exact_text
from analytics.notify.kinds.event import Condition, Operator, takes_text

_LINE = re.compile(r"(?P<field>.+?) +(?P<operator>!=|=|>|<|contains)(?: +(?P<value>.*))?")
_AFTER_QUOTES = re.compile(r" +(?P<operator>!=|=|>|<|contains)(?: +(?P<value>.*))?")
_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?")  # 00123 is no number, but a name


def written(one: Condition) -> str:
    """The line of a condition, which `parsed` reads as the same one: in quotes is what would be read as another."""
    value, sign = exact_text(one.value), one.operator.value
    bare = f"{one.field} {sign} {value}"
    wanted = [one.field, sign, brief(one.value)]
    for line in (bare, f"{one.field} {sign} {_quoted(value)}"):
        if parsed(line) == wanted and "\n" not in line:
            return line
    return f"{_quoted(one.field)} {sign} {value if isinstance(one.value, float) else _quoted(value)}"


def parsed(line: str) -> list[Any] | None:
    """`value > 100` as the contract's [field, operator, value]; None if it is no condition."""
    field, found = _split(line.strip())
    if not found:
        return None
    operator = Operator(found["operator"])
    return [field, operator.value, _value(field, operator, (found["value"] or "").strip())]


def _split(line: str) -> tuple[str, re.Match[str] | None]:
    """The field, and what comes after it. The first operator counts: a value may contain others."""
    if line.startswith('"'):
        try:
            field, end = json.JSONDecoder().raw_decode(line)
        except ValueError:
            return "", None
        return field, _AFTER_QUOTES.fullmatch(line, end)
    found = _LINE.fullmatch(line)
    return (found["field"] if found else "", found)


def _value(field: str, operator: Operator, text: str) -> float | str:
    """The text, or the number where numbers are compared."""
    if len(text) > 1 and text[0] == text[-1] == '"':
        return _unquoted(text)
    if takes_text(field, operator):
        return text
    needs_number = field in NUMBER_FIELDS or operator in (Operator.ABOVE, Operator.BELOW)
    return _number(text) if needs_number or _NUMBER.fullmatch(text) else text


def _number(text: str) -> float | str:
    """The number that is written there; a text like `Nan` or `Infinity` is a name."""
    try:
        found = float(text)
    except ValueError:
        return text
    return found if math.isfinite(found) else text


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)


def _unquoted(text: str) -> str:
    """The text in quotes; one that is no JSON is meant as it stands."""
    try:
        found = json.loads(text)
    except ValueError:
        return text
    return found if isinstance(found, str) else text
