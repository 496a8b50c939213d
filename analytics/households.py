"""Households: whose an address is. What counts or leaves out addresses does it by household."""

from __future__ import annotations

from ipaddress import IPv6Address

HOST_BITS = 64  # within its network one subscriber's browsers change their IPv6 address every day


def household(address: str) -> str:
    """The IPv4 address itself, or the /64 that one subscriber or server has of IPv6; what is no address as it is.

    IPv4 in IPv6 is unwrapped.
    """
    if ":" not in address:
        return address
    try:
        parsed = IPv6Address(address.partition("%")[0])
    except ValueError:
        return address
    if parsed.ipv4_mapped:
        return str(parsed.ipv4_mapped)
    return f"{IPv6Address(int(parsed) >> HOST_BITS << HOST_BITS)}/{128 - HOST_BITS}"
