"""CORS headers, which let pages of other origins send to a door and read its answer."""

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
MAX_NAMES_LENGTH = 4 * 1024
ANY_NAME = "*, Authorization"  # `*` does not include `Authorization`


def preflight(request: Request, methods: str) -> Response:
    """The answer to a preflight. Allows any request header, because cross-origin requests carry no credentials.

    Tracing agents add headers of their own to the requests of a page.
    """
    requested = request.headers.get("access-control-request-headers", "")
    allowed = requested if len(requested) <= MAX_NAMES_LENGTH and NAMES.fullmatch(requested) else ANY_NAME
    to_private_network = request.headers.get("access-control-request-private-network") == "true"
    headers = (
        *CORS,
        ("Access-Control-Allow-Methods", methods),
        ("Access-Control-Allow-Headers", allowed),
        ("Access-Control-Max-Age", "86400"),
        *([("Access-Control-Allow-Private-Network", "true")] if to_private_network else []),
    )
    return Response(204, headers, b"")
