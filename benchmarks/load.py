"""A load of HTTP requests from a process of its own: many connections, one request in flight on each.

A plain loop over epoll: the client must be much cheaper than the server that it measures.
"""

from __future__ import annotations

import json
import select
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable
from itertools import count
from typing import NamedTuple

from benchmarks.common import ROOT, SITE, percentile

CONNECTIONS = 64
PATIENCE_S = 15


class Load(NamedTuple):
    """The result: answers by status, latencies in ms, the client's own CPU seconds.

    `acknowledged` are the numbers of the requests that were answered with 202. "lost" is the status of a request
    whose connection was closed instead, "unanswered" of one that waited for 15 s.
    """

    statuses: dict[str, int]
    seconds: float
    p50: float
    p99: float
    longest: float
    cpu_s: float
    acknowledged: list[int]

    @property
    def rate(self) -> float:
        """Good answers a second."""
        return sum(self.statuses.get(status, 0) for status in ("200", "202")) / self.seconds

    @property
    def strange(self) -> dict[str, int]:
        """The answers that were not 200 or 202."""
        return {status: number for status, number in self.statuses.items() if status not in ("200", "202")}


class Connection:
    """One connection with its current request."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection(("127.0.0.1", port), PATIENCE_S)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.received = b""
        self.number = 0
        self.sent_at = 0.0

    def send(self, number: int, request: bytes) -> None:
        """Sends the request with that number."""
        self.number, self.received = number, b""
        self.sent_at = time.perf_counter()
        self.socket.sendall(request)

    def whole(self) -> bool:
        """Reads what has arrived; returns whether the answer is complete."""
        self.received += self.socket.recv(65_536)
        head, found, body = self.received.partition(b"\r\n\r\n")
        at = head.lower().find(b"content-length:")
        return bool(found) and len(body) >= (int(head[at + 15 :].split(b"\r\n", 1)[0]) if at >= 0 else 0)


def run(port: int, make: Callable[[int], bytes], first: int, seconds: float, connections: int) -> Load:
    """Sends `make(n)`, n from `first` on, on each connection as soon as the last answer is there."""
    numbers = count(first)
    poll = select.epoll()
    open_ones: dict[int, Connection] = {}
    for _ in range(connections):
        connection = Connection(port)
        open_ones[connection.socket.fileno()] = connection
        poll.register(connection.socket, select.EPOLLIN)
    statuses: Counter[str] = Counter()
    latencies: list[float] = []
    acknowledged: list[int] = []
    cpu, started = time.process_time(), time.perf_counter()
    until = started + seconds
    for connection in open_ones.values():
        number = next(numbers)
        connection.send(number, make(number))
    while open_ones:
        ready = poll.poll(PATIENCE_S)
        if not ready:
            statuses["unanswered"] += len(open_ones)
            break
        for descriptor, _ in ready:
            connection = open_ones[descriptor]
            whole = connection.whole()
            now = time.perf_counter()
            if whole:
                status = connection.received[9:12]
                statuses[status.decode()] += 1
                latencies.append((now - connection.sent_at) * 1000)
                if status == b"202":
                    acknowledged.append(connection.number)
            elif not connection.received:
                statuses["lost"] += 1
            else:
                continue
            if whole and now < until:
                number = next(numbers)
                connection.send(number, make(number))
            else:
                poll.unregister(descriptor)
                open_ones.pop(descriptor).socket.close()
    took = time.perf_counter() - started
    p50, p99, longest = (percentile(latencies, share) if latencies else 0.0 for share in (0.5, 0.99, 1.0))
    return Load(dict(statuses), took, p50, p99, longest, time.process_time() - cpu, acknowledged)


AGENTS = [
    f"Mozilla/5.0 ({system}) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{version}.0.0.0 {kind}Safari/537.36"
    for system, kind in (
        ("Windows NT 10.0; Win64; x64", ""),
        ("Macintosh; Intel Mac OS X 10_15_7", ""),
        ("X11; Linux x86_64", ""),
        ("Linux; Android 10; K", "Mobile "),
    )
    for version in range(110, 143)
]
REFERRERS = ("https://www.google.com/", "https://news.ycombinator.com/", "")
PAGE_ID = "bench-%012d"
BODY = json.dumps(
    {
        "site": SITE,
        "type": "pageview",
        "id": "ID",
        "url": f"https://{SITE}/articles/PAGE?utm_source=newsletter",
        "referrer": "REFERRER",
        "title": "Article PAGE",
        "screen": [1440, 900],
        "timezone": "Europe/Berlin",
        "language": "en-GB",
    }
)


def _template(agent: str, referrer: str) -> bytes:
    """A whole request with four places: address, id, page, page. Numbers of one width keep its length."""
    body = BODY.replace("REFERRER", referrer)
    length = len((body.replace("ID", PAGE_ID).replace("PAGE", "%03d")) % (0, 0, 0))
    head = (
        f"POST /api/collect HTTP/1.1\r\nHost: bench\r\nContent-Type: text/plain;charset=UTF-8\r\n"
        f"Origin: https://{SITE}\r\nUser-Agent: {agent}\r\nX-Forwarded-For: %s\r\nContent-Length: {length}\r\n\r\n"
    )
    return (head + body.replace("ID", PAGE_ID).replace("PAGE", "%03d")).encode()


TEMPLATES = [_template(agent, referrer) for agent in AGENTS for referrer in REFERRERS]


def pageview(number: int) -> bytes:
    """A pageview of a visitor of its own: another address (through a trusted proxy) and one of 132 agents."""
    address = b"%d.%d.%d.%d" % (11 + (number >> 24), number >> 16 & 255, number >> 8 & 255, number & 255)
    page = number % 500
    return TEMPLATES[number % len(TEMPLATES)] % (address, number, page, page)


def heartbeats(sites: int, people: int) -> Callable[[int], bytes]:
    """Makes heartbeats of the people of `benchmarks.busy_day`, spread over `sites` sites, in random order."""

    def make(number: int) -> bytes:
        person = number * 7919 % people
        site, page = site_name(person % sites), f"past-{person // sites:09d}"
        body = json.dumps({"site": site, "type": "heartbeat", "pageview": page, "state": "active"})
        return HEARTBEAT % (AGENTS[person % len(AGENTS)].encode(), len(body), body.encode())

    return make


HEARTBEAT = (
    b"POST /api/collect HTTP/1.1\r\nHost: bench\r\nContent-Type: text/plain;charset=UTF-8\r\nUser-Agent: %b\r\n"
    b"X-Forwarded-For: 11.2.3.4\r\nContent-Length: %d\r\n\r\n%b"
)


def site_name(number: int) -> str:
    """The domain of the site with that number, from 0."""
    return f"site-{number:04d}.example.com"


def hello(_: int) -> bytes:
    """A plain GET."""
    return b"GET / HTTP/1.1\r\nHost: bench\r\n\r\n"


def loaded(port: int, first: int, seconds: float, kind: str = "pageview") -> Load:
    """One load from a process of its own; `kind` is "pageview", "hello", or "SITES/PEOPLE" for heartbeats."""
    command = [sys.executable, "-m", "benchmarks.load", kind, str(port), str(first), str(seconds), str(CONNECTIONS)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    return Load(**json.loads(done.stdout))


def main(kind: str, port: str, first: str, seconds: str, connections: str) -> None:
    """Runs one load and prints the result as JSON."""
    many = [int(number) for number in kind.split("/")] if "/" in kind else []
    make = heartbeats(*many) if many else {"pageview": pageview, "hello": hello}[kind]
    print(json.dumps(run(int(port), make, int(first), float(seconds), int(connections))._asdict()))


if __name__ == "__main__":
    main(*sys.argv[1:])
