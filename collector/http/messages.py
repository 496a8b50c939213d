"""Requests and responses, the same under our own server, ASGI and WSGI."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import parse_qsl

import msgspec


class Request(NamedTuple):
    """One HTTP request. Header names are lower-case; `peer` is the address at the other end of the socket."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    peer: str
    body: bytes = b""

    def parameter(self, name: str) -> str:
        """The first value of a query parameter; "" if there is none."""
        return next((value for key, value in parse_qsl(self.query) if key == name), "")


def bearer_token(headers: Mapping[str, str]) -> str:
    """The token of an `Authorization: Bearer …` header, "" if there is none. The scheme may be in either case."""
    scheme, _, token = headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else ""


def routed(path: str, base_path: str) -> str:
    """The path without the installation's base path, as the routes know it.

    A proxy may pass on the whole path or strip the base path: both lead to the same route.
    """
    if not base_path or not path.startswith(base_path):
        return path
    rest = path[len(base_path) :]
    return path if rest and rest[0] != "/" else rest or "/"


def without_extra_slashes(path: str) -> str:
    """The path without empty segments and without a slash at its end."""
    return "/" + "/".join(filter(None, path.split("/")))


Headers = tuple[tuple[str, str], ...]


class Response(NamedTuple):
    """One HTTP response with its whole body."""

    status: int
    headers: Headers
    body: bytes


OF_DATA = "default-src 'none'; frame-ancestors 'none'"  # the policy of what no browser shows as a page
# They forbid browsers what no response of ours needs. They do not forbid fetching: scripts and events cross origins.
SECURITY_HEADERS = (
    ("Content-Security-Policy", OF_DATA),
    ("X-Frame-Options", "DENY"),
    ("Referrer-Policy", "no-referrer"),
    ("X-Content-Type-Options", "nosniff"),
)
HSTS = "Strict-Transport-Security", "max-age=31536000"  # a year
HTTPS_SECURITY_HEADERS = (*SECURITY_HEADERS, HSTS)  # for an installation that is reached over HTTPS


def with_security_headers(headers: Headers, security_headers: Headers = SECURITY_HEADERS) -> Headers:
    """Adds the security headers. Headers of the response win; one with its own policy gets no `X-Frame-Options`."""
    own = {name.lower() for name, _ in headers}
    if "content-security-policy" in own:
        own.add("x-frame-options")
    return (*headers, *(header for header in security_headers if header[0].lower() not in own))


def json_response(status: int, value: Any, headers: Headers = ()) -> Response:
    """A JSON response."""
    defaults = (("Content-Type", "application/json"), ("X-Content-Type-Options", "nosniff"))
    return Response(status, (*defaults, *headers), msgspec.json.encode(value, enc_hook=str.__str__))  # for a `Message`


def error(status: int, code: str, message: str, headers: Headers = ()) -> Response:
    """A JSON response that describes an error (contract §3.1)."""
    return json_response(status, {"error": {"code": code, "message": message}}, headers)
