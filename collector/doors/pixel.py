"""`GET /pixel.gif`: a pageview for pages without scripts and for e-mail, through the same core as the script's."""

from __future__ import annotations

import base64
import secrets
from urllib.parse import parse_qsl

import msgspec

from collector.doors.collect import CORS
from collector.http.messages import Request, Response

PATH = "/pixel.gif"
GIF = base64.b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAICRAEAOw==")  # 43 bytes, one clear pixel
HEADERS = (
    ("Content-Type", "image/gif"),
    ("Cross-Origin-Resource-Policy", "cross-origin"),
    ("X-Content-Type-Options", "nosniff"),
    *CORS,  # with no-store: who looks again is counted again
)
BLANK = Response(200, HEADERS, GIF)


def as_posted(request: Request) -> Request:
    """The request as a script would have posted it; the pageview's id is made here.

    Parameters: `site`; `url`, else the `Referer` header, which names the page that shows the picture; `referrer` and
    `title` where they are given.
    """
    told = dict(reversed(parse_qsl(request.query)))  # of a parameter that is there twice, the first counts
    fields = {name: told[name] for name in ("site", "url", "referrer", "title") if name in told}
    page = {"url": request.headers["referer"]} if "url" not in told and "referer" in request.headers else {}
    event = {"type": "pageview", "id": secrets.token_hex(16), **fields, **page}
    headers = {name: value for name, value in request.headers.items() if name != "content-encoding"}
    headers["content-type"] = "application/json"
    return request._replace(method="POST", headers=headers, body=msgspec.json.encode(event))


def pictured(answer: Response) -> Response:
    """The collector's answer as a picture: always 200, since a broken image helps nobody; the outcome is a header."""
    return Response(200, (*HEADERS, ("X-Footfall-Outcome", _outcome(answer))), GIF)


def _outcome(answer: Response) -> str:
    if answer.status == 202:
        return "stored"
    if answer.status == 200:
        return dict(answer.headers)["X-Footfall-Outcome"]
    kind = "shed" if answer.status in (429, 503) else "rejected"
    return f"{kind}; reason={msgspec.json.decode(answer.body)['error']['code']}"
