"""A site that carries our script, a collector that keeps what reaches it, and a visitor with a clock."""

from __future__ import annotations

import html
import itertools
import json
import shutil
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple

import pytest
from selenium import webdriver
from selenium.webdriver import Chrome
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service

from collector.doors.script import script_beating
from collector.ingest.event import read_body
from collector.ingest.outcomes import Rejected

STUB = "window.footfall=window.footfall||function(){(footfall.q=footfall.q||[]).push(arguments)};"
Event = dict[str, Any]
FLAGS = ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run")

# Time passes in a page only when a test says so, chance is one half, errors are kept. /real has real time.
CLOCK = """if (!location.pathname.startsWith("/real")) (() => {
  const soon = setTimeout, timers = new Map();
  let now = 0, last = 0;
  const due = (end) => [...timers].filter(([, t]) => t.at <= end).sort((a, b) => a[1].at - b[1].at)[0];
  window.setTimeout = (work, ms) => ms ? (timers.set(++last, {work, at: now + ms}), last) : soon(work, 0);
  window.clearTimeout = (timer) => timers.delete(timer);
  performance.now = () => now;
  Math.random = () => 0.5;
  AbortSignal.timeout = (ms) => {
    const patience = new window.AbortController();
    window.setTimeout(() => patience.abort(), ms);
    return patience.signal;
  };
  const ask = fetch;
  window.underway = 0;
  window.fetch = function (...request) {
    underway++;
    const answer = ask(...request);
    const over = () => soon(() => soon(() => underway--));
    answer.then((a) => a.clone().text()).then(over, over);
    return answer;
  }.bind();  // so that it says that it is native, as the browser's own does
  window.timers = () => [...timers.values()].map((t) => t.at - now);
  window.advance = (ms) => {
    const end = now + ms;
    for (let t; (t = due(end)); t[1].work()) timers.delete(t[0]), (now = t[1].at);
    now = end;
  };
})();
window.thrown = [];
addEventListener("error", (e) => thrown.push(e.message), true);
addEventListener("unhandledrejection", (e) => thrown.push(String(e.reason)), true);
window.look = (name, value, type) => {
  if (name == "hidden") Object.defineProperty(document, name, {configurable: true, get: () => value});
  else document.hasFocus = () => value;
  (name == "hidden" ? document : window).dispatchEvent(new Event(type, {bubbles: name == "hidden"}));
};
document.hasFocus = () => true;
"""


class Request(NamedTuple):
    """One request that reached the collector, and when."""

    line: str
    headers: dict[str, str]
    events: list[Event]
    at: float


class Answer(NamedTuple):
    """What the collector answers; 0 is nothing that is HTTP, and -1 is nothing while the connection stays."""

    status: int
    headers: dict[str, str]
    body: bytes = b"{}"


ACCEPTED = Answer(202, {})


class Collector:
    """Requests and answers by site; the requests of one site are in the order of their arrival."""

    def __init__(self) -> None:
        self.pages: dict[str, str] = {}
        self.requests: dict[str, list[Request]] = defaultdict(list)
        self.answers: dict[str, list[Answer]] = defaultdict(list)
        self.changed = threading.Condition()
        self.end = threading.Event()
        self.origin = ""
        self.beat_s = 30

    def take(self, request: Request) -> Answer:
        site = request.events[0]["site"]
        with self.changed:
            self.requests[site].append(request)
            self.changed.notify_all()
            return self.answers[site].pop(0) if self.answers[site] else ACCEPTED

    def wait(self, site: str, count: int, seconds: float = 5) -> list[Request]:
        """The requests of a site, as soon as there are `count` of them; fails where there are others."""
        with self.changed:
            self.changed.wait_for(lambda: len(self.requests[site]) >= count, seconds)
            assert len(self.requests[site]) == count, self.requests[site]
            return list(self.requests[site])


