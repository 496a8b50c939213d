"""A receiver of webhooks over real sockets, which answers what a test wants: well, wrongly, slowly or never."""

from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import NamedTuple

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\nok"


class Received(NamedTuple):
    """A request: its first line, its headers in lower case, its body."""

    line: str
    headers: dict[str, str]
    body: bytes


Reply = Callable[[socket.socket], None]
"""Answers over the connection, which is closed afterwards."""


class Receiver:
    """What came in, in order; `replies` are used one after the other, and then `200`."""

    def __init__(self, trust: ssl.SSLContext | None = None, host: str = "127.0.0.1", port: int = 0) -> None:
        self.received: list[Received] = []
        self.replies: list[Reply] = []
        self.stopped = threading.Event()
        self._tls = trust
        self._listener = socket.create_server((host, port))
        self.port = self._listener.getsockname()[1]
        self.url = f"{'https' if trust else 'http'}://{host}:{self.port}"
        self.connections = 0
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                raw, _ = self._listener.accept()
                self.connections += 1
                threading.Thread(target=self._serve, args=(raw,), daemon=True).start()

    def _serve(self, raw: socket.socket) -> None:
        with suppress(OSError), self._tls.wrap_socket(raw, server_side=True) if self._tls else raw as connection:
            self.received.append(_read(connection))
            (self.replies.pop(0) if self.replies else answer(200))(connection)
            with suppress(OSError):
                connection.shutdown(socket.SHUT_WR)

    def close(self) -> None:
        self.stopped.set()
        self._listener.close()


@contextmanager
def receiving(trust: ssl.SSLContext | None = None, host: str = "127.0.0.1", port: int = 0) -> Iterator[Receiver]:
    """A receiver on that port of this machine, by default a free one."""
    receiver = Receiver(trust, host, port)
    try:
        yield receiver
    finally:
        receiver.close()


def _read(connection: socket.socket) -> Received:
    with connection.makefile("rb") as file:
        line = file.readline().decode("latin-1").strip()
        headers = {}
        while header := file.readline().decode("latin-1").strip():
            name, _, value = header.partition(":")
            headers[name.lower()] = value.strip()
        return Received(line, headers, file.read(int(headers.get("content-length", "0"))))


def answer(status: int, body: str = "ok", **headers: str) -> Reply:
    """Answers properly; names of headers are written with `_` for `-`."""
    lines = [f"HTTP/1.1 {status} Some", f"Content-Length: {len(body.encode())}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return lambda connection: connection.sendall("\r\n".join([*lines, "", body]).encode())


def raw(*parts: bytes, pause_s: float = 0.0, for_s: float = 0.0) -> Reply:
    """Sends the parts with pauses between, the last of them again and again for so long."""

    def reply(connection: socket.socket) -> None:
        end = time.monotonic() + for_s
        for part in parts:
            connection.sendall(part)
            time.sleep(pause_s)
        while time.monotonic() < end:
            connection.sendall(parts[-1])
            time.sleep(pause_s)

    return reply


def silent(receiver: Receiver) -> Reply:
    """Answers nothing until the receiver is closed."""
    return lambda _: receiver.stopped.wait(60) and None
