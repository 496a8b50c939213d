"""A load of HTTP requests from a process of its own: many connections, one request in flight on each."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Callable
from typing import NamedTuple

import uvloop


class Load(NamedTuple):
    """What came back: how many answers by status, how long (s) it took, each answer's latency in ms, sorted."""

    statuses: dict[str, int]
    seconds: float
    latencies: list[float]
    acknowledged: list[str]

    @property
    def rate(self) -> float:
        return sum(self.statuses.values()) / self.seconds

    def percentile(self, share: float) -> float:
        return self.latencies[min(len(self.latencies) - 1, int(len(self.latencies) * share))]


class _Client(asyncio.Protocol):
    def __init__(self, load: _Run) -> None:
        self._run = load
        self._id = ""
        self._sent = 0.0
        self._buffer = b""

    def connection_made(self, transport) -> None:
        self._transport = transport
        self._send()

    def _send(self) -> None:
        self._id, request = self._run.make(self._run.next())
        self._sent = time.perf_counter()
        self._transport.write(request)

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        head, found, body = self._buffer.partition(b"\r\n\r\n")
        if not found:
            return
        lowered = head.lower()
        at = lowered.find(b"content-length:")
        length = int(lowered[at + 15 :].split(b"\r\n", 1)[0]) if at >= 0 else 0
        if len(body) < length:
            return
        self._buffer = body[length:]
        now = time.perf_counter()
        self._run.note(head[9:12].decode(), now - self._sent, self._id)
        if now < self._run.until:
            self._send()
        else:
            self._transport.close()

    def connection_lost(self, error) -> None:
        self._run.lost()


class _Run:
    def __init__(self, make: Callable[[int], tuple[str, bytes]], seconds: float, connections: int) -> None:
        self.make = make
        self._count = 0
        self._open = connections
        self._statuses: dict[str, int] = {}
        self._latencies: list[float] = []
        self._acknowledged: list[str] = []
        self.started = time.perf_counter()
        self.until = self.started + seconds
        self.finished = asyncio.get_running_loop().create_future()

    def next(self) -> int:
        self._count += 1
        return self._count

    def note(self, status: str, took: float, request_id: str) -> None:
        self._statuses[status] = self._statuses.get(status, 0) + 1
        self._latencies.append(took * 1000)
        if status == "202":
            self._acknowledged.append(request_id)

    def lost(self) -> None:
        self._open -= 1
        if self._open == 0 and not self.finished.done():
            self.finished.set_result(None)

    def result(self) -> Load:
        took = time.perf_counter() - self.started
        return Load(self._statuses, took, sorted(self._latencies), self._acknowledged)


async def run(
    host: str, port: int, make: Callable[[int], tuple[str, bytes]], seconds: float, connections: int = 64
) -> Load:
    """Sends `make(n)` — an id and the bytes of a request — on each connection as soon as the last answer is there."""
    state = _Run(make, seconds, connections)
    loop = asyncio.get_running_loop()
    for _ in range(connections):
        await loop.create_connection(lambda: _Client(state), host, port)
    await state.finished
    return state.result()


def get(path: str) -> Callable[[int], tuple[str, bytes]]:
    """A plain GET."""
    request = f"GET {path} HTTP/1.1\r\nHost: bench\r\n\r\n".encode()
    return lambda _: ("", request)


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


def pageview(site: str, run_name: str) -> Callable[[int], tuple[str, bytes]]:
    """A pageview of a visitor of its own: another address (through a trusted proxy) and one of 132 agents."""

    def make(number: int) -> tuple[str, bytes]:
        page_id = f"{run_name}-{number:012d}"
        body = json.dumps(
            {
                "site": site,
                "type": "pageview",
                "id": page_id,
                "url": f"https://{site}/articles/{number % 500}?utm_source=newsletter",
                "referrer": ("https://www.google.com/", "https://news.ycombinator.com/", "")[number % 3],
                "title": f"Article {number % 500}",
                "screen": [1440, 900],
                "timezone": "Europe/Berlin",
                "language": "en-GB",
            }
        )
        head = (
            f"POST /api/collect HTTP/1.1\r\nHost: bench\r\nContent-Type: text/plain;charset=UTF-8\r\n"
            f"Origin: https://{site}\r\nUser-Agent: {AGENTS[number % len(AGENTS)]}\r\n"
            f"X-Forwarded-For: 11.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}\r\n"
            f"Content-Length: {len(body)}\r\n\r\n"
        )
        return page_id, (head + body).encode()

    return make


def main() -> None:
    """Runs one load as told by a JSON line on standard input, and prints the result as one."""
    told = json.loads(sys.stdin.readline())
    make = get(told["path"]) if told["kind"] == "get" else pageview(told["site"], told["name"])
    load = uvloop.run(run(told["host"], told["port"], make, told["seconds"], told["connections"]))
    print(json.dumps(load._asdict()))


if __name__ == "__main__":
    main()
