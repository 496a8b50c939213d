"""Filters as people type them: `country=DE`, `page!=/x`, `source~goo`, `page=/blog/*`."""

from __future__ import annotations

import re

from analytics.base.errors import InvalidInput
from analytics.query.filters import Filter, Match, Operator

HELP = "country=DE, page!=/x, source~goo, source!~goo, page=/blog/*; several values: country=DE|FR; none: source="

_TERM = re.compile(r"([^=!~]+)(!=|!~|=|~)(.*)", re.DOTALL)
_OPERATORS: dict[str, Operator] = {"=": "is", "!=": "is_not", "~": "contains", "!~": "contains_not"}
_WILD: dict[str, Operator] = {"=": "matches", "!=": "matches_not"}


def parse(text: str) -> Match:
    """The filter in a typed text; raises `InvalidInput` for another text.

    `=` is, `~` contains, with a `!` before it: not. A `*` after `=` stands for any text without a slash, `**` for any
    text. `|` stands between values one of which has to match.
    """
    found = _TERM.fullmatch(text)
    if found is None:
        raise InvalidInput(f"filter {text[:60]!r}: like {HELP}")
    name, sign, values = found.groups()
    wild = "*" in values and sign in _WILD
    return Match(_WILD[sign] if wild else _OPERATORS[sign], name.strip(), tuple(values.split("|")))


def written(one: Filter) -> str | None:
    """The filter as `parse` reads it; None for one that has no such text."""
    signs = {operator: sign for signs in (_OPERATORS, _WILD) for sign, operator in signs.items()}
    if not isinstance(one, Match) or one.operator not in signs:
        return None
    text = f"{one.dimension}{signs[one.operator]}{'|'.join(one.values)}"
    return text if parse(text) == one else None
