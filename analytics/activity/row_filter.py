"""Filters on the rows of a watched table, as people type them: `status=eq.pending`, `status=changed.pending.paid`."""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping
from contextlib import suppress
from typing import NamedTuple

from analytics.base.errors import InvalidInput
from analytics.base.plain_text import clean

COMPARISONS: Mapping[str, str] = {"eq": "=", "neq": "<>", "gt": ">", "gte": ">=", "lt": "<", "lte": "<="}
TESTS: Mapping[str, str] = {"null": "IS NULL", "not.null": "IS NOT NULL", "true": "IS TRUE", "false": "IS FALSE"}
CHANGED = "changed"
ANY = "*"
MAX_LENGTH = 1_000
HELP = (
    "status=eq.pending (eq, neq, gt, gte, lt, lte), status=in.(new,paid), paid_at=is.null (null, not.null, true, "
    "false), status=changed, status=changed.pending.paid (* for any value)"
)

_FILTER = re.compile(r"(?P<column>[^=]+)=(?P<operator>[a-z]+)(?:\.(?P<rest>.*))?", re.DOTALL)


class RowFilter(NamedTuple):
    """A condition on one column. `values` are texts: of `in` all, of `is` one of `TESTS`, of `changed` none or the
    value before and after.
    """

    column: str
    operator: str
    values: tuple[str, ...] = ()


def parse(text: str) -> RowFilter:
    """The filter in a typed text; raises `InvalidInput` for another text, and for characters that hide or turn
    others. Values with a comma or a dot are quoted.
    """
    text = text.strip()
    found = _FILTER.fullmatch(text) if len(text) <= MAX_LENGTH and clean(text) == text else None
    if found is None:
        raise _wrong(text)
    operator, rest = found["operator"], found["rest"]
    values = _values(operator, rest)
    if values is None:
        raise _wrong(text)
    return RowFilter(found["column"].strip(), operator, values)


def _wrong(text: str) -> InvalidInput:
    return InvalidInput(f"filter {text[:60]!r}: like {HELP}")


def _values(operator: str, rest: str | None) -> tuple[str, ...] | None:
    if operator == CHANGED:
        ends = _split(rest, ".") if rest is not None else ()
        return ends if len(ends) in (0, 2) else None
    if rest is None:
        return None
    if operator in COMPARISONS:
        return (rest,)
    if operator == "is":
        return (rest,) if rest in TESTS else None
    if operator == "in" and rest.startswith("(") and rest.endswith(")"):
        return _split(rest[1:-1], ",") or None
    return None


def _split(text: str, sign: str) -> tuple[str, ...]:
    """The values with that sign between them; none if a line break makes it impossible to say."""
    with suppress(csv.Error):
        return tuple(next(csv.reader([text], delimiter=sign, skipinitialspace=True), ()))
    return ()
