"""Which addresses are on the public internet, and whether a host leads to such ones alone.

What people of a page name as a target (a webhook, a database) may lead into the network of the installation;
`checked_host` refuses that unless the installation allows it. Connect to the addresses that it returns, since a name
may lead elsewhere a moment later.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence

from analytics.base.addresses import OWN_NETWORKS, Network, plain_address
from analytics.base.errors import InvalidInput, message
from analytics.base.name_lookup import Resolve, addresses_of, look_up

_Address = ipaddress.IPv4Address | ipaddress.IPv6Address

NOT_PUBLIC = (
    *OWN_NETWORKS,
    *map(
        ipaddress.ip_network,
        (
            *("192.0.0.0/24", "192.0.2.0/24", "192.88.99.0/24", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24"),
            *("224.0.0.0/4", "240.0.0.0/4"),  # multicast, reserved, broadcast
            *("2001::/23", "2001:db8::/32", "2002::/16", "3fff::/20"),  # tunnels to IPv4, documentation
        ),
    ),
)
"""Networks that are not on the public internet. A list of our own, since `is_global` changes with each Python."""

PUBLIC_IPV6 = ipaddress.IPv6Network("2000::/3")  # all that is given out; multicast, site-local and the like are not
NAT64 = ipaddress.IPv6Network("64:ff9b::/96")  # IPv4 as networks with IPv6 alone see it; unwrapped like mapped IPv4


class BlockedAddress(InvalidInput):
    """The URL leads to an address that is not public and not allowed."""


class UnknownHost(InvalidInput):
    """The host of the URL has no address at present."""


def checked_host(host: str, port: int, allowed: Sequence[Network], resolve: Resolve = addresses_of) -> tuple[str, ...]:
    """The addresses of the host, in their plain form, if each is public or in an allowed network; else as above."""
    literal = plain_address(host)
    try:
        found = [literal] if literal else [plain_address(one) for one in look_up(resolve, host, port)]
    except TimeoutError:
        raise UnknownHost(message("looking up {host} takes too long", host=host)) from None
    except (OSError, UnicodeError):
        found = []
    if not found:
        raise UnknownHost(message("there is no host {host}", host=host))
    if not all(is_allowed(address, allowed) for address in found):
        raise BlockedAddress(
            message("{host} leads to an address that is not public; FOOTFALL_ALLOWED_TARGETS may allow it", host=host)
        )
    return tuple(found)


def is_public(address: _Address) -> bool:
    """Whether the address is one of the public internet."""
    if isinstance(address, ipaddress.IPv6Address) and address not in PUBLIC_IPV6:
        return False
    return not any(address in one for one in NOT_PUBLIC if one.version == address.version)


def is_allowed(text: str, allowed: Sequence[Network]) -> bool:
    """Whether an address in its plain form is public or in an allowed network; False for what is no address."""
    if not text:
        return False
    address: _Address = ipaddress.ip_address(text)
    if any(address in one for one in allowed if one.version == address.version):
        return True
    if isinstance(address, ipaddress.IPv6Address) and address in NAT64:
        address = ipaddress.IPv4Address(address.packed[-4:])
    return is_public(address)
