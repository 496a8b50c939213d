"""Filters: which visits and hits a question is about. Values are data: they never become part of a statement.

In a URL and in the API a filter is a list, as in Plausible's: `["is", "source", ["Google"]]`,
`["and", [FILTER, …]]`, `["not", FILTER]`, `["has_done", FILTER]`; dimensions by either name.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

from analytics.base.errors import InvalidInput, message
from analytics.query.dimensions import dimension

Operator = Literal["is", "is_not", "contains", "contains_not", "matches", "matches_not"]
OPERATORS: tuple[str, ...] = get_args(Operator)
GROUPS = ("and", "or", "not", "has_done", "has_not_done")

MAX_VALUE_LENGTH = 2_500  # more than any stored value has: each row of a list filters by its own
MAX_PATTERN_LENGTH = 300
MAX_WILDCARDS = 20
MAX_VALUES = 100
MAX_CONDITIONS = 50
MAX_DEPTH = 6


@dataclass(frozen=True, slots=True)
class Match:
    """A dimension compared with values: one of them must match, or with `…_not` none.

    `matches`: `*` is any text without a slash, `**` any text. Without `exact_case` A equals a; beyond ASCII as far
    as the database knows. Paths and hosts may be in letters or encoded; they are converted to the stored form.
    """

    operator: Operator
    dimension: str
    values: tuple[str, ...]
    exact_case: bool = True

    def __post_init__(self) -> None:
        known = dimension(self.dimension)
        if known.of == "time":
            raise InvalidInput(
                message("dimension {name} is no filter; the period says when", name=repr(self.dimension))
            )
        if self.operator not in OPERATORS:
            raise InvalidInput(_unknown_operator(str(self.operator)))
        object.__setattr__(self, "dimension", known.id)
        if not 1 <= len(self.values) <= MAX_VALUES:
            raise InvalidInput(
                message("a filter of {dimension} has 1 to {limit} values", dimension=known.id, limit=MAX_VALUES)
            )
        stored = tuple(dict.fromkeys(known.stored(self._checked(value)) for value in self.values))
        object.__setattr__(self, "values", tuple(map(self._checked, stored)))  # `%2A` has become a wildcard

    def _checked(self, value: str) -> str:
        _check(value, self.dimension, "matches" in self.operator)
        return value


@dataclass(frozen=True, slots=True)
class Every:
    """All of these hold."""

    parts: tuple[Filter, ...]


@dataclass(frozen=True, slots=True)
class Either:
    """At least one of these holds."""

    parts: tuple[Filter, ...]


@dataclass(frozen=True, slots=True)
class Not:
    """This does not hold."""

    part: Filter


@dataclass(frozen=True, slots=True)
class HasDone:
    """Visits in which, within the period, a hit matches this filter."""

    part: Filter


Filter = Match | Every | Either | Not | HasDone


def _unknown_operator(given: str) -> str:
    return f"operator {given[:40]!r}: {', '.join((*OPERATORS, *GROUPS))}"


def _check(value: str, name: str, pattern: bool) -> None:
    longest = MAX_PATTERN_LENGTH if pattern else MAX_VALUE_LENGTH
    if len(value) > longest:
        raise InvalidInput(
            message("a value for {dimension} has at most {limit} characters", dimension=name, limit=longest)
        )
    if "\0" in value or any("\ud800" <= one <= "\udfff" for one in value):
        raise InvalidInput(message("a value for {dimension} is no text", dimension=name))
    if pattern and value.replace("**", "*").count("*") > MAX_WILDCARDS:
        raise InvalidInput(
            message("a pattern for {dimension} has at most {limit} wildcards", dimension=name, limit=MAX_WILDCARDS)
        )


def parse(given: object) -> tuple[Filter, ...]:
    """The filters in a list of lists, all of which must hold; raises `InvalidInput` with the reason."""
    if not isinstance(given, list):
        raise InvalidInput(message("filters are a list like {example}", example='[["is", "source", ["Google"]]]'))
    found = tuple(_parsed(one, 1) for one in given)
    if sum(map(_size, found)) > MAX_CONDITIONS:
        raise InvalidInput(message("at most {limit} conditions at once", limit=MAX_CONDITIONS))
    return found


def _parsed(given: object, depth: int) -> Filter:
    if depth > MAX_DEPTH:
        raise InvalidInput(message("filters are at most {limit} deep", limit=MAX_DEPTH))
    match given:
        case ["and" | "or" as word, [_, *_] as parts]:
            inner = tuple(_parsed(one, depth + 1) for one in parts)
            return Every(inner) if word == "and" else Either(inner)
        case ["not", part]:
            return Not(_parsed(part, depth + 1))
        case ["has_done", part]:
            return HasDone(_parsed(part, depth + 1))
        case ["has_not_done", part]:
            return Not(HasDone(_parsed(part, depth + 1)))
        case [str() as operator, str() as name, list() as values]:
            return _match(operator, name, values)
        case [str() as operator, str() as name, list() as values, {"case_sensitive": bool() as exact, **rest}] if (
            not rest
        ):
            return _match(operator, name, values, exact)
        case [str() as operator, *_] if operator not in (*OPERATORS, *GROUPS):
            raise InvalidInput(_unknown_operator(operator))
    wrong = message(
        "filter {given}: like {example} or {group}",
        given=(given if isinstance(given, str) else json.dumps(given, ensure_ascii=False, default=str))[:80],
        example='["is", "source", ["Google"]]',
        group='["and", [FILTER, FILTER]]',
    )
    raise InvalidInput(wrong)


def _match(operator: Any, name: str, values: Sequence[object], exact_case: bool = True) -> Match:
    if not all(isinstance(value, str) for value in values):
        raise InvalidInput(message("the values for {dimension} are texts", dimension=name[:60]))
    return Match(operator, name, tuple(map(str, values)), exact_case)


def plain(one: Filter) -> list[Any]:
    """The filter as a list, which `parse` reads."""
    match one:
        case Match():
            ending = [] if one.exact_case else [{"case_sensitive": False}]
            return [one.operator, one.dimension, list(one.values), *ending]
        case Every():
            return ["and", [plain(part) for part in one.parts]]
        case Either():
            return ["or", [plain(part) for part in one.parts]]
        case Not(HasDone(part)):
            return ["has_not_done", plain(part)]
        case Not():
            return ["not", plain(one.part)]
        case HasDone():
            return ["has_done", plain(one.part)]


def parts(one: Filter) -> tuple[Filter, ...]:
    """The filters directly inside a filter."""
    match one:
        case Match():
            return ()
        case Every() | Either():
            return one.parts
        case Not() | HasDone():
            return (one.part,)


def _size(one: Filter) -> int:
    return 1 + sum(map(_size, parts(one)))


def dimensions_in(one: Filter) -> set[str]:
    """The ids of the dimensions that a filter compares within a row, so not those inside `HasDone`."""
    if isinstance(one, Match):
        return {one.dimension}
    return set() if isinstance(one, HasDone) else set().union(*map(dimensions_in, parts(one)))


def has_done(one: Filter) -> bool:
    """Whether a filter contains `HasDone`."""
    return isinstance(one, HasDone) or any(map(has_done, parts(one)))
