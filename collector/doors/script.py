"""`GET /js/footfall.js`: the site script, in the forms in which it travels."""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import NamedTuple

from collector.api.context import NO_SNIFF, Context
from collector.api.docs import Docs
from collector.http import negotiation
from collector.http.messages import Request, Response
from collector.tracker.build import compressed

PATH = "/js/footfall.js"
BUILT = Path(__file__).parents[1] / "tracker" / "footfall.min.js"
HEARTBEAT_MS = b"3e4"  # as terser writes the 30000 of the script's own constant
DOCS = Docs("Collecting", "The site script", "Cacheable.", {"200": "The script."}, kind="text/javascript")


def script_beating(beat_s: int) -> bytes:
    """The built script with its heartbeat at that interval."""
    built = BUILT.read_bytes()
    assert built.count(HEARTBEAT_MS) == 1, "the built script says its interval in another way; see HEARTBEAT_MS"
    return built if beat_s == 30 else built.replace(HEARTBEAT_MS, b"%de3" % beat_s)


class _Script(NamedTuple):
    etag: str
    forms: Mapping[str, bytes]  # by encoding


@cache
def _made(beat_s: int) -> _Script:
    plain = script_beating(beat_s)
    etag = f'"{hashlib.sha256(plain).hexdigest()[:16]}"'
    return _Script(etag, {"br": compressed(plain), "gzip": gzip.compress(plain, 9), "": plain})


def answer(context: Context, request: Request) -> Response:
    """The script, beating as the settings say; an unchanged one is not sent again."""
    etag, forms = _made(context.beat_s)
    encoding = negotiation.encoding(request.headers.get("accept-encoding", ""), ("br", "gzip"))
    headers = [
        ("Content-Type", "text/javascript; charset=utf-8"),
        ("Cache-Control", "public, max-age=3600"),
        ("ETag", etag),
        ("Vary", "Accept-Encoding"),
        ("Access-Control-Allow-Origin", "*"),
        ("Cross-Origin-Resource-Policy", "cross-origin"),
        NO_SNIFF,
    ]
    if negotiation.matches(request.headers.get("if-none-match", ""), etag):
        return Response(304, tuple(headers), b"")
    if encoding:
        headers.append(("Content-Encoding", encoding))
    return Response(200, tuple(headers), forms[encoding])
