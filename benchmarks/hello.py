"""The server of comparison: a bare ASGI hello-world on Granian's own worker, the fastest ASGI server there is."""

from __future__ import annotations

import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from benchmarks.common import ROOT
from collector.http.listener import listen_on

HEADERS = [(b"content-type", b"text/plain"), (b"content-length", b"5")]
GRANIAN = ("-m", "granian", "--interface", "asginl", "--http", "1", "--no-ws", "--workers", "1", "--no-log")


async def bare(_scope: Any, _receive: Any, send: Any) -> None:
    """Answers every request with hello, and lets Granian discard the body."""
    await send({"type": "http.response.start", "status": 200, "headers": HEADERS})
    await send({"type": "http.response.body", "body": b"hello"})


async def reading(scope: Any, receive: Any, send: Any) -> None:
    """The same after reading the body, as every application must that needs it."""
    while (await receive()).get("more_body"):
        pass
    await bare(scope, receive, send)


@contextmanager
def greeting(app: str) -> Iterator[tuple[int, int]]:
    """The process id and the port of a running hello-world, "bare" or "reading"."""
    listener = listen_on("127.0.0.1", 0)
    port = listener.port
    listener.close()
    command = [*GRANIAN, "--host", "127.0.0.1", "--port", str(port), f"benchmarks.hello:{app}"]
    process = subprocess.Popen([sys.executable, *command], cwd=ROOT)
    try:
        _await(port)
        yield process.pid, port
    finally:
        process.terminate()
        process.wait(20)


def _await(port: int) -> None:
    until = time.monotonic() + 20
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            if time.monotonic() > until:
                raise
            time.sleep(0.05)
        else:
            return
