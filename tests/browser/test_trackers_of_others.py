"""Plausible's and Umami's own clients, unchanged, against the real server: what they sent is in the database.

The packages come by `tests/clients.sh`. What a client sent is read from the browser's log of requests, so that each
number in the database is compared with the one on the wire. Umami's script is no package: its requests are made here.
"""

from __future__ import annotations

import json
import mimetypes
import shutil
import subprocess
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from reader import chromium
from selenium.webdriver import Chrome
from stream_server import until

from analytics.base.config import Config
from tests.support.serving import ROOT, Server, rows, serving

CLIENTS = ROOT / ".venv" / "clients"
PACKAGES = CLIENTS / "node_modules"
WINDOW_S = 5
EMPTY = '<!doctype html><html lang="en"><meta charset="utf-8"><link rel="icon" href="data:,"><title>{}</title>'


def packages() -> Path:
    """Where the packages are."""
    assert PACKAGES.is_dir(), "the trackers of others are not here: type `sh tests/clients.sh`"
    return PACKAGES


class Shop(ThreadingHTTPServer):
    """A site whose every page has `head`; `/npm/…` are the files of the packages."""

    daemon_threads = True
    head = ""


class _Page(BaseHTTPRequestHandler):
    server: Shop

    def do_GET(self) -> None:
        if self.path.startswith("/npm/"):
            file = packages() / self.path.removeprefix("/npm/")
            file = file if file.is_file() else file.with_name(file.name + ".js")  # as bundlers find it
            self.answer(file.read_bytes(), mimetypes.guess_type(file.name)[0] or "text/plain")
        else:
            self.answer(f'{EMPTY.format("Shop")}{self.server.head}<body style="height:3000px">'.encode(), "text/html")

    def answer(self, body: bytes, kind: str) -> None:
        self.send_response(200)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


class Visit:
    """A browser on the pages of one site, and what the server has of it."""

    def __init__(self, driver: Chrome, server: Server, shop: Shop, site: str) -> None:
        self.driver, self.server, self.shop, self.site = driver, server, shop, site
        self.origin = f"http://localhost:{shop.server_port}"
        self._log: list[dict[str, Any]] = []
        driver.get_log("performance")

    def open(self, path: str, script: str) -> None:
        """Goes to a page with that module in its head."""
        self.shop.head = f'<script type="module">{script}</script>'
        self.driver.get(self.origin + path)

    def look_away(self) -> None:
        """Another tab comes to the front, and goes again."""
        self.driver.execute_cdp_cmd("Emulation.setFocusEmulationEnabled", {"enabled": False})
        shown = self.driver.current_window_handle
        self.driver.switch_to.new_window("tab")
        self.driver.close()
        self.driver.switch_to.window(shown)
        self.driver.execute_cdp_cmd("Emulation.setFocusEmulationEnabled", {"enabled": True})

    def promised(self, script: str) -> Any:
        """What a promise of the page resolves to."""
        return self.driver.execute_async_script(
            f"const done = arguments[0]; ({script}).then(done, (e) => done('' + e))"
        )

    def sent(self, path: str) -> list[dict[str, Any]]:
        """What pages have posted to that path of the server so far, as the browser's log has it."""
        for line in self.driver.get_log("performance"):
            message = json.loads(line["message"])["message"]
            if message["method"] == "Network.requestWillBeSent":
                self._log.append(message["params"]["request"])
        posted = [one for one in self._log if one["method"] == "POST" and one["url"] == self.server.url + path]
        return [json.loads(one["postData"]) for one in posted]

    def rows(self, columns: str, table: str) -> list[tuple[Any, ...]]:
        """What the database has of the site."""
        asked = f"SELECT {columns} FROM {table} t JOIN sites ON sites.id = t.site_id WHERE domain = '{self.site}'"
        return rows(self.server.config, f"{asked} ORDER BY t.id")

    def active(self) -> int:
        """How many people are active now."""
        answer = self.server.request(
            "GET", f"/api/live?site={self.site}", headers={"Authorization": f"Bearer {KEY[0]}"}
        )
        count: int = answer.json["active_sessions"]
        return count


