"""The gate in front of all that Flask serves: it checks logins and requests, and completes every answer.

Routes are closed by default: a new route requires a login.
"""

from __future__ import annotations

import logging
import re
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any
from urllib.parse import quote, unquote, urlsplit

import flask
from dash.exceptions import CallbackException, DependencyException, InvalidResourceError
from flask import Response
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeoutError
from werkzeug.exceptions import (
    BadRequest,
    Forbidden,
    HTTPException,
    InternalServerError,
    MethodNotAllowed,
    NotFound,
    ServiceUnavailable,
    UnsupportedMediaType,
)
from werkzeug.http import parse_cookie

from analytics.access import logins
from analytics.access.roles import ANYBODY, Person
from analytics.base import idn, language
from analytics.base.config import path_of
from analytics.base.error_log import describe
from analytics.base.errors import message
from analytics.base.words import N_, _, translated
from analytics.storage.database import Database
from callbacks.gate import callback_validation
from collector.http.messages import HSTS, OF_DATA, routed
from layouts import plain
from layouts.components.address import at, set_base_path

logger = logging.getLogger("footfall.gate")

OPEN = {
    "/sign-in",
    "/sign-out",
    "/setup",
    "/invitation",
    "/assets/",
    "/api/docs",
    "/healthz",
    "/readyz",
}  # without a login
ACCOUNT = ("/sign-in", "/sign-out", "/setup", "/invitation")  # there are none on a public dashboard
NO_WAY_ON = ("/sign-in", "/sign-out", "/setup")  # nowhere to go after signing in
CALLS = "/_dash-update-component"
CATCH_ALL = "/<path:path>"  # the rule with which Dash answers any address
MAX_BODY = 1 << 20
READING = ("GET", "HEAD", "OPTIONS")
PLAIN_COOKIE, HOST_COOKIE, PATH_COOKIE = "footfall_login", "__Host-footfall", "__Secure-footfall"

FOREIGN = message(
    "This came from a page at another address. Behind a proxy, set FOOTFALL_BASE_URL to the one that people use."
)
LOOPBACK = re.compile(r"(localhost|127\.0\.0\.1|\[::1\])(:\d+)?")
MESSAGES = {
    404: N_("Nothing lives at this address, or it is not yours to see."),
    405: N_("The method is not allowed for the requested URL."),
    413: N_("That is more than this address takes."),
    500: N_("Something failed on the server. Its log says what."),
    503: N_("The database does not answer right now. Try again in a few seconds."),
}
TITLES = {  # as HTTP names them
    400: N_("Bad request"),
    403: N_("Forbidden"),
    404: N_("Not found"),
    405: N_("Method not allowed"),
    413: N_("Request entity too large"),
    415: N_("Unsupported media type"),
    429: N_("Too many requests"),
    500: N_("Internal server error"),
    503: N_("Service unavailable"),
}

Clock = Callable[[], int]


def epoch() -> int:
    """Now, in whole seconds since the epoch."""
    return int(time.time())


def guard(
    server: flask.Flask,
    database: Database,
    *,
    public: bool,
    base_url: str,
    is_page: Callable[[str], bool],
    way_on: Callable[[str], str] = lambda _path: "",
    script_hashes: Callable[[], Iterable[str]] = tuple,
    declared: Callable[[], Mapping[str, Mapping[str, Any]]] = dict,
    clock: Clock = epoch,
) -> None:
    """Puts the gate in front of `server`; call it after the Dash app is created on it.

    `public` lets everybody look at everything and closes the account pages. `base_url` is the address that people
    use, "" if it is unknown. `is_page` says which addresses Dash may answer with a page. `way_on` returns the page to
    which the beginning of an address (`/settings/example.com`) redirects, "" for none.
    `script_hashes` are the CSP sources of inline scripts (`app.csp_hashes`), read once, at the first
    answer. `declared` is the app's callback map: other calls get a 400.
    """
    gate = _Gate(database, public, base_url, is_page, way_on, script_hashes, declared, clock)
    server.config["MAX_CONTENT_LENGTH"] = MAX_BODY
    server.before_request_funcs.setdefault(None, []).insert(0, gate.enter)
    server.before_request(gate.check_call)  # after Dash's own: only then all callbacks are declared
    server.after_request(gate.add_headers)
    for kind in (Exception, DependencyException, InvalidResourceError):  # the latter for Dash's own handler
        server.register_error_handler(kind, gate.answer_error)


def person_of(cookie_header: str, database: Database, now: int, *, base_url: str = "") -> Person | None:
    """The person whose login the `Cookie` header carries; None without one. For routes that Flask does not serve."""
    token = login_of(cookie_header, base_url)
    return logins.signed_in(database, token, now=now) if token else None


def login_of(cookie_header: str, base_url: str) -> str:
    """The login's token in a `Cookie` header, "" where there is none."""
    try:
        return parse_cookie(cookie_header).get(cookie_name(base_url), "")
    except UnicodeDecodeError:  # bytes that no browser sends
        return ""


