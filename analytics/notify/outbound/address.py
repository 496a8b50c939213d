"""Where a webhook may go: `check_address` refuses what leads into the network of the installation.

It is called when a channel is saved and again before each attempt, since a name may lead elsewhere by then. The request
then goes to the checked addresses (`http_post.py`), not to what the name leads to a moment later.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import NamedTuple
from urllib.parse import SplitResult, quote, urlsplit

from analytics.base import idn
from analytics.base.addresses import Network, plain_address
from analytics.base.errors import InvalidInput, message
from analytics.base.name_lookup import Resolve, addresses_of
from analytics.base.public_address import checked_host

MAX_URL = 2_000
PORTS = {"http": 80, "https": 443}

_NAME = re.compile(r"[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")  # as the last label of a host: `2130706433`, `0x7f.1`, `127.1`
_KEPT_IN_PATHS = "/%:@!$&'()*+,;=~-._?[]"


class Target(NamedTuple):
    """Where a checked URL leads: `addresses` in the order of preference, `host` without brackets, and the path with
    its query.
    """

    scheme: str
    host: str
    port: int
    path: str
    addresses: tuple[str, ...]


def check_address(url: str, allowed: Sequence[Network], resolve: Resolve = addresses_of) -> Target:
    """The target of an http or https URL of which every address is public or in an allowed network.

    `BlockedAddress` if one is not; `UnknownHost` if there is none; any other `InvalidInput` for what is no such URL.
    """
    parts, host, port = _parsed(url)
    addresses = checked_host(host, port, allowed, resolve)
    path = quote(parts.path or "/", _KEPT_IN_PATHS) + (f"?{quote(parts.query, _KEPT_IN_PATHS)}" if parts.query else "")
    return Target(parts.scheme, host, port, path, addresses)


def _parsed(url: str) -> tuple[SplitResult, str, int]:
    """The parts of the URL, its host in ASCII and its port; `InvalidInput` unless it is a plain http or https URL."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise _no_address(url) from None
    is_plain = (
        url.isprintable() and not re.search(r"[\s\\#<>\"]", url) and len(url) <= MAX_URL and "@" not in parts.netloc
    )
    host = _checked_name(parts.hostname or "")
    if not is_plain or parts.scheme not in PORTS or not host or port == 0:
        raise _no_address(url)
    return parts, host, port or PORTS[parts.scheme]


def _checked_name(host: str) -> str:
    """The host in ASCII: a name, or an address as it is usually written; "" for anything else."""
    if ":" in host:
        return plain_address(host) if "%" not in host else ""
    name = idn.to_ascii(host)
    if not _NAME.fullmatch(name) or len(name) > idn.MAX_HOST:
        return ""
    return plain_address(name) if _NUMBER.fullmatch(name.rpartition(".")[2]) else name


def _no_address(url: str) -> InvalidInput:
    return InvalidInput(
        message(
            "{url} is no address to send to; give one like https://hooks.example.com/path, without user and #",
            url=repr(url[:100]),
        )
    )
