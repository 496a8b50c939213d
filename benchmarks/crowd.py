"""Clients that occupy a server without using it: half-sent bodies, and live streams that nobody reads."""

from __future__ import annotations

import socket
import threading
import time
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from benchmarks.common import SITE

HALF_SENT, UNREAD = 20, 200
OPEN_S = 10.0  # the server closes each after that; then another one takes its place


def _half_sent(port: int) -> socket.socket:
    """A request whose body does not come."""
    head = b"POST /api/collect HTTP/1.1\r\nHost: bench\r\nContent-Type: text/plain\r\nContent-Length: 300\r\n\r\n"
    return _sent(port, head + b'{"site": "example.com", "ty')


def _unread(port: int, key: str) -> socket.socket:
    """A live stream into a small buffer that is never read."""
    head = f"GET /api/live/stream?site={SITE} HTTP/1.1\r\nHost: bench\r\nAuthorization: Bearer {key}\r\n\r\n"
    return _sent(port, head.encode())


def _sent(port: int, data: bytes) -> socket.socket:
    connection = socket.socket()
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    connection.settimeout(10)
    connection.connect(("127.0.0.1", port))
    connection.sendall(data)
    return connection


@contextmanager
def crowd(port: int, key: str) -> Iterator[None]:
    """Has 20 half-sent bodies and 200 unread streams open while the block lasts."""
    ending = threading.Event()
    connections: deque[tuple[float, bool, socket.socket]] = deque()

    def open_one(half: bool) -> None:
        connections.append((time.monotonic(), half, _half_sent(port) if half else _unread(port, key)))

    def renew() -> None:
        while not ending.wait(0.1):
            while connections and connections[0][0] < time.monotonic() - OPEN_S:
                _, half, connection = connections.popleft()
                connection.close()
                with suppress(OSError):
                    open_one(half)

    for number in range(HALF_SENT + UNREAD):
        open_one(number < HALF_SENT)
    renewing = threading.Thread(target=renew, daemon=True)
    renewing.start()
    try:
        yield
    finally:
        ending.set()
        renewing.join()
        for _, _, connection in connections:
            connection.close()
