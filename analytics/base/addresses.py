"""IP addresses: the plain form of each, networks, and which networks are private."""

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
"""Private and local networks: no visitor from the internet has such an address."""

_PORT = re.compile(r":[0-9]{0,5}")


def plain_address(text: str) -> str:
    """The address in its plain form: IPv4 in IPv6 unwrapped, without white space, brackets, port and zone.

    "" if the text is no address.
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
    """Whether the address, in its plain form, is in one of `OWN_NETWORKS`; False if it is no address."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return False
    return any(parsed in one for one in OWN_NETWORKS if one.version == parsed.version)


def _parted(text: str) -> tuple[str, str]:
    """The address without brackets, and the text behind it: ":" and a port, or ""."""
    if text.startswith("["):
        bare, closed, port = text[1:].partition("]")
        return bare if closed else "", port
    if text.count(":") == 1:
        bare, colon, port = text.partition(":")
        return bare, colon + port
    return text, ""


def network(text: str) -> Network:
    """The network that the text names; one address is a network too, IPv4 in IPv6 is IPv4. `ValueError` otherwise."""
    base, slash, bits = text.strip().partition("/")
    address = plain_address(base)
    if not address:
        raise ValueError(f"{text!r} is no address and no network")
    if slash and ":" not in address and base.count(":") > 1:
        if not bits.isdecimal() or int(bits) < MAPPED_BITS:  # more than what IPv4 has
            return ipaddress.ip_network(text.strip(), strict=False)
        bits = str(int(bits) - MAPPED_BITS)
    return ipaddress.ip_network(f"{address}{slash}{bits}", strict=False)
