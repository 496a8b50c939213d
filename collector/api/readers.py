"""Checks who may read a site's live state: by the token of a card, a `stats` key, or a login (contract §4)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from analytics.sites.site import Site
from collector.api.context import NO_STORE, NOTHING_HERE, Context, IsAllowed
from collector.http.messages import Request, Response, bearer_token, error

SIGN_IN = error(401, "sign_in", "sign in, or send a key", (NO_STORE,))


class SiteReader(NamedTuple):
    """A site that a request may read, and a check whether it still may."""

    site: Site
    allowed: IsAllowed


def find_reader(context: Context, request: Request) -> SiteReader | Response:
    """The reader of the site in the request, or the refusal."""
    site = context.sites.get(request.parameter("site"))
    if token := request.parameter("token"):
        return by_token(context, token, site) if site or not request.parameter("site") else NOTHING_HERE
    if key := bearer_token(request.headers):
        return _by_key(context, key, site)
    return by_login(context, request.headers, site)


def by_login(context: Context, headers: Mapping[str, str], site: Site | None) -> SiteReader | Response:
    """The reader by the login in the headers, or the refusal."""
    may_read = context.site_access(headers)
    if may_read is None:
        return SIGN_IN
    if site is None or not may_read(site):
        return NOTHING_HERE
    return SiteReader(site, lambda: _still_reads(context, headers, site))


def _still_reads(context: Context, headers: Mapping[str, str], site: Site) -> bool:
    may_read = context.site_access(headers)
    return may_read is not None and may_read(site) and context.sites.numbered(site.id) is not None


def by_token(context: Context, token: str, site: Site | None) -> SiteReader | Response:
    """The reader by the token of a card, or the refusal. Without `site`, the site is that of the card."""
    embed = context.embeds.find(token, context.now())
    if embed is None or (site is not None and site.id != embed.site_id):
        return NOTHING_HERE
    own = site or context.sites.numbered(embed.site_id)
    if own is None:
        return NOTHING_HERE
    return SiteReader(own, lambda: context.embeds.find(token, context.now()) is not None)


def _by_key(context: Context, plain: str, site: Site | None) -> SiteReader | Response:
    key = context.keys.find(plain)
    if key is None or key.scope == "ingest":
        return SIGN_IN
    if site is None or not key.opens("stats", site.id):
        return NOTHING_HERE
    return SiteReader(
        site, lambda: context.keys.find(plain) is not None and context.sites.numbered(site.id) is not None
    )
