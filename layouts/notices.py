"""The bell of every page, the panel of notifications that it opens, and the page of all of them."""

from __future__ import annotations

from typing import NamedTuple

import dash_bootstrap_components as dbc
from dash import html
from dash.development.base_component import Component

from analytics.base.words import _
from layouts.components.address import at
from layouts.footfall_components.notices import Bell, NoticeList

BELL, CENTRE = "bell", "centre"
ALL = "/notifications"
STREAM = "/api/notifications/stream?"


class BellState(NamedTuple):
    """How many notifications are unread, counted up to 10, and the id of the newest that can be among them."""

    unread: int = 0
    last_id: int = 0


NOTHING_NEW = BellState()


def bell(state: BellState) -> Component:
    """The bell; what comes after `state` comes by the stream."""
    last_id = str(state.last_id)
    return Bell(id=BELL, stream=at(STREAM), unread=state.unread, last_id=last_id, controls=CENTRE, base_path=at(""))


def centre() -> Component:
    """The panel, closed."""
    inner = NoticeList(id="notices", all_at=at(ALL))
    panel: Component = dbc.Offcanvas(inner, id=CENTRE, title=_("Notifications"), placement="end", scrollable=True)
    return panel


def page() -> Component:
    """All of them, as far back as they are kept."""
    head = html.Div(html.H1(_("Notifications")), className="ff-toolbar")
    return html.Main(
        [head, html.Section(NoticeList(id="all-notices", whole=True), className="ff-card")], className="ff-main"
    )
