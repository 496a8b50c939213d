"""Filters of facts in memory, by the rules that `filter_sql` has for rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from analytics.base.errors import InvalidInput, message
from analytics.base.wildcards import Wildcards
from analytics.query.dimensions import dimension
from analytics.query.filters import Either, Every, Filter, HasDone, Match, Not

Read = Callable[[Any], str]
Test = Callable[[Any], bool]

MAX_PATTERNS = 20  # of 300 letters each, against a path of 2,048: 5 ms


def test_of(filters: Sequence[Filter], facts: Mapping[str, Read]) -> Test:
    """Whether something suits all of the filters; `facts` reads a dimension of it.

    Raises `InvalidInput` for filters by another dimension, by what was done before, or by too many patterns.
    """
    if sum(_patterns(filters)) > MAX_PATTERNS:
        raise InvalidInput(message("at most {limit} patterns filter the people who are here now", limit=MAX_PATTERNS))
    return _every([_test(one, facts) for one in filters])


def _patterns(filters: Sequence[Filter]) -> Iterator[int]:
    for one in filters:
        match one:
            case Match():
                yield len(one.values) if "matches" in one.operator else 0
            case Every() | Either():
                yield from _patterns(one.parts)
            case Not() | HasDone():
                yield from _patterns([one.part])


def _test(one: Filter, facts: Mapping[str, Read]) -> Test:
    match one:
        case Match():
            return _compared(one, facts)
        case Every():
            return _every([_test(part, facts) for part in one.parts])
        case Either():
            parts = [_test(part, facts) for part in one.parts]
            return lambda thing: any(part(thing) for part in parts)
        case Not():
            part = _test(one.part, facts)
            return lambda thing: not part(thing)
        case HasDone():
            raise InvalidInput("what was done before is no filter of the people who are here now")


def _every(parts: Sequence[Test]) -> Test:
    return parts[0] if len(parts) == 1 else lambda thing: all(part(thing) for part in parts)


def _compared(one: Match, facts: Mapping[str, Read]) -> Test:
    if one.dimension not in facts:
        raise InvalidInput(f"the people who are here now cannot be filtered by {one.dimension}: {', '.join(facts)}")
    read, suits, known = facts[one.dimension], _suits(one), dict[str, bool]()

    def test(thing: object) -> bool:
        text = read(thing)
        if text not in known:  # many people have the same
            known[text] = suits(text)
        return known[text]

    return test


def _suits(one: Match) -> Callable[[str], bool]:
    none, is_negative = dimension(one.dimension).none, one.operator.endswith("_not")
    cased: Callable[[str], str] = str if one.exact_case else str.lower
    values = [cased("" if value == none else value) for value in one.values]
    match one.operator.removesuffix("_not"):
        case "is":
            return lambda text: (cased(text) in values) != is_negative
        case "contains":
            return lambda text: any(value in cased(text) for value in values) != is_negative
    patterns = Wildcards(values)
    return lambda text: patterns.match(cased(text)) != is_negative
