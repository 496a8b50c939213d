"""The snippet as a site carries it, against the real server: from another origin, in frames, under policies."""

from __future__ import annotations

import html
import itertools
from collections.abc import Iterator

import pytest
from reader import chromium
from selenium.webdriver import Chrome
from stream_server import until
from visited_site import STUB, Collector, serving

from analytics.base.config import Config
from layouts.settings import snippet
from tests.support.serving import Server, rows
from tests.support.serving import serving as serving_footfall

ERRORS = """if (!window.thrown) {
  window.thrown = [];
  addEventListener("error", (e) => thrown.push(e.message || "no " + e.target.src), true);
  addEventListener("unhandledrejection", (e) => thrown.push(String(e.reason)), true);
  addEventListener("securitypolicyviolation", (e) => thrown.push(e.violatedDirective), true);
}"""
CALL = "footfall('event', 'Called');"


_numbers = itertools.count(1)


class Pages:
    """The pages of a site of its own, on an origin of their own."""

    def __init__(self, driver: Chrome, server: Server, site: Collector, origin: str) -> None:
        self.driver, self.server, self.origin = driver, server, origin
        self.site = f"site-{next(_numbers)}.example"
        self._pages = site.pages
        server.tell("site add", domain=self.site, name="", timezone="UTC")

    def put(self, path: str, body: str = "", policy: str = "", source: str = "", site: str = "") -> str:
        """Puts a page with the snippet there; its address."""
        script = source or self.server.url + "/js/footfall.js"
        rules = f'<meta http-equiv="Content-Security-Policy" content="{html.escape(policy)}">' if policy else ""
        self._pages[path] = (
            f'<!doctype html><html lang="en"><meta charset="utf-8"><title>{path}</title><link rel="icon" href="data:,">'
            f"<script>{ERRORS}</script>{rules}"
            f'<script defer src="{script}" data-site="{site or self.site}"></script><body>{body}'
        )
        return self.origin + path

    def put_alone(self, path: str, body: str) -> str:
        """Puts a page without the snippet there; its address."""
        self._pages[path] = f'<!doctype html><title>{path}</title><link rel="icon" href="data:,"><body>{body}'
        return self.origin + path

    def source_of(self, path: str) -> str:
        return self._pages[path]

    def thrown(self) -> list[str]:
        """What went wrong in the page or a policy forbade."""
        return self.driver.execute_script("return thrown")

    def rows(self, columns: str, table: str, order: str = "1") -> list[tuple]:
        """What the database has of this site."""
        asked = f"SELECT {columns} FROM {table} t JOIN sites ON sites.id = t.site_id WHERE domain = '{self.site}'"
        return rows(self.server.config, f"{asked} ORDER BY {order}")

    def stored(self, count: int) -> list[str]:
        """The path of every pageview, as soon as there are so many."""
        return until(lambda: len(found := [path for (path,) in self.rows("path", "pageviews")]) >= count and found)


@pytest.fixture(scope="module")
def driver(tmp_path_factory) -> Iterator[Chrome]:
    with chromium(tmp_path_factory.mktemp("profile")) as driver:
        driver.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": ERRORS})
        yield driver


@pytest.fixture(scope="module")
def footfall(tmp_path_factory) -> Iterator[Server]:
    with serving_footfall(Config(data_dir=tmp_path_factory.mktemp("data"))) as server:
        yield server


@pytest.fixture
def pages(driver, footfall) -> Iterator[Pages]:
    """A site of the real server, and its pages on a server of their own."""
    site = Collector()
    with serving(site) as origin:
        yield Pages(driver, footfall, site, origin)
        driver.get("about:blank")


def test_on_another_origin_it_counts(pages):
    pages.driver.get(pages.put("/shop"))
    assert pages.stored(1) == ["/shop"]
    assert pages.thrown() == []


def test_the_two_directives_of_the_readme_are_all_that_a_strict_policy_needs(pages):
    server = pages.server.url
    pages.driver.get(pages.put("/strict", policy=f"default-src 'none'; script-src {server}; connect-src {server}"))
    assert pages.stored(1) == ["/strict"]
    pages.driver.execute_script(CALL)
    assert until(lambda: pages.rows("t.name", "events")) == [("Called",)]
    assert pages.thrown() == []
    pages.driver.get(pages.origin + "/after")
    until(lambda: (3,) in pages.rows("state", "heartbeats"))  # left


