"""Content negotiation: which encoding a client accepts, and whether its copy is current (RFC 9110 §12.5.3, §13.1.2)."""

from __future__ import annotations

from functools import lru_cache

from werkzeug.datastructures import Accept
from werkzeug.http import parse_accept_header, parse_etags


@lru_cache(256)
def encoding(accepted: str, offered: tuple[str, ...]) -> str:
    """The best offered encoding for an `Accept-Encoding` header, the first of equals; "" means no encoding."""
    if not accepted:
        return ""
    accept = parse_accept_header(accepted.lower(), Accept)
    qualities = {name: accept.quality(name) for name in offered}
    best = max(offered, key=lambda name: qualities[name])  # max returns the first of equals
    plain = accept.quality("identity") if "identity" in accept.values() else 0
    return best if qualities[best] > 0 and qualities[best] >= plain else ""


def matches(if_none_match: str, etag: str) -> bool:
    """Whether an `If-None-Match` header contains that entity tag, weak or strong, in a list or as `*`."""
    return bool(if_none_match) and parse_etags(if_none_match).contains_weak(etag.strip('"'))
