"""A reader of the dashboard in a real browser, and a real site whose pages have the real snippet."""

from __future__ import annotations

import base64
import json
import os
import shutil
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import product
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

from selenium.webdriver import Chrome, Keys
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from stream_server import until

from collector.control import ask
from tests.conftest import CHROME_FLAGS
from tests.support.serving import AGENT, Server, heartbeat, leave, pageview

OWNER, PASSWORD = "owner@example.com", "correct horse battery"
PHONE = (390, 844)
DESKTOP = (1440, 1000)

# What of the tree that screen readers get is wrong; [] when nothing is.
UNNAMED = """
const wrong = [], shown = (n) => n.checkVisibility({visibilityProperty: true, opacityProperty: true});
const words = (id) => (document.getElementById(id) || {textContent: ""}).textContent;
const nameOf = (n) => n.getAttribute("aria-label")
  || (n.getAttribute("aria-labelledby") || "").split(" ").map(words).join("")
  || [...(n.labels || [])].map((label) => label.textContent).join("") || n.textContent;
for (const n of document.querySelectorAll("a[href], button, summary, input:not([type=hidden]), select"))
  if (shown(n) && !nameOf(n).trim()) wrong.push("no name: " + n.outerHTML.slice(0, 120));
for (const n of document.querySelectorAll("img:not([alt]), [role=img]:not([aria-label])"))
  wrong.push("no text: " + n.outerHTML);
const ids = [...document.querySelectorAll("[id]")].map((n) => n.id);
wrong.push(...ids.filter((id, at) => ids.indexOf(id) !== at).map((id) => "twice: #" + id));
for (const n of document.querySelectorAll("[aria-labelledby], [aria-describedby], [aria-controls]"))
  for (const name of ["aria-labelledby", "aria-describedby", "aria-controls"])
    for (const id of (n.getAttribute(name) || "").split(" ").filter(Boolean))
      if (!document.getElementById(id)) wrong.push(name + " leads nowhere: " + id);
const headings = [...document.querySelectorAll("h1, h2, h3, h4")].filter(shown).map((n) => +n.tagName[1]);
if (headings.filter((level) => level === 1).length !== 1) wrong.push("not one h1: " + headings);
headings.reduce((above, level) => (level > above + 1 && wrong.push("a level is left out: " + headings), level), 0);
if (document.querySelectorAll("main").length !== 1) wrong.push("not one main");
if (!document.documentElement.lang) wrong.push("no language");
return wrong;
"""

# Text that stands out less than 4.5 : 1 (3 : 1 where it is large) from what is painted behind it.
FAINT = """
const channels = (css) => {
  const canvas = window.dot = window.dot || new OffscreenCanvas(1, 1).getContext("2d", {willReadFrequently: true});
  canvas.clearRect(0, 0, 1, 1);
  canvas.fillStyle = css;
  canvas.fillRect(0, 0, 1, 1);
  const [r, g, b, a] = canvas.getImageData(0, 0, 1, 1).data;
  return [r, g, b, a / 255];
};
const over = ([r, g, b, a], below) => [r, g, b].map((top, i) => top * a + below[i] * (1 - a));
const behind = (n) => {
  const layers = [];
  for (; n; n = n.parentElement) {
    layers.push(channels(getComputedStyle(n).backgroundColor));
    if (layers[layers.length - 1][3] === 1) break;
  }
  return layers.reverse().reduce((below, layer) => over(layer, below), [255, 255, 255]);
};
const light = (rgb) => {
  const [r, g, b] = rgb.map((c) => c / 255).map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
};
const skipped = ":disabled, script, style, option";
const faint = new Set(), texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
while (texts.nextNode()) {
  const node = texts.currentNode.parentElement, style = getComputedStyle(node);
  const words = texts.currentNode.nodeValue.trim();
  if (!words || !node.checkVisibility() || node.closest(skipped)) continue;
  const ground = behind(node), [a, b] = [light(ground), light(over(channels(style.color), ground))];
  const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
  const large = parseFloat(style.fontSize) >= 24 || (parseFloat(style.fontSize) >= 18.66 && style.fontWeight >= 700);
  if (ratio < (large ? 3 : 4.5)) faint.add(`${ratio.toFixed(2)} ${node.className || node.tagName}: ${words}`);
}
return [...faint];
"""


@contextmanager
def chromium(profile: Path) -> Iterator[Chrome]:
    """A Chromium that looks like anybody's, with an empty profile; its console and network logs are kept."""
    options = Options()
    options.binary_location = shutil.which("chromium") or shutil.which("google-chrome") or ""
    size = f"--window-size={DESKTOP[0]},{DESKTOP[1]}"
    for flag in (*CHROME_FLAGS, f"--user-data-dir={profile}", f"--user-agent={AGENT}", size, "--lang=en-GB"):
        options.add_argument(flag)
    options.add_experimental_option("prefs", {"intl.accept_languages": "en-GB"})
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = Chrome(service=Service(shutil.which("chromedriver")), options=options)
    try:
        yield driver
    finally:
        driver.quit()


