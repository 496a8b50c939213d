"""The demo's visitors: a made-up, seeded crowd that walks through the pages of a real log's excerpt."""

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
from collector.simulate.behaviour import SIGNUP, deed_of, moment_of, pages_of, reading_of, stay_of
from collector.simulate.client import Body, RefusedError, Sender
from collector.simulate.people import DEMO_DOMAIN, Visitor, cast, chance_of, excerpt, paths_of, url_of
from collector.simulate.replay import Post, run
from collector.simulate.schedule import BEAT_S, PERSON, Stage, Step, page_steps

PAST_S = 65 * 60
WARM_UP_S = 8.0

_PEOPLE = (96, 22, 8)  # on pages at a time: usually, ± over 25 minutes, ± over 7 minutes
_SILENT = 0.08  # of the last pages are left without a word

Days = Callable[[int, Callable[[], bool]], None]  # writes the days before the past hour, by a seed, until `stopped`


def steps(hits: Iterable[LoggedPage], seed: int, now: float) -> Iterator[Step]:
    """The crowd from `now` (epoch s) on, without end: 60 to 140 people at any time; `due` counts from `now`.

    It goes on where `past` with the same arguments ends. Those who are there already beat within the first
    8 s, with the address of their page, so that the count stands even if nothing of the past was sent.
    """
    there: dict[str, Step] = {}
    life = _life(list(hits), seed, now)
    for step in life:
        if step.due >= 0:
            break
        _note(there, step)
    waiting = [page for page, heard in there.items() if heard.due > -BEAT_S]
    for number, page in enumerate(waiting):
        due = WARM_UP_S * number / len(waiting)
        while step.due < due:
            _note(there, step)
            yield step
            step = next(life)
        if page in there:
            yield Step(due, _beat(there[page].body))
    yield step
    yield from life


def past(hits: Iterable[LoggedPage], seed: int, now: float) -> Iterator[Body]:
    """What the crowd did in the 65 minutes before `now` (epoch s), oldest first: 20,000 with `time`."""
    for step in takewhile(lambda step: step.due < 0, _life(list(hits), seed, now)):
        yield step.body | {"time": math.floor((now + step.due) * 1000) / 1000}


def still_there(told: Iterable[Body], now: float) -> list[Body]:
    """Of the past, what those did on their page who are on it at `now`; oldest first."""
    pages: dict[str, list[Body]] = {}
    for body in told:
        page = _page_of(body)
        pages.setdefault(page, []).append(body)
        if body["type"] == "leave":
            del pages[page]
    open_ones = (bodies for bodies in pages.values() if bodies[-1]["time"] > now - BEAT_S)
    return sorted(chain.from_iterable(open_ones), key=lambda body: float(body["time"]))


def _page_of(body: Body) -> str:
    return str(body["id"] if body["type"] == "pageview" else body["pageview"])


@contextmanager
def crowd(url: str, key: str) -> Iterator[Callable[[Days], None]]:
    """What lets the crowd come to the server at `url` once it answers; they leave at the end of the block.

    First the past is sent (some seconds) and the days before it are written by what is given, then the present is
    sent for as long as it takes, from a thread of its own.
    `key` is an `ingest` key for `DEMO_DOMAIN`. Where the server refuses them it is said on stderr.
    """
    end = threading.Event()
    threads: list[threading.Thread] = []

    def come(days: Days) -> None:
        args = (Sender(url, key), end.is_set, days)
        threads.append(threading.Thread(target=_come, args=args, name="demo", daemon=True))
        threads[-1].start()

    try:
        yield come
    finally:
        end.set()
        for thread in threads:
            thread.join(timeout=3)


def walk(post: Post, stopped: Callable[[], bool], days: Days | None, *, pace: float = math.inf) -> None:
    """Lets a new crowd do what it does, over `post`, until `stopped`.

    At first the hour behind it is told, `pace` events a second, and `days` writes those before: after the hour, since
    a feed shows what is newest. Without `days` only how those came is told who are there.
    Raises `RefusedError` where the server does not want them.
    """
    hits, seed, now = excerpt(), secrets.randbits(32), time.time()
    told: Iterable[Body] = takewhile(lambda _: not stopped(), past(hits, seed, now))
    before = (Step(n / pace, body) for n, body in enumerate(told if days else still_there(told, now)))
    acts = chain(before, _earlier(days, seed, stopped), steps(hits, seed, now))
    run(acts, post, clock=time.monotonic, sleep=time.sleep, stopped=stopped)


def _earlier(days: Days | None, seed: int, stopped: Callable[[], bool]) -> Iterator[Step]:
    """No step: has the days written when it is its turn."""
    if days is not None:
        days(seed, stopped)
    yield from ()


