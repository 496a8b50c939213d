"""Filters as conditions of a statement. What people gave is in its parameters only."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from sqlalchemy import ColumnElement, FromClause, Select, Text, and_, func, literal, not_, or_

from analytics.dialects import position, wild
from analytics.dimensions import dimension
from analytics.filters import Done, Either, Every, Filter, Match, Not

WILDCARDS = re.compile(r"(\*\*+|\*)")

Visits = Callable[[Filter], Select[Any]]


def condition(
    one: Filter, visits: FromClause, hits: FromClause | None, visit_id: ColumnElement[int], done: Visits
) -> ColumnElement[bool]:
    """What has to hold in a row of visits, or of hits beside their visits.

    `done` gives the ids of the visits in which a hit suits a filter.
    """

    def of(part: Filter) -> ColumnElement[bool]:
        return condition(part, visits, hits, visit_id, done)

    match one:
        case Match():
            return _compared(one, visits, hits)
        case Every():
            return and_(*map(of, one.parts))
        case Either():
            return or_(*map(of, one.parts))
        case Not():
            return not_(of(one.part))
        case Done():
            return visit_id.in_(done(one.part))


def _compared(one: Match, visits: FromClause, hits: FromClause | None) -> ColumnElement[bool]:
    known = dimension(one.dimension)
    rows = visits if known.of == "visit" else hits
    if rows is None:
        raise TypeError(f"{one.dimension} is no fact of a visit")
    fact, values = known.value(rows), ["" if value == known.none else value for value in one.values]
    if not one.exact_case:
        fact, values = func.lower(fact), [value.lower() for value in values]
    test = _TESTS[one.operator.removesuffix("_not")](fact, values)
    return not_(test) if one.operator.endswith("_not") else test


def _is(fact: ColumnElement[str], values: list[str]) -> ColumnElement[bool]:
    return fact.in_(values)


def _contains(fact: ColumnElement[str], values: list[str]) -> ColumnElement[bool]:
    return or_(*(position(fact, literal(value, Text)) > 0 for value in values))


def _matches(fact: ColumnElement[str], values: list[str]) -> ColumnElement[bool]:
    return or_(*(wild(fact, *(literal(one, Text) for one in expressions(value))) for value in values))


_TESTS = {"is": _is, "contains": _contains, "matches": _matches}


def expressions(pattern: str) -> tuple[str, str]:
    """Two regular expressions for a whole text that fits the pattern: one for engines without backtracking, one that
    does not backtrack into what has matched, for Python's.

    `*` takes the nearest place of the text that follows it. That is safe: a farther place could only be reached
    without a slash between, and then whatever follows is reachable from the nearer place as well.
    """
    linear = "".join(_star(word, re.escape(word)) for word in WILDCARDS.split(pattern))
    groups = [_chain(group.split("*")) for group in re.split(r"\*\*+", pattern)]
    first, *others = groups
    if not others:
        return f"(?s)^{linear}$", "(?s)\\A" + _chain(pattern.split("*"), last=True)
    middle = "".join(f"(?>.*?{group})" for group in others[:-1] if group)
    last = _chain(re.split(r"\*\*+", pattern)[-1].split("*"), last=True)
    return f"(?s)^{linear}$", f"(?s)\\A{first}{middle}.*{last}"


def _star(word: str, text: str) -> str:
    return text if not word.startswith("*") else "[^/]*" if word == "*" else ".*"


def _chain(words: list[str], *, last: bool = False) -> str:
    """Texts with single wildcards between them; the last one of all reaches to the end."""
    first, *others = map(re.escape, words)
    if not last:
        return first + "".join(f"(?>[^/]*?{word})" for word in others)
    if not others:
        return first + r"\Z"
    return first + "".join(f"(?>[^/]*?{word})" for word in others[:-1]) + rf"[^/]*{others[-1]}\Z"
