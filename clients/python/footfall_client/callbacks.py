"""What is known of the callbacks of a Dash application: how often each ran, how long, with which error, for whom."""

from __future__ import annotations

import secrets
import time
from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import PurePath
from typing import NamedTuple
from urllib.parse import urlsplit

from footfall_client.measure import summary
from footfall_client.outbox import Item
from footfall_client.relay import Visitor
from footfall_client.sender import as_sample

MAX_CALLS = 20_000  # that end within a second; of more only the latest are measured
MAX_PAIRS = 200  # of callback and page; further pages are all `OTHER_PAGES`
MAX_EVENTS = 200  # of one kind, at one time
MAX_NAME = 120
USED_EVERY_S = 60
OTHER_PAGES = "(other pages)"
USED, FAILED = "Callback", "Callback Error"


class Call(NamedTuple):
    """A callback that has ended. `error` is what `error_of` says, empty if it worked."""

    callback: str
    url: str  # of the page; empty if the browser does not say it
    visitor: Visitor
    took_s: float
    error: str = ""


class _Use(NamedTuple):
    """What the calls of one event share."""

    callback: str
    url: str
    visitor: Visitor
    error: str = ""


class Calls:
    """Callbacks that have ended. Every second they become samples by callback and page, and events of errors; every
    minute events of who used which callback, where the application knows its people.
    """

    def __init__(self, send: Callable[[Item], None], site: str, clock: Callable[[], float] = time.time) -> None:
        """`send` queues an event."""
        self.done: deque[Call] = deque(maxlen=MAX_CALLS)
        self._send, self._site, self._clock = send, site, clock
        self._pairs: set[tuple[str, str]] = set()
        self.forget()

    def forget(self) -> None:
        """Drops everything, in a forked process."""
        self.done.clear()
        self._used: defaultdict[_Use, list[float]] = defaultdict(list)
        self._next = self._clock() + USED_EVERY_S

    def samples(self, closing: bool) -> Iterable[Item]:
        """`callback_runs` and `callback_errors` (how many), `callback_time_ms` (average) and `callback_time_p95_ms`, by
        callback and page, of those that ran since the last call. Queues the events.

        The tags do not name the process: sites may not have tags without end, and counts can be added up.
        """
        now = self._clock()
        calls = [self.done.popleft() for _ in range(len(self.done))]
        self._queue_errors(calls, now)
        self._note_uses(calls)
        if self._used and (closing or now >= self._next):
            self._queue_uses(now)
            self._next = now + USED_EVERY_S
        return self._samples_of(calls, int(now))

    def _samples_of(self, calls: Sequence[Call], now: int) -> list[Item]:
        found: defaultdict[tuple[str, str], list[tuple[float, bool]]] = defaultdict(list)
        for call in calls:
            found[call.callback, self._page(call)].append((call.took_s, bool(call.error)))
        made = []
        for (callback, page), done in found.items():
            average, high, _ = summary(done)
            figures = {
                "callback_runs": float(len(done)),
                "callback_errors": float(sum(failed for _, failed in done)),
                "callback_time_ms": average,
                "callback_time_p95_ms": high,
            }
            tags = {"callback": callback, "page": page} if page else {"callback": callback}
            made += [as_sample(name, value, now, tags) for name, value in figures.items()]
        return made

    def _page(self, call: Call) -> str:
        """The path of a page, as long as there are not too many: a browser may say any."""
        path = _path(call.url)
        pair = call.callback, path
        if not path or pair in self._pairs:
            return path
        if len(self._pairs) >= MAX_PAIRS:
            return OTHER_PAGES
        self._pairs.add(pair)
        return path

    # ── events ───────────────────────────────────────────────────────────────────────────────────────────────────────

    def _queue_errors(self, calls: Sequence[Call], now: float) -> None:
        found: defaultdict[_Use, list[float]] = defaultdict(list)
        for call in calls:
            if call.error:
                found[_Use(call.callback, call.url, call.visitor, call.error)].append(call.took_s)
        for use, times in list(found.items())[:MAX_EVENTS]:
            self._queue(FAILED, use, times, now)

    def _note_uses(self, calls: Sequence[Call]) -> None:
        for call in calls:
            use = _Use(call.callback, call.url, call.visitor)
            if call.visitor.user_id and (use in self._used or len(self._used) < MAX_EVENTS):
                self._used[use].append(call.took_s)

    def _queue_uses(self, now: float) -> None:
        for use, times in self._used.items():
            self._queue(USED, use, times, now)
        self._used.clear()

    def _queue(self, name: str, use: _Use, times: Sequence[float], now: float) -> None:
        """An event; one without the address of a page has that of the site."""
        average = round(sum(times) / len(times) * 1000, 1)
        props = {"callback": use.callback, "runs": len(times), "time_ms": average}
        event = {
            "site": self._site,
            "type": "event",
            "id": secrets.token_hex(12),
            "url": use.url if _path(use.url) else f"https://{self._site}/",
            "name": name,
            "props": props | ({"error": use.error} if use.error else {}),
            "interactive": False,
            "time": round(now, 3),
        }
        self._send(event | use.visitor.fields())


def _path(url: str) -> str:
    """The path of a page's address; empty if it is none."""
    try:
        parts = urlsplit(url)
        return (parts.path or "/")[:MAX_NAME] if parts.scheme in ("http", "https") and parts.hostname else ""
    except ValueError:
        return ""


def callback_name(output: str, inputs: Sequence[Mapping[str, str]] = ()) -> str:
    """How a callback is called: by its outputs, one without by its inputs; at most `MAX_NAME` characters."""
    if "." in output:
        parts = output.strip(".").split("...") if output.startswith("..") else [output]
        name = ", ".join(part.partition("@")[0] for part in parts)
    else:
        name = "no output: " + ", ".join(f"{one.get('id')}.{one.get('property')}" for one in inputs)
    return name if len(name) <= MAX_NAME else name[: MAX_NAME - 1] + "…"


def error_of(error: BaseException) -> str:
    """The class of an error, and the last line of code that it left; nothing of its message, which may be personal."""
    place, trace = "", error.__traceback__
    while trace is not None:
        place = f" ({PurePath(trace.tb_frame.f_code.co_filename).name}:{trace.tb_lineno})"
        trace = trace.tb_next
    return f"{type(error).__name__}{place}"[:MAX_NAME]
