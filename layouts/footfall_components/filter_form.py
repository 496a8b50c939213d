"""The form that adds a filter to the address."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypedDict

from layouts.footfall_components.own import Id, OwnComponent


class Suggestion(TypedDict):
    """A value as filters have it, as people read it, and how many visitors have it ("" for nobody in the period)."""

    value: str
    label: str
    number: str


class Suggestions(TypedDict):
    """The values of the dimension `by`."""

    by: str
    values: Sequence[Suggestion]


class FilterForm(OwnComponent):
    """A form of three fields, which adds `[operator, dimension, [value]]` to `filters` in the address.

    What is typed is the value, or the label of one that is suggested.

    - dimensions: the labels of the dimensions, by name
    - operators: the labels of the operators, by name
    - note: what can be written as a value
    - asked: set to `{by, search}`, the dimension whose values are wanted and the query string of the address, when the
      reader chooses a dimension or comes to the field
    - suggestions: the values of a dimension
    """

    def __init__(
        self,
        id: Id | None = None,  # noqa: A002  # as every component of Dash has it
        dimensions: Mapping[str, str] | None = None,
        operators: Mapping[str, str] | None = None,
        note: str = "",
        asked: dict[str, str] | None = None,
        suggestions: Suggestions | None = None,
    ) -> None:
        super().__init__(
            id=id, dimensions=dimensions, operators=operators, note=note, asked=asked, suggestions=suggestions
        )