KEY: list[str] = []
_numbers = iter(range(1, 100))


@pytest.fixture(scope="module")
def footfall(tmp_path_factory) -> Iterator[Server]:
    config = Config(data_dir=tmp_path_factory.mktemp("data"))
    with serving(config, FOOTFALL_ACTIVE_WINDOW_S=str(WINDOW_S), FOOTFALL_HEARTBEAT_INTERVAL_S="5") as server:
        KEY[:] = [server.tell("key add", name="reader", scope="stats", site="").strip()]
        yield server


@pytest.fixture(scope="module")
def browser_of_a_visitor(tmp_path_factory) -> Iterator[Chrome]:
    with chromium(tmp_path_factory.mktemp("profile")) as driver:
        driver.execute_cdp_cmd("Emulation.setFocusEmulationEnabled", {"enabled": True})
        yield driver


@pytest.fixture
def visit(browser_of_a_visitor, footfall) -> Iterator[Visit]:
    shop = Shop(("127.0.0.1", 0), _Page)
    threading.Thread(target=shop.serve_forever, args=(0.05,), daemon=True).start()
    site = f"shop-{next(_numbers)}.example"
    footfall.tell("site add", domain=site, name="", timezone="UTC")
    try:
        yield Visit(browser_of_a_visitor, footfall, shop, site)
        browser_of_a_visitor.get("about:blank")
    finally:
        shop.shutdown()
        shop.server_close()


def events(visit: Visit) -> list[tuple[Any, ...]]:
    """(name, path, properties, value, currency, interactive) of each event."""
    stored = visit.rows("t.name, path, props, value, currency, interactive", "events")
    return [(name, path, json.loads(props), *rest) for name, path, props, *rest in stored]


def test_the_package_of_plausible(visit):
    visit.open(
        "/a?utm_source=may",
        f"""import {{ init, track }} from "/npm/@plausible-analytics/tracker/plausible.js";
        init({{domain: "{visit.site}", endpoint: "{visit.server.url}/api/event", captureOnLocalhost: true,
              outboundLinks: true}});
        window.sent = (name, options) => new Promise((done) => track(name, {{...options, callback: done}}));""",
    )
    until(lambda: visit.rows("t.id", "pageviews"))
    assert visit.active() == 1
    buy = "{props: {plan: 'team', seats: '3'}, revenue: {amount: '29.90', currency: 'EUR'}}"
    assert visit.promised(f"sent('Buy', {buy})") == {"status": 202}
    assert visit.promised("sent('Seen', {interactive: false})") == {"status": 202}
    assert visit.promised("sent('x'.repeat(121))") == {"status": 400}
    visit.driver.execute_script("scrollTo(0, 1000)")
    visit.driver.execute_script(
        """document.body.innerHTML = '<a href="https://other.example/there">There</a>';
        const link = document.querySelector('a');
        link.addEventListener('click', (event) => event.preventDefault());
        link.click();"""
    )
    visit.driver.execute_async_script("setTimeout(arguments[0], 300)")
    visit.driver.execute_script("history.pushState({}, '', '/b')")
    until(lambda: len(visit.rows("t.id", "pageviews")) == 2)
    visit.driver.execute_async_script("setTimeout(arguments[0], 3100)")
    visit.look_away()
    sent = until(lambda: len(found := visit.sent("/api/event")) == 8 and found)
    by_name = [one["n"] for one in sent]
    assert by_name.count("pageview") == by_name.count("engagement") == 2
    page = f"{visit.origin}/a?utm_source=may"
    first, second = (one for one in sent if one["n"] == "engagement")
    assert (first["u"], second["u"]) == (page, f"{visit.origin}/b")
    assert first["e"] >= 300
    assert second["e"] >= 3000
    expected = [("/a", first["e"], first["sd"]), ("/b", second["e"], second["sd"])]
    assert until(lambda: (now := visit.rows("path, engaged_ms, scroll", "pageviews")) == expected and now)
    assert first["sd"] > 0
    assert events(visit) == [
        ("Buy", "/a", {"plan": "team", "seats": "3"}, 29.9, "EUR", 1),
        ("Seen", "/a", {}, None, "", 0),
        ("Outbound Link: Click", "/a", {"url": "https://other.example/there"}, None, "", 1),
    ]
    assert visit.rows("t.pageviews, t.events, entry_page, exit_page, source", "visits") == [(2, 2, "/a", "/b", "may")]
    assert len({visitor for (visitor,) in visit.rows("visitor", "heartbeats")}) == 1
    until(lambda: visit.active() == 0, seconds=WINDOW_S + 10)


