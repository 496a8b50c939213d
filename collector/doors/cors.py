"""What lets pages of other origins send to a door and read its answer."""

from __future__ import annotations

import re

from collector.http.messages import Request, Response

CORS = (
    ("Access-Control-Allow-Origin", "*"),
    ("Access-Control-Expose-Headers", "Retry-After, X-Footfall-Outcome"),
    ("Cache-Control", "no-store"),
)
NAME = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
NAMES = re.compile(rf"{NAME}(?:[ \t]*,[ \t]*{NAME})*")
LARGEST_NAMES = 4 * 1024
ANY_NAME = "*, Authorization"  # the star alone leaves that one out


def preflight(request: Request, methods: str) -> Response:
    """What a browser asks before a page's request: any header may come along, since no credentials do.

    Agents that trace requests add headers of their own to whatever a page sends.
    """
    asked = request.headers.get("access-control-request-headers", "")
    named = asked if len(asked) <= LARGEST_NAMES and NAMES.fullmatch(asked) else ANY_NAME
    inwards = request.headers.get("access-control-request-private-network") == "true"  # from a public page to ours
    headers = (
        *CORS,
        ("Access-Control-Allow-Methods", methods),
        ("Access-Control-Allow-Headers", named),
        ("Access-Control-Max-Age", "86400"),
        *([("Access-Control-Allow-Private-Network", "true")] if inwards else []),
    )
    return Response(204, headers, b"")
