"""The keyboard shortcuts: the one list of them, and the sheet that shows it. assets/lib/keys.js reads the sheet."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from dash import html
from dash.development.base_component import Component

from layouts.components.markup import aria, data, icon

SHEET = "shortcuts"


class Shortcut(NamedTuple):
    """Keys that click the element at `target`, a CSS selector; the sheet leaves out keys without an element.

    `keys` has each way to type it: "g l" is g, then l. Letters are lower case, without modifier keys.
    """

    keys: tuple[str, ...]
    label: str
    target: str


GO_TO = (
    Shortcut(("g l",), "Live", '#tabs [data-tab="Live"]'),
    Shortcut(("g o",), "Overview", '#tabs [data-tab="Overview"]'),
    Shortcut(("g t",), "Traffic", '#tabs [data-tab="Traffic"]'),
    Shortcut(("g s",), "Settings", '#tabs [data-tab="Settings"]'),
    Shortcut(("g a",), "All sites", '.ff-header a[href$="/sites"]'),
    Shortcut(("s", "/"), "Another site", "#sites-words, .ff-shell:not(:has(#sites)) #site-menu summary"),
)
HERE = (
    Shortcut(("r",), "Refresh", "#refresh, #sites-refresh"),
    Shortcut(("p",), "Pause activity", "#feed-pause"),
    Shortcut(("f",), "Full screen", "#wall"),
    Shortcut(("t",), "Light or dark", "#theme"),
    Shortcut(("?",), "This sheet", f".ff-foot [data-opens={SHEET}]"),
)


def sheet() -> html.Dialog:
    """The dialog with the list, closed; `data-opens` on a button opens it. Its switch turns all of them off."""
    close = html.Button(icon("x"), type="button", className="ff-icon", **aria(label="Close"), **data(closes=SHEET))
    head = html.Header([html.H2("Keyboard shortcuts", id=f"{SHEET}-title"), close], className="ff-card-head")
    lists = html.Div([_group("Go to", GO_TO), _group("On this page", HERE)], className="ff-keys")
    switch = html.Button(
        [html.I(**aria(hidden="true")), html.Span("Shortcuts on")],
        id=f"{SHEET}-on",
        type="button",
        role="switch",
        className="ff-switch",
        **aria(checked="true"),
    )
    note = html.Span("kept in this browser", className="ff-window")
    return html.Dialog(
        [head, lists, html.Footer([switch, note])],
        id=SHEET,
        className="ff-dialog ff-sheet",
        **aria(labelledby=f"{SHEET}-title", modal="true"),
    )


def opener(label: Sequence[Any]) -> html.Button:
    """A button that opens the sheet."""
    return html.Button(list(label), type="button", **aria(haspopup="dialog"), **data(opens=SHEET))


def key(sign: str) -> html.Kbd:
    """One key, as it is printed on the keyboard."""
    return html.Kbd(sign.upper(), className="ff-kbd")


def _group(title: str, shortcuts: Sequence[Shortcut]) -> Component:
    return html.Section([html.H3(title), html.Dl([_row(shortcut) for shortcut in shortcuts])])


def _row(shortcut: Shortcut) -> Component:
    typed: list[Any] = []
    for way in shortcut.keys:
        typed += [" or "] if typed else []
        typed += [part for sign in way.split() for part in (" then ", key(sign))][1:]
    return html.Div(
        [html.Dt(shortcut.label), html.Dd(typed)],
        **data(keys=",".join(shortcut.keys), press=shortcut.target),
    )
