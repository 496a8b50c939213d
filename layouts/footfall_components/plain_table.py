"""A table of texts."""

from __future__ import annotations

from collections.abc import Sequence

from layouts.footfall_components.own import Id, OwnComponent


class PlainTable(OwnComponent):
    """A table whose first column names the rows; the others are numbers.

    - columns: the headings
    - rows: the cells of each row
    """

    def __init__(
        self,
        id: Id | None = None,  # noqa: A002  # as every component of Dash has it
        columns: Sequence[str] = (),
        rows: Sequence[Sequence[str]] = (),
    ) -> None:
        super().__init__(id=id, columns=columns, rows=rows)
