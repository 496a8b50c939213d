"""A part of a page that answers the address."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from layouts.footfall_components.own import Id, OwnComponent


class Part(OwnComponent):
    """A frame around what a callback draws from the query string of the address (`dcc.Location`).

    It is busy from a change of its question until the answer, and says so when there is none. Its button, and the
    network's return, write to the store `again`, which the callback has as an Input. `running` of the callback is not
    needed, and would cost Dash more than the answer.

    - name: in `data-part`, for scripts and tests
    - label: what it shows, for screen readers and for the text of a failure
    - look: its CSS classes
    - names: the names in the address on which it depends
    - only: the name in the address without which it waits for nothing
    - answered: the query string that is answered; the callback sets it with every answer. Where it begins with `!`, the
      part could not be read; each such text is another
    - again: the id of a `dcc.Store`
    - graph: the id of a `dcc.Graph` within
    - figure: the figure of that graph, as in a `FigureRelay`
    """

    def __init__(
        self,
        children: Any = None,
        id: Id | None = None,  # noqa: A002  # as every component of Dash has it
        name: str = "",
        label: str | None = None,
        look: str = "",
        names: Sequence[str] = (),
        only: str | None = None,
        answered: str | None = None,
        again: str = "",
        graph: str | None = None,
        figure: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(
            children=children,
            id=id,
            name=name,
            label=label,
            look=look,
            names=names,
            only=only,
            answered=answered,
            again=again,
            graph=graph,
            figure=figure,
        )
