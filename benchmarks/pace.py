"""Requests at an even pace, from a process of its own, whether or not the server keeps up.

The time of an answer counts from the moment at which its request was due: a server that stands still makes all requests
of that time late, not only those that it has.
"""

from __future__ import annotations

import json
import select
import sys
import time
from collections import Counter, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

from benchmarks.common import SITE, begin, child, end, percentile
from benchmarks.load import AGENTS, CONNECTIONS, PATIENCE_S, Connection, Load, site_name

PEOPLE = 5_000  # they come again and again
NOTIFYING = [f"Deal {number}" for number in range(10)]  # for which rules wait, in turns: each has a limit a minute
OTHER = "Scrolled"
FOREVER_S = 1e9


class Pacing:
    """A load that goes on; `load` is its result once it has ended."""

    def __init__(self) -> None:
        self.load: Load | None = None


@contextmanager
def pacing(port: int, a_second: float, kind: str, first: int = 1) -> Iterator[Pacing]:
    """Sends so many requests a second while the block lasts. `kind` is one of `maker`; numbers begin with `first`."""
    pacing = Pacing()
    with child("benchmarks.pace", kind, str(port), str(first), str(a_second), str(FOREVER_S)) as process:
        yield pacing
    pacing.load = Load(**process.result)


def paced(port: int, a_second: float, seconds: float, kind: str, first: int = 1) -> Load:
    """The result of one load, as of `pacing`."""
    with pacing(port, a_second, kind, first) as one:
        time.sleep(seconds)
    assert one.load
    return one.load


# ── requests ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def maker(kind: str) -> Callable[[int], bytes]:
    """Makes requests by their numbers: `pageview`, `event` (for which no rule waits), `mixed` (half of them events, of
    which each fiftieth is one that notifies), or `sites/N` (pageviews, in turns to N sites).
    """
    if kind.startswith("sites/"):
        sites = int(kind.partition("/")[2])
        return lambda number: hit(number, site_name(number % sites))
    return {"pageview": hit, "event": partial(hit, name=OTHER), "mixed": _mixed}[kind]


def _mixed(number: int) -> bytes:
    notifying = NOTIFYING[number // 100 % len(NOTIFYING)]
    return hit(number, name="" if number % 2 else OTHER if number % 100 else notifying)


def hit(number: int, site: str = SITE, name: str = "") -> bytes:
    """A pageview, or the event of that name, by one of 5,000 people, each with an address and a browser of its own."""
    person = number % PEOPLE
    body = {"site": site, "type": "pageview", "id": f"pace-{number:012d}", "url": f"https://{site}/a/{number % 200}"}
    if name:
        body |= {"type": "event", "name": name, "description": f"number {number}", "user_name": f"Person {person}"}
    sent = json.dumps(body)
    head = (
        "POST /api/collect HTTP/1.1\r\nHost: bench\r\nContent-Type: text/plain;charset=UTF-8\r\n"
        f"User-Agent: {AGENTS[person % len(AGENTS)]}\r\nX-Forwarded-For: 12.0.{person >> 8}.{person & 255}\r\n"
    )
    return f"{head}Content-Length: {len(sent)}\r\n\r\n{sent}".encode()


# ── the process ──────────────────────────────────────────────────────────────────────────────────────────────────────


class _Pacer:
    """Kept connections, each with at most one request in flight; more are opened, up to 64, when all wait."""

    def __init__(self, port: int, make: Callable[[int], bytes]) -> None:
        self._port, self._make = port, make
        self._poll = select.epoll()
        self._open: dict[int, Connection] = {}
        self._idle: deque[Connection] = deque()
        self._waiting: deque[tuple[int, float]] = deque()  # numbers without a connection, and when they were due
        self.statuses: Counter[str] = Counter()
        self.latencies: list[float] = []
        self.acknowledged: list[int] = []

    def send(self, number: int, due: float) -> None:
        """Sends the request with that number, as soon as a connection is free."""
        if not self._idle and len(self._open) >= CONNECTIONS:
            self._waiting.append((number, due))
            return
        connection = self._idle.popleft() if self._idle else self._connected()
        connection.send(number, self._make(number))
        connection.sent_at = due

    def _connected(self) -> Connection:
        connection = Connection(self._port)
        self._open[connection.socket.fileno()] = connection
        self._poll.register(connection.socket, select.EPOLLIN)
        return connection

    def receive(self, wait_s: float) -> None:
        """Handles the answers that come within that time, and returns after the first of them."""
        for descriptor, _ in self._poll.poll(wait_s):
            connection = self._open[descriptor]
            if connection.whole():
                self._note(connection)
            elif not connection.received:
                self._lose(connection)

    def _lose(self, connection: Connection) -> None:
        if connection in self._idle:
            self._idle.remove(connection)
        else:
            self.statuses["lost"] += 1
        del self._open[connection.socket.fileno()]
        self._poll.unregister(connection.socket)
        connection.socket.close()

    def _note(self, connection: Connection) -> None:
        status, connection.received = connection.received[9:12].decode(), b""
        self.statuses[status] += 1
        self.latencies.append((time.perf_counter() - connection.sent_at) * 1000)
        if status == "202":
            self.acknowledged.append(connection.number)
        self._idle.append(connection)
        if self._waiting:
            self.send(*self._waiting.popleft())

    @property
    def is_busy(self) -> bool:
        """Whether an answer is still to come."""
        return len(self._idle) < len(self._open)


def run(
    port: int, make: Callable[[int], bytes], first: int, a_second: float, seconds: float, ended: Callable[[], bool]
) -> Load:
    """Sends `make(n)`, n from `first` on, until `ended`, for so many seconds at most; waits for the last answers."""
    pacer, number, cpu = _Pacer(port, make), first, time.process_time()
    started = due = now = time.perf_counter()
    while now < started + seconds and not ended():
        while due <= now:
            pacer.send(number, due)
            number, due = number + 1, due + 1 / a_second
        pacer.receive(max(0.0, due - time.perf_counter()))
        now = time.perf_counter()
    while pacer.is_busy and time.perf_counter() < now + PATIENCE_S:
        pacer.receive(1.0)
    p50, p99, longest = (percentile(pacer.latencies, share) if pacer.latencies else 0.0 for share in (0.5, 0.99, 1.0))
    cpu_s = time.process_time() - cpu
    return Load(dict(pacer.statuses), now - started, p50, p99, longest, cpu_s, pacer.acknowledged)


def main(kind: str, port: str, first: str, a_second: str, seconds: str) -> None:
    """Runs one load, until SIGTERM ends it, and prints the result as JSON."""
    load = run(int(port), maker(kind), int(first), float(a_second), float(seconds), begin())
    end(load._asdict())


if __name__ == "__main__":
    main(*sys.argv[1:])
