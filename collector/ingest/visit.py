"""Visits: which events belong together. Thirty minutes without a beat end a visit."""

from __future__ import annotations

from typing import NamedTuple

import msgspec
from msgspec.structs import replace

from analytics.base.limits import MAX_VISIT_S

IDLE_MINUTES = 30


class Origin(NamedTuple):
    """Where a visit came from, with which browser and device. Its first page decides."""

    host: str = ""
    source: str = ""
    channel: str = ""
    referrer: str = ""
    utm_source: str = ""
    utm_medium: str = ""
    utm_campaign: str = ""
    utm_content: str = ""
    utm_term: str = ""
    country: str = ""
    region: str = ""
    city: str = ""
    lat: float | None = None
    lon: float | None = None
    browser: str = ""
    browser_version: str = ""
    os: str = ""
    os_version: str = ""
    device: str = ""
    screen: str = ""
    language: str = ""


class Visit(msgspec.Struct, frozen=True, gc=False):
    """The current state of a visit; times in seconds since the epoch. The functions below return changed copies."""

    site_id: int
    id: int
    visitor: int
    user_id: str | None
    user_type: str
    started_at: int
    last_at: int
    seen_at: int
    pageviews: int
    events: int
    entry_page: str
    exit_page: str
    origin: Origin


def is_open(visit: Visit, at: int) -> bool:
    """Whether an event at that second belongs to the visit: at most 30 whole minutes away from it, and at most seven
    days after its start.
    """
    near = (at - visit.seen_at) // 60 <= IDLE_MINUTES and (visit.started_at - at) // 60 <= IDLE_MINUTES
    return near and at - visit.started_at <= MAX_VISIT_S


def with_pageview(visit: Visit, at: int, path: str) -> Visit:
    """The visit with one more pageview. The latest page is its exit page."""
    return replace(
        visit,
        pageviews=visit.pageviews + 1,
        exit_page=path if at >= visit.last_at else visit.exit_page,
        entry_page=path if at < visit.started_at else visit.entry_page,
        started_at=min(visit.started_at, at),
        last_at=max(visit.last_at, at),
        seen_at=max(visit.seen_at, at),
    )


def with_event(visit: Visit, at: int, *, interactive: bool = True) -> Visit:
    """The visit with one more event. An event that is not interactive is not counted, so it does not end a bounce."""
    return replace(
        visit,
        events=visit.events + interactive,
        started_at=min(visit.started_at, at),
        last_at=max(visit.last_at, at),
        seen_at=max(visit.seen_at, at),
    )


def with_beat(visit: Visit, at: int) -> Visit:
    """The visit after a beat. A beat extends an open visit; it never reopens one that has ended."""
    return replace(visit, seen_at=max(visit.seen_at, at)) if is_open(visit, at) else visit


def with_user(visit: Visit, user_id: str | None, user_type: str) -> Visit:
    """The visit with the signed-in person. After a sign-out the visit keeps its person."""
    if user_id is None:
        return visit
    known = user_type or (visit.user_type if visit.user_id == user_id else "")
    if (visit.user_id, visit.user_type) == (user_id, known):
        return visit
    return replace(visit, user_id=user_id, user_type=known)
