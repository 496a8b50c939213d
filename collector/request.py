"""A request and its answer, the same for every door (ASGI, WSGI)."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, NamedTuple
from urllib.parse import parse_qsl

import msgspec

from analytics.config import Network


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


class Response(NamedTuple):
    """An answer, whole."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes


def json_response(status: int, value: Any, headers: tuple[tuple[str, str], ...] = ()) -> Response:
    """An answer in JSON."""
    return Response(status, (("Content-Type", "application/json"), *headers), msgspec.json.encode(value))


def error(status: int, code: str, message: str, headers: tuple[tuple[str, str], ...] = ()) -> Response:
    """An answer that says what is wrong (contract §3.1)."""
    return json_response(status, {"error": {"code": code, "message": message}}, headers)


def client_address(request: Request, trusted: tuple[Network, ...]) -> str:
    """The visitor's address: the peer's, or the right-most hop that no trusted proxy wrote.

    `X-Forwarded-For` counts only when the peer is trusted, so nobody else can choose an address.
    """
    address = request.peer
    if not trusted or not _is_trusted(address, trusted):
        return address
    for hop in reversed(request.headers.get("x-forwarded-for", "").split(",")):
        plain = _plain(hop.strip())
        if not plain:
            return address
        address = plain
        if not _is_trusted(address, trusted):
            return address
    return address


@lru_cache(8192)
def _is_trusted(address: str, trusted: tuple[Network, ...]) -> bool:
    parsed = ipaddress.ip_address(address)
    return any(parsed in network for network in trusted)


def _plain(hop: str) -> str:
    """The address in a hop, without brackets and port; "" where it is none."""
    bare = hop[1:].split("]", maxsplit=1)[0] if hop.startswith("[") else hop.split(":", maxsplit=1)[0] if hop.count(":") == 1 else hop
    try:
        if ":" not in bare:
            return socket.inet_ntoa(socket.inet_pton(socket.AF_INET, bare))  # ten times as fast as `ipaddress`
        parsed = ipaddress.IPv6Address(bare)
    except (OSError, ValueError):
        return ""
    return str(parsed.ipv4_mapped or parsed)
