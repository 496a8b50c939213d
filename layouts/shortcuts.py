"""The keyboard shortcuts: the one list of them, and the sheet that shows it; assets/lib/keys.js listens to the keys."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, NamedTuple

import dash_bootstrap_components as dbc
from dash import html
from dash.development.base_component import Component

from analytics.base.words import N_, _
from layouts.components.markup import aria, data, sentence

SHEET = "shortcuts"


class Shortcut(NamedTuple):
    """Keys that click the element at `target`, a CSS selector; the sheet leaves out keys without an element.

    `keys` has each way to type it: "g l" is g, then l. Letters are lower case, without modifier keys.
    """

    keys: tuple[str, ...]
    label: str
    target: str


GO_TO = (
    Shortcut(("g l",), N_("Live"), '#tabs [data-tab="Live"]'),
    Shortcut(("g o",), N_("Overview"), '#tabs [data-tab="Overview"]'),
    Shortcut(("g c",), N_("Concurrents"), '#tabs [data-tab="Concurrents"]'),
    Shortcut(("g t",), N_("Traffic"), '#tabs [data-tab="Traffic"]'),
    Shortcut(("g s",), N_("Settings"), '#tabs [data-tab="Settings"]'),
    Shortcut(("g a",), N_("All sites"), '.ff-header a[href$="/sites"]'),
    Shortcut(("s", "/"), N_("Another site"), "#sites-words, .ff-shell:not(:has(#sites)) #site-menu button"),
)
HERE = (
    Shortcut(("r",), N_("Refresh"), "#refresh, #sites-refresh"),
    Shortcut(("p",), N_("Pause activity"), "#feed-pause"),
    Shortcut(("f",), N_("Full screen"), "#wall"),
    Shortcut(("t",), N_("Light or dark"), "#theme"),
    Shortcut(("?",), N_("This sheet"), f".ff-foot [data-opens={SHEET}]"),
)


def pressed() -> str:
    """Each way to type a shortcut with what it presses, as JSON, for `data-shortcuts`."""
    return json.dumps([[keys, one.target] for one in (*GO_TO, *HERE) for keys in one.keys])


def sheet() -> dbc.Modal:
    """The dialog with the list, closed; `data-opens` on a button opens it. Its switch turns all of them off."""
    title = html.H2(_("Keyboard shortcuts"), id=f"{SHEET}-title")
    lists = dbc.ModalBody([_group(_("Go to"), GO_TO), _group(_("On this page"), HERE)], class_name="ff-keys")
    switch = dbc.Switch(id=f"{SHEET}-on", label=_("Shortcuts on"), value=True)
    note = html.Span(_("kept in this browser"), className="ff-window")
    return dbc.Modal(
        [dbc.ModalHeader(title), lists, dbc.ModalFooter([switch, note])],
        id=SHEET,
        size="lg",
        centered=True,
        fade=False,
        labelledby=f"{SHEET}-title",
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
    typed = _way(shortcut.keys[0])
    for way in shortcut.keys[1:]:
        typed = sentence(_("{one} or {other}"), one=typed, other=_way(way))
    return html.Div(
        [html.Dt(_(shortcut.label)), html.Dd(typed)],
        **data(keys=",".join(shortcut.keys), press=shortcut.target),
    )


def _way(keys: str) -> list[Any]:
    """The keys of a sequence."""
    first, *later = [key(sign) for sign in keys.split()]
    typed = [first]
    for one in later:
        typed = sentence(_("{first} then {next}"), first=typed, next=one)
    return typed
