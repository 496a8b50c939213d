"""From an event to an accepted one: the steps that may refuse it, in their order."""

from __future__ import annotations

import ipaddress
import logging
import random
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache, partial
from hashlib import blake2b
from typing import NamedTuple

import msgspec

from analytics.base.addresses import plain_address
from analytics.base.error_log import describe
from analytics.live.beat import PageState
from analytics.live.reasons import FilteredReason, RejectedReason, ShedReason
from analytics.sites.directory import Directory
from analytics.sites.salts import Salts, SaltSource
from analytics.sites.site import Site
from collector.ingest import device, page_url, redaction, robot
from collector.ingest.accepted import Accepted, Details, Kind
from collector.ingest.event import Engagement, Event
from collector.ingest.geo import Places
from collector.ingest.outcomes import Filtered, Refusal, Rejected, Shed
from collector.ingest.page_url import Page
from collector.ingest.rate import Rate
from collector.ingest.source import classify
from collector.ingest.spam import Spammers, open_spammers
from collector.ingest.visit import Origin

log = logging.getLogger("footfall.pipeline")

EARLIEST_S, LATEST_S = 7 * 86_400, 300  # how far a server's own `time` may lie in the past and in the future
DATACENTER = "dc_ip"  # in the header of a trusted proxy; others say it in Plausible's
PURPOSES = ("sec-purpose", "purpose", "x-moz", "x-purpose")  # of today's browsers, then of older ones
AHEAD = ("prefetch", "prerender", "preview")
LOCAL_HOSTS = ("localhost", "127.0.0.1", "::1")

KINDS = {"pageview": Kind.PAGEVIEW, "event": Kind.EVENT, "heartbeat": Kind.HEARTBEAT, "leave": Kind.LEAVE}
STATES = {None: PageState.ACTIVE, "active": PageState.ACTIVE, "idle": PageState.IDLE, "hidden": PageState.HIDDEN}


class Hit(NamedTuple):
    """One event with what its request says; `at_ms` is its moment, `address` and `agent` are the visitor's."""

    event: Event
    site: Site
    page: Page | None
    address: str
    agent: str
    headers: Mapping[str, str]
    at_ms: int


@dataclass(frozen=True, slots=True)
class Kit:
    """What the steps work with; one for a process."""

    sites: Directory
    salts: SaltSource
    places: Places
    rate: Rate
    secret: bytes
    spammers: Spammers = field(default_factory=lambda: open_spammers(None))


def host_included(hit: Hit, _: Kit) -> Refusal | None:
    """Hosts that the owner has excluded are left out."""
    excluded = hit.page is not None and hit.site.excluded_hosts and hit.site.excludes_host(hit.page.host)
    return Filtered(FilteredReason.EXCLUDED_HOST) if excluded else None


def host_allowed(hit: Hit, _: Kit) -> Refusal | None:
    """Only pages of the site's own hosts count; a page on localhost does for a visitor on this same machine."""
    if hit.page is None or hit.page.host == hit.site.domain or hit.site.allows_host(hit.page.host):
        return None
    if hit.page.host in LOCAL_HOSTS and _is_loopback(hit.address):
        return None
    return Filtered(FilteredReason.UNLISTED_HOST, hit.page.host)


def not_opted_out(hit: Hit, _: Kit) -> Refusal | None:
    """Do Not Track and Global Privacy Control are honoured."""
    opted_out = hit.headers.get("dnt") == "1" or hit.headers.get("sec-gpc") == "1"
    return Filtered(FilteredReason.OPTED_OUT) if opted_out else None


def not_prefetched(hit: Hit, _: Kit) -> Refusal | None:
    """Pages that a browser fetches ahead are left out: perhaps nobody will ever see them."""
    headers = hit.headers
    if "sec-purpose" in headers or "purpose" in headers or "x-moz" in headers or "x-purpose" in headers:
        told = " ".join(headers.get(name, "") for name in PURPOSES).lower()
        return Filtered(FilteredReason.PREFETCH) if any(word in told for word in AHEAD) else None
    return None


def not_a_robot(hit: Hit, _: Kit) -> Refusal | None:
    """Robots that say so are left out, and counted by name."""
    name = robot.name_cached(hit.agent[: robot.LONGEST])
    return Filtered(FilteredReason.BOT, name) if name else None


def not_from_a_datacenter(hit: Hit, _: Kit) -> Refusal | None:
    """Addresses that a trusted proxy marks as a data centre's are left out: nobody sits there."""
    marked = DATACENTER in (hit.headers.get("x-footfall-ip-type"), hit.headers.get("x-plausible-ip-type"))
    return Filtered(FilteredReason.DATACENTER) if marked else None


