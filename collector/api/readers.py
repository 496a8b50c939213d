"""Checks who may read a site's live state: by the token of a card, a `stats` key, or a login (contract §4)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple

from analytics.access.roles import VIEWER, Person
from analytics.notify.sight import NOTHING, Sight, sight_of, whole_sight
from analytics.sites.site import Site
from collector.api.context import NO_STORE, NOTHING_HERE, Context, IsAllowed
from collector.http.messages import Request, Response, bearer_token, error

SIGN_IN = error(401, "sign_in", "sign in, or send a key", (NO_STORE,))


class SiteReader(NamedTuple):
    """A site that a request may read, a check whether it still may, and what it sees of the notifications now."""

    site: Site
    allowed: IsAllowed
    sight: Callable[[], Sight]
    by_token: bool = False  # of a card


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
    person = context.person_of(headers)
    if person is None:
        return SIGN_IN
    if site is None or not person.may(VIEWER, site.id):
        return NOTHING_HERE
    login = Login(context, headers, person)
    return SiteReader(site, lambda: login.reads(site), lambda: sight_of(login.person, [site.id]))


class Login:
    """A login that lasts as long as a stream. Who the person is, and what they may do, is as of the last check."""

    def __init__(self, context: Context, headers: Mapping[str, str], person: Person) -> None:
        self.person = person
        self._context = context
        self._headers = headers

    def is_valid(self) -> bool:
        """Checks again whether the login is valid."""
        found = self._context.person_of(self._headers)
        self.person = found or self.person
        return found is not None

    def reads(self, site: Site) -> bool:
        """Checks again whether the login is valid and the site is there for its person."""
        return (
            self.is_valid() and self.person.may(VIEWER, site.id) and self._context.sites.numbered(site.id) is not None
        )


def by_token(context: Context, token: str, site: Site | None) -> SiteReader | Response:
    """The reader by the token of a card, or the refusal. Without `site`, the site is that of the card."""
    embed = context.embeds.find(token, context.now())
    if embed is None or (site is not None and site.id != embed.site_id):
        return NOTHING_HERE
    own = site or context.sites.numbered(embed.site_id)
    if own is None:
        return NOTHING_HERE
    return SiteReader(
        own, lambda: context.embeds.find(token, context.now()) is not None, lambda: NOTHING, by_token=True
    )


def _by_key(context: Context, plain: str, site: Site | None) -> SiteReader | Response:
    key = context.keys.find(plain)
    if key is None or key.scope == "ingest":
        return SIGN_IN
    if site is None or not key.opens("stats", site.id):
        return NOTHING_HERE
    return SiteReader(
        site,
        lambda: context.keys.find(plain) is not None and context.sites.numbered(site.id) is not None,
        lambda: whole_sight([site.id]),
    )
