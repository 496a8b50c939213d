"""Who may read a site's live state: a card's token, a `stats` key, or somebody signed in (contract §4)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from analytics.sites.site import Site
from collector.api.context import NO_STORE, NOTHING_HERE, Context, May
from collector.http.messages import Request, Response, error

SIGN_IN = error(401, "sign_in", "sign in, or send a key", (NO_STORE,))


class Reader(NamedTuple):
    """A site that somebody may read, and whether they still may."""

    site: Site
    allowed: May


def reader(context: Context, request: Request) -> Reader | Response:
    """Who reads the site that the request names, or why nobody does."""
    site = context.sites.get(request.parameter("site"))
    if token := request.parameter("token"):
        return by_token(context, token, site) if site or not request.parameter("site") else NOTHING_HERE
    authorization = request.headers.get("authorization", "")
    if authorization.startswith("Bearer "):
        return _by_key(context, authorization.removeprefix("Bearer ").strip(), site)
    return by_login(context, request.headers, site)


def by_login(context: Context, headers: Mapping[str, str], site: Site | None) -> Reader | Response:
    """Somebody signed in."""
    reads = context.who_reads(headers)
    if reads is None:
        return SIGN_IN
    if site is None or not reads(site):
        return NOTHING_HERE
    return Reader(site, lambda: _still_reads(context, headers, site))


def _still_reads(context: Context, headers: Mapping[str, str], site: Site) -> bool:
    reads = context.who_reads(headers)
    return reads is not None and reads(site) and context.sites.numbered(site.id) is not None


def by_token(context: Context, token: str, site: Site | None) -> Reader | Response:
    """A card; without a site, that of the card."""
    embed = context.embeds.find(token, context.now())
    if embed is None or (site is not None and site.id != embed.site_id):
        return NOTHING_HERE
    own = site or context.sites.numbered(embed.site_id)
    if own is None:
        return NOTHING_HERE
    return Reader(own, lambda: context.embeds.find(token, context.now()) is not None)


def _by_key(context: Context, plain: str, site: Site | None) -> Reader | Response:
    key = context.keys.find(plain)
    if key is None or key.scope == "ingest":
        return SIGN_IN
    if site is None or not key.opens("stats", site.id):
        return NOTHING_HERE
    return Reader(site, lambda: context.keys.find(plain) is not None and context.sites.numbered(site.id) is not None)