def test_the_picture_counts_the_page_that_shows_it_by_url_or_by_its_referrer_policy(pages):
    """What README and the snippet page say: a browser tells another host no path of its own accord."""
    shown = snippet.picture_of(pages.server.url, pages.site).removeprefix("<noscript>").removesuffix("</noscript>")
    said = f"https%3A%2F%2F{pages.site}%2Fsaid"
    pictures = {
        "/by/policy": shown,
        "/bare": shown.replace('referrerpolicy="no-referrer-when-downgrade"', ""),
        "/by/url": shown.replace(f"site={pages.site}", f"site={pages.site}&amp;url={said}"),
    }
    for count, (path, picture) in enumerate(pictures.items(), start=1):
        pages.driver.get(pages.put_alone(path, picture))
        pages.stored(count)
    assert pages.stored(3) == ["/", "/by/policy", "/said"]


@pytest.mark.parametrize("sandbox", ["", "sandbox=allow-scripts"])
def test_in_a_frame_it_counts_the_framed_page(pages, sandbox):
    framed = pages.put("/framed")
    outer = pages.put("/outer", f'<iframe {sandbox} src="{framed}" width="300" height="200"></iframe>')
    pages.driver.get(outer)
    assert pages.stored(2) == ["/framed", "/outer"]
    assert pages.thrown() == []
    pages.driver.switch_to.frame(0)
    assert pages.thrown() == []


def test_a_frame_without_an_address_tells_nothing_and_breaks_nothing(pages):
    pages.put("/inner")
    inner = html.escape(pages.source_of("/inner"))
    pages.driver.get(pages.put("/outer", f'<iframe srcdoc="{inner}"></iframe>'))
    pages.driver.switch_to.frame(0)
    until(lambda: pages.driver.execute_script("return window.footfall && footfall.on"))
    pages.driver.execute_script(CALL)
    assert pages.thrown() == []
    pages.driver.switch_to.default_content()
    assert pages.stored(1) == ["/outer"]


def test_on_a_disk_it_says_nothing_and_breaks_nothing(pages, tmp_path):
    pages.put("/saved")
    file = tmp_path / "saved.html"
    file.write_text(pages.source_of("/saved"))
    pages.driver.get(file.as_uri())
    until(lambda: pages.driver.execute_script("return window.footfall && footfall.on"))
    pages.driver.execute_script(CALL)
    assert pages.thrown() == []
    pages.driver.get(pages.put("/next"))
    assert pages.stored(1) == ["/next"]
    assert {outcome for (outcome,) in pages.rows("outcome", "outcomes")} == {"stored"}


@pytest.mark.parametrize("blocked", ["by a policy", "by a blocker", "by an error page"])
def test_without_the_script_the_page_is_as_it_was(pages, blocked):
    """The stub, which takes calls meanwhile, and the page's own script go on."""
    own = f"<script>{STUB}{CALL}</script><script>document.title = 'goes on'</script>"
    policy = "script-src 'unsafe-inline'" if blocked == "by a policy" else ""
    source = {"by a blocker": "http://127.0.0.1:1/js/footfall.js", "by an error page": pages.origin + "/404.js"}
    pages.driver.get(pages.put("/page", own, policy, source.get(blocked, "")))
    pages.driver.execute_script(CALL)
    assert pages.driver.title == "goes on"
    expected = {
        "by a policy": {"script-src-elem", "no " + pages.server.url + "/js/footfall.js"},
        "by a blocker": {"no " + source["by a blocker"]},
        "by an error page": {"Uncaught SyntaxError: Unexpected token '<'"},
    }
    assert set(pages.thrown()) == expected[blocked], "what the browser says of the script, and nothing else"
    assert pages.rows("1", "pageviews") == []


def test_a_site_that_is_not_there_is_named_in_the_console(pages):
    pages.driver.get_log("browser")
    pages.driver.get(pages.put("/page", site="exampel.com"))
    said = until(lambda: [line["message"] for line in pages.driver.get_log("browser") if line["level"] == "WARNING"])
    assert len(said) == 1
    assert all(word in said[0] for word in ("Footfall: wrong", "unknown_site", "exampel.com"))
    assert pages.thrown() == []


def test_a_headless_browser_is_counted_as_the_robot_that_it_is(pages):
    """The other tests' browser says that it has a head."""
    agent = pages.driver.execute_script("return navigator.userAgent").replace("Chrome/", "HeadlessChrome/")
    pages.driver.execute_cdp_cmd("Network.setUserAgentOverride", {"userAgent": agent})
    try:
        pages.driver.get(pages.put("/page"))
        robots = until(lambda: pages.rows("t.name", "robots"))
    finally:
        pages.driver.execute_cdp_cmd("Network.setUserAgentOverride", {"userAgent": agent.replace("Headless", "")})
    assert robots == [("Headless Chrome",)]
    assert pages.rows("1", "pageviews") == []