def test_the_package_of_plausible_with_two_sites_and_a_callback_for_an_unknown_one(visit):
    other = f"other-of-{visit.site}"
    visit.server.tell("site add", domain=other, name="", timezone="UTC")
    visit.open(
        "/a",
        f"""import {{ init, track }} from "/npm/@plausible-analytics/tracker/plausible.js";
        init({{domain: "{visit.site},{other},nowhere.example", endpoint: "{visit.server.url}/api/event",
              captureOnLocalhost: true, autoCapturePageviews: false}});
        window.sent = (name, options) => new Promise((done) => track(name, {{...options, callback: done}}));""",
    )
    until(lambda: visit.driver.execute_script("return !!window.sent"))
    assert visit.promised("sent('pageview')") == {"status": 202}
    assert len(visit.rows("t.id", "pageviews")) == 1
    visit.site = other
    assert len(visit.rows("t.id", "pageviews")) == 1


def test_the_older_package_of_plausible(visit):
    visit.open(
        "/a",
        f"""import Plausible from "/npm/plausible-tracker/build/module/index.js";
        const plausible = Plausible({{domain: "{visit.site}", apiHost: "{visit.server.url}", trackLocalhost: true}});
        plausible.enableAutoPageviews();
        window.sent = (name, props) => new Promise((done) => plausible.trackEvent(name, {{props, callback: done}}));""",
    )
    until(lambda: visit.rows("t.id", "pageviews"))
    assert visit.promised("sent('Signup', {plan: 'team', seats: 3, trial: true}).then(() => 'called')") == "called"
    assert visit.promised("sent('x'.repeat(121)).then(() => 'called')") == "called"
    visit.driver.execute_script("history.pushState({}, '', '/b')")
    until(lambda: len(visit.rows("t.id", "pageviews")) == 2)
    assert [one["n"] for one in visit.sent("/api/event")] == ["pageview", "Signup", "x" * 121, "pageview"]
    assert visit.rows("path", "pageviews") == [("/a",), ("/b",)]
    assert events(visit) == [("Signup", "/a", {"plan": "team", "seats": "3", "trial": "true"}, None, "", 1)]
    assert visit.rows("t.pageviews, t.events", "visits") == [(2, 1)]


def uuid_of(server: Server, site: str) -> str:
    [line] = [one for one in server.tell("site list").splitlines() if one.startswith(f"{site} ")]
    return line.split()[-1]


