"""A menu of periods."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NotRequired, TypedDict

from layouts.footfall_components.own import Id, OwnComponent


class PeriodChoice(TypedDict):
    """A period, the dates that it covers, and the change of the address to it.

    `said` is its name where `label` is only a part of it; `twin` is a period like it, which stands next to it.
    """

    label: str
    change: str
    chosen: bool
    covers: NotRequired[str]
    said: NotRequired[str]
    twin: NotRequired[PeriodChoice]


class Periods(TypedDict):
    """The button's text (`rest` only where there is room) and name, the choices, and the dates in the form's fields."""

    label: str
    rest: str
    said: str
    choices: Sequence[PeriodChoice]
    first: str
    last: str


class PeriodMenu(OwnComponent):
    """A menu with periods, and a form for dates of one's own, which writes `name=FIRST,LAST` into the address.

    - name: the name in the address
    - verb: the text of the form's button
    - clears: names that the form removes from the address
    - look: the CSS classes of the button
    - shown: what it shows; nothing while that is None
    """

    def __init__(
        self,
        id: Id | None = None,  # noqa: A002  # as every component of Dash has it
        name: str = "",
        verb: str = "",
        clears: Sequence[str] = (),
        look: str = "ff-btn",
        shown: Periods | None = None,
    ) -> None:
        super().__init__(
            id=id,
            name=name,
            verb=verb,
            clears=clears,
            look=look,
            shown=shown,
        )
