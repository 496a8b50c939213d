"""Granian in this very process: a killed server leaves nothing behind that still serves."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import http.client
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable
from typing import Any

import uvloop
from granian.constants import HTTPModes, Interfaces
from granian.http import HTTP1Settings
from granian.server.embed import Server

from analytics.sites import WrongInput

GRACE_S = 8.0
HEADER_READ_MS = 10_000
REACHED = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - where somebody on this machine finds it


def free_port(host: str, port: int) -> int:
    """The port itself when it can be had, a free one for 0; `WrongInput` when somebody has it."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as taken:
            raise WrongInput(f"{host}:{port} cannot be served on: {taken.strerror}; try another --port") from None
        return int(probe.getsockname()[1])


def serve(app: Any, host: str, port: int, *, on_ready: Callable[[], None], on_stop: Callable[[], None]) -> None:
    """Serves until SIGTERM or Ctrl-C.

    `on_ready` runs when requests are answered, `on_stop` before the last ones end.
    """
    # Two threads do most of the work, the loop and the writer. With Python's 5 ms a waiting thread gets its turn late.
    sys.setswitchinterval(0.001)
    uvloop.run(_serve(app, host, port, on_ready, on_stop))


async def _serve(app: Any, host: str, port: int, on_ready: Callable[[], None], on_stop: Callable[[], None]) -> None:
    server = Server(
        app,
        address=host,
        port=port,
        interface=Interfaces.ASGINL,
        http=HTTPModes.http1,
        websockets=False,
        backlog=1024,
        http1_settings=HTTP1Settings(header_read_timeout=HEADER_READ_MS),
        log_enabled=False,
    )
    loop = asyncio.get_running_loop()
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    serving = loop.create_task(server.serve())
    await loop.run_in_executor(None, _await_answer, host, port)
    gc.collect()
    gc.freeze()  # what is here now stays: later collections skip it
    # Presence holds hundreds of thousands of objects on a busy site, none of them garbage: a full collection stops
    # everything for 0.1 s and finds nothing. What requests leave behind dies young.
    gc.set_threshold(5_000, 20, 10_000)
    on_ready()
    await stopping.wait()
    threading.Thread(target=_give_up, args=(GRACE_S,), daemon=True).start()
    await loop.run_in_executor(None, on_stop)
    server.stop()  # type: ignore[no-untyped-call]
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(serving, 2)


def _await_answer(host: str, port: int) -> None:
    """Returns when the server has answered once."""
    while True:
        connection = http.client.HTTPConnection(REACHED.get(host, host), port, timeout=5)
        try:
            connection.request("GET", "/healthz")
            connection.getresponse().read()
        except OSError:
            threading.Event().wait(0.01)
        else:
            return
        finally:
            connection.close()


def _give_up(after_s: float) -> None:
    """Ends the process when it does not end by itself: a client may hold a connection for good."""
    threading.Event().wait(after_s)
    os._exit(0)
