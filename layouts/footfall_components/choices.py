"""Buttons of which one is pressed."""

from __future__ import annotations

from collections.abc import Sequence

from layouts.footfall_components.own import Id, OwnComponent
from layouts.footfall_components.ranking import ChoiceItem


class Choices(OwnComponent):
    """A group of buttons, each of which changes the address.

    - label: the name of the group for screen readers
    - look: its CSS classes
    - choices: the buttons
    - each: the CSS classes of each button
    """

    def __init__(
        self,
        id: Id | None = None,  # noqa: A002  # as every component of Dash has it
        label: str = "",
        look: str = "ff-seg",
        choices: Sequence[ChoiceItem] = (),
        each: str = "",
    ) -> None:
        super().__init__(
            id=id,
            label=label,
            look=look,
            choices=choices,
            each=each,
        )
