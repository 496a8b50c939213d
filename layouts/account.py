"""Your account: the password, and where you are signed in."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

from dash import dcc, html
from dash.development.base_component import Component

from layouts.components import form

PASSWORD, SIGN_OUT = "password", "sign-out"
EVERYWHERE = "everywhere"


def page(email: str, cards: Sequence[Component]) -> html.Main:
    """The page, with the cards in their order."""
    head = html.Div([html.H1("Account"), html.Bdi(email, className="ff-sub")], className="ff-toolbar")
    return html.Main([head, html.Div(list(cards), className="ff-cards ff-narrow")], className="ff-main")


def password(email: str) -> Component:
    """The form that changes the password."""
    whose = dcc.Input(name="email", value=email, autoComplete="username", readOnly=True)  # for password managers
    fields = [
        html.Div(whose, hidden=True),
        form.text(PASSWORD, "old", "Password now", kind="password", autoComplete="current-password"),
        form.text(
            PASSWORD,
            "new",
            "New password",
            kind="password",
            autoComplete="new-password",
            hint="At least 10 characters.",
        ),
    ]
    return form.card(PASSWORD, "Password", fields, intro="Changing it signs you out in every other browser.")


def logins(since: Sequence[int]) -> Component:
    """Where somebody is signed in, and the ways to end it. `since` as epoch seconds, newest first."""
    several = f"In {len(since)} browsers" if len(since) != 1 else "In this browser alone"
    oldest = f", the first since {_day(since[-1])}." if len(since) > 1 else "."
    head = html.Header([html.H2("Where you are signed in"), html.P(several + oldest, className="ff-soft")])
    others = form.asking_button("Sign out others", "Every other browser has to sign in again.")
    all_of_them = form.asking_button("Sign out everywhere", "This browser has to sign in again too.", value=EVERYWHERE)
    buttons = [*([others] if len(since) > 1 else []), all_of_them]
    state = html.Span(className="ff-form-state", role="status")
    inner = form.form(SIGN_OUT, [head, html.Div([*buttons, state], className="ff-form-end")], className="ff-form")
    return html.Section([inner, form.channel(SIGN_OUT)], className="ff-card")


def _day(at: int) -> str:
    moment = datetime.fromtimestamp(at, UTC)
    return f"{moment.day} {moment:%b %Y}"