class Shop(ThreadingHTTPServer):
    """The site that is visited: every path is a page with `snippet` in its head and `body` below."""

    daemon_threads = True
    block_on_close = False

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Page)
        self.snippet = self.body = ""

    @property
    def url(self) -> str:
        return f"http://localhost:{self.server_port}"


class _Page(BaseHTTPRequestHandler):
    server: Shop

    def do_GET(self) -> None:
        body = (
            f'<!doctype html><html lang="en"><meta charset="utf-8"><title>The page {self.path}</title>'
            f'<link rel="icon" href="data:,">{self.server.snippet}<body>{self.server.body}'
        ).encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Quiet."""


@contextmanager
def open_shop() -> Iterator[Shop]:
    """A site on localhost, closed at the end."""
    shop = Shop()
    thread = threading.Thread(target=shop.serve_forever, args=(0.05,), daemon=True)
    thread.start()
    try:
        yield shop
    finally:
        shop.shutdown()
        shop.server_close()
        thread.join()


class Reader:
    """A browser on the dashboard of a server. It starts on a window of its own; visitors get others."""

    def __init__(self, driver: Chrome, server: Server, *others: str) -> None:
        self.driver = driver
        self.server = server
        self.own = (server.url, *others)
        self.window = driver.current_window_handle

    def open(self, path: str = "/") -> None:
        """Goes to a page of the server."""
        self.driver.get(self.server.url + path)

    def open_live(self, site: str) -> None:
        """Goes to the Live page of a site and waits until it is live and drawn."""
        self.open(f"/live/{site}")
        self.see("status-text", "Live")
        until(lambda: self.run("return !document.querySelector('.ff-skel')"))

    def run(self, script: str, *arguments: Any) -> Any:
        """What the page answers to this JavaScript."""
        return self.driver.execute_script(script, *arguments)

    def command(self, name: str, **parameters: Any) -> Any:
        """What Chromium answers to a command of its DevTools protocol."""
        return self.driver.execute_cdp_cmd(name, parameters)

    def text(self, element: str) -> str | None:
        """The text of the element with this id; None while there is none."""
        return self.run("const n = document.getElementById(arguments[0]); return n && n.textContent", element)

    def texts(self, selector: str) -> list[str]:
        """The text of each such element, in the order of the page."""
        return self.run("return [...document.querySelectorAll(arguments[0])].map((n) => n.textContent)", selector)

    def rows(self, element: str) -> list[tuple[str, str]]:
        """Label and number of each row of the table in the element with this id."""
        cells = """return [...document.querySelectorAll(`#${arguments[0]} tbody tr`)].map(
            (row) => [row.firstChild.textContent, row.lastChild.textContent])"""
        return [tuple(row) for row in self.run(cells, element)]

    def see(self, element: str, text: str, seconds: float = 20) -> None:
        """Waits for this text."""
        until(lambda: self.text(element) == text, seconds)

    def is_hidden(self, element: str) -> bool:
        """Whether the element with this id cannot be seen; so it is while there is none."""
        return self.run("const n = document.getElementById(arguments[0]); return !n || !n.checkVisibility()", element)

    def click(self, selector: str) -> None:
        """Clicks as a person does: the element has to be there, on top, and enabled."""
        until(lambda: self.driver.find_elements(By.CSS_SELECTOR, selector))[0].click()

    def type(self, element: str, text: str) -> None:
        """Types into the field with this id, over what is there."""
        field = self.driver.find_element(By.ID, element)
        field.send_keys(Keys.CONTROL, "a")
        field.send_keys(text or Keys.DELETE)

    def at(self, path: str, seconds: float = 20) -> None:
        """Waits until the browser is at this path (with its query) of the server."""
        until(lambda: self.driver.current_url == self.server.url + path, seconds)

    def at_sign_in(self, wanted: str = "/") -> None:
        """Waits for the sign-in page that leads to `wanted` afterwards."""
        until(lambda: urlsplit(self.driver.current_url).path == "/sign-in")
        query = parse_qs(urlsplit(self.driver.current_url).query)
        assert query.get("next", ["/"]) == [wanted]

    def sign_in(self) -> None:
        """Signs the owner in, over the page."""
        self.open("/sign-in")
        self.type("email", OWNER)
        self.type("password", PASSWORD)
        self.click("button[type=submit]")
        until(lambda: "/sign-in" not in self.driver.current_url)

    @contextmanager
    def another_window(self) -> Iterator[None]:
        """In the block, the browser's other window; it is closed afterwards, as a person does."""
        self.driver.switch_to.new_window("window")
        other = self.driver.current_window_handle
        try:
            yield
        finally:
            if other in self.driver.window_handles:
                self.driver.switch_to.window(other)
                self.driver.close()
            self.driver.switch_to.window(self.window)

    @contextmanager
    def sized(self, size: tuple[int, int]) -> Iterator[None]:
        """In the block, the window has this size in CSS pixels; PHONE is a phone's."""
        metrics = {"width": size[0], "height": size[1], "deviceScaleFactor": 1, "mobile": size == PHONE}
        self.command("Emulation.setDeviceMetricsOverride", **metrics)
        try:
            yield
        finally:
            self.command("Emulation.clearDeviceMetricsOverride")

    @contextmanager
    def preferring(self, feature: str, value: str) -> Iterator[None]:
        """In the block, the system prefers this, such as prefers-color-scheme: dark."""
        self.command("Emulation.setEmulatedMedia", features=[{"name": feature, "value": value}])
        try:
            yield
        finally:
            self.command("Emulation.setEmulatedMedia", features=[])

    @contextmanager
    def cut_off_from(self, address: str) -> Iterator[None]:
        """In the block, nothing at such an address (`*` as wildcard) can be reached."""
        self.command("Network.setBlockedURLs", urls=[address])
        try:
            yield
        finally:
            self.command("Network.setBlockedURLs", urls=[])

    @contextmanager
    def prepared(self, script: str) -> Iterator[None]:
        """In the block, this JavaScript runs before everything else on each page that is opened."""
        added = self.command("Page.addScriptToEvaluateOnNewDocument", source=script)
        try:
            yield
        finally:
            self.command("Page.removeScriptToEvaluateOnNewDocument", **added)

    def too_wide(self) -> list[str]:
        """What reaches beyond the right edge, when the page scrolls sideways."""
        return self.run("""
            const width = document.documentElement.clientWidth;
            if (document.documentElement.scrollWidth <= width) return [];
            return [...document.querySelectorAll("body *")].filter((n) => n.getBoundingClientRect().right > width + 1)
              .map((n) => `${n.tagName} ${n.id} ${n.className}`)""")

    def looks_right(self) -> None:
        """Names, contrast in both themes, and no scrolling sideways on a phone."""
        for theme in ("light", "dark"):
            self.run("document.documentElement.dataset.bsTheme = arguments[0]", theme)
            self.run(
                "document.getAnimations().forEach((each) => each.effect.getTiming().iterations === 1 && each.finish())"
            )
            assert (self.run(UNNAMED), self.run(FAINT)) == ([], []), theme
        with self.sized(PHONE):
            assert self.too_wide() == []
        self.run("document.documentElement.dataset.bsTheme = 'light'")

    def complaints(self) -> list[str]:
        """What the console has said since last asked: errors, warnings, breaches of the policy."""
        return [entry["message"] for entry in self.driver.get_log("browser")]

    def requests(self) -> list[str]:
        """Addresses that the browser has asked for since last asked."""
        entries = (json.loads(entry["message"])["message"] for entry in self.driver.get_log("performance"))
        return [e["params"]["request"]["url"] for e in entries if e["method"] == "Network.requestWillBeSent"]

    def foreign_requests(self) -> list[str]:
        """Those of them that are neither the server's nor the visited site's."""
        harmless = ("data:", "blob:", "about:", "chrome:", "chrome-")
        return [url for url in self.requests() if not url.startswith((*(f"{own}/" for own in self.own), *harmless))]

    def shoot(self, name: str) -> None:
        """Pictures of the page on a desk and on a phone, light and dark, where FOOTFALL_SHOTS names a folder."""
        folder = os.environ.get("FOOTFALL_SHOTS")
        theme = self.run("return document.documentElement.dataset.bsTheme || ''")
        for (kind, size), look in product({"": DESKTOP, "-phone": PHONE}.items(), ("light", "dark") if folder else ()):
            with self.sized(size):
                self.run("document.documentElement.dataset.bsTheme = arguments[0]", look)
                time.sleep(0.4)  # transitions, and the sparkline's new width
                taken = self.command("Page.captureScreenshot", captureBeyondViewport=True)
            Path(folder or "", f"{name}{kind}-{look}.png").write_bytes(base64.b64decode(taken["data"]))
        self.run("document.documentElement.dataset.bsTheme = arguments[0]", theme)


def add_site(server: Server, domain: str, timezone: str = "Europe/Berlin") -> str:
    """Adds a site to the running server; the snippet that its pages carry."""
    message: str = ask(server.config.data_dir, "site add", {"domain": domain, "name": "", "timezone": timezone})
    return message.splitlines()[-1]


def add_owner(server: Server) -> None:
    """The owner's account."""
    ask(server.config.data_dir, "user add", {"email": OWNER, "role": "owner", "password": PASSWORD})


def come(server: Server, site: str, people: Sequence[str], path: str = "/", **fields: Any) -> None:
    """Visitors, each with a name that is nobody else's, open a page and beat."""
    who = {name: fields[name] for name in ("user_id", "user_type") if name in fields}
    for name in people:
        sent = [pageview(f"page-of-{name}", path, site, **fields), heartbeat(f"page-of-{name}", site, **who)]
        answer = server.collect(sent, {"User-Agent": f"{AGENT} {name}"})
        assert answer.status == 202, answer.body


def go(server: Server, site: str, people: Sequence[str]) -> None:
    """They leave."""
    for name in people:
        answer = server.collect(leave(f"page-of-{name}", site), {"User-Agent": f"{AGENT} {name}"})
        assert answer.status == 202, answer.body
