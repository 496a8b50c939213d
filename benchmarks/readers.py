"""Open dashboards without a browser: their streams, and the calls by which they are drawn again, from one process.

What comes is counted and thrown away.
"""

from __future__ import annotations

import select
import socket
import sys
import time
from bisect import insort
from collections import Counter, deque
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from benchmarks.common import SITE, begin, child, end, percentile
from benchmarks.load import Connection

STREAMS = (f"/api/live/stream?site={SITE}", "/api/notifications/stream?")  # what the Live page of a browser opens
PATIENCE_S = 30.0
REDRAW_S = 2.0  # a page on which something happens all the time is drawn again so often (assets/pages/live.js)


class Reading(NamedTuple):
    """What the readers got: bytes and messages of all streams, how many the server closed; the answers to the calls by
    status, and the ms of their p50 and p99; the readers' own processor time.
    """

    seconds: float
    received: int
    messages: int
    closed: int
    answers: dict[str, int]
    p50: float
    p99: float
    cpu_s: float


class Readers:
    """Streams that are open; `reading` is what they got once they are closed."""

    def __init__(self) -> None:
        self.reading: Reading | None = None


@contextmanager
def dashboards(port: int, many: int, cookie: str, call: bytes = b"", folder: Path | None = None) -> Iterator[Readers]:
    """Has so many Live pages open while the block lasts, each with its two streams; all have had their first bytes.

    `call` is the body of the call that draws the page again; each page makes it every two seconds, or as soon as the
    answer before is there. `folder` is for the file that passes it on.
    """
    readers = Readers()
    arguments = [str(port), str(many), cookie]
    if call:
        assert folder
        (folder / "call.json").write_bytes(call)
        arguments.append(str(folder / "call.json"))
    with child("benchmarks.readers", *arguments) as process:
        yield readers
    readers.reading = Reading(**process.result)


# ── the process ──────────────────────────────────────────────────────────────────────────────────────────────────────


class _Streams:
    """Open streams, by their descriptors."""

    def __init__(self, port: int, many: int, cookie: str, poll: select.epoll) -> None:
        self._poll = poll
        self.received = self.messages = self.closed = 0
        self.open: dict[int, socket.socket] = {}
        for path in STREAMS * many:
            stream = _opened(port, path, cookie)
            self.open[stream.fileno()] = stream
            poll.register(stream, select.EPOLLIN)

    def receive(self, descriptor: int) -> None:
        """Reads what has come."""
        data = self.open[descriptor].recv(262_144)
        self.received += len(data)
        self.messages += data.count(b"\ndata: ")
        if not data:
            self.closed += 1
            self._poll.unregister(descriptor)
            self.open.pop(descriptor).close()


def _opened(port: int, path: str, cookie: str) -> socket.socket:
    """An open stream that has had its first bytes."""
    stream = socket.create_connection(("127.0.0.1", port), PATIENCE_S)
    stream.sendall(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nCookie: {cookie}\r\n\r\n".encode())
    first = stream.recv(262_144)
    assert first.startswith(b"HTTP/1.1 200 "), first[:200]
    return stream


class _Calls:
    """Pages that are drawn again and again: one connection each, evenly spread over the two seconds."""

    def __init__(self, port: int, many: int, cookie: str, body: bytes, poll: select.epoll) -> None:
        host = f"127.0.0.1:{port}"
        self._request = (
            f"POST /_dash-update-component HTTP/1.1\r\nHost: {host}\r\nOrigin: http://{host}\r\nCookie: {cookie}\r\n"
            f"Content-Type: application/json\r\nAccept-Encoding: gzip, br\r\nContent-Length: {len(body)}\r\n\r\n"
        ).encode() + body
        self.answers: Counter[str] = Counter()
        self.took: list[float] = []
        self.open: dict[int, Connection] = {}
        now = time.perf_counter()
        self._due = deque((now + REDRAW_S * number / max(1, many), Connection(port)) for number in range(many))
        for _, connection in self._due:
            self.open[connection.socket.fileno()] = connection
            poll.register(connection.socket, select.EPOLLIN)

    def send_due(self) -> None:
        """Sends the calls that are due; those that wait longest are first."""
        now = time.perf_counter()
        while self._due and self._due[0][0] <= now:
            self._due.popleft()[1].send(0, self._request)

    def receive(self, descriptor: int) -> None:
        """Reads what has come; the page is due again two seconds after its call."""
        connection = self.open[descriptor]
        if not connection.whole():
            assert connection.received, "the server has closed the connection of a page"
            return
        now = time.perf_counter()
        self.answers[connection.received[9:12].decode()] += 1
        self.took.append((now - connection.sent_at) * 1000)
        insort(self._due, (max(now, connection.sent_at + REDRAW_S), connection), key=lambda one: one[0])


def main(port: str, many: str, cookie: str, call: str = "") -> None:
    """Opens the pages, says so, reads until SIGTERM, and prints what they got as JSON."""
    poll = select.epoll()
    streams = _Streams(int(port), int(many), cookie, poll)
    calls = _Calls(int(port), int(many) if call else 0, cookie, Path(call).read_bytes() if call else b"", poll)
    has_to_end = begin()
    begun, cpu = time.perf_counter(), time.process_time()
    while not has_to_end():
        calls.send_due()
        for descriptor, _ in poll.poll(0.01 if call else 0.1):
            (streams if descriptor in streams.open else calls).receive(descriptor)
    p50, p99 = (percentile(calls.took, share) if calls.took else 0.0 for share in (0.5, 0.99))
    counts = streams.received, streams.messages, streams.closed, dict(calls.answers), p50, p99
    end(Reading(time.perf_counter() - begun, *counts, time.process_time() - cpu)._asdict())


if __name__ == "__main__":
    main(*sys.argv[1:])
