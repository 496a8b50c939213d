"""`GET /pixel.gif`: a pageview for pages without scripts and for e-mail, through the same collector as the script's."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Sequence
from urllib.parse import parse_qsl

import msgspec

from collector.api.context import NO_SNIFF, Context
from collector.api.docs import SITE, Docs, parameter
from collector.doors.cors import CORS
from collector.doors.door import SiteOf, SiteWithId
from collector.http.messages import Request, Response
from collector.ingest.event import Body, read_body
from collector.ingest.outcomes import Outcome, Rejected, name_and_reason

PATH = "/pixel.gif"
GIF = base64.b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAICRAEAOw==")  # 43 bytes, one clear pixel
HEADERS = (
    ("Content-Type", "image/gif"),
    ("Cross-Origin-Resource-Policy", "cross-origin"),
    NO_SNIFF,
    *CORS,  # with no-store, so that each view is counted
)
BLANK = Response(200, HEADERS, GIF)
DOCS = Docs(
    "Collecting",
    "Count by a picture",
    "For pages without scripts and for e-mail. Always a picture; X-Footfall-Outcome says what became of it.",
    {"200": "43 bytes."},
    parameters=(
        SITE,
        parameter("url", "The page; without it the Referer header."),
        parameter("referrer", "Where the visitor came from."),
        parameter("title", "The page's title."),
    ),
    kind="image/gif",
)


def read(request: Request, _: SiteOf) -> Body | Rejected:
    """The pageview of a request, with a new id.

    Parameters: `site`; `url`, by default the `Referer` header, which names the page that contains the picture;
    optionally `referrer` and `title`.
    """
    parameters = dict(reversed(parse_qsl(request.query)))  # the first value of a repeated parameter counts
    fields = {name: parameters[name] for name in ("site", "url", "referrer", "title") if name in parameters}
    page = {"url": request.headers["referer"]} if "url" not in parameters and "referer" in request.headers else {}
    event = {"type": "pageview", "id": secrets.token_hex(16), **fields, **page}
    return read_body(msgspec.json.encode(event))


def answer(outcomes: Sequence[Outcome], _: bool, __: SiteWithId) -> Response:
    """The picture, always with status 200, because a broken image helps nobody. The outcome is in a header."""
    return Response(200, (*HEADERS, ("X-Footfall-Outcome", _header_value(outcomes[0]))), GIF)


def _header_value(outcome: Outcome) -> str:
    name, reason = name_and_reason(outcome)
    if name in ("stored", "duplicate"):
        return "stored"
    return f"{name}; reason={reason}"


def blank(_: Context, __: Request) -> Response:
    """The picture for HEAD requests, which are not counted."""
    return BLANK
