"""The filters of a page, each with a button that removes it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypedDict

from layouts.footfall_components.own import Id, OwnComponent


class Chip(TypedDict):
    """A filter in words, and the change of the address without it."""

    about: str
    value: str
    change: str


class Chips(OwnComponent):
    """A chip for each filter. When one is removed, the focus goes to the next."""

    def __init__(
        self,
        id: Id | None = None,  # noqa: A002  # as every component of Dash has it
        chips: Sequence[Chip] = (),
    ) -> None:
        super().__init__(
            id=id,
            chips=chips,
        )
