"""The demo visitors: simulated, seeded people on the pages of a real log, sent to a server as events."""

from __future__ import annotations

import math
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

from collector.imports.log_sessions import make_id
from collector.simulate.behaviour import PlannedPage, PlannedVisit, signs_up
from collector.simulate.client import EventBody, RefusedError, Sender
from collector.simulate.people import DEMO_DOMAIN, random_for, url_of
from collector.simulate.replay import Post, run
from collector.simulate.schedule import EventMerge, TimedEvent, page_events
from collector.simulate.traffic import SimulatedTraffic

STATES, STATE_WEIGHTS = ("active", "idle", "hidden"), (84, 10, 6)  # of heartbeats


def present_events(traffic: SimulatedTraffic, now: float) -> Iterator[TimedEvent]:
    """The events of all visits that have not ended by the beginning of the traffic, without end.

    `due` is in seconds from `now` (epoch s). Those of before `now` are due at once and have a `time`, so that the
    visits under way are complete and their visitors are there at once.
    """
    for due, body in _events(traffic):
        if due < now:
            yield TimedEvent(0.0, body | {"time": math.floor(due * 1000) / 1000})
        else:
            yield TimedEvent(due - now, body)


def _events(traffic: SimulatedTraffic) -> Iterator[TimedEvent]:
    """The same events, each `due` at an epoch second."""
    running = EventMerge()
    for visit in traffic.visits_since(traffic.today - timedelta(days=1)):
        if visit.end > traffic.now:
            yield from running.until(visit.begin)
            key = make_id(traffic.seed, traffic.now, visit.visitor.address, visit.visitor.user_agent, visit.begin)
            running.add(_visit_events(visit, key))


def _visit_events(visit: PlannedVisit, key: str) -> Iterator[TimedEvent]:
    """The events of a visit, each `due` at an epoch second; `key` makes their ids."""
    chance, visitor = random_for(key), visit.visitor
    sender = {"site": DEMO_DOMAIN, "ip": visitor.address, "user_agent": visitor.user_agent}
    user = {"user_id": visitor.user_id, "user_type": visitor.user_type}
    sender |= user if visitor.signed_in else {}
    for number, page in enumerate(visit.pages):
        view: EventBody = sender | {"type": "pageview", "id": f"{key}p{number}", "url": url_of(page.path)}
        view |= {"screen": visitor.screen, "language": visitor.language}
        if number == 0 and visitor.referrer:
            view["referrer"] = visitor.referrer
        is_last = number == len(visit.pages) - 1
        for event in _with_action(page, view, user):
            if event.body["type"] == "heartbeat":
                state = chance.choices(STATES, STATE_WEIGHTS)[0]
                yield TimedEvent(event.due, event.body | sender | {"state": state})
            elif event.body["type"] != "leave" or visit.leaves or not is_last:
                sender |= user if "user_id" in event.body else {}
                yield TimedEvent(event.due, event.body | sender)


def _with_action(page: PlannedPage, view: EventBody, user: EventBody) -> Iterator[TimedEvent]:
    """The events of a page, and that of the visitor's action on it; a signup has the `user`."""
    action = page.action
    for event in page_events(view, page.opened, page.closed, page.reading):
        if action and event.due > action.at:
            ids = {"id": f"{view['id']}e", "pageview": view["id"], "url": view["url"]}
            signed_in = user if signs_up(action.fields) else {}
            yield TimedEvent(action.at, {"type": "event"} | ids | action.fields | signed_in)
            action = None
        yield event


@contextmanager
def demo_visitors(url: str, key: str, traffic: SimulatedTraffic) -> Iterator[Callable[[], None]]:
    """A function that starts the present of the traffic on the server at `url`, once that answers.

    A thread sends it until the end of the block. `key` is an `ingest` key for `DEMO_DOMAIN`. A refusal by the server is
    printed on stderr.
    """
    end = threading.Event()
    thread = threading.Thread(target=_send, args=(traffic, Sender(url, key), end.is_set), name="demo", daemon=True)
    try:
        yield thread.start
    finally:
        end.set()
        if thread.ident is not None:
            thread.join(timeout=3)


def simulate(traffic: SimulatedTraffic, post: Post, stopped: Callable[[], bool]) -> None:
    """Sends the present of the traffic with `post`, until `stopped`. `RefusedError` if the server refuses the events.

    Visits that ended before the traffic began are not sent: `demo_days` writes them.
    """
    run(present_events(traffic, time.time()), post, clock=time.monotonic, sleep=time.sleep, stopped=stopped)


def _send(traffic: SimulatedTraffic, sender: Sender, stopped: Callable[[], bool]) -> None:
    try:
        simulate(traffic, sender, stopped)
    except RefusedError as refused:
        print(f"the demo's visitors stay away: {refused}", file=sys.stderr)
    finally:
        sender.close()
