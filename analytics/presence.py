"""Presence: who is active on one site, kept up to date beat by beat, in memory."""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Iterable
from typing import Any

from analytics.beat import Beat, State
from analytics.live import LiveState, PlaceTally, Rest, Tally

RECENT_S = 300
LISTED = 10
PLACES = 150


class Presence:
    """The people of one site with a beat in the last `window_s` seconds, each counted once, on the page seen last.

    Not safe for several threads at once: its owner (`analytics.hub`) holds a lock. Costs a few microseconds a beat and
    nothing a second; the counters are kept, never recounted.
    """

    def __init__(self, window_s: int) -> None:
        self._window_s = window_s
        self._tabs: dict[int, tuple[str | int, Beat]] = {}
        self._due: dict[int, set[int]] = {}
        self._people: dict[str | int, dict[int, Beat]] = {}
        self._person_of: dict[int, str | int] = {}
        self._shown: dict[str | int, Beat] = {}
        self._counts: dict[str, Counter[Any]] = {
            name: Counter() for name in ("pages", "sources", "countries", "places", "user_types")
        }
        self._signed_in = 0
        self._expired_to = 0
        self._recent_people: dict[str | int, int] = {}
        self._recent_visits: dict[int, int] = {}

    def take(self, beats: Iterable[Beat], now: int) -> None:
        """Counts these beats in; those that were over before `now` change nothing."""
        for beat in beats:
            if beat.at > now - RECENT_S:
                _refresh(self._recent_people, beat.person, beat.at)
                _refresh(self._recent_visits, beat.visit_id, beat.at)
            if beat.at > now - self._window_s:
                self._take(beat)
        self.expire(now)

    def _take(self, beat: Beat) -> None:
        person = beat.person
        before = self._person_of.get(beat.visitor, person)
        self._hide(person)
        if before != person:
            self._hide(before)
            self._move(beat.visitor, before, person)
        self._person_of[beat.visitor] = person
        known = self._tabs.get(beat.tab)
        if known is None or known[1].id <= beat.id:
            self._place(person, beat)
        self._show(person)
        if before != person:
            self._show(before)

    def _place(self, person: str | int, beat: Beat) -> None:
        """Makes `beat` the latest of its tab."""
        self._drop(beat.tab)
        if beat.state != State.LEFT:
            self._tabs[beat.tab] = (person, beat)
            self._people.setdefault(person, {})[beat.tab] = beat
            self._due.setdefault(beat.at, set()).add(beat.tab)

    def _move(self, visitor: int, before: str | int, after: str | int) -> None:
        """Hands a visitor's tabs over: somebody has signed in or out."""
        for tab, beat in list(self._people.get(before, {}).items()):
            if beat.visitor == visitor:
                del self._people[before][tab]
                self._tabs[tab] = (after, beat)
                self._people.setdefault(after, {})[tab] = beat

    def _drop(self, tab: int) -> None:
        if known := self._tabs.pop(tab, None):
            self._people[known[0]].pop(tab, None)

    def _hide(self, person: str | int) -> None:
        if shown := self._shown.pop(person, None):
            self._count(shown, -1)

    def _show(self, person: str | int) -> None:
        tabs = self._people.get(person)
        if tabs:
            latest = max(tabs.values(), key=_id) if len(tabs) > 1 else next(iter(tabs.values()))
            self._shown[person] = latest
            self._count(latest, 1)
        else:
            self._people.pop(person, None)

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
        """Lets go of everybody whose last beat is `window_s` or more ago."""
        until = now - self._window_s
        if until > self._expired_to:
            for second in sorted(second for second in self._due if second <= until):
                for tab in self._due.pop(second):
                    self._expire_tab(tab, second)
            self._expired_to = until
        _forget(self._recent_people, now - RECENT_S)
        _forget(self._recent_visits, now - RECENT_S)

    def _expire_tab(self, tab: int, second: int) -> None:
        known = self._tabs.get(tab)
        if known is None or known[1].at != second:
            return
        person, beat = known
        self._hide(person)
        self._drop(tab)
        if not any(other.visitor == beat.visitor for other in self._people[person].values()):
            self._person_of.pop(beat.visitor, None)
        self._show(person)

    @property
    def active(self) -> int:
        """How many people are active."""
        return len(self._shown)

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
        """Whether nothing is remembered, so that this object can be thrown away."""
        return not self._tabs and not self._recent_visits

    def top_pages(self, most: int) -> tuple[Tally, ...]:
        """The paths with the most people on them now."""
        return _top(self._counts["pages"], most)

    def state(self, at: int) -> LiveState:
        """Everything the Live page shows, as of `at` (epoch s)."""
        counts = self._counts
        pages, sources = _top(counts["pages"], LISTED), _top(counts["sources"], LISTED)
        countries = _top(counts["countries"], LISTED)
        return LiveState(
            at=at,
            window_s=self._window_s,
            active=self.active,
            signed_in=self._signed_in,
            anonymous=self.active - self._signed_in,
            user_types=_top(counts["user_types"], LISTED),
            pages=pages,
            other_pages=_rest(counts["pages"], pages),
            sources=sources,
            other_sources=_rest(counts["sources"], sources),
            countries=countries,
            other_countries=_rest(counts["countries"], countries),
            places=tuple(
                PlaceTally._make((*place, people)) for place, people in heapq.nlargest(PLACES, counts["places"].items(), _people)
            ),
        )


def _id(beat: Beat) -> int:
    return beat.id


def _people(item: tuple[Any, int]) -> int:
    return item[1]


def _most_first(item: tuple[str, int]) -> tuple[int, str]:
    return -item[1], item[0]


def _top(counter: Counter[str], most: int) -> tuple[Tally, ...]:
    return tuple(Tally(*item) for item in heapq.nsmallest(most, counter.items(), _most_first))


def _rest(counter: Counter[str], listed: tuple[Tally, ...]) -> Rest:
    return Rest(counter.total() - sum(tally.people for tally in listed), len(counter) - len(listed))


def _step(counter: Counter[Any], key: Any, step: int) -> None:
    counter[key] += step
    if not counter[key]:
        del counter[key]


def _refresh(seen: dict[Any, int], key: Any, at: int) -> None:
    """Notes a later moment for `key` and moves it to the end, so that the oldest stand first."""
    at = max(at, seen.pop(key, 0))
    seen[key] = at


def _forget(seen: dict[Any, int], until: int) -> None:
    while seen:
        key = next(iter(seen))
        if seen[key] > until:
            return
        del seen[key]