def _handler(collector: Collector) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            if self.path == "/js/footfall.js":
                self.answer(200, script_beating(collector.beat_s), {"Content-Type": "text/javascript"})
            else:
                page = collector.pages.get(self.path.split("?")[0], "<!doctype html><title>Another</title>")
                self.answer(200, page.encode(), {"Content-Type": "text/html; charset=utf-8"})

        def do_OPTIONS(self) -> None:
            raise AssertionError("a preflight")

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            if self.path == "/fence":
                self.answer(204)
                return
            headers = {name.lower(): value for name, value in self.headers.items()}
            answer = collector.take(Request("POST " + self.path, headers, json.loads(body), time.monotonic()))
            if answer.status > 0:
                self.answer(answer.status, answer.body, answer.headers)
            elif answer.status == 0:
                self.wfile.write(b"?\r\n")  # after mere silence Chromium tries again of its own accord
            else:
                collector.end.wait()
            self.close_connection |= answer.status <= 0

        def answer(self, status: int, body: bytes = b"", headers: dict[str, str] | None = None) -> None:
            self.send_response(status)
            shared = {"Access-Control-Allow-Origin": "*", "Access-Control-Expose-Headers": "Retry-After"}
            for name, value in {**shared, "Content-Length": str(len(body)), **(headers or {})}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    return Handler


