"""Households: whose an address is. What counts or leaves out addresses does it by household."""

from __future__ import annotations

import socket

from analytics.base.addresses import plain_address

NETWORK_BITS = 64  # within its network one subscriber's browsers change their IPv6 address every day


def address_prefix(address: str) -> str:
    """The IPv4 address itself, or the /64 that one subscriber or server has of IPv6; what is no address as it is.

    IPv4 in IPv6 is unwrapped.
    """
    if ":" not in address:
        return address
    plain = plain_address(address)
    if ":" not in plain:
        return plain or address
    packed = socket.inet_pton(socket.AF_INET6, plain)[: NETWORK_BITS // 8]
    return f"{socket.inet_ntop(socket.AF_INET6, packed.ljust(16, bytes(1)))}/{NETWORK_BITS}"
