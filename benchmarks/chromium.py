"""A real headless Chromium, signed in as the owner, and pages of a site that carry the real script."""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from selenium.webdriver import Chrome
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service

from benchmarks.common import tool
from tests.support.serving import AGENT, Server

FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--window-size=1440,1000",
    f"--user-agent={AGENT}",  # a headless Chromium names itself, and counts as a robot
    "--host-resolver-rules=MAP *example.com 127.0.0.1",
)
OWNER = "owner@example.com"
HEAP_READINGS = 3


@contextmanager
def chromium(folder: Path) -> Iterator[Chrome]:
    """A browser with an empty profile in `folder`; its network log is recorded."""
    options = Options()
    options.binary_location = tool("chromium")
    for flag in (*FLAGS, f"--user-data-dir={folder}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"performance": "ALL"})
    driver = Chrome(service=Service(tool("chromedriver")), options=options)
    try:
        yield driver
    finally:
        driver.quit()


def sign_in(driver: Chrome, server: Server) -> None:
    """Makes the owner and signs the browser in on the sign-in page."""
    password = secrets.token_urlsafe(12)
    server.command("user", "add", OWNER, "--role", "owner", "--password-stdin", stdin=password)
    driver.get(server.url + "/sign-in")
    driver.find_element("name", "email").send_keys(OWNER)
    driver.find_element("name", "password").send_keys(password + "\n")
    wait_until(lambda: "/sign-in" not in driver.current_url, "signed in")


def wait_until(true: Callable[[], Any], what: str, seconds: float = 20) -> None:
    """Returns as soon as `true` returns a true value; checks 30 times a second."""
    until = time.monotonic() + seconds
    while not true():
        if time.monotonic() > until:
            raise TimeoutError(f"not within {seconds} s: {what}")
        time.sleep(0.03)


def heap_mb(driver: Chrome) -> float:
    """The JavaScript heap of the window after a collection, in MB: the least of some readings, since each has what a
    redraw needs just then. `Performance.enable` must have been called there.
    """
    return min(_heap_mb(driver) for _ in range(HEAP_READINGS))


def _heap_mb(driver: Chrome) -> float:
    driver.execute_cdp_cmd("HeapProfiler.collectGarbage", {})
    found = driver.execute_cdp_cmd("Performance.getMetrics", {})["metrics"]
    return next(float(one["value"]) for one in found if one["name"] == "JSHeapUsedSize") / 1e6


@contextmanager
def site_with_script(server: Server, domain: str) -> Iterator[str]:
    """The address of a site whose pages have the script as an owner would paste it; `/empty` does not."""
    script = f'<script defer src="{server.url}/js/footfall.js" data-site="{domain}" data-user="probe"></script>'

    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            content = "" if self.path == "/empty" else script
            body = f'<!doctype html><title>A page</title><link rel="icon" href="data:,">{content}<p>A page'.encode()
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    pages = ThreadingHTTPServer(("127.0.0.1", 0), Page)
    pages.daemon_threads = True
    threading.Thread(target=pages.serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield f"http://{domain}:{pages.server_port}"
    finally:
        pages.shutdown()
        pages.server_close()
