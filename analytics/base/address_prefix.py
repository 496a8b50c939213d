"""Address prefixes: what rate limits and exclusions compare instead of whole addresses."""

from __future__ import annotations

import socket

from analytics.base.addresses import plain_address

NETWORK_BITS = 64  # one subscriber's; within it, browsers change their IPv6 address every day


def address_prefix(address: str) -> str:
    """The IPv4 address itself, or the /64 of an IPv6 address, which belongs to one subscriber or server.

    IPv4 in IPv6 is unwrapped. Text that is no address comes back unchanged.
    """
    if ":" not in address:
        return address
    plain = plain_address(address)
    if ":" not in plain:
        return plain or address
    packed = socket.inet_pton(socket.AF_INET6, plain)[: NETWORK_BITS // 8]
    return f"{socket.inet_ntop(socket.AF_INET6, packed.ljust(16, bytes(1)))}/{NETWORK_BITS}"
