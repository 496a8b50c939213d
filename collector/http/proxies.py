"""The visitor's address behind the proxies that the owner trusts."""

from __future__ import annotations

import socket
from collections.abc import Iterable, Mapping
from functools import lru_cache

from analytics.base.addresses import Network, is_own_network, plain_address
from collector.http.messages import Request
from collector.http.untrusted_proxies import PRIVATE_PREFIXES, UntrustedProxies

PROXY_HEADERS = ("x-footfall-ip-type", "x-plausible-ip-type")  # the kind of the visitor's address


class Proxies:
    """The trusted proxies. `X-Forwarded-For` counts only from them, so no visitor can choose an address."""

    def __init__(self, networks: Iterable[Network]) -> None:
        self._ranges = [(network.version, int(network.network_address), int(network.netmask)) for network in networks]
        self.untrusted = UntrustedProxies()
        self._trusts_peer = lru_cache(256)(self.trusts)  # behind a proxy there are few peers

    def client(self, request: Request) -> str:
        """The visitor's address: the peer's, or the right-most hop that no trusted proxy wrote."""
        address = request.peer
        if ":" in address:  # IPv6, or IPv4 over a socket for both families
            address = plain_address(address) or address
        if not self._ranges or not self._trusts_peer(address):
            return address
        for hop in reversed(request.headers.get("x-forwarded-for", "").split(",")):
            plain = plain_address(hop)
            if not plain:
                return address
            address = plain
            if not self.trusts(address):
                return address
        return address

    def trusted_headers(self, request: Request) -> Mapping[str, str]:
        """The request's headers, without `PROXY_HEADERS` unless a trusted proxy sent them."""
        headers = request.headers
        if PROXY_HEADERS[0] not in headers and PROXY_HEADERS[1] not in headers:  # `any` would take ten times as long
            return headers
        peer = plain_address(request.peer) or request.peer
        if self._ranges and self.trusts(peer):
            return headers
        return {name: value for name, value in headers.items() if name not in PROXY_HEADERS}

    def watch(self, request: Request, address: str, events: int) -> None:
        """Records whether that many events came through an untrusted proxy; `address` is what `client` returned."""
        is_proxy = (
            address.startswith(PRIVATE_PREFIXES)
            and is_own_network(address)
            and self._speaks_for_another(request, address)
        )
        self.untrusted.record(address if is_proxy else "", events)

    def _speaks_for_another(self, request: Request, address: str) -> bool:
        """Whether the untrusted `address` forwards for another: a hop stands in front of it."""
        first = plain_address(request.headers.get("x-forwarded-for", "").partition(",")[0].strip())
        return first not in ("", address) and not self.trusts(address)

    def trusts(self, address: str) -> bool:
        """Whether a trusted proxy has that address. The address has to be in its plain form."""
        version, family = (6, socket.AF_INET6) if ":" in address else (4, socket.AF_INET)
        try:
            number = int.from_bytes(socket.inet_pton(family, address), "big")
        except (OSError, ValueError):
            return False
        return any(version == kind and number & mask == start for kind, start, mask in self._ranges)
