"""Turns the sessions of a log into events, each with the time when it is due."""

from __future__ import annotations

import heapq
import random
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from statistics import median
from typing import NamedTuple

from collector.imports.access_log import LoggedPage
from collector.imports.log_sessions import LogSession, make_id, own_hosts, usable_address, with_site_host
from collector.simulate.client import EventBody

VISITOR_FIELDS = (
    "site",
    "ip",
    "user_agent",
    "user_id",
    "user_type",
)  # the fields that identify the visitor and the site
BEAT_S = 30.0  # as the site script
LAST_PAGE_S = (30.0, 300.0)  # of log time: minimum and maximum for the last page of a session
SEEN_S = (15.0, 90.0)  # of real time, random for each session: the minimum for the last page, so that it can be seen


class TimedEvent(NamedTuple):
    """The body of an event, and when it is due, in seconds from the start."""

    due: float
    body: EventBody


class Reading(NamedTuple):
    """How a visitor reads a page: the share of the time in which it is read, the percent of it that is scrolled to."""

    attention: float
    reach: int

    def totals(self, elapsed_s: float, stay_s: float) -> EventBody:
        """The totals in a heartbeat or a leave, `elapsed_s` after the page was opened; it stays open for `stay_s`."""
        share = min(1.0, elapsed_s / stay_s) if stay_s else 1.0
        return {"engaged_ms": int(elapsed_s * 1000 * self.attention), "scroll": round(self.reach * share)}


class EventMerge:
    """Merges streams of events, each in the order of `due`, into one in that order."""

    def __init__(self) -> None:
        self._next: list[tuple[float, int, TimedEvent, Iterator[TimedEvent]]] = []
        self._streams = 0

    def __len__(self) -> int:
        """How many streams still have events."""
        return len(self._next)

    def add(self, events: Iterator[TimedEvent]) -> None:
        """Adds a stream. Its events must not be due before those that `until` has already returned."""
        self._streams += 1
        self._push(self._streams, events)

    def until(self, due: float) -> Iterator[TimedEvent]:
        """Removes and yields the events that are due before `due`."""
        while self._next and self._next[0][0] < due:
            _, number, event, events = heapq.heappop(self._next)
            yield event
            self._push(number, events)

    def _push(self, number: int, events: Iterator[TimedEvent]) -> None:
        if event := next(events, None):
            heapq.heappush(self._next, (event.due, number, event, events))


def length(sessions: list[LogSession], speed: float, seed: int = 0) -> float:
    """Seconds from the first pageview to the last leave of `plan` with these arguments; 0 without sessions."""
    return max((_end(session, sessions[0].start, speed, seed) for session in sessions), default=0.0)


def _end(session: LogSession, first: int, speed: float, seed: int) -> float:
    return (session.pages[-1].time - first) / speed + _last_stay(session, speed, seed)


def plan(sessions: list[LogSession], site: str, speed: float, *, nonce: str, seed: int = 0) -> Iterator[TimedEvent]:
    """The events of the sessions, by due time: pageview, a heartbeat every 30 s, leave.

    `sessions` is in the order of start, as `sessions_of` returns it; pauses are those of the log divided by `speed`.
    Ids are made from the session and `nonce`: another nonce makes new visits, the same one makes exact repeats. The
    host of a page is that in the log, else `site`, and so is the host of a referrer on the log's own hosts. Values that
    no log contains (engaged time, scroll depth) are random, from `seed`. The bodies name their visitors, so they need
    an `ingest` key.
    """
    if not speed > 0:
        raise ValueError(f"speed {speed}: a number above 0 is needed")
    return _Plan(site, speed, nonce, seed, own_hosts(sessions)).events(sessions)


@dataclass(frozen=True, slots=True)
class _Plan:
    """Turns sessions into events."""

    site: str
    speed: float
    nonce: str
    seed: int
    own: frozenset[str]

    def events(self, sessions: list[LogSession]) -> Iterator[TimedEvent]:
        running = EventMerge()
        for session in sessions:
            start = (session.start - sessions[0].start) / self.speed
            yield from running.until(start)
            running.add(self._session_events(session, start))
        yield from running.until(float("inf"))

    def _session_events(self, session: LogSession, start: float) -> Iterator[TimedEvent]:
        starts = [start + (page.time - session.start) / self.speed for page in session.pages]
        stays = pairwise([*starts, starts[-1] + _last_stay(session, self.speed, self.seed)])
        for number, (page, (opened, closed)) in enumerate(zip(session.pages, stays, strict=True)):
            key = (session.address, session.user_agent, session.start, number)
            view = self._pageview(page) | {"id": make_id(self.nonce, *key)}
            yield from page_events(view, opened, closed, _reading(make_id(self.seed, *key)))

    def _pageview(self, page: LoggedPage) -> EventBody:
        view = {
            "site": self.site,
            "type": "pageview",
            "url": f"https://{page.host or self.site}{page.path}",
            "ip": usable_address(page.address),
            "user_agent": page.user_agent,
        }
        return view | {"referrer": with_site_host(page.referrer, self.site, self.own)} if page.referrer else view


def page_events(view: EventBody, opened: float, closed: float, reading: Reading) -> Iterator[TimedEvent]:
    """The events of one page: the pageview `view`, a heartbeat every 30 s, and the leave at `closed`."""
    yield TimedEvent(opened, view)
    visitor = {name: view[name] for name in VISITOR_FIELDS if name in view} | {"pageview": view["id"]}
    for due in beat_times(opened, closed):
        beat = {"type": "heartbeat", "url": view["url"], "state": "active"}
        yield TimedEvent(due, visitor | beat | reading.totals(due - opened, closed - opened))
    yield TimedEvent(closed, visitor | {"type": "leave"} | reading.totals(closed - opened, closed - opened))


def beat_times(opened: float, closed: float) -> Iterator[float]:
    """When a page that is open so long sends heartbeats: every 30 s."""
    due = opened + BEAT_S
    while due < closed:
        yield due
        due += BEAT_S


def _last_stay(session: LogSession, speed: float, seed: int) -> float:
    """Seconds on the last page, which no log contains: the median of the others within bounds, at least `SEEN_S`."""
    chance = random.Random(make_id(seed, session.address, session.user_agent, session.start))  # noqa: S311 (no secret)
    shortest, longest = LAST_PAGE_S
    gaps = [after.time - before.time for before, after in pairwise(session.pages)]
    usual = min(longest, max(shortest, median(gaps))) if gaps else shortest
    return max(chance.uniform(*SEEN_S), usual / speed)


def _reading(key: str) -> Reading:
    chance = random.Random(key)  # noqa: S311 (no secret)
    return Reading(chance.uniform(0.5, 0.95), chance.randint(20, 100))
