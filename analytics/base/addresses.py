"""IP addresses: the one plain form of whatever somebody writes one as, networks of such, and which are own ones."""

from __future__ import annotations

import ipaddress
import re
import socket
from functools import lru_cache

Network = ipaddress.IPv4Network | ipaddress.IPv6Network

MAPPED = b"\0" * 10 + b"\xff\xff"  # the first 96 bits of IPv4 in IPv6
MAPPED_BITS = 96
OWN_NETWORKS = tuple(
    ipaddress.ip_network(text)
    for text in (
        *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12"),
        *("192.168.0.0/16", "::/127", "fc00::/7", "fe80::/10"),
    )
)
"""Those of somebody's own network or machine: no visitor of the internet comes from there."""

_PORT = re.compile(r":[0-9]{0,5}")


def plain_address(text: str) -> str:
    """The address in its plain form: IPv4 in IPv6 unwrapped, without white space, brackets, port and zone.

    "" where it is none.
    """
    bare, port = _parted(text.strip())
    try:
        if port and not _PORT.fullmatch(port):
            return ""
        if ":" not in bare:
            return socket.inet_ntoa(socket.inet_pton(socket.AF_INET, bare))  # ten times as fast as `ipaddress`
        packed = socket.inet_pton(socket.AF_INET6, bare.partition("%")[0])
    except (OSError, ValueError):
        return ""
    if packed.startswith(MAPPED):
        return socket.inet_ntoa(packed[len(MAPPED) :])
    return socket.inet_ntop(socket.AF_INET6, packed)


@lru_cache(1024)
def is_own_network(address: str) -> bool:
    """Whether the address, in its plain form, is one of `OWN_NETWORKS`; False for what is no address."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return False
    return any(parsed in one for one in OWN_NETWORKS if one.version == parsed.version)


def _parted(text: str) -> tuple[str, str]:
    """An address without its brackets, and what follows it from the colon of a port on."""
    if text.startswith("["):
        bare, closed, port = text[1:].partition("]")
        return bare if closed else "", port
    if text.count(":") == 1:
        bare, colon, port = text.partition(":")
        return bare, colon + port
    return text, ""


def network(text: str) -> Network:
    """The network, or that of one address; one of IPv4 in IPv6 is IPv4's. `ValueError` where it is none."""
    base, slash, bits = text.strip().partition("/")
    address = plain_address(base)
    if not address:
        raise ValueError(f"{text!r} is no address and no network")
    if slash and ":" not in address and base.count(":") > 1:
        if not bits.isdecimal() or int(bits) < MAPPED_BITS:  # more than what IPv4 has
            return ipaddress.ip_network(text.strip(), strict=False)
        bits = str(int(bits) - MAPPED_BITS)
    return ipaddress.ip_network(f"{address}{slash}{bits}", strict=False)
