"""Presence: who is active on one site now, in memory, updated with every beat."""

from __future__ import annotations

import heapq
import itertools
from collections import Counter
from collections.abc import Iterable, Sequence
from operator import attrgetter
from typing import Any

from analytics.base.ids import NO_VISITOR
from analytics.live.beat import Beat, PageState
from analytics.live.state import LabelCount, LiveState, Others, PlaceCount

_labels = attrgetter("user_id", "user_type", "path", "source", "country", "city", "lat", "lon")

RECENT_S = 300
LISTED = 10
PLACES = 150


class Presence:
    """The people of one site with a beat in the last `window_s` seconds. Each counts once, on the last page seen.

    Not thread-safe: its owner (`collector.live.hub`) has a lock. A beat costs a few microseconds and time passing
    nothing, because the counters are updated, never recounted.
    """

    def __init__(self, window_s: int) -> None:
        self._window_s = window_s
        self._tabs: dict[int, Beat] = {}  # the latest beat of each tab; leaves too, which outrank late older beats
        self._due: dict[int, set[int]] = {}  # tabs by the second of their beat: expiry looks at old seconds only
        self._seconds: list[int] = []  # a heap of those seconds
        self._visitors: dict[int, dict[int, Beat]] = {}  # the open tabs of each visitor
        self._people: dict[str | int, dict[int, Beat]] = {}  # the visitors of each person, with their latest open tab
        self._counts: dict[str, Counter[Any]] = {
            name: Counter() for name in ("pages", "sources", "countries", "places", "user_types")
        }
        self._signed_in = 0
        self._recent_people = _Recent()
        self._recent_visits = _Recent()

    def take(self, beats: Iterable[Beat], now: int) -> None:
        """Counts these beats: those within the window as active, those of the last five minutes as recent."""
        for beat in beats:
            if beat.visitor == NO_VISITOR:
                continue
            if beat.at > now - RECENT_S:
                at = min(beat.at, now)  # else a clock that is ahead would keep its person longer
                self._recent_people.see(person_of(beat), at)
                self._recent_visits.see(beat.visit_id, at)
            if beat.at > now - self._window_s:
                self._take(beat)
        self.expire(now)

    def _take(self, beat: Beat) -> None:
        known = self._tabs.get(beat.tab)
        if known is not None and known.id > beat.id:
            return
        self._tabs[beat.tab] = beat
        if beat.at not in self._due:
            self._due[beat.at] = set()
            heapq.heappush(self._seconds, beat.at)
        self._due[beat.at].add(beat.tab)
        if known is not None and known.visitor != beat.visitor:
            self._turn(known.visitor, beat.tab, None)
        self._turn(beat.visitor, beat.tab, beat if beat.state != PageState.LEFT else None)

    def _turn(self, visitor: int, tab: int, beat: Beat | None) -> None:
        """Makes `beat` the latest of a visitor's tab; None: the tab was closed."""
        before, after = _put(self._visitors, visitor, tab, beat)
        if before is after:
            return
        if before is not None and (after is None or person_of(after) != person_of(before)):
            self._count_person(person_of(before), visitor, None)  # gone, or signed in or out
        if after is not None:
            self._count_person(person_of(after), visitor, after)

    def _count_person(self, person: str | int, visitor: int, beat: Beat | None) -> None:
        before, after = _put(self._people, person, visitor, beat)
        if before is after or (before and after and _labels(before) == _labels(after)):  # most beats change nothing
            return
        if before is not None:
            self._count(before, -1)
        if after is not None:
            self._count(after, 1)

    def _count(self, beat: Beat, step: int) -> None:
        counts = self._counts
        _step(counts["pages"], beat.path, step)
        _step(counts["sources"], beat.source, step)
        _step(counts["countries"], beat.country, step)
        if beat.lat is not None:
            _step(counts["places"], (beat.country, beat.city, beat.lat, beat.lon), step)
        if beat.user_id is not None:
            self._signed_in += step
        if beat.user_type:
            _step(counts["user_types"], beat.user_type, step)

    def expire(self, now: int) -> None:
        """Removes everybody whose last beat is `window_s` or more seconds old."""
        until = now - self._window_s
        while self._seconds and self._seconds[0] <= until:
            second = heapq.heappop(self._seconds)
            for tab in self._due.pop(second):
                self._expire_tab(tab, second)
        self._recent_people.forget(now - RECENT_S)
        self._recent_visits.forget(now - RECENT_S)

    def _expire_tab(self, tab: int, second: int) -> None:
        beat = self._tabs.get(tab)
        if beat is not None and beat.at == second:
            del self._tabs[tab]
            self._turn(beat.visitor, tab, None)

    @property
    def active(self) -> int:
        """How many people are active."""
        return len(self._people)

    @property
    def signed_in(self) -> int:
        """How many of them are signed in, by their latest beat."""
        return self._signed_in

    @property
    def recent_people(self) -> int:
        """How many people had a beat in the last 5 minutes, gone or not."""
        return len(self._recent_people)

    @property
    def recent_visits(self) -> int:
        """How many visits had a beat in the last 5 minutes, over or not."""
        return len(self._recent_visits)

    @property
    def empty(self) -> bool:
        """Whether nothing is remembered, so that this object can be discarded."""
        return not self._tabs and not len(self._recent_visits)

    def top_pages(self, limit: int) -> tuple[LabelCount, ...]:
        """The paths with the most people on them now."""
        return _top(self._counts["pages"], limit)

    def people(self) -> list[Beat]:
        """The latest beat of each active person."""
        return [beats[next(reversed(beats))] for beats in self._people.values()]

    def state(self, at: int) -> LiveState:
        """Everything that the Live page shows, as of `at` (epoch s)."""
        return _state(self._counts, self.active, self._signed_in, at, self._window_s)


