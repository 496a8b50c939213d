"""From an event to an arrival: the steps, in the order in which they are taken."""

from __future__ import annotations

import ipaddress
import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple

from msgspec.structs import replace

from analytics.base.addresses import plain_address
from analytics.live.reasons import FilteredReason, RejectedReason, ShedReason
from analytics.sites.directory import Directory
from analytics.sites.salts import SaltSource
from analytics.sites.site import Site
from collector.ingest import device, redaction, robot
from collector.ingest import page_url as page
from collector.ingest.accepted import Arrival, Filtered, Shed, own_id, page_key, tab_of
from collector.ingest.event import Event, Rejected
from collector.ingest.geo import Places
from collector.ingest.page_url import Page
from collector.ingest.rate import Rate
from collector.ingest.source import classify
from collector.ingest.spam import Spammers, open_spammers
from collector.ingest.visit import Origin
from collector.ingest.visitor import visitors_of

EARLIEST_S, LATEST_S = 7 * 86_400, 300  # how far a server's own `time` may lie in the past and in the future
DATACENTER = "dc_ip"  # in the header of a trusted proxy; others say it in Plausible's
PURPOSES = ("sec-purpose", "purpose", "x-moz", "x-purpose")  # of today's browsers, then of older ones
AHEAD = ("prefetch", "prerender", "preview")
LOCAL_HOSTS = ("localhost", "127.0.0.1", "::1")


class Hit(NamedTuple):
    """One event with what its request says; `at_ms` is its moment, `address` and `agent` are the visitor's."""

    event: Event
    site: Site
    page: Page | None
    address: str
    agent: str
    headers: Mapping[str, str]
    at_ms: int


Refusal = Filtered | Rejected | Shed


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
    return Filtered(FilteredReason.EXCLUDED_HOST) if hit.page and hit.site.excludes_host(hit.page.host) else None


def host_allowed(hit: Hit, _: Kit) -> Refusal | None:
    """Only pages of the site's own hosts count; a page on localhost does for a visitor on this same machine."""
    if hit.page is None or hit.site.allows_host(hit.page.host):
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
    name = robot.name_of(hit.agent)
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
    return Filtered(FilteredReason.SPAM_REFERRER) if kit.spammers.brought(hit.site.id, event.pageview) else None


def address_included(hit: Hit, _: Kit) -> Refusal | None:
    """Addresses that the owner has excluded are left out."""
    return Filtered(FilteredReason.EXCLUDED_ADDRESS) if hit.site.excludes_address(hit.address) else None


def path_included(hit: Hit, _: Kit) -> Refusal | None:
    """Pages that the owner has excluded are left out."""
    return Filtered(FilteredReason.EXCLUDED_PATH) if hit.page and hit.site.excludes_path(hit.page.path) else None


def within_rate(hit: Hit, kit: Kit) -> Refusal | None:
    """One address may send so many events a minute to one site."""
    if wait := kit.rate.wait(hit.site.id, hit.address, time.monotonic()):
        return Shed(ShedReason.TOO_MANY_REQUESTS, "this address sends too many events; slow down", wait, status=429)
    return None


# `read_hit` comes first (site known, address readable, moment possible), `enriched` last.
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


def run(hit: Hit, kit: Kit) -> Arrival | Refusal:
    """The arrival that the hit becomes, or what the first step that objects says."""
    for step in STEPS:
        if refusal := step(hit, kit):
            return refusal
    return enriched(hit, kit)


def read_hit(
    event: Event, kit: Kit, address: str, headers: Mapping[str, str], now_ms: int, *, trusted: bool
) -> Hit | Rejected:
    """The hit of an event; `trusted` says that an `ingest` key lets it speak for a visitor (ip, user_agent, time)."""
    site = kit.sites.get(event.site)
    if site is None:
        return Rejected(404, RejectedReason.UNKNOWN_SITE, f"no site {event.site[:100]!r} here", "site")
    found = None
    if event.url is not None:
        found = page.read(event.url, keep_hash=True)
        if found is None:
            return Rejected(
                422, RejectedReason.WRONG_FIELD, "`url` is no http(s) address of a page, or too long", "url"
            )
    if not trusted:
        return Hit(event, site, found, address, headers.get("user-agent", ""), headers, now_ms)
    return _spoken_for(event, site, found, address, headers, now_ms)


def _spoken_for(
    event: Event, site: Site, found: Page | None, address: str, headers: Mapping[str, str], now_ms: int
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
    return Hit(event, site, found, address, agent, {}, at_ms)


def enriched(hit: Hit, kit: Kit) -> Arrival:
    """The arrival: who, from where, with what."""
    event, site = hit.event, hit.site
    salts = kit.salts.of(site, hit.at_ms // 1000)
    visitor, before = visitors_of(salts, kit.secret, site, hit.address, hit.agent, event.visitor_id)
    host, path = (hit.page.host, hit.page.path) if hit.page else ("", "")
    page_id = event.pageview or event.id
    if page_id is None:  # of a sender that makes no ids
        page_id = page_key(visitor, host, path)
        event = replace(event, id=own_id(page_id, hit.at_ms))
    return Arrival(
        site_id=site.id,
        event=redaction.cleared(event) if event.name else event,
        at_ms=hit.at_ms,
        visitor=visitor,
        visitor_before=before,
        tab=tab_of(page_id),
        host=host,
        path=path,
        origin=origin_of(hit, kit),
    )


def origin_of(hit: Hit, kit: Kit) -> Origin:
    """Where the hit came from and with what; empty where it tells of no page."""
    event = hit.event
    if hit.page is None:
        return Origin()
    source = classify(hit.page, event.referrer)
    place = kit.places.find(hit.address, event.timezone or "")
    seen = device.read(hit.agent)
    screen = f"{event.screen[0]}x{event.screen[1]}" if event.screen else ""
    return Origin(hit.page.host, *source, *place, *seen, screen, event.language or "")


@lru_cache(4096)
def _is_loopback(address: str) -> bool:
    plain = plain_address(address)
    return bool(plain) and ipaddress.ip_address(plain).is_loopback