def test_the_package_of_umami_in_node(visit):
    node = shutil.which("node")
    assert node, "no Node on this machine: type `sh tests/clients.sh`"
    packages()
    website = uuid_of(visit.server, visit.site)
    calls = [
        ["track", {"hostname": visit.site, "url": "/home?utm_source=may", "title": "Home", "language": "de"}],
        ["track", {"url": "/pricing", "title": "Pricing"}],
        ["track", "Paid", {"plan": "team", "seats": 3, "revenue": 29.9, "currency": "EUR", "size": {"of": "it"}}],
        ["track", {"url": "/pricing", "name": "Asked", "data": {"for": "more"}}],
        ["identify", {"email": "somebody"}],
    ]
    words = [str(CLIENTS), json.dumps({"hostUrl": visit.server.url, "websiteId": website}), json.dumps(calls)]
    run = [node, str(ROOT / "tests" / "clients" / "umami_node.mjs"), *words]
    done = subprocess.run(run, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr
    answers = [json.loads(line) for line in done.stdout.splitlines()]
    assert [answer["status"] for answer in answers] == [200] * 5
    assert all(answer["body"].keys() == {"cache", "sessionId", "visitId"} for answer in answers)
    assert len({(answer["body"]["sessionId"], answer["body"]["visitId"]) for answer in answers}) == 1
    assert visit.rows("path, t.title, host", "pageviews") == [
        ("/home", "Home", visit.site),
        ("/pricing", "Pricing", visit.site),
    ]
    paid = {"plan": "team", "seats": 3, "revenue": 29.9, "currency": "EUR", "size.of": "it"}
    assert events(visit) == [
        ("Paid", "/", paid, 29.9, "EUR", 1),
        ("Asked", "/pricing", {"for": "more"}, None, "", 1),
    ]
    seen = "t.pageviews, t.events, source, t.language, entry_page"
    assert visit.rows(seen, "visits") == [(2, 2, "may", "de", "/home")]
    assert visit.active() == 1


UMAMI = """
let cache;
window.sent = async (type, more) => {
  const payload = {website: WEBSITE, screen: `${screen.width}x${screen.height}`, language: navigator.language,
    title: document.title, hostname: location.hostname, url: location.href, referrer: "", ...more};
  const answer = await fetch(`${SERVER}/api/send`, {
    keepalive: true, method: "POST", credentials: "omit", body: JSON.stringify({type, payload}),
    headers: {"Content-Type": "application/json", ...(cache !== undefined && {"x-umami-cache": cache})},
  });
  const said = await answer.json();
  cache = said.cache;
  return {status: answer.status, fields: Object.keys(said)};
};
"""


def test_the_requests_of_umamis_script(visit):
    """A page of one origin sends JSON with a header of its own to another: the browser asks first."""
    answer = {"status": 200, "fields": ["cache", "sessionId", "visitId"]}
    constants = f'const SERVER = "{visit.server.url}", WEBSITE = "{uuid_of(visit.server, visit.site)}";'
    visit.open("/a?utm_source=may", constants + UMAMI)
    until(lambda: visit.driver.execute_script("return !!window.sent"))
    assert visit.promised("sent('event')") == answer
    buy = "{name: 'Buy', data: {plan: 'team', revenue: 29.9, currency: 'EUR'}, tag: 'b'}"
    assert visit.promised(f"sent('event', {buy})") == answer
    assert visit.promised("sent('identify', {id: 'u-7', data: {plan: 'team'}})") == answer
    visit.driver.execute_script("history.pushState({}, '', '/b')")
    assert visit.promised("sent('event', {id: 'u-7', referrer: '/a?utm_source=may', vid: 'browser-7'})") == answer
    assert visit.promised("sent('performance', {id: 'u-7', lcp: 1200, cls: 0.01})") == answer
    assert visit.promised("sent('engagement', {id: 'u-7', engagement: 1500})") == answer
    assert visit.promised("sent('bogus')") == {"status": 400, "fields": ["error"]}
    assert visit.rows("path, t.title, user_id, engaged_ms", "pageviews") == [
        ("/a", "Shop", None, 0),
        ("/b", "Shop", "u-7", 1500),
    ]
    paid = {"plan": "team", "revenue": 29.9, "currency": "EUR", "tag": "b"}
    assert events(visit) == [("Buy", "/a", paid, 29.9, "EUR", 1)]
    assert visit.rows("t.pageviews, t.events, user_id, source", "visits") == [(2, 1, "u-7", "may")]
    assert visit.active() == 1
    until(lambda: visit.active() == 0, seconds=WINDOW_S + 10)
