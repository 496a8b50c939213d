"""`GET /embed/live`: the card, for an iframe on the hosts in its settings."""

from __future__ import annotations

import gzip
from collections.abc import Mapping, Sequence
from urllib.parse import quote

from analytics.base import language
from analytics.sites.site import Site
from collector.api.context import NO_SNIFF, NO_STORE, Context
from collector.api.docs import Docs, parameter
from collector.api.readers import by_login, by_token
from collector.card import card
from collector.http import negotiation
from collector.http.messages import Request, Response

FONT_PATH = card.FONT_PATH
FRAMES = {"iframe", "frame", "object", "embed"}


def show(context: Context, request: Request) -> Response:
    """The card of a token, on the pages of its hosts; in all other cases the page that says that there is no card."""
    token = request.parameter("token")
    if not token and request.parameter("site"):
        return _preview(context, request)
    reader = by_token(context, token, None)
    embed = context.embeds.find(token, context.now())
    if isinstance(reader, Response) or embed is None or _is_framed_elsewhere(embed.hosts, request.headers):
        tag = language.asked_for(request.headers.get("accept-language", ""))
        off = card.render_off(request.parameter("theme"), context.base_path, tag)
        return _page(request, 404, off, card.off_policy(context.base_path))
    policy = card.content_security_policy(embed.hosts, context.base_path)
    return _render(context, request, reader.site, token, policy)


def _preview(context: Context, request: Request) -> Response:
    """The card for a signed-in person, on our own pages: the login opens the stream, so it needs no token."""
    reader = by_login(context, request.headers, context.sites.get(request.parameter("site")))
    if isinstance(reader, Response):
        return reader
    return _render(context, request, reader.site, "", card.preview_policy(context.base_path))


def _render(context: Context, request: Request, site: Site, token: str, policy: str) -> Response:
    concurrency = context.history.read(site, context.now())
    page = card.render(
        site.shown_domain,
        context.hub.stats(site.id),
        concurrency.points,
        token=token,
        theme=request.parameter("theme"),
        zone=site.timezone,
        hour_ago=concurrency.hour_ago,
        tag=language.asked_for(request.headers.get("accept-language", "")),
        demo=site.demo,
        base_path=context.base_path,
        link=f"{context.base_path}/live/{quote(site.domain)}" if request.parameter("link") == "1" else "",
    )
    return _page(request, 200, page, policy)


def _is_framed_elsewhere(hosts: Sequence[str], headers: Mapping[str, str]) -> bool:
    """Whether a page on another host frames the card, if the browser sends that.

    If the browser does not send it, the card's policy prevents the frame; then it shows the browser's own error page.
    """
    if headers.get("sec-fetch-dest") not in FRAMES or not (referrer := headers.get("referer", "")):
        return False
    return referrer.partition("://")[2].partition("/")[0].lower() not in hosts


def _page(request: Request, status: int, page: bytes, policy: str) -> Response:
    headers = [
        ("Content-Type", "text/html; charset=utf-8"),
        ("Content-Security-Policy", policy),
        ("Referrer-Policy", "no-referrer"),
        ("Vary", "Accept-Encoding, Accept-Language"),
        NO_STORE,
        NO_SNIFF,
    ]
    if negotiation.encoding(request.headers.get("accept-encoding", ""), ("gzip",)):
        page = gzip.compress(page, 6)
        headers.append(("Content-Encoding", "gzip"))
    return Response(status, tuple(headers), page)


def font(_: Context, __: Request) -> Response:
    """The font of the card."""
    headers = (("Content-Type", "font/woff2"), ("Cache-Control", "public, max-age=31536000, immutable"), NO_SNIFF)
    return Response(200, headers, card.font())


DOCS = Docs(
    "Card",
    "The card",
    "For an iframe on the hosts that it was made for.",
    {"200": "A page of at most 40 kB."},
    refusals=("404",),
    parameters=(
        parameter("token", "The card's token.", required=True),
        parameter("theme", "light or dark; without it the reader's system decides."),
        parameter("link", "1: the site's name leads to the dashboard, in a new tab."),
    ),
    kind="text/html",
)
FONT_DOCS = Docs("Card", "The card's font", "Cacheable.", {"200": "The font."}, kind="font/woff2")
