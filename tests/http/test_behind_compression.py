"""The live stream behind proxies that compress what they pass on."""

from __future__ import annotations

import http.client
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from collector.live.hub import MAX_SILENCE_S
from tests.support import proxy
from tests.support.serving import SITE, Server, pageview

NGINX_HTTP = "gzip on; gzip_types text/event-stream; gzip_proxied any; gzip_min_length 0;"
NGINX = "location / { proxy_pass http://127.0.0.1:%d; proxy_http_version 1.1; proxy_buffering off; }"
CADDY = """encode gzip
reverse_proxy 127.0.0.1:%d"""


@contextmanager
def _compressing(name: str, server: Server, folder) -> Iterator[int]:
    port = proxy.free_port()
    running = (
        proxy.nginx(folder, port, NGINX % server.port, NGINX_HTTP)
        if name == "nginx"
        else proxy.caddy(folder, port, CADDY % server.port)
    )
    with running:
        yield port


@pytest.mark.alone
@pytest.mark.parametrize("name", ["nginx", *(["caddy"] if proxy.program("caddy") else [])])
def test_what_happens_is_seen_at_once(one_server, tmp_path, name):
    key = one_server.tell("key add", name="reader", scope="stats", site=SITE)
    for n in range(20):  # so that the first frame is larger than what a proxy thinks worth it
        one_server.collect(pageview(f"page-{name}-{n}", f"/some/page/with/a/name/{n}"))
    with _compressing(name, one_server, tmp_path) as port:
        connection = http.client.HTTPConnection("localhost", port, timeout=20)
        headers = {"Authorization": f"Bearer {key}", "Accept-Encoding": "gzip"}
        connection.request("GET", f"/api/live/stream?site={SITE}", headers=headers)
        answer = connection.getresponse()
        assert "no-transform" in answer.headers["Cache-Control"]
        frames = _frames(answer)
        _until(frames, '"connected"')
        time.sleep(1)  # let the first figures pass: what is measured is a frame of its own
        began = time.monotonic()
        one_server.collect(pageview(f"page-{name}", f"/seen-through-{name}"))
        _until(frames, f"/seen-through-{name}")
        assert time.monotonic() - began < MAX_SILENCE_S - 2, "it came with the next frame that comes by itself"
        connection.close()


def _frames(answer: http.client.HTTPResponse) -> Iterator[str]:
    """What comes, as it comes, unpacked where the proxy has packed it."""
    unpack = zlib.decompressobj(31) if answer.headers.get("Content-Encoding") == "gzip" else None
    while piece := answer.read1(65_536):
        yield (unpack.decompress(piece) if unpack else piece).decode()


def _until(frames: Iterator[str], text: str) -> None:
    seen = ""
    while text not in seen:
        seen += next(frames)


def test_nothing_else_is_kept_from_being_compressed(one_server):
    for path in ("/js/footfall.js", "/assets/css/footfall.css", "/sign-in"):
        assert "no-transform" not in one_server.request("GET", path).headers.get("cache-control", "")
