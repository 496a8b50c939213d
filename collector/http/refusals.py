"""The responses of the edge to requests that it refuses itself. Each of them ends the connection."""

from __future__ import annotations

from functools import lru_cache

from collector.http.limits import Limits
from collector.http.messages import Response, error

CLOSE = (("Connection", "close"),)

BAD_REQUEST = error(400, "bad_request", "this is no HTTP/1.1 request", CLOSE)
NO_TUNNEL = error(405, "wrong_method", "this is no proxy", (*CLOSE, ("Allow", "GET, HEAD, OPTIONS, POST")))
TOO_SLOW = error(408, "too_slow", "the request did not arrive in time", CLOSE)
TOO_LARGE = error(413, "too_large", "the body is too large", CLOSE)
UNKNOWN_EXPECTATION = error(417, "unknown_expectation", "Expect takes 100-continue alone", CLOSE)
FAILED = error(500, "failed", "something failed on the server; its log says what", CLOSE)
TOO_MUCH = error(503, "busy", "too many requests are under way", (*CLOSE, ("Retry-After", "2")))


@lru_cache(8)
def headers_too_large(limits: Limits) -> Response:
    """The response to a head that exceeds these limits."""
    message = f"the headers are more than {limits.head_lines} lines or {limits.head_bytes} bytes"
    return error(431, "headers_too_large", message, CLOSE)
