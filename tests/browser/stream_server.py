"""A server that speaks the live stream's format and does what a test tells it to."""

from __future__ import annotations

import json
import queue
import select
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

ASSETS = Path(__file__).parents[2] / "assets"
TYPES = {".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml", ".woff2": "font/woff2"}


def until(condition: Callable[[], Any], seconds: float = 20) -> Any:
    """The first true answer of `condition`; fails the test when there is none in time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if answer := condition():
            return answer
        time.sleep(0.01)
    raise AssertionError(f"still not so after {seconds} s: last answer {answer!r}")


class StreamServer(ThreadingHTTPServer):
    """Pages by path, `/assets/…`, `/api/live` and `/api/live/stream`.

    `status` is what new requests for the stream get, `live` the answer of `/api/live` with `live_status`. Where
    `permits` is set, each of these answers waits for one permit. `asked` has the query of every request for the stream,
    `polls` that of every request for `/api/live`, `open` the streams that are open now.
    """

    daemon_threads = True
    block_on_close = False

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.pages: dict[str, tuple[str, bytes, dict[str, str]]] = {}
        self.status = self.live_status = 200
        self.greet = True
        self.live: dict[str, Any] = {}
        self.permits: threading.Semaphore | None = None
        self.asked: list[dict[str, str]] = []
        self.polls: list[dict[str, str]] = []
        self.open: list[queue.SimpleQueue[bytes | None]] = []
        self._ids = 0

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def page(self, path: str, html: str | bytes, **headers: str) -> str:
        body = html.encode() if isinstance(html, str) else html
        self.pages[path] = ("text/html; charset=utf-8", body, headers)
        return self.url + path

    def file(self, path: str, body: bytes, content_type: str) -> None:
        self.pages[path] = (content_type, body, {})

    def send(self, kind: str, data: dict[str, Any]) -> str:
        """One message to every open stream; its id."""
        self._ids += 1
        message = f"id: {self._ids}\ndata: {json.dumps({'type': kind, 'data': data})}\n\n".encode()
        for stream in list(self.open):
            stream.put(message)
        return str(self._ids)

    def cut(self) -> None:
        """Ends every open stream."""
        streams = list(self.open)
        for stream in streams:
            stream.put(None)
        until(lambda: not any(stream in self.open for stream in streams))

    def streams(self, n: int) -> None:
        """Waits until so many streams are open."""
        until(lambda: len(self.open) == n)


class _Handler(BaseHTTPRequestHandler):
    server: StreamServer

    def do_GET(self) -> None:
        with suppress(ConnectionError):  # the browser may leave at any time
            self._reply()

    def _reply(self) -> None:
        parts = urlsplit(self.path)
        query = {name: values[-1] for name, values in parse_qs(parts.query).items()}
        asset = ASSETS / parts.path.removeprefix("/assets/")
        if parts.path == "/api/live/stream":
            self._stream(query)
        elif parts.path == "/api/live":
            self.server.polls.append(query)
            if self.server.permits:
                self.server.permits.acquire()
            self._answer("application/json", json.dumps(self.server.live).encode(), {}, self.server.live_status)
        elif parts.path in self.server.pages:
            self._answer(*self.server.pages[parts.path])
        elif parts.path.startswith("/assets/") and asset.is_file():
            self._answer(TYPES[asset.suffix], asset.read_bytes(), {})
        else:
            self._answer("text/plain", b"", {}, 404)

    def _answer(self, kind: str, body: bytes, headers: dict[str, str], status: int = 200) -> None:
        self.send_response(status)
        for name, value in {"Content-Type": kind, "Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def _stream(self, query: dict[str, str]) -> None:
        if self.server.status != 200:
            self.server.asked.append(query)
            self._answer("text/plain", b"", {}, self.server.status)
            return
        mine: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self.server.open.append(mine)  # before `asked`: a test that sees the request may send at once
        self.server.asked.append(query)
        with suppress(OSError):
            self._open(mine)
        self.server.open.remove(mine)
        self.close_connection = True

    def _open(self, mine: queue.SimpleQueue[bytes | None]) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        self.wfile.write(b": here\n\n")
        while not self._gone():
            with suppress(queue.Empty):
                message = mine.get(timeout=0.02)
                if message is None:
                    return
                self.wfile.write(message)
                self.wfile.flush()

    def _gone(self) -> bool:
        return bool(select.select([self.connection], [], [], 0)[0])

    def log_message(self, *_: object) -> None:
        """Quiet."""


@contextmanager
def stream_server() -> Iterator[StreamServer]:
    """A running one, stopped at the end."""
    server = StreamServer()
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        for stream in list(server.open):
            stream.put(None)
        server.shutdown()
        server.server_close()
        thread.join()


def foreign_requests(browser: Any, server: StreamServer) -> list[str]:
    """Addresses that the browser asked for, other than the server's own and those without a network."""
    entries = (json.loads(entry["message"])["message"] for entry in browser.get_log("performance"))
    urls = (e["params"]["request"]["url"] for e in entries if e["method"] == "Network.requestWillBeSent")
    own = (server.url + "/", "data:", "blob:", "about:", "chrome:", "chrome-")
    return [url for url in urls if not url.startswith(own)]
