"""A name in the address that is always there."""

from __future__ import annotations

from layouts.footfall_components.own import Id, OwnComponent


class AddressDefault(OwnComponent):
    """Gives an address without `name` that name with `value`, without an entry in the history."""

    def __init__(
        self,
        id: Id | None = None,  # noqa: A002  # as every component of Dash has it
        name: str = "",
        value: str = "",
    ) -> None:
        super().__init__(
            id=id,
            name=name,
            value=value,
        )
