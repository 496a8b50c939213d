"""The form that adds a filter to the address."""

from __future__ import annotations

from collections.abc import Mapping

from layouts.footfall_components.own import Id, OwnComponent


class FilterForm(OwnComponent):
    """A form of three fields, which adds `[operator, dimension, [value]]` to `filters` in the address.

    - dimensions: the labels of the dimensions, by name
    - operators: the labels of the operators, by name
    - note: what can be written as a value
    """

    def __init__(
        self,
        id: Id | None = None,  # noqa: A002  # as every component of Dash has it
        dimensions: Mapping[str, str] = {},
        operators: Mapping[str, str] = {},
        note: str = "",
    ) -> None:
        super().__init__(
            id=id,
            dimensions=dimensions,
            operators=operators,
            note=note,
        )
