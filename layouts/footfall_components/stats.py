"""The numbers at the top of a page."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NotRequired, TypedDict

from layouts.footfall_components.own import Id, OwnComponent
from layouts.footfall_components.ranking import EmptyState


class Compared(TypedDict):
    """A change: as it is seen (`""` for none) and said, its CSS class, since what, and of when that is (or `""`)."""

    look: str
    seen: str
    said: str
    since: str
    within: str


class Stat(TypedDict):
    """A number. A click makes `change`, which draws it, and `chosen` says whether it is drawn; or it follows `href`."""

    key: str
    label: str
    value: str
    definition: str
    compared: Compared | None
    change: NotRequired[str]
    chosen: NotRequired[bool]
    href: NotRequired[str]


class Stats(OwnComponent):
    """Numbers as buttons, of which one is pressed, or as links.

    - label: the name of the group for screen readers
    - stats: the numbers; a skeleton is shown while they are None
    - empty: the words in place of numbers that would all be zero
    """

    def __init__(
        self,
        id: Id | None = None,  # noqa: A002  # as every component of Dash has it
        label: str = "",
        stats: Sequence[Stat] | None = None,
        empty: EmptyState | None = None,
    ) -> None:
        super().__init__(
            id=id,
            label=label,
            stats=stats,
            empty=empty,
        )
