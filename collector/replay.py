"""An access log as live visitors: each address walks, beats and leaves at the log's pace times a speed."""

from __future__ import annotations

import heapq
import ipaddress
import json
import random
import re
import secrets
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from hashlib import blake2b
from itertools import pairwise
from statistics import median
from types import FrameType
from typing import NamedTuple, TextIO

from collector.accesslog import Hit
from collector.sender import Body, Outcome, RefusedError, Sender

PERSON = ("site", "ip", "user_agent", "user_id", "user_type")  # the fields that say who, and where
BEAT_S = 30.0  # what the script in a browser does
WALK_GAP_S = 30 * 60  # of log time; a longer silence ends a walk, as it ends a visit
LAST_PAGE_S = (
    30.0,
    300.0,
)  # of log time: how long somebody stays on a walk's last page, at least and at most
SEEN_S = (15.0, 90.0)  # of real time, drawn for each walk; who is gone at once would be seen by nobody

BATCH_EVENTS = 100
BATCH_BYTES = 60_000  # the collector takes 64 KiB
BATCH_S = 0.1
GLANCE_S = 0.25  # how long a wait goes without a report
TICK_S = 0.001  # less than this is no time to wait for
PATIENCE_S = 120.0  # of nothing but refusals, before giving up
GOODBYE_S = 2.0
FORGOTTEN_S = 3 * BEAT_S

_WEB = re.compile(r"https?://([^/?#]*)([^?#]*)", re.IGNORECASE)


class Step(NamedTuple):
    """An event of the wire and when it is due, in seconds from the start."""

    due: float
    body: Body


@dataclass(frozen=True, slots=True)
class Walk:
    """The pages that one visitor (an address with a browser) saw without a long silence; never empty."""

    address: str
    user_agent: str
    pages: tuple[Hit, ...]

    @property
    def start(self) -> int:
        """The time of the first page, epoch seconds."""
        return self.pages[0].time


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


def walks(hits: Iterable[Hit]) -> list[Walk]:
    """The walks of a log, by their start; each one's pages by time (logs are not always in order)."""
    visitors: dict[tuple[str, str], list[Hit]] = {}
    for hit in hits:
        visitors.setdefault((hit.address, hit.user_agent), []).append(hit)
    found = [
        Walk(address, agent, pages)
        for (address, agent), seen in visitors.items()
        for pages in _without_silence(sorted(seen, key=lambda hit: hit.time))
    ]
    return sorted(found, key=lambda walk: walk.start)


def _without_silence(hits: list[Hit]) -> Iterator[tuple[Hit, ...]]:
    start = 0
    for index in range(1, len(hits)):
        if hits[index].time - hits[index - 1].time > WALK_GAP_S:
            yield tuple(hits[start:index])
            start = index
    yield tuple(hits[start:])


def length(walked: list[Walk], speed: float, seed: int = 0) -> float:
    """Seconds from the first pageview to the last leave of `plan` with these arguments; 0 for no walks."""
    return max((_end(walk, walked[0].start, speed, seed) for walk in walked), default=0.0)


def _end(walk: Walk, first: int, speed: float, seed: int) -> float:
    return (walk.pages[-1].time - first) / speed + _last_stay(walk, speed, seed)


