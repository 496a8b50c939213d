"""The account page: the language, quiet hours, a new password, and signing out elsewhere."""

from __future__ import annotations

import time
from datetime import UTC

import flask
from dash import Dash
from dash.development.base_component import Component

from analytics.access import logins, members, passwords
from analytics.base.errors import InvalidInput
from analytics.base.rate_limit import RateLimit
from analytics.base.words import _
from callbacks.forms import Fields, FormResult, on_send
from callbacks.gate import gate, signin
from callbacks.gate.guard import authorized_account
from callbacks.page_context import PageContext
from callbacks.pages import quiet_hours
from collector.service import Service
from layouts.components.address import at
from layouts.pages import account


def page(context: PageContext) -> Component:
    """The page; its cards in their order."""
    person = authorized_account()
    now = int(time.time())
    since = logins.since(context.service.database, person, now=now)
    cards = [
        account.appearance(),
        account.language_choice(person.language, now, UTC),
        *quiet_hours.cards(context.service, person),
        account.password(person.email),
        account.logins(since),
    ]
    return account.page(person.email, cards)


def register(app: Dash, service: Service) -> None:
    """Chooses the language and quiet hours, changes the password and ends logins."""
    quiet_hours.register(app, service)
    tries = RateLimit(signin.BY_PAIR, signin.WINDOW_S)

    def choose(_domain: object, fields: Fields) -> FormResult:
        person = authorized_account()
        members.set_language(service.database, person, fields.get("language", ""))
        return FormResult({"go": at("/account")})

    def change(_domain: object, fields: Fields) -> FormResult:
        person = authorized_account()
        if tries.take(str(person.id), int(time.time())):
            raise InvalidInput(signin.WAIT)
        old, new = fields.get("old", ""), fields.get("new", "")
        try:
            logins.change_password(service.database, person, old, new, keep=_own_login(service))
        except passwords.Busy:
            raise InvalidInput(signin.BUSY) from None
        tries.clear(str(person.id))
        return FormResult({"clear": True, "message": _("Changed")})

    def sign_out(_domain: object, fields: Fields) -> FormResult:
        person = authorized_account()
        everywhere = fields.get("value") == account.EVERYWHERE
        logins.end(service.database, person, keep="" if everywhere else _own_login(service))
        return FormResult(
            {"go": at("/sign-in")} if everywhere else {"message": _("Only this browser is signed in now")}
        )

    on_send(app, account.LANGUAGE, choose)
    on_send(app, account.PASSWORD, change)
    on_send(app, account.SIGN_OUT, sign_out)


def _own_login(service: Service) -> str:
    return gate.login_of(flask.request.headers.get("Cookie", ""), service.config.base_url)
