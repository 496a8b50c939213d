"""The demo visitors: a simulated, seeded crowd on the pages of a real log."""

from __future__ import annotations

import math
import secrets
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import chain, count, takewhile

from collector.imports.access_log import LoggedPage
from collector.imports.log_sessions import make_id
from collector.simulate.behaviour import SIGNUP, action_share, make_action, make_reading, page_count, stay_s
from collector.simulate.client import EventBody, RefusedError, Sender
from collector.simulate.people import DEMO_DOMAIN, Visitor, make_people, paths_of, random_for, sample_pages, url_of
from collector.simulate.replay import Post, run
from collector.simulate.schedule import BEAT_S, VISITOR_FIELDS, EventMerge, TimedEvent, page_events

PAST_S = 65 * 60
WARM_UP_S = 8.0

_PEOPLE = (96, 22, 8)  # on pages at the same time: on average, ± over 25 minutes, ± over 7 minutes
_SILENT = 0.08  # share of the visits that end without a `leave` event

WriteDays = Callable[
    [int, Callable[[], bool]], None
]  # writes the days before the past hour, by a seed, until `stopped`


def present_events(hits: Iterable[LoggedPage], seed: int, now: float) -> Iterator[TimedEvent]:
    """The events of the crowd from `now` (epoch s) on, without end: 60 to 140 people at any time. `due` is relative to
    `now`.

    Continues where `past_events` with the same arguments ends. Visitors with an open page send a heartbeat with its
    address within the first 8 s, so that the count is right even if the past was not sent.
    """
    open_pages: dict[str, TimedEvent] = {}
    events = _all_events(list(hits), seed, now)
    for event in events:
        if event.due >= 0:
            break
        _update(open_pages, event)
    waiting = [page for page, latest in open_pages.items() if latest.due > -BEAT_S]
    for number, page in enumerate(waiting):
        due = WARM_UP_S * number / len(waiting)
        while event.due < due:
            _update(open_pages, event)
            yield event
            event = next(events)
        if page in open_pages:
            yield TimedEvent(due, _beat(open_pages[page].body))
    yield event
    yield from events


def past_events(hits: Iterable[LoggedPage], seed: int, now: float) -> Iterator[EventBody]:
    """The events of the crowd in the 65 minutes before `now` (epoch s), oldest first: 20,000, each with `time`."""
    for event in takewhile(lambda event: event.due < 0, _all_events(list(hits), seed, now)):
        yield event.body | {"time": math.floor((now + event.due) * 1000) / 1000}


def open_page_events(events: Iterable[EventBody], now: float) -> list[EventBody]:
    """Those of the past events that belong to pages that are open at `now`, oldest first."""
    pages: dict[str, list[EventBody]] = {}
    for body in events:
        page = _page_of(body)
        pages.setdefault(page, []).append(body)
        if body["type"] == "leave":
            del pages[page]
    open_ones = (bodies for bodies in pages.values() if bodies[-1]["time"] > now - BEAT_S)
    return sorted(chain.from_iterable(open_ones), key=lambda body: float(body["time"]))


def _page_of(body: EventBody) -> str:
    return str(body["id"] if body["type"] == "pageview" else body["pageview"])


@contextmanager
def demo_visitors(url: str, key: str) -> Iterator[Callable[[WriteDays], None]]:
    """A function that starts the crowd on the server at `url`, once that answers; it ends with the block.

    A thread first sends the past (some seconds), then has the days before it written by the argument of the function,
    then sends the present until the end. `key` is an `ingest` key for `DEMO_DOMAIN`. A refusal by the server is printed
    on stderr.
    """
    end = threading.Event()
    threads: list[threading.Thread] = []

    def start(write_days: WriteDays) -> None:
        args = (Sender(url, key), end.is_set, write_days)
        threads.append(threading.Thread(target=_send, args=args, name="demo", daemon=True))
        threads[-1].start()

    try:
        yield start
    finally:
        end.set()
        for thread in threads:
            thread.join(timeout=3)


def simulate(
    post: Post, stopped: Callable[[], bool], write_days: WriteDays | None, *, events_per_second: float = math.inf
) -> None:
    """Sends the events of a new crowd with `post`, until `stopped`.

    First sends the past hour, at `events_per_second`, then has `write_days` write the days before it. The days come
    second because the feed shows the newest rows. Without `write_days`, sends of the past only the events of open
    pages. Raises `RefusedError` if the server refuses the events.
    """
    hits, seed, now = sample_pages(), secrets.randbits(32), time.time()
    past: Iterable[EventBody] = takewhile(lambda _: not stopped(), past_events(hits, seed, now))
    bodies = past if write_days else open_page_events(past, now)
    before = (TimedEvent(n / events_per_second, body) for n, body in enumerate(bodies))
    events = chain(before, _write_in_turn(write_days, seed, stopped), present_events(hits, seed, now))
    run(events, post, clock=time.monotonic, sleep=time.sleep, stopped=stopped)


