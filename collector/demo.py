"""The demo's visitors: a made-up, seeded crowd that walks through the pages of a real log's excerpt."""

from __future__ import annotations

import math
import random
import secrets
import sys
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from itertools import chain, count, takewhile
from pathlib import Path
from typing import NamedTuple

from collector.accesslog import Hit, read
from collector.logfile import open_log
from collector.replay import Post, run
from collector.sender import Body, RefusedError, Sender
from collector.steps import BEAT_S, PERSON, Reading, Stage, Step, page_steps
from collector.walks import make_id, own_hosts, walks

DEMO_DOMAIN = "demo.example"
PAST_S = 65 * 60
WARM_UP_S = 8.0

_EXCERPT = Path(__file__).parent / "data" / "demo-access.log"
_PEOPLE = (96, 22, 8)  # on pages at a time: usually, ± over 25 minutes, ± over 7 minutes
_WITH_PHONE = 0.6  # of the addresses: a phone besides the browser of the log
_SIGNED_IN = 0.35
_SILENT = 0.08  # of the last pages are left without a word
_EVENTS = 0.18  # of the pages
_DEALS = 0.15  # of the events: signups and payments
_PAGES = (45, 22, 14, 9, 6, 4)  # % of the visits with 1, 2, … pages
_STAY_S = (8.0, 420.0)

_NAMES = (
    "lena ana jonas mei tom aisha pavel chloe diego ines yuki sam nora omar eva liam priya hugo zoe ivan "
    "marta kofi elif noah sofia ravi greta luca hana theo maja felix ida amir rosa emil lucia max tessa jan"
)
_FIRST_NAMES = _NAMES.split()
_FILES = (
    "xdotool-2.20110530.tar.gz",
    "keynav-0.20110708.tar.gz",
    "fex-2.0.0.tar.gz",
    "grok-1.20110708.1.tar.gz",
    "logstash-1.1.0-monolithic.jar",
)
_SEARCHES = (
    "xdotool type speed",
    "ssh tunnel",
    "logstash grok",
    "dhcp dns update",
    "xvfb firefox",
    "puppet fact",
)
_LINKS = ("github.com/jordansissel/xdotool", "logstash.net/docs", "wiki.archlinux.org", "man.openbsd.org/ssh")
_PLANS = ((9.0, "Starter"), (29.0, "Team"), (49.0, "Team, yearly"), (199.0, "Business"))


class _Device(NamedTuple):
    """A kind of device, told by a sign in its agents, and the agents of its browsers today ("" for none)."""

    sign: str
    chrome: str
    firefox: str = ""
    safari: str = ""
    edge: str = ""
    opera: str = ""


_WEBKIT = "AppleWebKit/537.36 (KHTML, like Gecko)"


def _desktop(sign: str, system: str, safari: str = "") -> _Device:
    chrome = f"Mozilla/5.0 ({system}) {_WEBKIT} Chrome/140.0.0.0 Safari/537.36"
    firefox = f"Mozilla/5.0 ({system.replace('10_15_7', '10.15')}; rv:143.0) Gecko/20100101 Firefox/143.0"
    return _Device(sign, chrome, firefox, safari, f"{chrome} Edg/140.0.0.0", f"{chrome} OPR/122.0.0.0")


def _apple(sign: str, system: str) -> _Device:
    start = f"Mozilla/5.0 ({system}) AppleWebKit/605.1.15 (KHTML, like Gecko)"
    safari = f"{start} Version/18.6 Mobile/15E148 Safari/604.1"
    return _Device(sign, f"{start} CriOS/140.0.7339.101 Mobile/15E148 Safari/604.1", safari=safari)


_MAC_SAFARI = (
    "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) "
    "Version/18.6 Safari/605.1.15"
)
_IPHONE = _apple("iPhone", "iPhone; CPU iPhone OS 18_6 like Mac OS X")
_ANDROID = _Device(
    "Android",
    f"Mozilla/5.0 (Linux; Android 10; K) {_WEBKIT} Chrome/140.0.0.0 Mobile Safari/537.36",
    "Mozilla/5.0 (Android 15; Mobile; rv:143.0) Gecko/143.0 Firefox/143.0",
)
# The first sign that an agent has counts; the last of each has every agent.
_DEVICES = (
    _apple("iPad", "iPad; CPU OS 18_6 like Mac OS X"),
    _IPHONE,
    _ANDROID,
    _desktop("Macintosh", "Macintosh; Intel Mac OS X 10_15_7", _MAC_SAFARI),
    _desktop("Windows", "Windows NT 10.0; Win64; x64"),
    _desktop("CrOS", "X11; CrOS x86_64 14541.0.0"),
    _desktop("Ubuntu", "X11; Ubuntu; Linux x86_64"),
    _desktop("", "X11; Linux x86_64"),
)
_BROWSERS = (
    ("OPR/", "opera"),
    ("Opera", "opera"),
    ("Chrom", "chrome"),
    ("CriOS", "chrome"),
    ("Firefox", "firefox"),
    ("MSIE", "edge"),
    ("Trident", "edge"),
    ("Safari", "safari"),
    ("", "firefox"),
)
_PHONES = (_IPHONE.safari, _IPHONE.chrome, _ANDROID.chrome, _ANDROID.chrome)


