"""Serving on one port, in this very process: a killed server leaves nothing behind that still serves."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import resource
import signal
import socket
import sys
import threading
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress

import uvloop

from analytics.base import error_log
from collector.doors.endpoint import Endpoint
from collector.http.connection import Connection, Handler
from collector.http.listener import Listener
from collector.ingest.file_watch import FileWatch

log = logging.getLogger("footfall.server")

BACKLOG = 4096
CERTIFICATE_S = 5.0  # how often the files of the certificate are looked at
TURN_S = 0.02


def serve(endpoint: Endpoint, listener: Listener, *, on_ready: Callable[[], None], on_stop: Callable[[], None]) -> bool:
    """Serves on what `listener` holds until SIGTERM or Ctrl-C; False where the end had to be forced.

    `on_ready` runs when requests are answered, `on_stop` before the last ones end. What does not end in time is named
    in the log; where not even that comes back, the process exits 1.
    """
    # Two threads do most of the work, the loop and the writer. With Python's 5 ms a waiting thread gets its turn late.
    sys.setswitchinterval(0.001)
    _allow_many_connections()
    return uvloop.run(_serve(endpoint, listener, on_ready, on_stop))


async def _serve(
    endpoint: Endpoint, listener: Listener, on_ready: Callable[[], None], on_stop: Callable[[], None]
) -> bool:
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(error_log.loop_failed)
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopping.set)
    watching = [loop.create_task(endpoint.watch()), loop.create_task(_watch_certificate(listener))]
    await asyncio.sleep(0)
    servers = await open_sockets(endpoint, listener)
    gc.collect()
    gc.freeze()  # what is here now stays: later collections skip it
    # Presence holds hundreds of thousands of objects on a busy site, none of them garbage: a full collection stops
    # everything for 0.1 s and finds nothing. What requests leave behind dies young.
    gc.set_threshold(5_000, 20, 10_000)
    on_ready()
    await stopping.wait()
    end = _End(endpoint)
    threading.Thread(target=end.force, daemon=True).start()
    for server in servers:
        server.close()  # nobody new is let in
    await loop.run_in_executor(None, on_stop)
    end.doing = "the last answers were given"
    left = await end.answer()
    end.doing = "threads ended"
    for task in watching:
        task.cancel()
    log.info("ended: %s", endpoint.counts.words)
    if left:
        log.error("the end was forced after %g s: %s", endpoint.limits.answers_s, left)
    return not left


async def open_sockets(handler: Handler, listener: Listener) -> list[asyncio.AbstractServer]:
    """Lets clients in: the servers on the running loop, one for each socket."""
    loop, limits = asyncio.get_running_loop(), handler.limits
    seconds = {"ssl_handshake_timeout": limits.head_s, "ssl_shutdown_timeout": limits.linger_s}
    tls = {"ssl": listener.certificate.context, **seconds} if listener.certificate else {}
    servers = []
    for one in listener.sockets:
        create: Callable[..., Awaitable[asyncio.AbstractServer]] = loop.create_server
        if one.family == socket.AF_UNIX:
            create = loop.create_unix_server
        servers.append(await create(lambda: Connection(handler), sock=one, backlog=BACKLOG, **tls))
    return servers


def _allow_many_connections() -> None:
    """As many open files as the system lets us have: the usual 1,024 are fewer than the streams that we serve."""
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


async def _watch_certificate(listener: Listener) -> None:
    """Takes a renewed certificate up, for the connections that come then."""
    if not listener.certificate:
        return
    files = {"FOOTFALL_TLS_CERT": listener.certificate.chain, "FOOTFALL_TLS_KEY": listener.certificate.key}
    watches = [FileWatch(setting, path, listener.certificate.load) for setting, path in files.items()]
    while True:
        await asyncio.sleep(CERTIFICATE_S)
        for watch in watches:
            watch.check()


class _End:
    """The end of a server, once nobody new is let in."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self.doing = "what was taken was committed"  # while it would have to be forced

    async def answer(self) -> str:
        """Lets the requests that are under way be answered, for a moment; what is left of them, "" for nothing."""
        until = time.monotonic() + self._endpoint.limits.answers_s
        while under_way := [one for one in list(self._endpoint.connections) if one.close_when_answered()]:
            if time.monotonic() >= until:
                unanswered = sum(connection.is_answering for connection in under_way)
                if len(under_way) > unanswered:
                    log.warning("%d clients had not read their answers", len(under_way) - unanswered)
                return f"{unanswered} requests are not answered ({self._endpoint.left})" if unanswered else ""
            await asyncio.sleep(TURN_S)
        return ""

    def force(self) -> None:
        """Ends the process when it does not end by itself: a database may never answer."""
        seconds = self._endpoint.limits.drain_s
        threading.Event().wait(seconds)
        threads = [one.name for one in threading.enumerate() if not one.daemon and one is not threading.main_thread()]
        left = self._endpoint.left or f"no request; threads {', '.join(threads)}"
        log.error("the end was forced after %g s, while %s; left: %s", seconds, self.doing, left)
        logging.shutdown()
        os._exit(1)
