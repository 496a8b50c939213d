"""A proxy like those of companies: it opens TLS with a certificate of its own authority and reads the traffic."""

from __future__ import annotations

import asyncio
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import NamedTuple

import trustme


class CompanyProxy(NamedTuple):
    """Its address, the file of its authority's certificate, and the hosts requested so far."""

    url: str
    authority: Path
    hosts: set[str]


@contextmanager
def company_proxy(folder: Path) -> Iterator[CompanyProxy]:
    """A proxy for the length of a block; its authority's certificate is written into the folder."""
    authority = trustme.CA(organization_name="A Company")
    authority.cert_pem.write_to_path(folder / "company-ca.pem")
    hosts: set[str] = set()
    loop = asyncio.new_event_loop()
    tunnel = _Tunnel(authority, hosts)
    server = loop.run_until_complete(asyncio.start_server(tunnel.serve, "127.0.0.1", 0))
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()
    try:
        yield CompanyProxy(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", folder / "company-ca.pem", hosts)
    finally:
        asyncio.run_coroutine_threadsafe(_end(server), loop).result(20)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(5)
        loop.close()


async def _end(server: asyncio.Server) -> None:
    server.close()
    tunnels = asyncio.all_tasks() - {asyncio.current_task()}
    for task in tunnels:
        task.cancel()
    await asyncio.gather(*tunnels, return_exceptions=True)


class _Tunnel:
    """One connection: CONNECT, then two TLS connections and the bytes between them."""

    def __init__(self, authority: trustme.CA, hosts: set[str]) -> None:
        self._authority = authority
        self._hosts = hosts
        self._outside = ssl.create_default_context()
        self._inside = cache(self._shown_for)

    def _shown_for(self, host: str) -> ssl.SSLContext:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._authority.issue_cert(host).configure_cert(context)
        return context

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            head = await reader.readuntil(b"\r\n\r\n")
            host, _, port = head.split()[1].decode().partition(":")
            self._hosts.add(host)
            writer.write(b"HTTP/1.1 200 Connection established\r\n\r\n")
            await writer.start_tls(self._inside(host))
            there, back = await asyncio.open_connection(host, int(port), ssl=self._outside)
            await asyncio.gather(_pump(reader, back), _pump(there, writer))
        writer.transport.abort()


async def _pump(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
    try:
        while piece := await source.read(65536):
            sink.write(piece)
            await sink.drain()
    finally:
        sink.transport.abort() if sink.is_closing() else sink.close()
