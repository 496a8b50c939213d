"""A request and its answer, the same for every door: a connection of our own, or a WSGI server."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import parse_qsl

import msgspec


class Request(NamedTuple):
    """One HTTP request; header names are lower-case, `peer` is the address at the other end of the socket."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    peer: str
    body: bytes = b""

    def parameter(self, name: str) -> str:
        """The first value of a query parameter, "" where there is none."""
        return next((value for key, value in parse_qsl(self.query) if key == name), "")


def routed(path: str, base_path: str) -> str:
    """The path without the installation's base path: the one by which routes are found.

    A proxy may pass the whole path on, or take the base path away before: both arrive at the same route.
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
    """An answer, whole."""

    status: int
    headers: Headers
    body: bytes


# What no answer of ours needs, a browser shall not do with it. Nobody is kept from fetching it: scripts and events come
# and go across origins.
SEAL = (
    ("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'"),
    ("X-Frame-Options", "DENY"),
    ("Referrer-Policy", "no-referrer"),
    ("X-Content-Type-Options", "nosniff"),
)
HSTS = "Strict-Transport-Security", "max-age=31536000"  # a year
HTTPS_SEAL = (*SEAL, HSTS)  # where people come over HTTPS


def sealed(headers: Headers, seal: Headers = SEAL) -> Headers:
    """The headers with the security headers; an answer with a policy of its own says itself who may frame it."""
    own = {name.lower() for name, _ in headers}
    if "content-security-policy" in own:
        own.add("x-frame-options")
    return (*headers, *(header for header in seal if header[0].lower() not in own))


def json_response(status: int, value: Any, headers: Headers = ()) -> Response:
    """An answer in JSON."""
    own = (("Content-Type", "application/json"), ("X-Content-Type-Options", "nosniff"))
    return Response(status, (*own, *headers), msgspec.json.encode(value))


def error(status: int, code: str, message: str, headers: Headers = ()) -> Response:
    """An answer that says what is wrong (contract §3.1)."""
    return json_response(status, {"error": {"code": code, "message": message}}, headers)
