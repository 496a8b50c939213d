"""The SQL of filters: conditions of a statement. Typed text is only in its parameters."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from sqlalchemy import ColumnElement, FromClause, Select, Text, and_, func, literal, not_, or_

from analytics.query.column_sql import dimension_value
from analytics.query.dialects import position, wild
from analytics.query.dimensions import dimension
from analytics.query.filters import Either, Every, Filter, HasDone, Match, Not

WILDCARDS = re.compile(r"(\*\*+|\*)")

Visits = Callable[[Filter], Select[Any]]


def condition(
    one: Filter, visits: FromClause, hits: FromClause | None, visit_id: ColumnElement[int], done: Visits
) -> ColumnElement[bool]:
    """The condition on a row of visits, or on a row of hits joined with its visit.

    `done` selects the ids of the visits in which a hit matches a filter.
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
        case HasDone():
            return visit_id.in_(done(one.part))


def _compared(one: Match, visits: FromClause, hits: FromClause | None) -> ColumnElement[bool]:
    known = dimension(one.dimension)
    rows = visits if known.of == "visit" else hits
    if rows is None:
        raise TypeError(f"{one.dimension} is not a fact of a visit")
    values = ["" if text == known.none else text for text in one.values]
    test = _TESTS[one.operator.removesuffix("_not")](dimension_value(known, rows), values, one.exact_case)
    return not_(test) if one.operator.endswith("_not") else test


Fact = ColumnElement[str]


def _is(fact: Fact, values: list[str], exact_case: bool) -> ColumnElement[bool]:
    return fact.in_(values) if exact_case else func.lower(fact).in_([func.lower(_text(value)) for value in values])


def _contains(fact: Fact, values: list[str], exact_case: bool) -> ColumnElement[bool]:
    if exact_case:
        return or_(*(position(fact, _text(value)) > 0 for value in values))
    return or_(*(position(func.lower(fact), func.lower(_text(value))) > 0 for value in values))


def _matches(fact: Fact, values: list[str], exact_case: bool) -> ColumnElement[bool]:
    return or_(*(wild(fact, *map(_text, expressions(value, exact_case))) for value in values))


_TESTS = {"is": _is, "contains": _contains, "matches": _matches}


def _text(value: str) -> ColumnElement[str]:
    return literal(value, Text)


def expressions(pattern: str, exact_case: bool = True) -> tuple[str, str]:
    """Two regular expressions for a whole text that matches the pattern: one for engines without backtracking, one for
    Python's that does not go back into what has matched.

    In the second, `*` ends at the nearest place of the text that follows it. That is safe: a farther place can only be
    reached without a slash in between, and then the rest can be reached from the nearer place as well.
    """
    flags = "(?s)" if exact_case else "(?is)"
    linear = "".join(_star(word) or re.escape(word) for word in WILDCARDS.split(pattern))
    first, *others = re.split(r"\*\*+", pattern)
    if not others:
        return f"{flags}^{linear}$", flags + r"\A" + _chain(first, last=True)
    middle = "".join(f"(?>.*?{_chain(group)})" for group in others[:-1])
    return f"{flags}^{linear}$", rf"{flags}\A{_chain(first)}{middle}.*{_chain(others[-1], last=True)}"


def _star(word: str) -> str:
    return "" if not word.startswith("*") else "[^/]*" if word == "*" else ".*"


def _chain(group: str, *, last: bool = False) -> str:
    """Texts with single wildcards between them; the last one of all reaches to the end."""
    first, *others = map(re.escape, group.split("*"))
    if not last:
        return first + "".join(f"(?>[^/]*?{word})" for word in others)
    if not others:
        return first + r"\Z"
    return first + "".join(f"(?>[^/]*?{word})" for word in others[:-1]) + rf"[^/]*{others[-1]}\Z"
