"""The form that adds a filter to the address, and changes one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypedDict

from layouts.footfall_components.own import Id, OwnComponent


class Value(TypedDict):
    """A value as filters have it, and as people read it."""

    value: str
    label: str


class Suggestion(Value):
    """A value with the number of people who have it, "" for nobody in the period."""

    number: str


class Suggestions(TypedDict):
    """The values of the dimension `by` that suit `text`; `whole`: there are no others."""

    by: str
    text: str
    whole: bool
    values: Sequence[Suggestion]


class Draft(TypedDict):
    """A filter in the form: `place` is its number in the address."""

    place: int
    by: str
    how: str
    values: Sequence[Value]


class FilterForm(OwnComponent):
    """A form in a menu. It adds `[operator, dimension, values]` to `filters` in the address.

    Values are chosen from a list of suggestions, by name or by value, or are free text.

    - dimensions: the labels of the dimensions, by name
    - exact: the dimensions whose values are compared as a whole only
    - operators: by name the label with one value, and with several
    - note: what can be written as a value
    - asked: set to `{by, text, search}`, the dimension whose values are wanted, what is typed, and the query string of
      the address without the filter that is changed
    - suggestions: the values of a dimension
    - draft: the filter to change, which opens the menu
    """

    def __init__(
        self,
        id: Id | None = None,  # noqa: A002  # as every component of Dash has it
        dimensions: Mapping[str, str] | None = None,
        exact: Sequence[str] = (),
        operators: Mapping[str, tuple[str, str]] | None = None,
        note: str = "",
        asked: dict[str, str] | None = None,
        suggestions: Suggestions | None = None,
        draft: Draft | None = None,
    ) -> None:
        super().__init__(
            id=id,
            dimensions=dimensions,
            exact=exact,
            operators=operators,
            note=note,
            asked=asked,
            suggestions=suggestions,
            draft=draft,
        )
