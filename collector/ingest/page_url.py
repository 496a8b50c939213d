"""The page of a hit: only host, path and campaign tags of the address that a browser sent."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import NamedTuple
from urllib.parse import unquote_plus

from analytics.base import idn, paths
from analytics.base.redaction import REDACTED, names_person, redact

MAX_URL = 4_096
MAX_PATH = 2_048
MAX_TAG = 200
TAGS = (
    *("utm_source", "utm_medium", "utm_campaign", "utm_content", "utm_term", "ref", "source"),
    *("gclid", "gbraid", "wbraid", "msclkid", "fbclid", "ttclid", "twclid", "li_fat_id"),
)

CACHED_LENGTH = 512  # longer addresses are rare and seldom repeat; without them the cache stays small
_NO_TAGS: Mapping[str, str] = MappingProxyType({})

_LABEL = r"[A-Za-z0-9_\-\u0080-\U0010ffff]+"
_URL = re.compile(
    rf"""(https?|chrome-extension)://
    (?:[^/?\#\\\x00-\x20\x7f]*@)??                             # name and password: never stored
    (\[[0-9A-Fa-f:.]{{2,45}}\]|{_LABEL}(?:\.{_LABEL})*)\.?     # host
    (?::\d{{0,5}})?                                            # port
    (/[^?\#\x00-\x1f\x7f]*)?                                   # path
    (?:\?([^\#\x00-\x1f\x7f]*))?                               # query
    (?:\#([^\x00-\x1f\x7f]*))?                                 # fragment
    """,
    re.VERBOSE | re.IGNORECASE | re.ASCII,
)
# A template that escapes twice writes `&amp;` for `&`. A `;` separates two values only if a tag follows it.
_AMP = r"(?:(?i:amp)(?:;|%3[Bb])){0,4}+"
_NAME = f"({'|'.join(TAGS)})="
_TAG = re.compile(rf"(?:^|[&;]){_AMP}{_NAME}((?:(?!;{_AMP}{_NAME})[^&])+)")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")


class PageUrl(NamedTuple):
    """The address of a page.

    `host` is lower-case and punycoded, without port, with `www.` (see `bare_host`). `path` begins with "/", is decoded
    (`paths.readable`), redacted and at most 2,048 characters long. `query` is a read-only mapping of the `TAGS` in the
    address: the first non-empty value of each, decoded once, at most 200 characters.
    """

    host: str
    path: str
    query: Mapping[str, str]


class Address(NamedTuple):
    """The parts of an address: `host` as in `PageUrl`, the others as sent ("" if missing, "/" for the path)."""

    scheme: str
    host: str
    path: str
    query: str
    fragment: str


def read(url: str, keep_hash: bool = False) -> PageUrl | None:
    """The page at `url`; None if it is invalid, too long or not http(s).

    With `keep_hash` the fragment is part of the path ("/#page-a"), for sites that use it for routing. Also accepts
    `chrome-extension:` addresses, whose host is the extension's id. Never raises.
    """
    if len(url) > MAX_URL:
        return None
    return (read_cached if len(url) <= CACHED_LENGTH else _read)(url, keep_hash)


def split(url: str) -> Address | None:
    """The parts of an http(s) or chrome-extension address of at most `MAX_URL` characters; None for others.

    Name, password and port are dropped. Secrets in the other parts are not (see `analytics.base.redaction`).
    """
    url = url.strip()
    found = _URL.fullmatch(url) if len(url) <= MAX_URL else None
    if found is None or not (url.isascii() or _encodable(url)):
        return None
    scheme, host, path, query, fragment = found.groups("")
    host = _host(host)
    return Address(scheme.lower(), host, path.rstrip() or "/", query, fragment) if host else None


def bare_host(host: str) -> str:
    """`host` without a leading "www." (but "www.com" is a name of its own)."""
    return host[4:] if host.startswith("www.") and "." in host[4:] else host


def _read(url: str, keep_hash: bool) -> PageUrl | None:
    address = split(url)
    if address is None:
        return None
    route = _route(address.fragment) if keep_hash else ""
    path = paths.readable(f"{address.path}#{route}" if route else address.path)
    kept = redact(path)
    if max(len(path), len(kept)) > MAX_PATH:
        return None
    return PageUrl(address.host, kept, _tags(address.query) if address.query else _NO_TAGS)


read_cached = lru_cache(maxsize=4_096)(_read)


def _host(host: str) -> str:
    return idn.to_ascii(host).removesuffix(".") if len(host) <= idn.MAX_HOST else ""


def _encodable(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:  # half of a surrogate pair
        return False
    return True


def _route(fragment: str) -> str:
    """The fragment as a route, without its own query; "" if it consists of parameters (an OAuth response)."""
    route = fragment.partition("?")[0].strip()
    return "" if "=" in route and route[0] not in "/!" else route


def _tags(query: str) -> Mapping[str, str]:
    found: dict[str, str] = {}
    for key, raw, _ in _TAG.findall(query):
        if key not in found and (value := _value(raw)):
            found[key] = value
    return MappingProxyType(found) if found else _NO_TAGS


def _value(raw: str) -> str:
    """The text of one query value. Decoding may reveal control characters and private data, so both are removed."""
    if "%" in raw or "+" in raw:
        raw = _CONTROL.sub("", unquote_plus(raw))
    return REDACTED if names_person(raw) else raw.strip()[:MAX_TAG]
