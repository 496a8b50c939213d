"""The filters of a page, each with a button that changes it and one that removes it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypedDict

from layouts.footfall_components.filter_form import Draft
from layouts.footfall_components.own import Id, OwnComponent


class Chip(TypedDict):
    """A filter in words, and the change of the address without it; `draft` is None where the form cannot write it."""

    about: str
    value: str
    change: str
    draft: Draft | None


class Chips(OwnComponent):
    """A chip for each filter. When one is removed, the focus goes to the next.

    - form: the id of the `FilterForm` in which a filter is changed
    """

    def __init__(
        self,
        id: Id | None = None,  # noqa: A002  # as every component of Dash has it
        form: str = "",
        chips: Sequence[Chip] = (),
    ) -> None:
        super().__init__(
            id=id,
            form=form,
            chips=chips,
        )