@contextmanager
def serving(collector: Collector) -> Iterator[str]:
    """The origin of a server of pages and answers, on a port of its own."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(collector))
    server.daemon_threads = True
    server.block_on_close = False
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    try:
        yield f"http://localhost:{server.server_port}"
    finally:
        collector.end.set()
        server.shutdown()
        server.server_close()


_numbers = itertools.count(1)


class Visitor:
    """A browser on a site with a name of its own, so that nothing of another test reaches it."""

    def __init__(self, driver: Chrome, collector: Collector, origin: str) -> None:
        self.driver, self.collector, self.origin = driver, collector, origin
        self.site = f"site{next(_numbers)}.example"
        self.seen = 0

    def open(self, path: str = "/", attributes: str = "", head: str = "", **more: Any) -> None:
        """Goes to a page of the site."""
        self.publish(path, attributes, head, **more)
        self.driver.get(self.origin + path)

    def publish(
        self,
        path: str,
        attributes: str = "",
        head: str = "",
        *,
        body: str = "",
        scripts: int = 1,
        csp: str = "",
    ) -> None:
        """Puts a page on the site without going there; `head` is JavaScript that runs before our script."""
        source = self.collector.origin + "/js/footfall.js"
        script = f'<script defer src="{source}" data-site="{self.site}" {attributes}></script>'
        policy = f'<meta http-equiv="Content-Security-Policy" content="{html.escape(csp)}">' if csp else ""
        self.collector.pages[path.split("?", maxsplit=1)[0].split("#", maxsplit=1)[0]] = (
            f'<!doctype html><html lang="en"><meta charset="utf-8">{policy}<title>Home</title>'
            f'<link rel="icon" href="data:,"><script>{head}</script>{script * scripts}'
            f'<body style="margin:0">{body}'
        )

    def run(self, script: str, *arguments: Any) -> Any:
        """What the page answers to this JavaScript."""
        return self.driver.execute_script(script, *arguments)

    def footfall(self, *arguments: Any) -> None:
        """Calls the script as a page does."""
        self.run("footfall(...arguments)", *arguments)

    def pass_time(self, seconds: float) -> None:
        """Time passes in the page, once all that is under way has its answer; its timers run."""
        self.settle()
        self.run("advance(arguments[0])", round(seconds * 1000))

    def settle(self) -> None:
        """Returns when every request of the page has its answer."""
        self.wait_until("return underway == 0")

    def go(self, path: str = "/nowhere") -> None:
        """Leaves for another page, once all that is under way has its answer."""
        self.settle()
        self.driver.get(self.origin + path)

    def touch(self) -> None:
        """A key goes down in the page."""
        self.run("dispatchEvent(new KeyboardEvent('keydown'))")

    def look_away(self) -> None:
        """The page becomes hidden."""
        self.run("look('hidden', true, 'visibilitychange')")

    def look_back(self) -> None:
        """The page becomes visible."""
        self.run("look('hidden', false, 'visibilitychange')")

    def answer_with(self, *answers: Answer | int) -> None:
        """How the collector answers the next requests; 202 comes after them."""
        prepared = [answer if isinstance(answer, Answer) else Answer(answer, {}) for answer in answers]
        self.collector.answers[self.site].extend(prepared)

    def request(self) -> Request:
        """The next request of this site at the collector, which must be the only new one."""
        return self.requests(1)[0]

    def requests(self, count: int) -> list[Request]:
        """The next so many requests of this site, however close they follow one another."""
        self.seen += count
        return self.collector.wait(self.site, self.seen)[-count:]

    def all_requests(self) -> list[Request]:
        """Every request of this site so far."""
        return list(self.collector.requests[self.site])

    def events(self) -> list[Event]:
        """The events of the next request."""
        return self.request().events

    def types(self) -> list[str]:
        """The types of the events of the next request."""
        return [event["type"] for event in self.events()]

    def told_nothing(self) -> bool:
        """Whether no further request arrived; waits until two later ones of the page are answered."""
        self.settle()
        fence = """const [url, done] = arguments;
            const ask = () => fetch(url, {method: "POST", body: ""}).catch(() => 0);
            ask().then(ask).then(done);"""
        self.driver.execute_async_script(fence, self.collector.origin + "/fence")
        return len(self.all_requests()) == self.seen

    def wait_for_timer(self, seconds: float) -> None:
        """Returns as soon as something in the page is due in exactly this time."""
        self.wait_until("return timers().includes(arguments[0])", round(seconds * 1000))

    def wait_until(self, script: str, *arguments: Any) -> None:
        """Returns as soon as the page answers yes."""
        self.until(lambda: self.run(script, *arguments), script)

    def until(self, condition: Callable[[], Any], what: str = "") -> None:
        """Returns as soon as that is so."""
        end = time.monotonic() + 20
        while not condition():
            assert time.monotonic() < end, f"never came true: {what}"
            time.sleep(0.01)


@pytest.fixture(scope="module")
def driver(tmp_path_factory) -> Iterator[webdriver.Chrome]:
    """One browser for the whole file, in whose pages a test is the clock."""
    options = Options()
    options.binary_location = shutil.which("chromium") or shutil.which("google-chrome") or ""
    profile = tmp_path_factory.mktemp("profile")
    for flag in (*FLAGS, f"--user-data-dir={profile}", "--window-size=1000,800", "--lang=de-AT"):
        options.add_argument(flag)
    driver = webdriver.Chrome(service=Service(shutil.which("chromedriver")), options=options)
    try:
        driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": CLOCK})
        driver.execute_cdp_cmd("Emulation.setTimezoneOverride", {"timezoneId": "Europe/Vienna"})
        yield driver
    finally:
        driver.quit()


@pytest.fixture(scope="module")
def servers() -> Iterator[tuple[Collector, str]]:
    """The collector and the origin of the site's pages: two servers, two origins."""
    collector = Collector()
    with ExitStack() as stack:
        collector.origin = stack.enter_context(serving(collector))
        yield collector, stack.enter_context(serving(collector))


@pytest.fixture
def visitor(driver, servers) -> Iterator[Visitor]:
    """A visitor of a site of its own; at the end no error was seen, and our collector reads it all."""
    visitor = Visitor(driver, *servers)
    yield visitor
    assert visitor.run("return thrown") == []
    bodies = [read_body(json.dumps(sent.events).encode()) for sent in visitor.all_requests()]
    assert [body for body in bodies if isinstance(body, Rejected)] == []
    assert [event for body in bodies for event in body.events if isinstance(event, Rejected)] == []
    visitor.run("window.localStorage.clear()")
