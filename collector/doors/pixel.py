"""`GET /pixel.gif`: a pageview for pages without scripts and for e-mail, through the same core as the script's."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Sequence
from urllib.parse import parse_qsl

import msgspec

from collector.api.context import NO_SNIFF, Context
from collector.api.docs import SITE, Docs, parameter
from collector.doors.cors import CORS
from collector.doors.door import SiteOf
from collector.http.messages import Request, Response
from collector.ingest.event import Body, read_body
from collector.ingest.outcomes import Outcome, Rejected, name_and_reason

PATH = "/pixel.gif"
GIF = base64.b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAICRAEAOw==")  # 43 bytes, one clear pixel
HEADERS = (
    ("Content-Type", "image/gif"),
    ("Cross-Origin-Resource-Policy", "cross-origin"),
    NO_SNIFF,
    *CORS,  # with no-store: who looks again is counted again
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
    """The pageview that a script would have sent; its id is made here.

    Parameters: `site`; `url`, else the `Referer` header, which names the page that shows the picture; `referrer` and
    `title` where they are given.
    """
    told = dict(reversed(parse_qsl(request.query)))  # of a parameter that is there twice, the first counts
    fields = {name: told[name] for name in ("site", "url", "referrer", "title") if name in told}
    page = {"url": request.headers["referer"]} if "url" not in told and "referer" in request.headers else {}
    event = {"type": "pageview", "id": secrets.token_hex(16), **fields, **page}
    return read_body(msgspec.json.encode(event))


def answer(outcomes: Sequence[Outcome], _: bool) -> Response:
    """A picture: always 200, since a broken image helps nobody; the outcome is a header."""
    return Response(200, (*HEADERS, ("X-Footfall-Outcome", _in_a_header(outcomes[0]))), GIF)


def _in_a_header(outcome: Outcome) -> str:
    fate, reason = name_and_reason(outcome)
    if fate in ("stored", "duplicate"):
        return "stored"
    return f"{fate}; reason={reason}"


def blank(_: Context, __: Request) -> Response:
    """The picture for whoever only asks what it is: counted are those who fetch it."""
    return BLANK