class Visitor(NamedTuple):
    """Somebody with a browser, who arrives at `entry` from `referrer` (or "") and may be signed in."""

    address: str
    user_agent: str
    entry: str
    referrer: str
    user_id: str
    user_type: str
    signed_in: bool

    @property
    def user_name(self) -> str:
        """`lena.h` as the feed names her: `Lena H.`"""
        first, _, last = self.user_id.partition(".")
        return f"{first.title()} {last.upper()}."


def excerpt() -> list[Hit]:
    """The page views of the log that the project carries; the NOTICE beside it names its source."""
    return [line for line in read(open_log(_EXCERPT)) if isinstance(line, Hit)]


def cast(hits: Iterable[Hit], seed: int) -> list[Visitor]:
    """The demo's people, in the order in which they come: one or two browsers for each address of the log."""
    chance = _chance(seed, "cast")
    walked = walks(hits)
    own = own_hosts(walked)
    homes = {walk.address: walk for walk in reversed(walked)}  # the first walk of each
    people: list[Visitor] = []
    for number, (address, walk) in enumerate(sorted(homes.items())):
        first = walk.pages[0]
        came_from = "" if _host(first.referrer) in own else first.referrer
        who = (*_user(number), chance.random() < _SIGNED_IN)
        agents = [modern(walk.user_agent)]
        agents += [chance.choice(_PHONES)] if chance.random() < _WITH_PHONE else []
        people += [Visitor(address, agent, first.path, came_from, *who) for agent in dict.fromkeys(agents)]
    chance.shuffle(people)
    return people


def _host(referrer: str) -> str:
    return referrer.partition("//")[2].partition("/")[0].lower()


def _user(number: int) -> tuple[str, str]:
    """The user id and type that belong to an address: 520 different ones."""
    name = _FIRST_NAMES[number % len(_FIRST_NAMES)]
    return f"{name}.{chr(ord('a') + number * 7 % 26)}", "customer" if number % 5 < 3 else "member"


def modern(user_agent: str) -> str:
    """The agent that such a browser on such a device has today."""
    device = next(device for device in _DEVICES if device.sign in user_agent)
    browser = next(browser for sign, browser in _BROWSERS if sign in user_agent)
    return str(device._asdict()[browser]) or device.chrome


def steps(hits: Iterable[Hit], seed: int, now: float) -> Iterator[Step]:
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


def past(hits: Iterable[Hit], seed: int, now: float) -> Iterator[Body]:
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
def crowd(url: str, key: str) -> Iterator[Callable[[], None]]:
    """What lets the crowd come to the server at `url` once it answers; they leave at the end of the block.

    First the past is sent (some seconds), then the present for as long as it takes, from a thread of its own.
    `key` is an `ingest` key for `DEMO_DOMAIN`. Where the server refuses them it is said on stderr.
    """
    end = threading.Event()
    thread = threading.Thread(target=_come, args=(Sender(url, key), end.is_set), name="demo", daemon=True)
    try:
        yield thread.start
    finally:
        end.set()
        if thread.ident:
            thread.join(timeout=3)


def walk(post: Post, stopped: Callable[[], bool], *, with_past: bool = True, pace: float = math.inf) -> None:
    """Lets a new crowd do what it does, over `post`, until `stopped`.

    At first the hour behind it is told, `pace` events a second; without its past only how those came who are there.
    Raises `RefusedError` where the server does not want them.
    """
    hits, seed, now = excerpt(), secrets.randbits(32), time.time()
    told: Iterable[Body] = takewhile(lambda _: not stopped(), past(hits, seed, now))
    before = (Step(n / pace, body) for n, body in enumerate(told if with_past else still_there(told, now)))
    acts = chain(before, steps(hits, seed, now))
    run(acts, post, clock=time.monotonic, sleep=time.sleep, stopped=stopped)


