"""The Overview page before its first answer: a place for each part, which `assets/pages/overview.js` fills.

`data-names` of a part are the names in the address on which it depends, besides period, comparison and filters.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from dash import html
from dash.development.base_component import Component

from analytics.reports.lists import EVENT_PANEL, EVENTS, HOURS, PANELS, ROWS, USAGE
from analytics.sites.site import Site
from layouts.components import states
from layouts.components.address import at
from layouts.components.markup import aria, data
from layouts.overview import notes, segments

DIALOG = "overview-details"


def address(domain: str) -> str:
    """The address below which a site's Overview has its parts and files."""
    return at(f"/overview/{quote(domain, safe='')}")


def page(site: Site, opens: str = "") -> html.Main:
    """The page, which queries nothing. `opens` is the period of an address that names none, "" for the usual one."""
    return html.Main(
        [
            html.Div(html.H1("Overview"), id="toolbar", className="ff-toolbar", **_part("toolbar", "*")),
            html.Section(
                states.skeleton(9), className="ff-card ff-top", **_part("top", "metric interval"), **_named("Numbers")
            ),
            html.Div(
                [
                    *(_card(panel.id, panel.label, panel.id) for panel in PANELS),
                    _card(EVENT_PANEL, EVENTS.label, "property"),
                    _card(HOURS, "Weekday and hour", ""),
                    _card(USAGE, "Daily usage", "", "is-wide"),
                ],
                className="ff-overview",
            ),
            html.Div(
                states.failed("This could not be read", "The server or its database did not answer."),
                id="overview-failed",
                hidden=True,
            ),
            *segments.channels(site.domain),
            *notes.channels(site.domain),
            html.P("", id="overview-said", className="ff-vh", role="status"),
            html.Dialog(
                [
                    html.Div(**_part("details", "details")),
                    html.Div(**_part("rows", "details search sort page")),
                ],
                id=DIALOG,
                className="ff-dialog ff-sheet",
                **aria(label="Details"),
            ),
        ],
        id="overview",
        className="ff-main",
        **data(site=site.domain, address=address(site.domain), opens=opens),
    )


def _card(name: str, label: str, names: str, look: str = "") -> Component:
    return html.Section(
        states.skeleton(ROWS), className=f"ff-card ff-panel {look}".strip(), **_part(name, names), **_named(label)
    )


def _part(name: str, names: str) -> dict[str, Any]:
    return {"data-part": name, "data-names": names}


def _named(label: str) -> dict[str, Any]:
    return {"aria-label": label}
