"""Signing in and out: the page, and the limits of attempts."""

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
from analytics.base.errors import InvalidInput, message
from analytics.base.program import line
from analytics.base.rate_limit import RateLimit
from analytics.base.words import translated
from analytics.storage.database import Database
from callbacks.gate import gate
from layouts import plain
from layouts.components.address import at

WINDOW_S = 300
BY_PAIR, BY_ACCOUNT, BY_ADDRESS = (
    10,
    30,
    100,
)  # attempts in a window: of an address on an account, on an account, of an address
MAX_KNOWN_LOGINS = 10_000

WRONG = message("That e-mail and password do not belong together.")
WAIT = message("Too many tries. Wait a few minutes, then try again.")
BUSY = message("Many people are signing in at this moment. Try again in a few seconds.")

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
    """Adds `/sign-in` and `/sign-out`. `client` returns the client's address, behind the trusted proxies."""
    pages = _Pages(database, version, base_url, client, clock, LoginThrottle())
    server.add_url_rule("/sign-in", "sign_in_page", pages.show, methods=["GET"])
    server.add_url_rule("/sign-in", "sign_in", pages.sign_in, methods=["POST"])
    server.add_url_rule("/sign-out", "sign_out", pages.sign_out, methods=["POST"])


def enter(database: Database, token: str, path: str, base_url: str) -> Response:
    """Redirects to `path`, as browsers request it, with the new login in the cookie; ends the browser's old login."""
    _end_login(database, base_url)
    response = flask.make_response(flask.redirect(path))
    gate.set_cookie(response, token, base_url)
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
    throttle: LoginThrottle

    def show(self) -> ResponseReturnValue:
        """The form; a person who is signed in is redirected."""
        cookies = flask.request.headers.get("Cookie", "")
        if gate.person_of(cookies, self.database, self.clock(), base_url=self.base_url):
            return flask.redirect(gate.local_path(flask.request.args.get("next", "/"), self.base_url))
        return self._page(200)

    def sign_in(self) -> ResponseReturnValue:
        """Signs in, or shows the form again with the reason."""
        form = flask.request.form
        email, now = form.get("email", ""), self.clock()
        mark = accounts.password_mark(self.database, email)
        attempt = self.throttle.attempt(self.client(), email, mark)
        if wait_s := self.throttle.wait(attempt, now):
            return self._page(429, WAIT, wait_s)
        try:
            token = logins.sign_in(self.database, email, form.get("password", ""), now=now)
        except passwords.Busy:
            self.throttle.give_back(attempt)
            return self._page(503, BUSY, 2)
        if token is None:
            return self._page(401, WRONG)
        self.throttle.succeed(attempt)
        return enter(self.database, token, gate.local_path(form.get("next", "/"), self.base_url), self.base_url)

    def sign_out(self) -> ResponseReturnValue:
        """Ends the login, here and in the browser; works without a login too."""
        _end_login(self.database, self.base_url)
        response = flask.make_response(flask.redirect(at("/sign-in")))
        gate.delete_cookie(response, self.base_url)
        return response

    def _page(self, status: int, notice: str = "", wait_s: int = 0) -> Response:
        form = flask.request.values
        shown = plain.render(
            "sign_in",
            host=gate.shown_host(self.base_url),
            version=self.version,
            message=translated(notice),
            email=form.get("email", ""),
            next=gate.local_path(form.get("next", "/"), self.base_url),
            has_people=accounts.has_people(self.database),
            setup_link=line("setup-link"),
            user_reset=line("user reset EMAIL"),
        )
        response = flask.make_response(shown, status)
        if wait_s:
            response.headers["Retry-After"] = str(wait_s)
        return response


class Attempt(NamedTuple):
    """One attempt to sign in: the hashes under which it is counted."""

    pair: str
    account: str
    address: str
    known: str


class LoginThrottle:
    """Slows down guessing. It counts attempts in memory, under hashes that mean nothing outside this process.

    A new password starts new counts, so that a reset always helps. Where an address has signed in to an account before,
    only the count of that pair applies, so that guessing from elsewhere does not lock the owner out.
    """

    def __init__(self) -> None:
        self._salt = secrets.token_bytes(16)
        self._pairs = RateLimit(BY_PAIR, WINDOW_S)
        self._accounts = RateLimit(BY_ACCOUNT, WINDOW_S)
        self._addresses = RateLimit(BY_ADDRESS, WINDOW_S)
        self._known: dict[str, None] = {}

    def attempt(self, address: str, email: str, mark: str) -> Attempt:
        """The attempt of an address to sign in with that e-mail. `mark` changes with the account's password."""
        who, account = address_prefix(address), _account(email)
        return Attempt(
            pair=self._hash("pair", who, account, mark),
            account=self._hash("account", account, mark),
            address=self._hash("address", who),
            known=self._hash("known", who, account),
        )

    def wait(self, attempt: Attempt, now: int) -> int:
        """0 where the attempt is allowed, which counts it; else the seconds until the next one is."""
        wait_s = self._pairs.take(attempt.pair, now)
        if wait_s or attempt.known in self._known:
            return wait_s
        return max(self._accounts.take(attempt.account, now), self._addresses.take(attempt.address, now))

    def give_back(self, attempt: Attempt) -> None:
        """Takes the attempt out of the counts."""
        self._pairs.give_back(attempt.pair)
        if attempt.known not in self._known:
            self._accounts.give_back(attempt.account)
            self._addresses.give_back(attempt.address)

    def succeed(self, attempt: Attempt) -> None:
        """The password was right: takes the attempt out of the counts and remembers the pair."""
        self.give_back(attempt)
        self._pairs.clear(attempt.pair)
        if len(self._known) >= MAX_KNOWN_LOGINS:
            self._known.clear()
        self._known[attempt.known] = None

    def _hash(self, *parts: str) -> str:
        text = "\0".join(parts).encode("utf-8", "surrogatepass")
        return hashlib.blake2b(text, key=self._salt, digest_size=16).hexdigest()


def _account(email: str) -> str:
    try:
        return accounts.normal_email(email)
    except InvalidInput:
        return email[: accounts.MAX_EMAIL]
