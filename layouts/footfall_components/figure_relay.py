"""What passes the figure of a callback on to a graph; its function is in assets/components/part.js."""

from __future__ import annotations

from typing import Any

from layouts.footfall_components.own import Id, OwnComponent


class FigureRelay(OwnComponent):
    """Sets the figure of a graph, and shows nothing itself.

    - id: its id in callbacks
    - graph: the id of a `dcc.Graph`
    - figure: the figure of that graph. A callback with the graph itself as its Output would wait for plotly.js with all
      that it answers, and one in the browser behind a `dcc.Store` costs three times as many steps of Dash
    """

    def __init__(
        self,
        id: Id | None = None,  # noqa: A002  # as every component of Dash has it
        graph: str = "",
        figure: dict[str, Any] | None = None,
    ) -> None:
        super().__init__(id=id, graph=graph, figure=figure)
