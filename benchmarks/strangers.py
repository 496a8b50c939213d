"""The effect on the collector of strangers who post large bodies to the dashboard and fall silent."""

from __future__ import annotations

import json
import resource
import select
import socket
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import NamedTuple

from benchmarks.common import ROOT, Report, footfall, memory_mb, percentile, rows, times
from benchmarks.load import pageview
from tests.support.serving import Server

CALLS, COLLECT = "/_dash-update-component", "/api/collect"
LENGTH = 1024 * 1024
SENT = 256 * 1024 * 1024 + 1  # bytes, by all of them together: what once was the memory for bodies, and a byte
WAIT_S = 12.0  # longer than the server waits for a body
COLLECTS_PER_SECOND = 10.0


class Attack(NamedTuple):
    """Connections from several loopback addresses to one path, with a cookie or without."""

    name: str
    connections: int
    addresses: int
    path: str = CALLS
    length: int = LENGTH
    cookie: str = ""

    @property
    def head(self) -> bytes:
        """The bytes that each connection sends before its body."""
        cookie = f"Cookie: {self.cookie}\r\n" if self.cookie else ""
        kind = "application/json" if self.path == CALLS else "text/plain"
        lines = f"Host: bench\r\nContent-Type: {kind}\r\n{cookie}Content-Length: {self.length}\r\n"
        return f"POST {self.path} HTTP/1.1\r\n{lines}\r\n".encode()

    @property
    def body(self) -> int:
        """How many bytes of the body each connection sends: never all."""
        return min(SENT // self.connections + 1, self.length - 1)


MADE_UP = "footfall_login=" + "A" * 43
ATTACKS = (
    Attack("269 connections of one address", 269, 1),
    Attack("5,000 connections of 50 addresses", 5_000, 50),
    Attack("5,000 of 50, with a made-up login", 5_000, 50, cookie=MADE_UP),
    Attack("5,000 of 50, to the collector itself", 5_000, 50, COLLECT, 64 * 1024),
)


class Collected(NamedTuple):
    """The results of pageviews sent one at a time, each on a connection of its own: answers, milliseconds."""

    statuses: Counter[str]
    latencies: list[float]


def collect(port: int, first: int, until: threading.Event, per_second: float = COLLECTS_PER_SECOND) -> Collected:
    """Sends pageviews at an even pace until the event is set: the head first, then the body, as browsers do."""
    statuses: Counter[str] = Counter()
    latencies: list[float] = []
    number, started = first, time.monotonic()
    while not until.wait(max(0.0, started + (number - first) / per_second - time.monotonic())):
        head, _, body = pageview(number).partition(b"\r\n\r\n")
        sent_at = time.perf_counter()
        with suppress(OSError), closing(socket.create_connection(("127.0.0.1", port), 15)) as connection:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            connection.sendall(head + b"\r\n\r\n")
            connection.sendall(body)
            statuses[connection.recv(4096)[9:12].decode()] += 1
            latencies.append((time.perf_counter() - sent_at) * 1000)
        number += 1
    statuses["none"] = number - first - statuses.total()
    return Collected(statuses, latencies)


def attack(port: int, what: Attack) -> Counter[str]:
    """Opens the connections, sends their bytes and falls silent; returns the answers by status."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    poll, piece = select.epoll(), b" " * 65_536
    left: dict[int, tuple[socket.socket, memoryview, int]] = {}
    answers: Counter[str] = Counter()
    for number in range(what.connections):
        connection = socket.socket()
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        connection.bind((f"127.0.{1 + number % what.addresses // 250}.{2 + number % what.addresses % 250}", 0))
        connection.settimeout(10)
        connection.connect(("127.0.0.1", port))
        connection.setblocking(False)
        left[connection.fileno()] = connection, memoryview(what.head), what.body
        poll.register(connection, select.EPOLLIN | select.EPOLLOUT)
    until = time.monotonic() + WAIT_S
    while left and time.monotonic() < until:
        for descriptor, events in poll.poll(0.2):
            connection, head, body = left[descriptor]
            try:
                if events & select.EPOLLIN:
                    answer = connection.recv(4096)
                    answers[answer[9:12].decode() or "closed"] += 1
                    if not answer:
                        raise ConnectionResetError
                if events & select.EPOLLOUT and (head or body):
                    sent = connection.send(head or piece[:body])
                    left[descriptor] = connection, head[sent:], body - (0 if head else sent)
                    if not head and body == sent:
                        poll.modify(descriptor, select.EPOLLIN)
            except OSError:
                poll.unregister(descriptor)
                connection.close()
                del left[descriptor]
    for connection, _, _ in left.values():
        connection.close()
    return answers


@contextmanager
def attacked(port: int, what: Attack) -> Iterator[subprocess.Popen[str]]:
    """The attack from a process of its own, for the length of a block."""
    command = [sys.executable, "-m", "benchmarks.strangers", str(port), json.dumps(what)]
    process = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def run(report: Report, folder: Path, *, short: bool) -> None:
    """Prints the results of collects before, during and after each attack, and the memory."""
    report.say("  python app.py serve --port 0 · SQLite · a pageview every 0.1 s, head and body apart")
    with footfall(folder) as server:
        first = 1
        first = _sent(server, first, 5.0).statuses.total() + first  # warm
        for what in ATTACKS[:1] if short else ATTACKS:
            first = _measured(report, server, what, first, short=short)
        busy = rows(server, "SELECT coalesce(sum(count), 0) FROM outcomes WHERE outcome = 'rejected'")
        report.zero("outcomes called rejected, of the collects", 0 if short else _rejected_collects(busy[0][0]))


def _rejected_collects(count: int) -> int:
    """How many more collects were rejected than the connections of the attack on the collector, which time out."""
    return max(0, count - ATTACKS[-1].connections)


def _sent(server: Server, first: int, seconds: float) -> Collected:
    ending = threading.Event()
    threading.Timer(seconds, ending.set).start()
    return collect(server.port, first, ending)


def _measured(report: Report, server: Server, what: Attack, first: int, *, short: bool) -> int:
    """Measures one attack; returns the number of the next pageview."""
    pid = server.process.pid
    before = _sent(server, first, 5.0 if short else 20.0)
    first += before.statuses.total()
    memory = memory_mb(pid)
    with attacked(server.port, what) as process:
        collected, most = _while(server, process, first)
        assert process.stdout
        answers = json.loads(process.stdout.read() or "{}")
    first += collected.statuses.total()
    time.sleep(5 if short else 60)
    left = memory_mb(pid)
    report.say(f"  {what.name}: answered {answers or 'nothing'}")
    report.say(f"    collects before: {times(before.latencies)}")
    report.say(f"    collects during: {times(collected.latencies)}, answered {dict(+collected.statuses)}")
    report.zero("collects not answered with 202", collected.statuses.total() - collected.statuses["202"])
    limit = 2 * percentile(before.latencies, 0.99)
    report.at_most("p99 during", percentile(collected.latencies, 0.99), limit, "ms")
    report.figure("memory before, at most, a minute later", f"{memory:.0f}, {most:.0f}, {left:.0f} MB")
    report.at_most("of it a minute later", left / memory, 1.1, "times that before")
    return first


def _while(server: Server, process: subprocess.Popen[str], first: int) -> tuple[Collected, float]:
    """Collects as long as the process runs, and `WAIT_S` at least; also the largest memory of the server."""
    ending, most, found, until = threading.Event(), 0.0, list[Collected](), time.monotonic() + WAIT_S
    thread = threading.Thread(target=lambda: found.append(collect(server.port, first, ending)))
    thread.start()
    while process.poll() is None or time.monotonic() < until:
        most = max(most, memory_mb(server.process.pid))
        time.sleep(0.05)
    ending.set()
    thread.join()
    return found[0], most


if __name__ == "__main__":
    print(json.dumps(attack(int(sys.argv[1]), Attack(*json.loads(sys.argv[2])))))
