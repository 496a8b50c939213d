"""Steps: the events that walks become, and when each is due."""

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
from collector.simulate.client import Body

PERSON = ("site", "ip", "user_agent", "user_id", "user_type")  # the fields that say who, and where
BEAT_S = 30.0  # what the script in a browser does
LAST_PAGE_S = (30.0, 300.0)  # of log time: how long somebody stays on a walk's last page, at least and at most
SEEN_S = (15.0, 90.0)  # of real time, drawn for each walk; who is gone at once would be seen by nobody


class Step(NamedTuple):
    """An event of the wire and when it is due, in seconds from the start."""

    due: float
    body: Body


class Reading(NamedTuple):
    """How somebody reads a page: the share of the time with eyes on it, the percent of it that is seen."""

    attention: float
    reach: int

    def totals(self, elapsed_s: float, stay_s: float) -> Body:
        """What a heartbeat or a leave says so long after a page, that stays open for `stay_s`, was opened."""
        share = min(1.0, elapsed_s / stay_s) if stay_s else 1.0
        return {"engaged_ms": int(elapsed_s * 1000 * self.attention), "scroll": round(self.reach * share)}


class Stage:
    """Streams of steps, each in its own order of `due`, played as one in the order of all."""

    def __init__(self) -> None:
        self._next: list[tuple[float, int, Step, Iterator[Step]]] = []
        self._entered = 0

    def __len__(self) -> int:
        """How many streams still have steps."""
        return len(self._next)

    def enter(self, steps: Iterator[Step]) -> None:
        """Adds a stream; it must not have steps before those that were already given out."""
        self._entered += 1
        self._push(self._entered, steps)

    def until(self, due: float) -> Iterator[Step]:
        """Takes the steps that are due before that moment."""
        while self._next and self._next[0][0] < due:
            _, number, step, steps = heapq.heappop(self._next)
            yield step
            self._push(number, steps)

    def _push(self, number: int, steps: Iterator[Step]) -> None:
        if step := next(steps, None):
            heapq.heappush(self._next, (step.due, number, step, steps))


def length(walked: list[LogSession], speed: float, seed: int = 0) -> float:
    """Seconds from the first pageview to the last leave of `plan` with these arguments; 0 for no walks."""
    return max((_end(walk, walked[0].start, speed, seed) for walk in walked), default=0.0)


def _end(walk: LogSession, first: int, speed: float, seed: int) -> float:
    return (walk.pages[-1].time - first) / speed + _last_stay(walk, speed, seed)


def plan(walked: list[LogSession], site: str, speed: float, *, nonce: str, seed: int = 0) -> Iterator[Step]:
    """The events of these walks for the wire, by due time: pageview, a heartbeat every 30 s, leave.

    `walked` is in order of start, as `walks` gives it; pauses are the log's divided by `speed`. Ids are made
    from the walk and `nonce`: another nonce makes new visits, the same one exact repeats. Pages stand on
    the host that the log tells, else on `https://{site}`; a referrer on the log's own host does too. What a log does
    not tell (engaged, scroll) is drawn from `seed`. The bodies speak for others: for an `ingest` key.
    """
    if not speed > 0:
        raise ValueError(f"speed {speed}: a number above 0 is needed")
    return _Plan(site, speed, nonce, seed, own_hosts(walked)).steps(walked)


@dataclass(frozen=True, slots=True)
class _Plan:
    """How walks become steps."""

    site: str
    speed: float
    nonce: str
    seed: int
    own: frozenset[str]

    def steps(self, walked: list[LogSession]) -> Iterator[Step]:
        stage = Stage()
        for walk in walked:
            start = (walk.start - walked[0].start) / self.speed
            yield from stage.until(start)
            stage.enter(self._walk(walk, start))
        yield from stage.until(float("inf"))

    def _walk(self, walk: LogSession, start: float) -> Iterator[Step]:
        starts = [start + (page.time - walk.start) / self.speed for page in walk.pages]
        stays = pairwise([*starts, starts[-1] + _last_stay(walk, self.speed, self.seed)])
        for number, (page, (opened, closed)) in enumerate(zip(walk.pages, stays, strict=True)):
            place = (walk.address, walk.user_agent, walk.start, number)
            view = self._pageview(page) | {"id": make_id(self.nonce, *place)}
            yield from page_steps(view, opened, closed, _reading(make_id(self.seed, *place)))

    def _pageview(self, page: LoggedPage) -> Body:
        view = {
            "site": self.site,
            "type": "pageview",
            "url": f"https://{page.host or self.site}{page.path}",
            "ip": usable_address(page.address),
            "user_agent": page.user_agent,
        }
        return view | {"referrer": with_site_host(page.referrer, self.site, self.own)} if page.referrer else view


def page_steps(view: Body, opened: float, closed: float, reading: Reading) -> Iterator[Step]:
    """The steps of one page: the pageview `view`, a heartbeat every 30 s, and the leave at `closed`."""
    yield Step(opened, view)
    visitor = {name: view[name] for name in PERSON if name in view} | {"pageview": view["id"]}
    due = opened + BEAT_S
    while due < closed:
        beat = {"type": "heartbeat", "url": view["url"], "state": "active"}
        yield Step(due, visitor | beat | reading.totals(due - opened, closed - opened))
        due += BEAT_S
    yield Step(closed, visitor | {"type": "leave"} | reading.totals(closed - opened, closed - opened))


def _last_stay(walk: LogSession, speed: float, seed: int) -> float:
    """Seconds on the last page, which no log tells: as between the others, within bounds, and visible."""
    chance = random.Random(make_id(seed, walk.address, walk.user_agent, walk.start))  # noqa: S311 (no secret)
    shortest, longest = LAST_PAGE_S
    gaps = [after.time - before.time for before, after in pairwise(walk.pages)]
    usual = min(longest, max(shortest, median(gaps))) if gaps else shortest
    return max(chance.uniform(*SEEN_S), usual / speed)


def _reading(key: str) -> Reading:
    chance = random.Random(key)  # noqa: S311 (no secret)
    return Reading(chance.uniform(0.5, 0.95), chance.randint(20, 100))