def referrer_clean(hit: Hit, kit: Kit) -> Refusal | None:
    """Pages that come from a spammer are left out, with everything that they tell later."""
    event = hit.event
    if event.referrer and kit.spammers.sent(event.referrer):
        kit.spammers.remember(hit.site.id, event.id)
        return Filtered(FilteredReason.SPAM_REFERRER)
    return Filtered(FilteredReason.SPAM_REFERRER) if (hit.site.id, event.pageview) in kit.spammers.pages else None


def address_included(hit: Hit, _: Kit) -> Refusal | None:
    """Addresses that the owner has excluded are left out."""
    excluded = hit.site.excluded_addresses and hit.site.excludes_address(hit.address)
    return Filtered(FilteredReason.EXCLUDED_ADDRESS) if excluded else None


def path_included(hit: Hit, _: Kit) -> Refusal | None:
    """Pages that the owner has excluded are left out."""
    excluded = hit.page is not None and hit.site.excluded_paths and hit.site.excludes_path(hit.page.path)
    return Filtered(FilteredReason.EXCLUDED_PATH) if excluded else None


def within_rate(hit: Hit, kit: Kit) -> Refusal | None:
    """One address may send so many events a minute to one site."""
    if wait := kit.rate.wait(hit.site.id, hit.address, time.monotonic()):
        return Shed(ShedReason.TOO_MANY_REQUESTS, "this address sends too many events; slow down", wait, status=429)
    return None


# `read_hit` comes first (site known, address readable, moment possible), `accept` last.
STEPS: tuple[Callable[[Hit, Kit], Refusal | None], ...] = (
    host_included,
    host_allowed,
    not_opted_out,
    not_prefetched,
    not_a_robot,
    not_from_a_datacenter,
    referrer_clean,
    address_included,
    path_included,
    within_rate,
)


def run(hit: Hit, kit: Kit) -> Accepted | Refusal:
    """What the hit becomes when it is accepted, or what the first step that objects says."""
    for step in STEPS:
        if refusal := step(hit, kit):
            return refusal
    return accept(hit, kit)


def read_hit(
    event: Event, kit: Kit, address: str, headers: Mapping[str, str], now_ms: int, *, trusted: bool
) -> Hit | Rejected:
    """The hit of an event; `trusted` says that an `ingest` key lets it speak for a visitor (ip, user_agent, time)."""
    site = kit.sites.prepared.get(event.site) or kit.sites.get(event.site)
    if site is None:
        return Rejected(404, RejectedReason.UNKNOWN_SITE, f"no site {event.site[:100]!r} here", "site")
    page = None
    if event.url is not None:
        page = (page_url.read_cached if len(event.url) <= page_url.CACHED_LENGTH else page_url.read)(event.url, True)
        if page is None:
            return Rejected(
                422, RejectedReason.WRONG_FIELD, "`url` is no http(s) address of a page, or too long", "url"
            )
    if not trusted:
        return Hit(event, site, page, address, headers.get("user-agent", ""), headers, now_ms)
    return _spoken_for(event, site, page, address, headers, now_ms)


def _spoken_for(
    event: Event, site: Site, page: Page | None, address: str, headers: Mapping[str, str], now_ms: int
) -> Hit | Rejected:
    if event.ip is not None:
        address = plain_address(event.ip)
        if not address:
            return Rejected(422, RejectedReason.WRONG_FIELD, "`ip` is no address", "ip")
    at_ms = now_ms
    if event.time is not None:
        if not now_ms / 1000 - EARLIEST_S <= event.time <= now_ms / 1000 + LATEST_S:
            return Rejected(
                422, RejectedReason.BAD_TIME, "`time` lies more than 7 days back or 5 minutes ahead", "time"
            )
        # whole seconds are spread over theirs, so that the ids of many events of one second differ
        spread = random.randrange(1000) if event.time == int(event.time) else 0  # noqa: S311 - no secret
        at_ms = min(now_ms, int(event.time * 1000) + spread)  # a clock that is ahead makes nothing happen tomorrow
    agent = event.user_agent if event.user_agent is not None else headers.get("user-agent", "")
    return Hit(event, site, page, address, agent, {}, at_ms)


