"""The frame of a site's settings: the list of sections next to the cards of one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from dash import html
from dash.development.base_component import Component

from analytics.base.idn import to_letters
from analytics.base.words import _
from analytics.sites.site import Site
from layouts.components.markup import aria
from layouts.shell import Link


def frame(site: Site, sections: Sequence[Link], cards: Sequence[Component]) -> html.Main:
    """The page of one section. `sections` are those that this person may open; the current one is marked."""
    head = html.Div(
        [html.H1(_("Settings")), html.Bdi(to_letters(site.domain), className="ff-sub")], className="ff-toolbar"
    )
    side = html.Nav([_section(link) for link in sections], className="ff-side", **aria(label=_("Settings")))
    body = html.Div([side, html.Div(list(cards), className="ff-cards")], className="ff-settings")
    return html.Main([head, body], className="ff-main")


def _section(link: Link) -> html.A:
    marked: dict[str, Any] = {"aria-current": "page"} if link.is_current else {}
    return html.A(link.label, href=link.href, **marked)
