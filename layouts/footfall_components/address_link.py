"""A link or a button that changes the address, or leads to a file of its question."""

from __future__ import annotations

from typing import Any

from layouts.footfall_components.own import Id, OwnComponent


class AddressLink(OwnComponent):
    """A link with the whole address, so that it can be opened in a new tab; with `button`, a button.

    - change: the change of the query string that a click makes, like `period=7d&interval=`
    - file: in place of it, the address of a file, to which the query string is added
    - look: its CSS classes
    - label: its name for screen readers, where its text is not enough
    - title: its tooltip
    - name: in `data-key`, for tests
    - button: whether it is a button
    - disabled: whether the button does nothing
    - current: whether it leads to what is on show
    """

    def __init__(
        self,
        children: Any = None,
        id: Id | None = None,  # noqa: A002  # as every component of Dash has it
        change: str | None = None,
        file: str | None = None,
        look: str = "",
        label: str | None = None,
        title: str | None = None,
        name: str | None = None,
        button: bool = False,
        disabled: bool = False,
        current: bool = False,
    ) -> None:
        super().__init__(
            children=children,
            id=id,
            change=change,
            file=file,
            look=look,
            label=label,
            title=title,
            name=name,
            button=button,
            disabled=disabled,
            current=current,
        )
