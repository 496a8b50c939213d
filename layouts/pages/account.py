"""The account page: appearance, language, password, and where the person is signed in."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import tzinfo
from functools import cache
from typing import Any

import dash_bootstrap_components as dbc
from dash import html
from dash.development.base_component import Component

from analytics.base import language
from layouts.components import figures, form
from layouts.components.markup import aria, data

LANGUAGE, PASSWORD, SIGN_OUT = "language", "password", "sign-out"
EVERYWHERE = "everywhere"
THEMES = (("system", "System"), ("light", "Light"), ("dark", "Dark"))
SAMPLE = 12_345


def page(email: str, cards: Sequence[Component]) -> html.Main:
    """The page, with the cards in their order."""
    head = html.Div([html.H1("Account"), html.Bdi(email, className="ff-sub")], className="ff-toolbar")
    return html.Main([head, html.Div(list(cards), className="ff-cards ff-narrow")], className="ff-main")


def appearance() -> Component:
    """The card that chooses the theme. `assets/lib/theme.js` stores it in the browser and marks the chosen one."""
    chips = [
        html.Button(label, type="button", className="ff-chip", **aria(pressed="false"), **data(theme=theme))
        for theme, label in THEMES
    ]
    row = html.Div(chips, id="themes", className="ff-chips", role="group", **aria(labelledby="appearance"))
    about = html.P("In this browser. System follows what your device is set to.", className="ff-soft")
    head = html.Header([html.H2("Appearance", id="appearance"), about])
    return html.Section(html.Div([head, row], className="ff-form"), className="ff-card")


def dates_and_numbers(chosen: str, now: int, zone: tzinfo) -> Component:
    """The form that chooses their language; `chosen` is one of `language.LANGUAGES`, or "" for the browser's choice."""
    choices = [(language.BROWSERS, "As the browser asks"), *_languages()]
    written = [figures.day(now, zone), ", ", figures.time_of_day(now, zone), ", ", figures.count(SAMPLE)]
    field = form.select(LANGUAGE, "language", "Language", chosen, choices, hint=["Now: ", *written])
    intro = "How they are written, in every browser that you sign in with. Words stay English."
    return form.card(LANGUAGE, "Dates and numbers", [field], intro=intro)


@cache
def _languages() -> list[tuple[str, str]]:
    """The languages with their own names, sorted by name."""
    return sorted(((tag, language.name(tag)) for tag in language.LANGUAGES), key=lambda choice: choice[1])


def password(email: str) -> Component:
    """The form that changes the password."""
    whose = dbc.Input(name="email", value=email, autocomplete="username", readonly=True)  # for password managers
    fields = [
        html.Div(whose, hidden=True),
        form.text(PASSWORD, "old", "Password now", kind="password", autocomplete="current-password"),
        form.text(
            PASSWORD,
            "new",
            "New password",
            kind="password",
            autocomplete="new-password",
            hint="At least 10 characters.",
        ),
    ]
    return form.card(PASSWORD, "Password", fields, intro="Changing it signs you out in every other browser.")


def logins(since: Sequence[int]) -> Component:
    """Where the person is signed in, and buttons that end it. `since` in epoch seconds, newest first."""
    several = f"In {len(since)} browsers" if len(since) != 1 else "In this browser alone"
    oldest: list[Any] = [", the first since ", figures.day(since[-1])] if len(since) > 1 else []
    words = html.P([several, *oldest, "."], className="ff-soft")
    head = html.Header([html.H2("Where you are signed in"), words])
    others = form.confirm_button("Sign out others", "Every other browser has to sign in again.")
    all_of_them = form.confirm_button("Sign out everywhere", "This browser has to sign in again too.", value=EVERYWHERE)
    buttons = [*([others] if len(since) > 1 else []), all_of_them]
    state = html.Span(className="ff-form-state", role="status")
    inner = form.form(SIGN_OUT, [head, html.Div([*buttons, state], className="ff-form-end")], className="ff-form")
    return html.Section([inner, form.channel(SIGN_OUT)], className="ff-card")
