"""Serves on one port, in this process only: after a kill no other process goes on serving."""

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
CERTIFICATE_CHECK_S = 5.0  # how often the files of the certificate are checked
POLL_S = 0.02


def serve(endpoint: Endpoint, listener: Listener, *, on_ready: Callable[[], None], on_stop: Callable[[], None]) -> bool:
    """Serves on the listener's sockets until SIGTERM or Ctrl-C; returns whether the shutdown was clean.

    `on_ready` runs once requests are answered, `on_stop` before the last responses are sent. The log names what does
    not end in time. If the shutdown hangs, the process exits with status 1.
    """
    # Two threads do most of the work: event loop and writer. With Python's default of 5 ms a waiting thread runs late.
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
    gc.freeze()  # these objects stay, so later collections skip them
    # Presence has hundreds of thousands of live objects on a busy site: a full collection stops the process for 0.1 s
    # and finds nothing. The garbage of requests is collected young.
    gc.set_threshold(5_000, 20, 10_000)
    on_ready()
    await stopping.wait()
    await asyncio.sleep(POLL_S)  # the system has connected clients that are not let in yet: closed now, they are reset
    shutdown = _Shutdown(endpoint)
    threading.Thread(target=shutdown.force, daemon=True).start()
    for server in servers:
        server.close()  # accepts no new connections
    await loop.run_in_executor(None, on_stop)
    shutdown.doing = "the last answers were given"
    left = await shutdown.answer()
    shutdown.doing = "threads ended"
    for task in watching:
        task.cancel()
    log.info("ended: %s", endpoint.counts.words)
    if left:
        log.error("the end was forced after %g s: %s", endpoint.limits.answers_s, left)
    return not left


async def open_sockets(handler: Handler, listener: Listener) -> list[asyncio.AbstractServer]:
    """Starts a server on the running loop for each socket of the listener."""
    loop, limits = asyncio.get_running_loop(), handler.limits
    seconds = {"ssl_handshake_timeout": limits.head_s, "ssl_shutdown_timeout": limits.linger_s}
    tls = {"ssl": listener.certificate.context, **seconds} if listener.certificate else {}
    servers = []
    for bound in listener.sockets:
        create: Callable[..., Awaitable[asyncio.AbstractServer]] = loop.create_server
        if bound.family == socket.AF_UNIX:
            create = loop.create_unix_server
        servers.append(await create(lambda: Connection(handler), sock=bound, backlog=BACKLOG, **tls))
    return servers


def _allow_many_connections() -> None:
    """Raises the limit of open files to its maximum: the usual 1,024 are fewer than the streams that we serve."""
    _, hard_limit = resource.getrlimit(resource.RLIMIT_NOFILE)
    with suppress(ValueError, OSError):
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard_limit, hard_limit))


async def _watch_certificate(listener: Listener) -> None:
    """Loads a renewed certificate, for new connections."""
    if not listener.certificate:
        return
    files = {"FOOTFALL_TLS_CERT": listener.certificate.chain, "FOOTFALL_TLS_KEY": listener.certificate.key}
    watches = [FileWatch(setting, path, listener.certificate.load) for setting, path in files.items()]
    while True:
        await asyncio.sleep(CERTIFICATE_CHECK_S)
        for watch in watches:
            watch.check()


class _Shutdown:
    """The shutdown of a server that accepts no new connections."""

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint
        self.doing = "what was taken was committed"  # for the log, if the shutdown has to be forced

    async def answer(self) -> str:
        """Waits briefly until the current requests are answered; returns what is unanswered as text, "" for nothing."""
        until = time.monotonic() + self._endpoint.limits.answers_s
        while under_way := [one for one in list(self._endpoint.connections) if one.close_when_answered()]:
            if time.monotonic() >= until:
                unanswered = sum(connection.is_answering for connection in under_way)
                if len(under_way) > unanswered:
                    log.warning("%d clients had not read their answers", len(under_way) - unanswered)
                return f"{unanswered} requests are not answered ({self._endpoint.left})" if unanswered else ""
            await asyncio.sleep(POLL_S)
        return ""

    def force(self) -> None:
        """Ends the process if it does not end by itself: a database may never answer."""
        seconds = self._endpoint.limits.drain_s
        threading.Event().wait(seconds)
        threads = [one.name for one in threading.enumerate() if not one.daemon and one is not threading.main_thread()]
        left = self._endpoint.left or f"no request; threads {', '.join(threads)}"
        log.error("the end was forced after %g s, while %s; left: %s", seconds, self.doing, left)
        logging.shutdown()
        os._exit(1)
