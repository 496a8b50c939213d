"""A bar for each day."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypedDict

from layouts.footfall_components.own import Id, OwnComponent
from layouts.footfall_components.ranking import EmptyState


class DayBar(TypedDict):
    """A day: its tooltip, the height of its bar in percent, and the counts of the bar's parts."""

    day: str
    title: str
    height: float
    parts: Sequence[int]


class DayBars(OwnComponent):
    """Bars of several parts, in CSS: four hundred of them cost next to nothing.

    - said: all of it in a sentence
    - most: the highest count
    - days: the bars; a skeleton is shown while they are None
    - kinds: the CSS class of each part
    - ends: the words below the first, the middle and the last day
    - empty: the words in place of bars
    """

    def __init__(
        self,
        id: Id | None = None,  # noqa: A002  # as every component of Dash has it
        said: str = "",
        most: str = "",
        days: Sequence[DayBar] | None = None,
        kinds: Sequence[str] = (),
        ends: Sequence[str] = (),
        empty: EmptyState | None = None,
    ) -> None:
        super().__init__(
            id=id,
            said=said,
            most=most,
            days=days,
            kinds=kinds,
            ends=ends,
            empty=empty,
        )
