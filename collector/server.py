"""Serving on one port, in this very process: a killed server leaves nothing behind that still serves."""

from __future__ import annotations

import asyncio
import gc
import os
import resource
import signal
import sys
import threading
import time
from collections.abc import Callable
from contextlib import suppress

import uvloop

from analytics.base import error_log
from collector.doors.endpoint import Endpoint
from collector.http.connection import Connection
from collector.http.listener import Listener

GRACE_S = 8.0
LAST_ANSWERS_S = 2.0


def serve(endpoint: Endpoint, listener: Listener, *, on_ready: Callable[[], None], on_stop: Callable[[], None]) -> None:
    """Serves on what `listener` holds until SIGTERM or Ctrl-C.

    `on_ready` runs when requests are answered, `on_stop` before the last ones end.
    """
    # Two threads do most of the work, the loop and the writer. With Python's 5 ms a waiting thread gets its turn late.
    sys.setswitchinterval(0.001)
    _allow_many_connections()
    uvloop.run(_serve(endpoint, listener, on_ready, on_stop))


async def _serve(
    endpoint: Endpoint, listener: Listener, on_ready: Callable[[], None], on_stop: Callable[[], None]
) -> None:
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(error_log.loop_failed)
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    watching = loop.create_task(endpoint.watch())
    await asyncio.sleep(0)
    servers = [
        await loop.create_server(lambda: Connection(endpoint), sock=one, backlog=4096) for one in listener.sockets
    ]
    gc.collect()
    gc.freeze()  # what is here now stays: later collections skip it
    # Presence holds hundreds of thousands of objects on a busy site, none of them garbage: a full collection stops
    # everything for 0.1 s and finds nothing. What requests leave behind dies young.
    gc.set_threshold(5_000, 20, 10_000)
    on_ready()
    await stopping.wait()
    threading.Thread(target=_give_up, args=(GRACE_S,), daemon=True).start()
    for server in servers:
        server.close()  # nobody new is let in
    await loop.run_in_executor(None, on_stop)
    await _end(endpoint)
    watching.cancel()


def _allow_many_connections() -> None:
    """As many open files as the system lets us have: the usual 1,024 are fewer than the streams that we serve."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


async def _end(endpoint: Endpoint) -> None:
    """Lets the requests that are under way be answered, for a moment."""
    until = time.monotonic() + LAST_ANSWERS_S
    while time.monotonic() < until:
        if sum(not connection.close_if_idle() for connection in list(endpoint.connections)) == 0:
            return
        await asyncio.sleep(0.02)


def _give_up(after_s: float) -> None:
    """Ends the process when it does not end by itself: a client may hold a connection for good."""
    threading.Event().wait(after_s)
    os._exit(0)