@cache
def cookie_name(base_url: str) -> str:
    """The login cookie's name. On HTTPS no plain connection can set it, and on a host of our own no other host.

    Below a path it cannot be a `__Host-` cookie: browsers send those to every page of the host, ours only below it.
    """
    if not is_secure(base_url):
        return PLAIN_COOKIE
    return PATH_COOKIE if path_of(base_url) else HOST_COOKIE


def shown_host(base_url: str) -> str:
    """The installation's host, with its path, as people know it."""
    return idn.to_letters(urlsplit(base_url).netloc or flask.request.host) + path_of(base_url)


def origin_of(base_url: str) -> str:
    """The address without its path, as browsers write it in `Origin`; "" where it is not known."""
    return base_url.removesuffix(path_of(base_url))


def is_secure(base_url: str) -> bool:
    """Whether people reach the installation over HTTPS."""
    return base_url.startswith("https://")


def set_cookie(response: Response, token: str, base_url: str) -> None:
    """Stores the login in the browser until it expires."""
    response.set_cookie(cookie_name(base_url), token, max_age=logins.LOGIN_S, **_flags(base_url))


def delete_cookie(response: Response, base_url: str) -> None:
    """Removes the login from the browser."""
    response.delete_cookie(cookie_name(base_url), **_flags(base_url))


def local_path(text: str, base_url: str) -> str:
    """The path (and query) as browsers request it where it stays on this server, else the path of the first page.

    Browsers drop control characters and read `\\` as `/`, so that `/\\t/evil.example` is another host; `..` would leave
    the base path.
    """
    base_path = path_of(base_url)
    path, mark, query = text.removeprefix(base_path).partition("?")
    inside = text.startswith(base_path) and (path[:1] == "/" or not path)
    if inside and not any(map(_leads_away, (path, unquote(path), query, unquote(query)))):
        path = path or "/"
        return base_path + ("/" if is_below(path, NO_WAY_ON) else path + mark + query)
    return f"{base_path}/"


def _leads_away(part: str) -> bool:
    strange = any(ord(sign) <= 32 or ord(sign) == 127 or sign == "\\" for sign in part)
    return strange or part.startswith("//") or ".." in part.split("/")


def is_below(path: str, known: Iterable[str]) -> bool:
    """Whether the path is one of the known or below one that ends in a slash (`/` alone is only itself)."""
    return any(path == one or (len(one) > 1 and one.endswith("/") and path.startswith(one)) for one in known)


def headers(base_url: str) -> dict[str, str]:
    """The headers of every answer of this server, from Flask or not."""
    always = {
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "same-origin",
        "Server": "Footfall",
    }
    return always | ({HSTS[0]: HSTS[1]} if is_secure(base_url) and not path_of(base_url) else {})


