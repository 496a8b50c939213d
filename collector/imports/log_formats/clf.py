"""The Combined and the Common Log Format of Apache, nginx and many others, with or without a host in front.

https://httpd.apache.org/docs/2.4/logs.html. nginx's `main` and Traefik's format are Combined with more fields at the
end.
"""

from __future__ import annotations

import re
from functools import lru_cache

from analytics.base.addresses import is_own_network, plain_address
from collector.imports.access_log import (
    BROKEN,
    MAX_ADDRESS_LENGTH,
    NO_AGENT,
    LoggedPage,
    Skipped,
    bare_address,
    classify_target,
    skip_by_response,
    visitor_address,
)
from collector.imports.log_formats.parsing import QUOTED, Format, midnight, request_line, seconds, unescaped

# Referrer and agent are optional together (the Common format ends with the size), so that a line that was cut off
# inside one of them does not match.
_LINE = re.compile(
    r'(?:([\w.-]+) - - |([^"]*?))\[([0-9]{2}/[A-Z][a-z]{2}/[0-9]{4}):'
    r"([0-9]{2}:[0-9]{2}:[0-9]{2}) ([+-][0-9]{4})\] "
    rf"{QUOTED} ([0-9]{{3}}) (?:[0-9]+|-)(?: {QUOTED} {QUOTED}( .*)?)?\s*\Z",
    re.DOTALL,
)
_WORD = re.compile(r"[\w.-]+")
_NAME = re.compile(r"[\w-]+(?:\.[\w-]+)+")
_HOST = re.compile(r"[\w.-]+(?::[0-9]{1,5})?")
_ADDRESSES = re.compile(r' "([0-9a-fA-F:.,\[\] ]{2,1000})"')


def _plain(line: str) -> LoggedPage | Skipped:
    return _parse(line, False)


def _with_host(line: str) -> LoggedPage | Skipped:
    return _parse(line, True)


def _parse(line: str, host_in_front: bool) -> LoggedPage | Skipped:
    found = _LINE.match(line)
    if found is None:
        return BROKEN
    address, front, day, clock, zone, request, status, referrer, agent, rest = found.groups()
    start, since = midnight(day, zone), seconds(clock)
    visitor = (address, "") if address and not host_in_front else _address_and_host(front or "", host_in_front)
    if visitor is None or start is None or since is None:
        return BROKEN
    method, target = request_line(request)
    if refusal := skip_by_response(method, int(status)):
        return refusal
    address, host = visitor
    if rest and (forwarded := _ADDRESSES.match(rest)):
        address = visitor_address(address, forwarded[1].split(","))
    agent = NO_AGENT if agent is None else unescaped(agent)
    referrer = unescaped(referrer) if referrer else ""
    return classify_target(address, start + since, unescaped(target), int(status), referrer, agent, host)


def _address_and_host(front: str, host_in_front: bool) -> tuple[str, str] | None:
    """Address and host from the text in front of the time; None if it has neither of the two forms.

    The forms are `ADDRESS IDENT USER ` and `HOST ADDRESS - USER `. The address may be the list of `X-Forwarded-For`,
    and the name of a user may contain blanks.
    """
    words = (front.replace(", ", ",") if ", " in front else front).split(" ")
    if words[-1] or not words[0]:
        return None
    if host_in_front or (len(words) > 4 and words[1] != "-"):
        return _after_host(words)
    if len(words) > 4 and "-" in words[3:]:  # `web-1 - 203.0.113.7 - - `: an unknown prefix
        return None
    # Servers hardly ever log an ident, so an ident that contains dots is a host (OVH's logs).
    address, host = _address(words[0]), words[1] if len(words) > 3 and _NAME.fullmatch(words[1]) else ""
    return (address, host) if address else None


def _after_host(words: list[str]) -> tuple[str, str] | None:
    """Address and host from `HOST ADDRESS - USER `, or from `X-FORWARDED-FOR ADDRESS - USER `.

    If the first word is an address and the second one is in a private network, the first one is the visitor. Else it
    is the address by which the server was requested.
    """
    if len(words) < 5 or words[2] != "-":
        return None
    host, address = words[0], _address(words[1])
    if "," in host:
        return visitor_address(address, host.split(",")), ""
    first, peer = plain_address(host), plain_address(address)
    if not peer and not _NAME.fullmatch(address):
        return None
    if first and peer and is_own_network(peer) and not is_own_network(first):
        return first, ""
    return (address, host) if first or _HOST.fullmatch(host) else None


def _address(word: str) -> str:
    """The address of a word, which may be a host name or a list; "" for other texts, like `message=203.0.113.7`."""
    return _read_address_cached(word) if len(word) <= MAX_ADDRESS_LENGTH else _read_address(word)


def _read_address(word: str) -> str:
    *_, last = forwarded = word.split(",")
    address = visitor_address(last, forwarded) if len(forwarded) > 1 else bare_address(word)
    return address if _WORD.fullmatch(address) or plain_address(address) else ""


_read_address_cached = lru_cache(1024)(_read_address)


COMBINED = Format("combined", lambda _: _plain)
COMMON = Format("common", lambda _: _plain)
COMBINED_VHOST = Format("combined-vhost", lambda _: _with_host)
COMMON_VHOST = Format("common-vhost", lambda _: _with_host)