def plan(walked: list[Walk], site: str, speed: float, *, nonce: str, seed: int = 0) -> Iterator[Step]:
    """The events of these walks for the wire, by due time: pageview, a heartbeat every 30 s, leave.

    `walked` is in order of start, as `walks` gives it; pauses are the log's divided by `speed`. Ids are made
    from the walk and `nonce`: another nonce makes new visits, the same one exact repeats. Pages stand on
    `https://{site}`; a referrer on the log's own host does too. What a log does not tell (engaged, scroll) is
    drawn from `seed`. The bodies speak for others (`ip`, `user_agent`): for an `ingest` key.
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

    def steps(self, walked: list[Walk]) -> Iterator[Step]:
        stage = Stage()
        for walk in walked:
            start = (walk.start - walked[0].start) / self.speed
            yield from stage.until(start)
            stage.enter(self._walk(walk, start))
        yield from stage.until(float("inf"))

    def _walk(self, walk: Walk, start: float) -> Iterator[Step]:
        starts = [start + (page.time - walk.start) / self.speed for page in walk.pages]
        stays = pairwise([*starts, starts[-1] + _last_stay(walk, self.speed, self.seed)])
        for number, (page, (opened, closed)) in enumerate(zip(walk.pages, stays, strict=True)):
            place = (walk.address, walk.user_agent, walk.start, number)
            view = self._pageview(page) | {"id": make_id(self.nonce, *place)}
            yield from page_steps(view, opened, closed, _reading(make_id(self.seed, *place)))

    def _pageview(self, page: Hit) -> Body:
        view = {
            "site": self.site,
            "type": "pageview",
            "url": f"https://{self.site}{page.path}",
            "ip": _ip(page.address),
            "user_agent": page.user_agent,
        }
        return view | {"referrer": _at_home(page.referrer, self.site, self.own)} if page.referrer else view


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


def _last_stay(walk: Walk, speed: float, seed: int) -> float:
    """Seconds on the last page, which no log tells: as between the others, within bounds, and visible."""
    chance = random.Random(make_id(seed, walk.address, walk.user_agent, walk.start))  # noqa: S311 (no secret)
    shortest, longest = LAST_PAGE_S
    gaps = [after.time - before.time for before, after in pairwise(walk.pages)]
    usual = min(longest, max(shortest, median(gaps))) if gaps else shortest
    return max(chance.uniform(*SEEN_S), usual / speed)


def _reading(key: str) -> Reading:
    chance = random.Random(key)  # noqa: S311 (no secret)
    return Reading(chance.uniform(0.5, 0.95), chance.randint(20, 100))


def make_id(*parts: object) -> str:
    """24 hexadecimal digits that are the same for the same parts."""
    return blake2b("\0".join(map(str, parts)).encode(errors="replace"), digest_size=12).hexdigest()


def _ip(address: str) -> str:
    """The address itself; for a host name or a blank a stand-in of its own from a private network."""
    try:
        ipaddress.ip_address(address)
    except ValueError:
        digest = blake2b(address.encode(errors="replace"), digest_size=15).digest()
        return str(ipaddress.IPv6Address(b"\xfd" + digest))
    return address


def own_hosts(walked: list[Walk]) -> frozenset[str]:
    """The hosts that a log is about, which it does not name: referrers that the same walk saw as pages.

    Two such cases make a host; the front page does not count, since every site has one.
    """
    cases: Counter[str] = Counter()
    for walk in walked:
        seen: set[str] = set()
        for page in walk.pages:
            found = _WEB.match(page.referrer)
            if found and found[2] in seen:
                cases[found[1].lower()] += 1
            seen.add(page.path.partition("?")[0])
            seen.discard("/")
    return frozenset(host for host, count in cases.items() if count > 1)


def _at_home(referrer: str, site: str, own: frozenset[str]) -> str:
    found = _WEB.match(referrer)
    if found and found[1].lower() in own:
        return f"https://{site}{referrer[found.end(1) :]}"
    return referrer


Post = Callable[[list[Body]], Outcome]


@dataclass(slots=True)
class Totals:
    """What a replay has done so far; `sent` is by type of event, `filtered` and `rejected` by reason."""

    sent: Counter[str] = field(default_factory=Counter)
    stored: int = 0
    duplicate: int = 0
    filtered: Counter[str] = field(default_factory=Counter)
    rejected: Counter[str] = field(default_factory=Counter)
    retried: int = 0
    interrupted: bool = False

    def count(self, batch: list[Body], outcome: Outcome) -> None:
        """Adds those of a batch that were answered for good."""
        self.sent.update(body["type"] for index, body in enumerate(batch) if index not in outcome.again)
        self.stored += outcome.stored
        self.duplicate += outcome.duplicate
        self.filtered.update(outcome.filtered)
        self.rejected.update(outcome.rejected)


def summary(totals: Totals, skipped: Mapping[str, int]) -> str:
    """One line: what was sent, what the log has besides pages (`skipped`, by reason), what was left out."""
    sent = ", ".join(
        f"{totals.sent[kind]:,} {kind}s" for kind in ("pageview", "heartbeat", "event") if totals.sent[kind]
    )
    parts = [f"sent {sent or '0 pageviews'}, {totals.sent['leave']:,} leaves"]
    parts += [f"skipped: {_by_reason(skipped)}"] if skipped else []
    parts += [f"filtered: {_by_reason(totals.filtered)}"] if totals.filtered else []
    parts += [f"rejected: {_by_reason(totals.rejected)}"] if totals.rejected else []
    parts += [f"sent before: {totals.duplicate:,}"] if totals.duplicate else []
    parts += [f"retries: {totals.retried:,}"] if totals.retried else []
    parts += ["stopped early"] if totals.interrupted else []
    return "; ".join(parts)


def _by_reason(counts: Mapping[str, int]) -> str:
    return ", ".join(f"{reason} {count:,}" for reason, count in Counter(counts).most_common())


class Progress:
    """Tells how far a replay is: one rewritten line on a terminal, elsewhere a line every 10 s."""

    def __init__(self, stream: TextIO, length_s: float) -> None:
        self._stream, self._length_s = stream, length_s
        self._terminal = stream.isatty()
        self._every_s = GLANCE_S if self._terminal else 10.0
        self._next_s = 0.0

    def __call__(self, totals: Totals, elapsed_s: float, here: int) -> None:
        """Says it if it is time to; `here` is the number of visitors' pages that are open."""
        if elapsed_s < self._next_s:
            return
        self._next_s = elapsed_s + self._every_s
        done = f"{_clock(elapsed_s)} of {_clock(self._length_s)}"
        line = f"{done}: {here} here, {totals.sent['pageview']:,} pageviews"
        self._stream.write(f"\r{line}\x1b[K" if self._terminal else f"{line}\n")
        self._stream.flush()

    def close(self) -> None:
        """Clears the rewritten line, so that the summary can stand there."""
        if self._terminal:
            self._stream.write("\r\x1b[K")
            self._stream.flush()