@dataclass(frozen=True)
class _Gate:
    database: Database
    public: bool
    base_url: str
    is_page: Callable[[str], bool]
    way_on: Callable[[str], str]
    script_hashes: Callable[[], Iterable[str]]
    declared: Callable[[], Mapping[str, Mapping[str, Any]]]
    clock: Clock

    @cached_property
    def _base_path(self) -> str:
        return path_of(self.base_url)

    def enter(self) -> Response | None:
        """Lets the request in, or answers it here."""
        request = flask.request
        flask.g.person = ANYBODY if self.public else None
        set_base_path(self._base_path)
        language.write_in(request.headers.get("Accept-Language", ""))
        if request.method not in READING and self._is_foreign():
            if request.url_rule is None and not self.is_page(request.path):
                raise NotFound  # a misspelt address is no attack
            raise Forbidden(_foreign(self.base_url))
        if self.public and request.path in ACCOUNT:
            raise NotFound
        if not self.public and not is_below(request.path, OPEN):
            flask.g.person = person_of(
                request.headers.get("Cookie", ""), self.database, self.clock(), base_url=self.base_url
            )
            if flask.g.person is None:
                return self._send_away()
            if flask.g.person.language:
                language.write_in(flask.g.person.language)
        return self._check_route()

    def check_call(self) -> None:
        """Refuses requests that are no valid call of a callback with 415 or 400."""
        request = flask.request
        if request.path != CALLS or request.method != "POST":
            return
        if request.mimetype != "application/json":
            raise UnsupportedMediaType("Calls are application/json.")
        if callback_validation.is_wrong(request.get_data(), self.declared()):
            raise BadRequest("No callback is called like that.")

    def add_headers(self, response: Response) -> Response:
        """The answer with its security headers."""
        response.headers.update(headers(self.base_url))
        # what scripts read loads nothing itself, and a redraw is a few of those: half a kilobyte less each
        policy = OF_DATA if response.mimetype == "application/json" else self._policy
        response.headers["Content-Security-Policy"] = policy
        response.headers["X-Frame-Options"] = "DENY"
        if response.mimetype in {"text/html", "application/json"}:
            response.headers["Cache-Control"] = "no-store"
        return response

    @cached_property
    def _policy(self) -> str:
        scripts = " ".join(["'self'", *self.script_hashes()])
        return (
            f"default-src 'self'; script-src {scripts}; style-src 'self' 'unsafe-inline'; "
            "img-src 'self' data: blob:; connect-src 'self'; font-src 'self'; object-src 'none'; base-uri 'none'; "
            "form-action 'self'; frame-ancestors 'none'"
        )

    def _is_foreign(self) -> bool:
        """Whether a page of another origin sent this. No browser leaves both headers out."""
        request = flask.request
        if request.headers.get("Sec-Fetch-Site") in {"cross-site", "same-site"}:
            return True
        origin, page = request.headers.get("Origin"), request.headers.get("Referer")
        if origin is not None and origin.lower() not in self._origins(request.host.lower()):
            return True
        return page is not None and self._is_neighbour(page)

    def _is_neighbour(self, page: str) -> bool:
        """Whether that page is on our host but not below our path; its forms are refused.

        A script on it can still act and identify itself as our pages do: to the browser both are one origin.
        """
        base_path, origin = path_of(self.base_url), origin_of(self.base_url)
        if not base_path or not page.startswith(f"{origin}/"):
            return False
        path = page.removeprefix(origin).partition("?")[0]
        return routed(path, base_path) == path

    def _origins(self, host: str) -> set[str]:
        """The origins of our own pages. Where the address is configured, the request's own host adds no origin, since a
        foreign name may point here too; except for names of this machine, also used by tunnels, which cannot.
        """
        ours = origin_of(self.base_url)
        if ours and not LOOPBACK.fullmatch(host):
            return {ours}
        return {ours, f"http://{host}", f"https://{host}"}

    def _check_route(self) -> Response | None:
        """Lets Dash answer only the addresses of pages: it would answer every address."""
        request = flask.request
        if request.url_rule is None or request.url_rule.rule != CATCH_ALL or self.is_page(request.path):
            return None
        if request.method in READING and (way := self.way_on(request.path)):
            query = request.query_string.decode("latin-1")
            return flask.make_response(flask.redirect(at(quote(way)) + (f"?{query}" if query else "")))
        others = set(flask.current_app.url_map.bind("").allowed_methods(request.path)) - set(READING)
        if others:
            raise MethodNotAllowed(sorted(others))
        raise NotFound

    def _wants_page(self) -> bool:
        """Whether a person sees the answer, not a script."""
        request = flask.request
        if request.path.startswith(("/_", "/api/")):
            return False
        return "text/html" in request.headers.get("Accept", "") or self.is_page(request.path)

    def _send_away(self) -> Response:
        request = flask.request
        if request.method not in {"GET", "HEAD"} or not self._wants_page():
            return _json_error(401, "unauthorized", "Sign in first.")
        wanted = local_path(at(request.full_path if request.query_string else request.path), self.base_url)
        page = "/sign-in" if wanted == at("/") else "/sign-in?next=" + quote(wanted, safe="/")
        return flask.make_response(flask.redirect(at(page)))

    def answer_error(self, error: Exception) -> Response | HTTPException:
        """One plain page or JSON object for each error; nothing of the cause leaves the server."""
        known = error if isinstance(error, HTTPException) else _http_error(error)
        if known.code is None or known.code < 400:
            return known
        said = MESSAGES.get(known.code) or known.description or known.name
        if self._wants_page():
            again = known.code >= 500 and flask.request.method == "GET"
            way = ("/", _("Go to the first page"))
            title = _(TITLES.get(known.code) or known.name.capitalize())
            page = plain.render("error", title=title, message=translated(said), again=again, way=way, version="")
            response = flask.make_response(page, known.code)
        else:
            response = _json_error(known.code, known.name.lower().replace(" ", "_"), said)
        kept = {name: value for name, value in known.get_headers() if name in {"Allow", "Retry-After"}}
        response.headers.extend(kept)
        if known.code == 404 and flask.request.path.lstrip("/").startswith("api/"):
            response.headers["Access-Control-Allow-Origin"] = "*"  # a page's developer sees what is wrong
        return response


def _foreign(base_url: str) -> str:
    if not base_url:
        return FOREIGN
    return message(
        "This came from a page at another address. Footfall is at {base_url} (FOOTFALL_BASE_URL).", base_url=base_url
    )


def _flags(base_url: str) -> dict[str, Any]:
    return {"secure": is_secure(base_url), "httponly": True, "samesite": "Lax", "path": path_of(base_url) or "/"}


def _http_error(error: Exception) -> HTTPException:
    request = flask.request
    if isinstance(error, DependencyException | InvalidResourceError):
        return NotFound()
    if type(error) is CallbackException and request.path == CALLS:
        return BadRequest("No callback is called like that.")
    _log(error)
    if isinstance(error, OperationalError | PoolTimeoutError):
        return ServiceUnavailable(retry_after=5)
    return InternalServerError()


def _log(error: Exception) -> None:
    """Logs what failed and where, without the query, which may contain what a person typed."""
    request = flask.request
    path = request.path.encode("unicode_escape").decode("ascii")
    logger.error("%s %s failed: %s", request.method, path, describe(error))


def _json_error(status: int, code: str, message: str) -> Response:
    response = flask.jsonify({"error": {"code": code, "message": message}})
    response.status_code = status
    return response
