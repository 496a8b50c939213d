"""Setting up: the page of the one-time link makes the owner and the first site, and then closes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple
from urllib.parse import quote

import flask
from flask import Response
from flask.typing import ResponseReturnValue

from analytics.access import accounts, first_owner, passwords
from analytics.base import errors, zones
from analytics.base.program import command
from analytics.base.words import _, translated
from analytics.sites import site
from analytics.storage.database import Database
from callbacks.gate import gate, signin
from layouts import plain
from layouts.components.address import at

FIELDS: Mapping[str, Callable[[str], str]] = {
    "email": accounts.normal_email,
    "password": passwords.checked_password,
    "domain": site.normal_domain,
    "timezone": zones.checked_zone,
}


def link(address: str, secret: bytes) -> str:
    """The one-time link of the server at `address` (`http://host:port`); it is valid until there is an account."""
    return first_owner.setup_link(address, secret)


def register(
    server: flask.Flask,
    database: Database,
    secret: bytes,
    *,
    version: str,
    base_url: str = "",
    done: Callable[[], object] = lambda: None,
    clock: gate.Clock = gate.epoch,
) -> None:
    """Adds `/setup`. `done` is called after the first site is added, to reload the directory of sites."""
    pages = _Pages(database, secret, version, base_url, done, clock)
    server.add_url_rule("/setup", "setup_page", pages.show, methods=["GET"])
    server.add_url_rule("/setup", "setup", pages.set_up, methods=["POST"])


class _Pages(NamedTuple):
    database: Database
    secret: bytes
    version: str
    base_url: str
    done: Callable[[], object]
    clock: gate.Clock

    def show(self) -> ResponseReturnValue:
        """The empty form."""
        return self._closed() or self._page(200)

    def set_up(self) -> ResponseReturnValue:
        """Makes owner, site and login; or shows the form again, with an error at each wrong field."""
        if closed := self._closed():
            return closed
        fields = {name: flask.request.form.get(name, "") for name in FIELDS}
        if wrong := _wrong(fields):
            return self._page(422, wrong=wrong)
        try:
            token = first_owner.set_up(self.database, **fields, now=self.clock())
        except first_owner.AlreadySetUp:
            return _already_set_up()
        except passwords.Busy:
            return self._page(503, signin.BUSY)
        self.done()
        path = at("/live/" + quote(site.normal_domain(fields["domain"])))
        return signin.enter(self.database, token, path, self.base_url)

    def _closed(self) -> Response | None:
        """The answer where there is nothing to set up, else None. Only people with the link learn that it was used."""
        if not first_owner.is_setup_token(self.secret, flask.request.values.get("token", "")):
            return _wrong_link()
        return _already_set_up() if accounts.has_people(self.database) else None

    def _page(self, status: int, message: str = "", wrong: Mapping[str, str] | None = None) -> Response:
        form = flask.request.form
        shown = plain.render(
            "set_up",
            version=self.version,
            message=translated(message),
            token=flask.request.values["token"],
            given={name: form.get(name, "") for name in FIELDS if name != "password"},
            wrong={name: translated(wrong.get(name, "") if wrong else "") for name in FIELDS},
            zones=plain.zones(),
        )
        return flask.make_response(shown, status)


def _already_set_up() -> Response:
    message = _("There are accounts already, so this link has done its work. Sign in, or ask an owner for an account.")
    return _page_to_sign_in(_("Already set up"), message)


def _wrong_link() -> Response:
    """The answer to a wrong link, the same whether there are accounts or not."""
    message = _(
        "It is of another installation, or a part of it is missing. Where nobody has an account yet, “{command}” "
        "prints the right one, on the machine that runs Footfall.",
        command=command("setup-link").strip("`"),
    )
    return _page_to_sign_in(_("This set-up link does not work here"), message)


def _page_to_sign_in(title: str, message: str) -> Response:
    way = ("/sign-in", _("Sign in"))
    page = plain.render("error", title=title, message=message, again=False, way=way, version="")
    return flask.make_response(page, 404)


def _wrong(fields: Mapping[str, str]) -> dict[str, str]:
    """The error of each wrong field."""
    found = {}
    for name, check in FIELDS.items():
        try:
            check(fields[name])
        except errors.InvalidInput as wrong:
            found[name] = str(wrong)
    return found
