"""The requests of a browser from its own network log: bytes as they went over the wire, and the hosts."""

from __future__ import annotations

import json
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from selenium.webdriver import Chrome


class Wire(NamedTuple):
    """One page load: bytes by address (headers and bodies, as encoded), and every requested host."""

    sizes: dict[str, int]
    hosts: set[str]

    @property
    def total(self) -> int:
        return sum(self.sizes.values())


def wire_of(browser: Chrome) -> Wire:
    """The entries of the browser's network log since the last call; a stream counts up to its current length."""
    addresses: dict[str, str] = {}
    finished: dict[str, int] = {}
    so_far: dict[str, int] = {}
    for entry in browser.get_log("performance"):
        event = json.loads(entry["message"])["message"]
        method, fields = event["method"], event["params"]
        key = fields.get("requestId", "")
        if method == "Network.requestWillBeSent":
            _note_redirect(fields, finished)
            addresses[key] = fields["request"]["url"]
        elif method == "Network.responseReceived":
            so_far[key] = so_far.get(key, 0) + int(fields["response"]["encodedDataLength"])
        elif method == "Network.dataReceived":
            so_far[key] = so_far.get(key, 0) + int(fields["encodedDataLength"])
        elif method == "Network.loadingFinished":
            finished[key] = finished.get(key, 0) + int(fields["encodedDataLength"])
    web = {key: url for key, url in addresses.items() if urlsplit(url).scheme in ("http", "https", "ws", "wss")}
    sizes: dict[str, int] = {}
    for key, url in web.items():
        sizes[url] = sizes.get(url, 0) + finished.get(key, so_far.get(key, 0))
    return Wire(sizes, {urlsplit(url).netloc for url in web.values()})


def _note_redirect(fields: dict[str, Any], finished: dict[str, int]) -> None:
    if before := fields.get("redirectResponse"):
        finished[fields["requestId"]] = finished.get(fields["requestId"], 0) + int(before["encodedDataLength"])