def _come(sender: Sender, stopped: Callable[[], bool]) -> None:
    try:
        walk(sender, stopped)
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


def _life(hits: list[Hit], seed: int, now: float) -> Iterator[Step]:
    """Everything that happens from 65 minutes before `now` on; `due` is in seconds from `now`."""
    people, paths = cast(hits, seed), [hit.path for hit in hits if "?" not in hit.path]
    chance, stage, visits = _chance(seed, "life"), Stage(), count()
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


def _chance(*parts: object) -> random.Random:
    return random.Random("/".join(map(str, parts)))  # noqa: S311 (simulated people, no secret)


class _Visit:
    """One visit of somebody: the pages, how long each is looked at, and what is done there."""

    def __init__(self, visitor: Visitor, key: str, paths: list[str]) -> None:
        self._visitor, self._key, self._paths = visitor, key, paths
        self._chance = _chance(key)
        self._person = {"site": DEMO_DOMAIN, "ip": visitor.address, "user_agent": visitor.user_agent}
        if visitor.signed_in:
            self._sign_in()

    def _sign_in(self) -> None:
        self._person |= {"user_id": self._visitor.user_id, "user_type": self._visitor.user_type}

    def steps(self, start: float) -> Iterator[Step]:
        """The steps of the visit from `start` on, by due time."""
        chance = self._chance
        pages = chance.choices(range(1, 7), _PAGES)[0]
        for number in range(pages):
            stay = min(_STAY_S[1], max(_STAY_S[0], chance.lognormvariate(math.log(60), 0.8)))
            quiet = number == pages - 1 and chance.random() < _SILENT
            for step in self._page(number, start, stay):
                if not (quiet and step.body["type"] == "leave"):
                    yield step
            start += stay

    def _page(self, number: int, start: float, stay: float) -> Iterator[Step]:
        path = self._visitor.entry if number == 0 else self._chance.choice(self._paths)
        view = self._person | {"type": "pageview", "id": f"{self._key}p{number}", "url": _url(path)}
        if number == 0 and self._visitor.referrer:
            view["referrer"] = self._visitor.referrer
        reading = Reading(self._chance.uniform(0.5, 0.95), self._chance.randint(20, 100))
        happens = self._moment(start, stay)
        for step in page_steps(view, start, start + stay, reading):
            if step.due > happens:
                yield Step(happens, self._event(view))
                happens = math.inf
            yield Step(step.due, step.body | self._mood(step.body))

    def _moment(self, start: float, stay: float) -> float:
        """When they do something on the page; on most they never do."""
        if self._chance.random() >= _EVENTS:
            return math.inf
        return start + stay * self._chance.uniform(0.2, 0.8)

    def _mood(self, body: Body) -> Body:
        """Who they are by now, and in a heartbeat whether they look."""
        if body["type"] != "heartbeat":
            return self._person
        return self._person | {"state": self._chance.choices(("active", "idle", "hidden"), (84, 10, 6))[0]}

    def _event(self, view: Body) -> Body:
        what = _deed(self._chance) if self._chance.random() > _DEALS else self._deal()
        names = {"id": f"{view['id']}e", "pageview": view["id"], "url": view["url"]}
        return self._person | {"type": "event"} | names | what

    def _deal(self) -> Body:
        """A payment of somebody signed in; of others a signup, by which they are."""
        name = {"user_name": self._visitor.user_name}
        if "user_id" not in self._person:
            self._sign_in()
            return {"name": "Signup", "description": "New account"} | name
        price, plan = self._chance.choice(_PLANS)
        return {"name": "Payment", "description": f"{plan} plan", "value": price, "currency": "EUR"} | name


def _deed(chance: random.Random) -> Body:
    """Something that anybody may do on a page."""
    kind = chance.choice(("Download", "Search", "Outbound"))
    if kind == "Search":
        return {"name": kind, "description": chance.choice(_SEARCHES)}
    if kind == "Outbound":
        link = chance.choice(_LINKS)
        return {"name": kind, "description": link.partition("/")[0], "props": {"url": f"https://{link}"}}
    file = chance.choice(_FILES)
    return {"name": kind, "description": file, "props": {"url": _url(f"/files/{file}")}}


def _url(path: str) -> str:
    return f"https://{DEMO_DOMAIN}{path}"
