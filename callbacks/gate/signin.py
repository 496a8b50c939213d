"""Signing in and out: the page, and who may try how often."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable
from typing import NamedTuple

import flask
from flask import Response
from flask.typing import ResponseReturnValue

from analytics.access import accounts, logins, passwords
from analytics.base.address_prefix import address_prefix
from analytics.base.errors import InvalidInput
from analytics.base.program import line
from analytics.base.rate_limit import RateLimit
from analytics.storage.database import Database
from callbacks.gate import gate
from layouts import plain
from layouts.components.address import at

WINDOW_S = 300
BY_PAIR, BY_ACCOUNT, BY_ADDRESS = (
    10,
    30,
    100,
)  # tries in a window: of an address on an account, and of each alone
MAX_KNOWN_LOGINS = 10_000

WRONG = "That e-mail and password do not belong together."
WAIT = "Too many tries. Wait a few minutes, then try again."
BUSY = "Many people are signing in at this moment. Try again in a few seconds."

Client = Callable[[], str]


def peer() -> str:
    """The address at the other end of the connection."""
    return flask.request.remote_addr or ""


def register(
    server: flask.Flask,
    database: Database,
    *,
    version: str,
    base_url: str = "",
    client: Client = peer,
    clock: gate.Clock = gate.epoch,
) -> None:
    """Adds `/sign-in` and `/sign-out`. `client` tells the address of who asks, past the proxies that are trusted."""
    pages = _Pages(database, version, base_url, client, clock, Doorman())
    server.add_url_rule("/sign-in", "sign_in_page", pages.show, methods=["GET"])
    server.add_url_rule("/sign-in", "sign_in", pages.sign_in, methods=["POST"])
    server.add_url_rule("/sign-out", "sign_out", pages.sign_out, methods=["POST"])


def enter(database: Database, token: str, path: str, base_url: str) -> Response:
    """Leads to `path`, as a browser asks for it, with the new login in the cookie; the one that it brought ends."""
    _end_login(database, base_url)
    response = flask.make_response(flask.redirect(path))
    gate.give_cookie(response, token, base_url)
    return response


def _end_login(database: Database, base_url: str) -> None:
    if token := gate.login_of(flask.request.headers.get("Cookie", ""), base_url):
        logins.sign_out(database, token)


class _Pages(NamedTuple):
    database: Database
    version: str
    base_url: str
    client: Client
    clock: gate.Clock
    doorman: Doorman

    def show(self) -> ResponseReturnValue:
        """The form; somebody who is signed in has no use for it."""
        cookies = flask.request.headers.get("Cookie", "")
        if gate.person_of(cookies, self.database, self.clock(), base_url=self.base_url):
            return flask.redirect(gate.local_path(flask.request.args.get("next", "/"), self.base_url))
        return self._page(200)

    def sign_in(self) -> ResponseReturnValue:
        """The way in, or the form again with the reason."""
        given = flask.request.form
        email, now = given.get("email", ""), self.clock()
        mark = accounts.password_mark(self.database, email)
        visit = self.doorman.visit(self.client(), email, mark)
        if wait_s := self.doorman.wait(visit, now):
            return self._page(429, WAIT, wait_s)
        try:
            token = logins.sign_in(self.database, email, given.get("password", ""), now=now)
        except passwords.Busy:
            self.doorman.give_back(visit)
            return self._page(503, BUSY, 2)
        if token is None:
            return self._page(401, WRONG)
        self.doorman.welcome(visit)
        return enter(self.database, token, gate.local_path(given.get("next", "/"), self.base_url), self.base_url)

    def sign_out(self) -> ResponseReturnValue:
        """Ends the login, here and in the browser; a stranger may ask too."""
        _end_login(self.database, self.base_url)
        response = flask.make_response(flask.redirect(at("/sign-in")))
        gate.take_cookie(response, self.base_url)
        return response

    def _page(self, status: int, message: str = "", wait_s: int = 0) -> Response:
        given = flask.request.values
        shown = plain.render(
            "sign_in",
            host=gate.shown_host(self.base_url),
            version=self.version,
            message=message,
            email=given.get("email", ""),
            next=gate.local_path(given.get("next", "/"), self.base_url),
            has_people=accounts.has_people(self.database),
            setup_link=line("setup-link"),
            user_reset=line("user reset EMAIL"),
        )
        response = flask.make_response(shown, status)
        if wait_s:
            response.headers["Retry-After"] = str(wait_s)
        return response


class Visit(NamedTuple):
    """One try to sign in, as the doorman knows it: hashes of who tries what."""

    pair: str
    account: str
    address: str
    friend: str


class Doorman:
    """Slows down guessing. It counts tries in memory, under hashes that mean nothing outside this process.

    A new password starts new counts, so that a reset always helps. Where somebody got in before, only the
    count of that address on that account holds, so that guessing from elsewhere does not lock the owner out.
    """

    def __init__(self) -> None:
        self._salt = secrets.token_bytes(16)
        self._pairs = RateLimit(BY_PAIR, WINDOW_S)
        self._accounts = RateLimit(BY_ACCOUNT, WINDOW_S)
        self._addresses = RateLimit(BY_ADDRESS, WINDOW_S)
        self._friends: dict[str, None] = {}

    def visit(self, address: str, email: str, mark: str) -> Visit:
        """Who tries what. `mark` changes with the account's password."""
        who, account = address_prefix(address), _account(email)
        return Visit(
            pair=self._hash("pair", who, account, mark),
            account=self._hash("account", account, mark),
            address=self._hash("address", who),
            friend=self._hash("friend", who, account),
        )

    def wait(self, visit: Visit, now: int) -> int:
        """0: try, and it counts; else the seconds until the next try is free."""
        wait_s = self._pairs.take(visit.pair, now)
        if wait_s or visit.friend in self._friends:
            return wait_s
        return max(self._accounts.take(visit.account, now), self._addresses.take(visit.address, now))

    def give_back(self, visit: Visit) -> None:
        """The try was none."""
        self._pairs.give_back(visit.pair)
        if visit.friend not in self._friends:
            self._accounts.give_back(visit.account)
            self._addresses.give_back(visit.address)

    def welcome(self, visit: Visit) -> None:
        """The password was right."""
        self.give_back(visit)
        self._pairs.clear(visit.pair)
        if len(self._friends) >= MAX_KNOWN_LOGINS:
            self._friends.clear()
        self._friends[visit.friend] = None

    def _hash(self, *parts: str) -> str:
        text = "\0".join(parts).encode("utf-8", "surrogatepass")
        return hashlib.blake2b(text, key=self._salt, digest_size=16).hexdigest()


def _account(email: str) -> str:
    try:
        return accounts.normal_email(email)
    except InvalidInput:
        return email[: accounts.MAX_EMAIL]