def accept(hit: Hit, kit: Kit) -> Accepted:
    """The hit in the words of the tables; the last place that knows those of the wire."""
    event, site, page, at = hit.event, hit.site, hit.page, hit.at_ms // 1000
    salts = kit.salts.prepared.get(site.id)
    if salts is None or at >= salts.until:
        salts = kit.salts.of(site, at)
    visitor, before = visitors_of(salts, kit.secret, site, hit.address, hit.agent, event.visitor_id)
    kind = Kind.ENGAGEMENT if type(event) is Engagement else KINDS[event.type]
    host, path = (page.host, page.path) if page else ("", "")
    page_id, tab_id = event.id or "", event.pageview or event.id
    if tab_id is None:  # of a sender that makes no ids
        tab_id = page_key(visitor, host, path)
        page_id = own_id(tab_id, hit.at_ms)
    return Accepted(
        kind=kind,
        site_id=site.id,
        at=at,
        at_ms=hit.at_ms,
        page_id=page_id,
        pageview=event.pageview or "",
        tab=tab_of(tab_id),
        visitor=visitor,
        visitor_before=before,
        user_id=event.user_id,
        user_type=event.user_type or "",
        host=host,
        path=path,
        title=event.title or "",
        engaged_ms=event.engaged_ms or 0,
        scroll=event.scroll or 0,
        state=PageState.LEFT if kind is Kind.LEAVE else STATES[event.state if kind is Kind.HEARTBEAT else None],
        origin=_origin_at_once(hit, kit) if kind in (Kind.PAGEVIEW, Kind.EVENT) else _origin_if_needed(hit, kit),
        details=_details(redaction.cleared(event)) if kind is Kind.EVENT else None,
        page_keys=_page_keys(visitor, before, host, path) if kind is Kind.ENGAGEMENT else (),
    )


def visitors_of(
    salts: Salts, secret: bytes, site: Site, address: str, agent: str, visitor_id: str | None
) -> tuple[int, int | None]:
    """The visitor by today's salt and, while yesterday's is kept, by that; or by the browser's own id.

    The browser's id counts only where the site's identity is `browser`; then there is no second one. Nobody can undo
    these keyed hashes once the salt is gone.
    """
    if visitor_id and site.identity == "browser":
        return visitor_of(secret[:64], site.id, "", visitor_id), None
    before = visitor_of(salts.before, site.id, address, agent) if salts.before else None
    return visitor_of(salts.today, site.id, address, agent), before


def visitor_of(salt: bytes, site_id: int, address: str, agent: str) -> int:
    """The visitor's number (64 bits, signed): the same for the same site, address and user agent under one salt."""
    text = f"{site_id}\n{address}\n{agent}".encode("utf-8", "replace")
    return int.from_bytes(blake2b(text, key=salt, digest_size=8).digest(), "big", signed=True)


def tab_of(page_id: str) -> int:
    """The number of a page in somebody's browser: a hash of its pageview's id."""
    return int.from_bytes(blake2b(page_id.encode(), digest_size=8).digest(), signed=True)


def page_key(visitor: int, host: str, path: str) -> str:
    """What the ids of a visitor's pageviews of one page begin with, where the sender makes none: 16 hex digits.

    By it an engagement finds the latest of them, in the index of the senders' own ids.
    """
    return blake2b(f"{visitor} {host} {path}".encode("utf-8", "replace"), digest_size=8).hexdigest()


def own_id(key: str, at_ms: int) -> str:
    """A new id that begins with the key and then grows with time: 36 characters."""
    return f"{key}{at_ms:011x}{secrets.randbits(36):09x}"


def _page_keys(visitor: int, before: int | None, host: str, path: str) -> tuple[str, ...]:
    return tuple(page_key(one, host, path) for one in (visitor, before) if one is not None)


def _details(event: Event) -> Details:
    return Details(
        name=event.name or "",
        props=msgspec.json.encode(event.props or {}).decode(),
        value=None if event.value is None else float(event.value),
        currency=event.currency or "",
        description=event.description or "",
        user_name=event.user_name or "",
        interactive=event.interactive,
    )


def _origin_at_once(hit: Hit, kit: Kit) -> Callable[[], Origin]:
    origin = origin_of(hit.page, hit.event, hit.address, hit.agent, kit.places)
    return lambda: origin


def _origin_if_needed(hit: Hit, kit: Kit) -> Callable[[], Origin]:
    """The origin of a beat, which is needed where its pageview is unknown. It is found out by the writer then: a fault
    there costs the origin and not the group.
    """
    found_out = partial(origin_of, hit.page, hit.event, hit.address, hit.agent[: device.LONGEST], kit.places)
    return partial(_or_empty, found_out)


def _or_empty(find: Callable[[], Origin]) -> Origin:
    try:
        return find()
    except Exception as failed:
        log.error("the origin of a visit is not known: %s", describe(failed))
        return Origin()


def origin_of(page: Page | None, event: Event, address: str, agent: str, places: Places) -> Origin:
    """Where a visit came from and with what, by its first event; empty where that tells of no page."""
    if page is None:
        return Origin()
    source = classify(page, event.referrer)
    place = places.find(address, event.timezone or "")
    screen = f"{event.screen[0]}x{event.screen[1]}" if event.screen else ""
    return Origin(page.host, *source, *place, *device.read(agent), screen, event.language or "")


@lru_cache(4096)
def _is_loopback(address: str) -> bool:
    plain = plain_address(address)
    return bool(plain) and ipaddress.ip_address(plain).is_loopback
