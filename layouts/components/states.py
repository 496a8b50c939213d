"""Frames without content: loading, failed, empty, missing."""

from __future__ import annotations

from typing import Any

import dash_bootstrap_components as dbc
from dash import html
from dash.development.base_component import Component

from analytics.base.words import N_, _
from layouts.components.address import at
from layouts.components.markup import aria, icon

NOT_FOUND, NOT_ALLOWED = N_("Page not found"), N_("Not for your role")
SKELETON_WIDTHS = (92, 74, 81, 58, 66, 40, 70, 52, 63, 35)


def skeleton(rows: int) -> html.Div:
    """As many grey lines as the frame will have rows, each a row high."""
    widths = (SKELETON_WIDTHS[row % len(SKELETON_WIDTHS)] for row in range(rows))
    lines = [html.Span(className="ff-skel", style={"width": f"{width}%"}) for width in widths]
    return html.Div([html.Span(_("Loading"), className="ff-vh"), *lines], className="ff-skels", **aria(busy="true"))


def nothing(title: str, hint: str, sign: str = "mouse") -> html.Div:
    """An empty frame: what is missing, and what will fill it."""
    return html.Div([icon(sign), html.B(title), html.P(hint)], className="ff-void")


def failed(title: str, message: str, *, again: bool = True) -> html.Div:
    """A frame whose content failed. `again` adds the button `.ff-retry`, which requests it again."""
    retry = (
        [html.Button([icon("refresh"), _("Try again")], type="button", className="ff-btn ff-retry")] if again else []
    )
    inner = [icon("alert"), html.B(title), html.P(message), *retry]
    return html.Div(inner, className="ff-void is-failed", role="alert")


def warning(inner: Any) -> Component:
    """A warning, which screen readers announce when it appears."""
    content = [icon("alert"), html.Span(inner)]
    alert: Component = dbc.Alert(content, color="warning", fade=False, class_name="ff-alert is-warn")
    return alert


def no_sites(may_add: bool) -> html.Main:
    """The page of a person who sees no site: a link for those who may add one, else whom to ask."""
    if not may_add:
        words = html.P(_("No site is open to you yet. Ask an owner for an invitation to one."))
        return _whole_page("globe", _("No site yet"), [words])
    add = html.A([icon("plus"), _("Add site")], href=at("/sites/add"), className="ff-btn ff-btn-primary")
    words = html.P(_("Add the first one, and paste one line into its pages."))
    return _whole_page("globe", _("No site yet"), [words, add])


def not_found() -> html.Main:
    """The page for an unknown address."""
    words = html.P(_("Nothing lives at this address, or it is not yours to see."))
    home = html.A(_("Go to the first page"), href=at("/"), className="ff-btn ff-btn-primary")
    return _whole_page("file", _(NOT_FOUND), [words, home])


def not_loaded() -> html.Main:
    """The page for a page that does not come; `assets/lib/shell.js` finds that out."""
    words = html.P(_("The server did not answer, or its database did not. What it has stored is safe."))
    again = html.Button([icon("refresh"), _("Try again")], type="button", className="ff-btn ff-btn-primary ff-reload")
    return _whole_page("alert", _("Page not loaded"), [html.Div(words, role="alert"), again], id="failed")


def not_allowed(message: str) -> html.Main:
    """The page for a person whose role is too low."""
    home = html.A(_("Go to the first page"), href=at("/"), className="ff-btn ff-btn-primary")
    return _whole_page("lock", _(NOT_ALLOWED), [html.P(message), home])


def _whole_page(sign: str, title: str, rest: list[Any], **named: Any) -> html.Main:
    inner = html.Section([icon(sign), html.H1(title), *rest], className="ff-void")
    return html.Main(inner, className="ff-main", **named)
