"""The activity card. Dash draws its frame; assets/pages/feed.js alone writes its rows."""

from __future__ import annotations

from dash import html
from dash.development.base_component import Component

from layouts.components import states
from layouts.components.markup import aria, data, icon

CHIPS = (("all", "All"), ("pageview", "Pageviews"), ("event", "Events"), ("signed-in", "Signed in"))


def card() -> html.Section:
    """Heading, pause, filter chips, and the empty list."""
    empty = states.nothing("Nothing here yet", "Pageviews and events appear as they come in.")
    rows = html.Ol(id="feed", tabIndex=0, **aria(live="off", label="Activity, newest first"))
    return html.Section(
        [_head(), _chips(), html.Div(empty, id="feed-empty"), rows],
        className="ff-card ff-feed",
        **aria(labelledby="feed-title"),
    )


def _head() -> Component:
    waiting = html.Button(id="feed-waiting", type="button", className="ff-badge is-ok", hidden=True)
    pause = html.Button(
        [icon("pause"), "Pause"],
        id="feed-pause",
        type="button",
        className="ff-btn ff-btn-plain",
        **aria(pressed="false"),
    )
    title = html.H2("Activity", id="feed-title")
    return html.Header([title, waiting, html.Span(pause, className="ff-end")], className="ff-card-head")


def _chips() -> Component:
    chips = [
        html.Button(
            label,
            type="button",
            className="ff-chip",
            **aria(pressed="true" if show == "all" else "false"),
            **data(show=show),
        )
        for show, label in CHIPS
    ]
    return html.Div(chips, id="feed-chips", className="ff-chips", role="group", **aria(label="Show"))