def _come(sender: Sender, stopped: Callable[[], bool], days: Days) -> None:
    try:
        walk(sender, stopped, days)
    except RefusedError as refused:
        print(f"the demo's visitors stay away: {refused}", file=sys.stderr)
    finally:
        sender.close()


def _note(there: dict[str, Step], step: Step) -> None:
    """Keeps what is known of each open page: its fields so far and when it was heard of."""
    body = step.body
    page = _page_of(body)
    known = there.pop(page, None)
    if body["type"] != "leave":
        there[page] = Step(step.due, (known.body if known else {}) | body | {"page": page})


def _beat(known: Body) -> Body:
    """A heartbeat that repeats the totals so far."""
    told = (*PERSON, "url", "engaged_ms", "scroll")
    beat = {"type": "heartbeat", "pageview": known["page"], "state": known.get("state", "active")}
    return beat | {name: known[name] for name in told if name in known}


def _life(hits: list[LoggedPage], seed: int, now: float) -> Iterator[Step]:
    """Everything that happens from 65 minutes before `now` on; `due` is in seconds from `now`."""
    people, paths = cast(hits, seed), paths_of(hits)
    chance, stage, visits = chance_of(seed, "life"), Stage(), count()
    phases = (chance.uniform(0, math.tau), chance.uniform(0, math.tau))
    for second in count(-PAST_S):
        yield from stage.until(second)
        missing = max(0.0, _crowd(second, phases) - len(stage))
        for _ in range(int(missing / 5 + chance.random())):
            number = next(visits)
            visit = _Visit(people[number % len(people)], make_id(seed, int(now), number), paths)
            stage.enter(visit.steps(second + chance.random()))


def _crowd(second: int, phases: tuple[float, float]) -> float:
    """How many people should be there: the number breathes slowly."""
    usual, slow, quick = _PEOPLE
    wave = slow * math.sin(second * math.tau / 1500 + phases[0])
    return usual + wave + quick * math.sin(second * math.tau / 420 + phases[1])


class _Visit:
    """One visit of somebody: the pages, how long each is looked at, and what is done there."""

    def __init__(self, visitor: Visitor, key: str, paths: list[str]) -> None:
        self._visitor, self._key, self._paths = visitor, key, paths
        self._chance = chance_of(key)
        self._person = {"site": DEMO_DOMAIN, "ip": visitor.address, "user_agent": visitor.user_agent}
        self._browser = {"screen": visitor.screen, "language": visitor.language}
        if visitor.signed_in:
            self._sign_in()

    def _sign_in(self) -> None:
        self._person |= {"user_id": self._visitor.user_id, "user_type": self._visitor.user_type}

    def steps(self, start: float) -> Iterator[Step]:
        """The steps of the visit from `start` on, by due time."""
        chance = self._chance
        pages = pages_of(chance)
        for number in range(pages):
            stay = stay_of(chance)
            quiet = number == pages - 1 and chance.random() < _SILENT
            for step in self._page(number, start, stay):
                if not (quiet and step.body["type"] == "leave"):
                    yield step
            start += stay

    def _page(self, number: int, start: float, stay: float) -> Iterator[Step]:
        path = self._visitor.entry if number == 0 else self._chance.choice(self._paths)
        view = self._person | self._browser | {"type": "pageview", "id": f"{self._key}p{number}", "url": url_of(path)}
        if number == 0 and self._visitor.referrer:
            view["referrer"] = self._visitor.referrer
        reading = reading_of(self._chance)
        happens = self._moment(start, stay)
        for step in page_steps(view, start, start + stay, reading):
            if step.due > happens:
                yield Step(happens, self._event(view))
                happens = math.inf
            yield Step(step.due, step.body | self._mood(step.body))

    def _moment(self, start: float, stay: float) -> float:
        """When they do something on the page; on most they never do."""
        share = moment_of(self._chance)
        return math.inf if share is None else start + stay * share

    def _mood(self, body: Body) -> Body:
        """Who they are by now, and in a heartbeat whether they look."""
        if body["type"] != "heartbeat":
            return self._person
        return self._person | {"state": self._chance.choices(("active", "idle", "hidden"), (84, 10, 6))[0]}

    def _event(self, view: Body) -> Body:
        what = deed_of(self._visitor, self._chance, signed_in="user_id" in self._person)
        if what["name"] == SIGNUP:
            self._sign_in()
        names = {"id": f"{view['id']}e", "pageview": view["id"], "url": view["url"]}
        return self._person | {"type": "event"} | names | what