def _clock(seconds: float) -> str:
    minutes, second = divmod(int(seconds), 60)
    return f"{minutes}:{second:02}"


Report = Callable[[Totals, float, int], None]


def run(
    steps: Iterable[Step],
    post: Post,
    *,
    clock: Callable[[], float],
    sleep: Callable[[float], None],
    report: Report = lambda _totals, _elapsed_s, _here: None,
    stopped: Callable[[], bool] = lambda: False,
) -> Totals:
    """Sends each step when it is due (at once if it is late), up to 100 in a request, and counts the answers.

    What the server does not take for now is sent again with the same ids after the time that it asks for.
    KeyboardInterrupt or `stopped()` ends it: the visitors still on a page leave, within 2 s if the server
    answers, and the totals so far are returned. Raises `RefusedError` for an answer that will not change and
    after two minutes of retries. `clock` is in seconds, monotonic.
    """
    replay = _Run(post, clock, sleep, report, stopped, clock())
    try:
        for batch in replay.batches(steps):
            replay.deliver(batch)
    except (KeyboardInterrupt, _StoppedError):
        replay.totals.interrupted = True
        replay.say_goodbye()
    return replay.totals


def play(walked: list[Walk], site: str, speed: float, sender: Sender, out: TextIO) -> Totals:
    """Plays walks now, as new visits, with progress on `out`; Ctrl-C and SIGTERM end it (main thread)."""
    progress = Progress(out, length(walked, speed))
    steps = plan(walked, site, speed, nonce=secrets.token_hex(8))
    try:
        with interruptible() as interrupted:
            return run(steps, sender, clock=time.monotonic, sleep=time.sleep, report=progress, stopped=interrupted)
    finally:
        progress.close()
        sender.close()


