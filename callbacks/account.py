"""Your account: a new password, and signing out elsewhere."""

from __future__ import annotations

import time

import flask
from dash import Dash
from dash.development.base_component import Component

from analytics import accounts, logins
from analytics.sites import WrongInput
from analytics.tries import Tries
from callbacks import gate, signin
from callbacks.asked import Asked
from callbacks.form import Done, Fields, on_send
from callbacks.guard import authorized_somebody
from collector.service import Service
from layouts import account


def page(asked: Asked) -> Component:
    """The page; its cards in their order."""
    person = authorized_somebody(asked.service)
    since = logins.since(asked.service.database, person, now=int(time.time()))
    return account.page(person.email, [account.password(person.email), account.logins(since)])


def register(app: Dash, service: Service) -> None:
    """Changes the password and ends logins."""
    tries = Tries(signin.BY_PAIR, signin.WINDOW_S)

    def change(_domain: object, fields: Fields) -> Done:
        person = authorized_somebody(service)
        if tries.take(str(person.id), int(time.time())):
            raise WrongInput(signin.WAIT)
        old, new = fields.get("old", ""), fields.get("new", "")
        try:
            logins.change_password(service.database, person, old, new, keep=_own_login(service))
        except accounts.Busy:
            raise WrongInput(signin.BUSY) from None
        tries.clear(str(person.id))
        return Done({"clear": True, "message": "Changed"})

    def sign_out(_domain: object, fields: Fields) -> Done:
        person = authorized_somebody(service)
        everywhere = fields.get("value") == account.EVERYWHERE
        logins.end(service.database, person, keep="" if everywhere else _own_login(service))
        return Done({"go": "/sign-in"} if everywhere else {"message": "Only this browser is signed in now"})

    on_send(app, service, account.PASSWORD, change)
    on_send(app, service, account.SIGN_OUT, sign_out)


def _own_login(service: Service) -> str:
    return gate.login_of(flask.request.headers.get("Cookie", ""), service.config.base_url)
