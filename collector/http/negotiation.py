"""What a client takes: which encodings, and whether it has the answer already (RFC 9110 §12.5.3 and §13.1.2)."""

from __future__ import annotations

from functools import lru_cache

from werkzeug.datastructures import Accept
from werkzeug.http import parse_accept_header, parse_etags


@lru_cache(256)
def encoding(accepted: str, offered: tuple[str, ...]) -> str:
    """The best of the offered encodings by an `Accept-Encoding` header, the first of equals; "" to send it plain."""
    if not accepted:
        return ""
    asked = parse_accept_header(accepted.lower(), Accept)
    qualities = {name: asked.quality(name) for name in offered}
    best = max(offered, key=lambda name: qualities[name])  # max gives the first of equals
    plain = asked.quality("identity") if "identity" in asked.values() else 0
    return best if qualities[best] > 0 and qualities[best] >= plain else ""


def has_already(if_none_match: str, etag: str) -> bool:
    """Whether an `If-None-Match` header names that entity tag, weak or strong, in a list or by `*`."""
    return bool(if_none_match) and parse_etags(if_none_match).contains_weak(etag.strip('"'))
