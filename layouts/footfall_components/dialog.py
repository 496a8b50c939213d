"""A dialog that is open while the address says so."""

from __future__ import annotations

from typing import Any

from layouts.footfall_components.own import Id, OwnComponent


class Dialog(OwnComponent):
    """A modal dialog, open while the address has a value for `name`.

    - label: its name for screen readers
    - look: its CSS classes
    - name: the name in the address
    - closes: the change of the address that closes it
    - asked: the query string for which it is open; written by the component, and not when it closes
    """

    def __init__(
        self,
        children: Any = None,
        id: Id | None = None,  # noqa: A002  # as every component of Dash has it
        label: str = "",
        look: str = "",
        name: str = "",
        closes: str = "",
        asked: str | None = None,
    ) -> None:
        super().__init__(
            children=children,
            id=id,
            label=label,
            look=look,
            name=name,
            closes=closes,
            asked=asked,
        )
