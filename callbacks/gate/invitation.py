"""Accepting an invitation: the page of the one-time link makes an account, or gives the role to an existing one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import quote

import flask
from flask import Response
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import NotFound, TooManyRequests

from analytics.access import invitations, passwords
from analytics.access.invitations import InvalidInvitation, Invitation
from analytics.access.roles import ROLE_NAMES, Person
from analytics.base.address_prefix import address_prefix
from analytics.base.errors import InvalidInput
from analytics.base.idn import to_letters
from analytics.base.rate_limit import RateLimit
from analytics.base.words import translated
from analytics.sites.store import all_sites
from analytics.storage.database import Database
from callbacks.gate import gate, signin
from layouts import plain
from layouts.components.address import at


def register(
    server: flask.Flask,
    database: Database,
    *,
    version: str,
    base_url: str = "",
    client: signin.Client = signin.peer,
    clock: gate.Clock = gate.epoch,
) -> None:
    """Adds `/invitation`. `client` returns the client's address, behind the trusted proxies."""
    tries = RateLimit(signin.BY_ADDRESS, signin.WINDOW_S)
    pages = _Pages(database, version, base_url, client, clock, tries)
    server.add_url_rule("/invitation", "invitation_page", pages.show, methods=["GET"])
    server.add_url_rule("/invitation", "invitation", pages.accept, methods=["POST"])


class _Pages(NamedTuple):
    database: Database
    version: str
    base_url: str
    client: signin.Client
    clock: gate.Clock
    tries: RateLimit

    def show(self) -> ResponseReturnValue:
        """The page: what the invitation is for, and the form."""
        return self._page(self._invitation(), 200)

    def accept(self) -> ResponseReturnValue:
        """Signs the person in; or shows the form again, with an error at each wrong field."""
        invitation, form = self._invitation(), flask.request.form
        path = at("/live/" + quote(self._domain(invitation)) if invitation.site_id else "/")
        try:
            if person := self._person():
                invitations.accept(self.database, self._token, person, now=self.clock())
                return flask.redirect(path)
            email, password = form.get("email", ""), form.get("password", "")
            login = invitations.join(self.database, self._token, email, password, now=self.clock())
        except InvalidInvitation:
            raise NotFound from None
        except InvalidInput as wrong:
            return self._page(invitation, 422, wrong=wrong.fields)
        except passwords.Busy:
            return self._page(invitation, 503, signin.BUSY)
        return signin.enter(self.database, login, path, self.base_url)

    @property
    def _token(self) -> str:
        return flask.request.values.get("token", "")

    def _invitation(self) -> Invitation:
        """The invitation of the token. The error is the same for a token that is wrong, used, expired or revoked.

        A valid token always works, whatever others in the same network tried, since nobody guesses 256 random bits.
        The limit only refuses further wrong tokens.
        """
        now = self.clock()
        try:
            return invitations.find(self.database, self._token, now=now)
        except InvalidInvitation:
            wait_s = self.tries.take(address_prefix(self.client()), now)
        raise TooManyRequests(signin.WAIT, retry_after=wait_s) if wait_s else NotFound

    def _person(self) -> Person | None:
        cookies = flask.request.headers.get("Cookie", "")
        return gate.person_of(cookies, self.database, self.clock(), base_url=self.base_url)

    def _domain(self, invitation: Invitation) -> str:
        known = {site.id: site.domain for site in all_sites(self.database)}
        return known.get(invitation.site_id or 0, "")

    def _page(
        self, invitation: Invitation, status: int, message: str = "", wrong: Mapping[str, str] | None = None
    ) -> Response:
        person = self._person()
        shown = plain.render(
            "invitation",
            version=self.version,
            host=gate.shown_host(self.base_url),
            message=translated(message),
            token=self._token,
            role=translated(ROLE_NAMES[invitation.role]),
            domain=to_letters(self._domain(invitation)),
            person=person.email if person else "",
            email=flask.request.form.get("email", invitation.email),
            wrong={name: translated(wrong.get(name, "") if wrong else "") for name in ("email", "password")},
            here=quote(at(f"/invitation?token={self._token}"), safe=""),
        )
        return flask.make_response(shown, status)