def _write_in_turn(write_days: WriteDays | None, seed: int, stopped: Callable[[], bool]) -> Iterator[TimedEvent]:
    """Yields no event; writes the days when the chain of events arrives here."""
    if write_days is not None:
        write_days(seed, stopped)
    yield from ()


def _send(sender: Sender, stopped: Callable[[], bool], write_days: WriteDays) -> None:
    try:
        simulate(sender, stopped, write_days)
    except RefusedError as refused:
        print(f"the demo's visitors stay away: {refused}", file=sys.stderr)
    finally:
        sender.close()


def _update(open_pages: dict[str, TimedEvent], event: TimedEvent) -> None:
    """Updates the open pages, the latest last: the fields of a page's events so far, and when the last was due."""
    body = event.body
    page = _page_of(body)
    previous = open_pages.pop(page, None)
    if body["type"] != "leave":
        open_pages[page] = TimedEvent(event.due, (previous.body if previous else {}) | body | {"page": page})


def _beat(fields: EventBody) -> EventBody:
    """A heartbeat that repeats the totals so far."""
    repeated = (*VISITOR_FIELDS, "url", "engaged_ms", "scroll")
    beat = {"type": "heartbeat", "pageview": fields["page"], "state": fields.get("state", "active")}
    return beat | {name: fields[name] for name in repeated if name in fields}


def _all_events(hits: list[LoggedPage], seed: int, now: float) -> Iterator[TimedEvent]:
    """All events from 65 minutes before `now` on, without end; `due` is in seconds from `now`."""
    people, paths = make_people(hits, seed), paths_of(hits)
    chance, running, visits = random_for(seed, "life"), EventMerge(), count()
    phases = (chance.uniform(0, math.tau), chance.uniform(0, math.tau))
    for second in count(-PAST_S):
        yield from running.until(second)
        missing = max(0.0, _people_at(second, phases) - len(running))
        for _ in range(int(missing / 5 + chance.random())):
            number = next(visits)
            visit = _SimulatedVisit(people[number % len(people)], make_id(seed, int(now), number), paths)
            running.add(visit.events(second + chance.random()))


def _people_at(second: int, phases: tuple[float, float]) -> float:
    """How many people should be on the site: a number that rises and falls slowly."""
    usual, slow, quick = _PEOPLE
    wave = slow * math.sin(second * math.tau / 1500 + phases[0])
    return usual + wave + quick * math.sin(second * math.tau / 420 + phases[1])


class _SimulatedVisit:
    """One visit of a demo visitor: its pages, the time on each page, and the visitor's actions there."""

    def __init__(self, visitor: Visitor, key: str, paths: list[str]) -> None:
        self._visitor, self._key, self._paths = visitor, key, paths
        self._chance = random_for(key)
        self._identity = {"site": DEMO_DOMAIN, "ip": visitor.address, "user_agent": visitor.user_agent}
        self._browser = {"screen": visitor.screen, "language": visitor.language}
        if visitor.signed_in:
            self._sign_in()

    def _sign_in(self) -> None:
        self._identity |= {"user_id": self._visitor.user_id, "user_type": self._visitor.user_type}

    def events(self, start: float) -> Iterator[TimedEvent]:
        """The events of the visit from `start` on, by due time."""
        chance = self._chance
        pages = page_count(chance)
        for number in range(pages):
            stay = stay_s(chance)
            is_silent = number == pages - 1 and chance.random() < _SILENT
            for event in self._page(number, start, stay):
                if not (is_silent and event.body["type"] == "leave"):
                    yield event
            start += stay

    def _page(self, number: int, start: float, stay: float) -> Iterator[TimedEvent]:
        path = self._visitor.entry if number == 0 else self._chance.choice(self._paths)
        view = self._identity | self._browser | {"type": "pageview", "id": f"{self._key}p{number}", "url": url_of(path)}
        if number == 0 and self._visitor.referrer:
            view["referrer"] = self._visitor.referrer
        reading = make_reading(self._chance)
        acts_at = self._action_time(start, stay)
        for event in page_events(view, start, start + stay, reading):
            if event.due > acts_at:
                yield TimedEvent(acts_at, self._action(view))
                acts_at = math.inf
            yield TimedEvent(event.due, event.body | self._current_fields(event.body))

    def _action_time(self, start: float, stay: float) -> float:
        """When the visitor acts on the page; infinity for most pages."""
        share = action_share(self._chance)
        return math.inf if share is None else start + stay * share

    def _current_fields(self, body: EventBody) -> EventBody:
        """The fields that identify the visitor, who may have signed in meanwhile; in a heartbeat also `state`."""
        if body["type"] != "heartbeat":
            return self._identity
        return self._identity | {"state": self._chance.choices(("active", "idle", "hidden"), (84, 10, 6))[0]}

    def _action(self, view: EventBody) -> EventBody:
        action = make_action(self._visitor, self._chance, signed_in="user_id" in self._identity)
        if action["name"] == SIGNUP:
            self._sign_in()
        ids = {"id": f"{view['id']}e", "pageview": view["id"], "url": view["url"]}
        return self._identity | {"type": "event"} | ids | action
