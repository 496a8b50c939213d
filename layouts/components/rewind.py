"""The rewind bar below the Live page's number and map; assets/pages/rewind.js moves it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dash import html

from analytics.base.words import _
from layouts.components.markup import aria, data, icon

TICK_MS, COUNTING_MS = 60_000, 1_000
STEP = 5  # minutes per point of the line


def bar() -> html.Div:
    """The bar in its live state. `data-at` is the second (epoch) that the page shows, empty while it is live."""
    live = html.Button(
        [html.Span(className="ff-pulse", **aria(hidden="true")), html.Span(_("Live"))],
        id="rewind-live",
        type="button",
        className="ff-chip",
        **aria(pressed="true"),
    )
    play, speed = _button("play", icon("play"), _("Play")), _button("speed", "10×", _("Speed: {n} times", n=10))
    at = html.P([html.B("–", id="rewind-at"), html.Span(_("drag to rewind"), id="rewind-ago")], className="ff-at")
    return html.Div(
        [
            live,
            html.Div(
                [play, speed],
                id="rewind-controls",
                className="ff-rewind-controls",
                hidden=True,
                disable_n_clicks=True,
            ),
            html.Div(id="rewind-track", className="ff-rewind-track", disable_n_clicks=True, **data(line="")),
            at,
        ],
        id="rewind",
        className="ff-rewind",
        role="group",
        disable_n_clicks=True,
        **aria(label=_("Rewind")),
        **data(at=""),
    )


def _button(name: str, inner: Any, label: str) -> html.Button:
    return html.Button(inner, id=f"rewind-{name}", type="button", className="ff-btn", **aria(label=label))


def line(people: Sequence[int]) -> list[int]:
    """The line behind the slider: the most people in each five minutes, -1 where none is known."""
    return [max(people[nth : nth + STEP]) for nth in range(0, len(people), STEP)]