@contextmanager
def interruptible() -> Iterator[Callable[[], bool]]:
    """Whether Ctrl-C or SIGTERM has come; for the main thread only.

    The first one cuts off no request: what was sent is known to be stored or not. The second one does.
    """
    came = threading.Event()

    def note(number: int, frame: FrameType | None) -> None:
        if came.is_set():
            signal.default_int_handler(number, frame)
        came.set()

    before = {number: signal.signal(number, note) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield came.is_set
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


class _StoppedError(Exception):
    pass


@dataclass(slots=True)
class _Run:
    """A replay under way: its clock, its totals, and who is on a page."""

    post: Post
    clock: Callable[[], float]
    sleep: Callable[[float], None]
    report: Report
    stopped: Callable[[], bool]
    started: float
    totals: Totals = field(default_factory=Totals)
    free_s: float = 0.0  # when the next request may go
    # By id of the pageview: when it was heard of last (the latest at the end), and what it has said.
    open: dict[str, tuple[float, Body]] = field(default_factory=dict)

    def elapsed(self) -> float:
        return self.clock() - self.started

    def batches(self, steps: Iterable[Step]) -> Iterator[list[Body]]:
        """What is due, when it is due; only full batches (100 events, 60 kB) follow within 100 ms."""
        batch: list[Body] = []
        size = 0
        for due, body in steps:
            weight = len(json.dumps(body)) + 2
            full = len(batch) == BATCH_EVENTS or size + weight > BATCH_BYTES
            if batch and (full or due > self.elapsed()):
                yield batch
                self.free_s = self.elapsed() if full else self.elapsed() + BATCH_S
                batch, size = [], 0
            if not batch:
                self.wait(max(due, self.free_s) - self.elapsed())
            batch.append(body)
            size += weight
        if batch:
            yield batch

    def wait(self, seconds: float) -> None:
        end = self.elapsed() + seconds
        while True:
            if self.stopped():
                raise _StoppedError
            now = self.elapsed()
            self.report(self.totals, now, len(self.open))
            if end - now < TICK_S:
                return
            self.sleep(min(GLANCE_S, end - now))

    def deliver(self, batch: list[Body]) -> None:
        self._note(batch)
        end = self.elapsed() + PATIENCE_S
        while batch:
            outcome = self.post(batch)
            self.totals.count(batch, outcome)
            batch = [batch[index] for index in outcome.again]
            if batch:
                if self.elapsed() + outcome.retry_after > end:
                    raise RefusedError(f"given up after {PATIENCE_S:.0f} s: {outcome.trouble}")
                self.totals.retried += 1
                self.wait(outcome.retry_after)

    def _note(self, batch: list[Body]) -> None:
        """Keeps what a leave would say of each page that is open; before the answer, which may never come."""
        now = self.elapsed()
        for body in batch:
            page = body["id"] if body["type"] == "pageview" else body["pageview"]
            last = self.open.pop(page, (0.0, {}))[1]
            if body["type"] != "leave":
                self.open[page] = (now, last | body)
        while self.open and next(iter(self.open.values()))[0] < now - FORGOTTEN_S:
            del self.open[next(iter(self.open))]  # closed without a word, as some are in the demo

    def say_goodbye(self) -> None:
        leaves = [_leave(page, last) for page, (_, last) in self.open.items()]
        end = self.clock() + GOODBYE_S
        with suppress(RefusedError):
            while leaves and self.clock() < end:
                batch, leaves = leaves[:BATCH_EVENTS], leaves[BATCH_EVENTS:]
                outcome = self.post(batch)
                self.totals.count(batch, outcome)
                if outcome.again:
                    return


def _leave(page: str, last: Body) -> Body:
    kept = (*PERSON, "engaged_ms", "scroll")
    return {"type": "leave", "pageview": page} | {name: last[name] for name in kept if name in last}