def state_of(people: Sequence[Beat], at: int, window_s: int) -> LiveState:
    """The state of these people, each by the latest beat: what `Presence` counts as they come."""
    counts: dict[str, Counter[Any]] = {
        "pages": Counter([beat.path for beat in people]),
        "sources": Counter([beat.source for beat in people]),
        "countries": Counter([beat.country for beat in people]),
        "places": Counter([(one.country, one.city, one.lat, one.lon) for one in people if one.lat is not None]),
        "user_types": Counter([beat.user_type for beat in people if beat.user_type]),
    }
    return _state(counts, len(people), sum(beat.user_id is not None for beat in people), at, window_s)


def _state(counts: dict[str, Counter[Any]], active: int, signed_in: int, at: int, window_s: int) -> LiveState:
    pages, sources = _top(counts["pages"], LISTED), _top(counts["sources"], LISTED)
    countries = _top(counts["countries"], LISTED)
    places = heapq.nsmallest(PLACES, counts["places"].items(), _most_first)
    return LiveState(
        at=at,
        window_s=window_s,
        active=active,
        signed_in=signed_in,
        anonymous=active - signed_in,
        user_types=_top(counts["user_types"], LISTED),
        pages=pages,
        other_pages=_others(counts["pages"], pages),
        sources=sources,
        other_sources=_others(counts["sources"], sources),
        countries=countries,
        other_countries=_others(counts["countries"], countries),
        places=tuple(PlaceCount._make((*place, people)) for place, people in places),
    )


class _Recent:
    """Keys with the second at which each was last seen, forgotten in that order; one heap entry a key."""

    def __init__(self) -> None:
        self._seen: dict[str | int, int] = {}
        self._oldest: list[tuple[int, int, str | int]] = []  # (second or an earlier one, tie-breaker, key)
        self._count = itertools.count()

    def see(self, key: str | int, at: int) -> None:
        known = self._seen.get(key)
        if known is None:
            heapq.heappush(self._oldest, (at, next(self._count), key))
        if known is None or known < at:
            self._seen[key] = at

    def forget(self, until: int) -> None:
        """Forgets the keys that were not seen after that second."""
        while self._oldest and self._oldest[0][0] <= until:
            _, number, key = self._oldest[0]
            if self._seen[key] > until:
                heapq.heapreplace(self._oldest, (self._seen[key], number, key))
            else:
                heapq.heappop(self._oldest)
                del self._seen[key]

    def __len__(self) -> int:
        return len(self._seen)


def person_of(beat: Beat) -> str | int:
    """The signed-in person's id where one is known, else the visitor."""
    return beat.visitor if beat.user_id is None else beat.user_id


def _put(
    groups: dict[Any, dict[int, Beat]], group: Any, key: int, beat: Beat | None
) -> tuple[Beat | None, Beat | None]:
    """Puts a beat into a group, or removes it, and returns the group's latest beat before and after.

    Empty groups are deleted. The beats of a group are in the order of their ids, so that the latest is the last.
    """
    beats = groups.setdefault(group, {})
    before = _last(beats)
    beats.pop(key, None)
    newest = _last(beats)
    if beat is not None:
        beats[key] = beat
        if newest is not None and newest.id > beat.id:
            groups[group] = dict(sorted(beats.items(), key=_id))
            return before, newest
        return before, beat
    if newest is None:
        del groups[group]
    return before, newest


def _last(beats: dict[int, Beat]) -> Beat | None:
    return beats[next(reversed(beats))] if beats else None


def _id(item: tuple[int, Beat]) -> int:
    return item[1].id


def _most_first(item: tuple[Any, int]) -> tuple[int, Any]:
    return -item[1], item[0]


def _top(counter: Counter[str], limit: int) -> tuple[LabelCount, ...]:
    return tuple(LabelCount(*item) for item in heapq.nsmallest(limit, counter.items(), _most_first))


def _others(counter: Counter[str], listed: tuple[LabelCount, ...]) -> Others:
    return Others(counter.total() - sum(one.people for one in listed), len(counter) - len(listed))


def _step(counter: Counter[Any], key: Any, step: int) -> None:
    counter[key] += step
    if not counter[key]:
        del counter[key]
