"""The account page: appearance, language, password, and where the person is signed in."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import tzinfo
from functools import cache
from typing import Any

import dash_bootstrap_components as dbc
from dash import html
from dash.development.base_component import Component

from analytics.base import language, words
from analytics.base.words import N_, _, ngettext
from layouts.components import figures, form
from layouts.components.markup import aria, data, sentence

LANGUAGE, PASSWORD, SIGN_OUT = "language", "password", "sign-out"
EVERYWHERE = "everywhere"
THEMES = (("system", N_("System")), ("light", N_("Light")), ("dark", N_("Dark")))
SAMPLE = 12_345


def page(email: str, cards: Sequence[Component]) -> html.Main:
    """The page, with the cards in their order."""
    head = html.Div([html.H1(_("Account")), html.Bdi(email, className="ff-sub")], className="ff-toolbar")
    return html.Main([head, html.Div(list(cards), className="ff-cards ff-narrow")], className="ff-main")


def appearance() -> Component:
    """The card that chooses the theme. `assets/lib/theme.js` stores it in the browser and marks the chosen one."""
    chips = [
        html.Button(_(label), type="button", className="ff-chip", **aria(pressed="false"), **data(theme=theme))
        for theme, label in THEMES
    ]
    row = html.Div(chips, id="themes", className="ff-chips", role="group", **aria(labelledby="appearance"))
    about = html.P(_("In this browser. System follows what your device is set to."), className="ff-soft")
    head = html.Header([html.H2(_("Appearance"), id="appearance"), about])
    return html.Section(html.Div([head, row], className="ff-form"), className="ff-card")


def language_choice(chosen: str, now: int, zone: tzinfo) -> Component:
    """The form that chooses the language of words, dates and numbers.

    `chosen` is one of `language.LANGUAGES`, or "" for the browser's choice.
    """
    choices = [
        (language.BROWSERS, _("As the browser asks")),
        *((tag, _choice(tag, name)) for tag, name in _languages()),
    ]
    written = [figures.day(now, zone), ", ", figures.time_of_day(now, zone), ", ", figures.count(SAMPLE)]
    hint = sentence(_("Now: {sample}"), sample=written)
    field = form.select(LANGUAGE, "language", _("Language"), chosen, choices, hint=hint)
    intro = _("Of words, dates and numbers, in every browser that you sign in with.")
    return form.card(LANGUAGE, _("Language"), [field], intro=intro)


def _choice(tag: str, name: str) -> str:
    """The language's own name, and whether it has only dates and numbers."""
    has_words = tag.startswith(words.ENGLISH) or words.spoken(tag) != words.ENGLISH
    return name if has_words else _("{language}, with English words", language=name)


@cache
def _languages() -> list[tuple[str, str]]:
    """The languages with their own names, sorted by name."""
    return sorted(((tag, language.name(tag)) for tag in language.LANGUAGES), key=lambda choice: choice[1])


def password(email: str) -> Component:
    """The form that changes the password."""
    whose = dbc.Input(name="email", value=email, autocomplete="username", readonly=True)  # for password managers
    fields = [
        html.Div(whose, hidden=True),
        form.text(PASSWORD, "old", _("Password now"), kind="password", autocomplete="current-password"),
        form.text(
            PASSWORD,
            "new",
            _("New password"),
            kind="password",
            autocomplete="new-password",
            hint=_("At least 10 characters."),
        ),
    ]
    return form.card(PASSWORD, _("Password"), fields, intro=_("Changing it signs you out in every other browser."))


def logins(since: Sequence[int]) -> Component:
    """Where the person is signed in, and buttons that end it. `since` in epoch seconds, newest first."""
    number = len(since)
    where: list[Any] = [_("In this browser alone.")]
    if number > 1:
        counted = ngettext("In {n} browser, since {day}.", "In {n} browsers, the first since {day}.", number)
        where = sentence(counted, n=figures.count(number), day=figures.day(since[-1]))
    head = html.Header([html.H2(_("Where you are signed in")), html.P(where, className="ff-soft")])
    others = form.confirm_button(_("Sign out others"), _("Every other browser has to sign in again."))
    all_of_them = form.confirm_button(
        _("Sign out everywhere"), _("This browser has to sign in again too."), value=EVERYWHERE
    )
    buttons = [*([others] if number > 1 else []), all_of_them]
    state = html.Span(className="ff-form-state", role="status")
    inner = form.form(SIGN_OUT, [head, html.Div([*buttons, state], className="ff-form-end")], className="ff-form")
    return html.Section([inner, form.connection(SIGN_OUT)], className="ff-card")
