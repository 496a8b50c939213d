"""What anybody may send is text on the Live page and in the card: rows 1–5 and 11 of the threats, in a real browser."""

from __future__ import annotations

import html
from collections.abc import Iterator
from urllib.parse import quote

import pytest
from reader import DESKTOP, PHONE, Reader, add_owner, add_site, chromium, come
from stream_server import until

from analytics.base.config import Config
from analytics.base.paths import readable
from collector.control import ask
from tests.support.serving import AGENT, SITE, Server, event, serving

RUNS = "<img src=x onerror=window.__x=1>"
PATHS = [
    f"/{RUNS}",
    "/</script><svg onload=window.__x=1>",
    "/{{7*7}}/${7*7}/%{customdata}",
    "/[x](javascript:alert(1))",
    "/\u202egnp.exe\u2066/\u200b\u200f",
    "/" + "e\u0301\u0323" * 300,
    "/" + "w" * 2000,
]
SHOWN = [readable(path) for path in PATHS]  # what turns the direction of text is not let through
REFERRERS = ["javascript:alert(1)", "data:text/html,<script>alert(1)</script>", "vbscript:x", " java\tscript:alert(1)"]
NAMES = [
    f'<a href="https://evil.example">win</a>{RUNS}',
    "![](https://evil.example/p.png)",
    "[x](javascript:alert(1))",
    "<br>" * 29,
    "\u202e%{x}",
]


@pytest.fixture(scope="module")
def server(tmp_path_factory) -> Iterator[Server]:
    with serving(Config(data_dir=tmp_path_factory.mktemp("data"))) as running:
        add_owner(running)
        add_site(running, SITE)
        send_all(running)
        yield running


@pytest.fixture(scope="module")
def anonymous(server, shop, tmp_path_factory) -> Iterator[Reader]:
    with chromium(tmp_path_factory.mktemp("profile")) as driver:
        yield Reader(driver, server, shop.url)


@pytest.fixture
def reader(signed_in) -> Iterator[Reader]:
    """A reader; at the end nothing ran, the policy refused nothing, and there was no request to another host."""
    yield signed_in
    assert signed_in.run("return [window.__x, ({}).polluted]") == [None, None]
    assert signed_in.complaints() == []
    assert signed_in.foreign_requests() == []


def send_all(server: Server) -> None:
    for n, path in enumerate(PATHS):
        referrer = REFERRERS[n % len(REFERRERS)]
        come(
            server,
            SITE,
            [f"path {n}"],
            path,
            title=f"</title>{RUNS}",
            referrer=referrer,
            user_id=f"{n}{RUNS}",
            user_type=RUNS,
        )
    come(server, SITE, ["tagged"], f"/tagged?utm_source={quote(RUNS)}", referrer="https://a.example/<b>")
    for n, name in enumerate(NAMES):
        tagged = event(f"hostile-{n}", name, "/events", SITE, description=RUNS * 5, user_id="u" * 128, user_name=RUNS)
        assert server.collect(tagged | {"props": {"__proto__": RUNS}}, {"User-Agent": f"{AGENT} tagged"}).status == 202


def strange_elements(reader: Reader) -> list[str]:
    """Elements that only markup of a visitor can have made, and links that lead elsewhere."""
    return reader.run("""return [...document.querySelectorAll(
        "img:not([src='/assets/shapes/mark.svg']), svg[onload], main a, main b b, main br, main iframe, main script, "
        + "a[href]"
    )].filter((n) => n.tagName !== "A" || n.closest("main") || new URL(n.href).origin !== location.origin)
      .filter((n) => !n.matches("main a.ff-link[href='/concurrents/example.com']"))
      .filter((n) => !n.matches("main a.ff-link[href='/settings/example.com/activity']"))
      .filter((n) => !n.matches("main a:is(.ff-stat, .ff-btn[href='/settings/example.com/cards'])"))
      .filter((n) => !n.matches("main a[data-csv]:is([href$='/minutes.csv'], [href$='/places.csv'])"))
      .map((n) => n.outerHTML.slice(0, 200))""")


def test_the_live_page_shows_it_as_text(reader):
    reader.open_live(SITE)
    until(lambda: len(reader.texts("#feed > li")) == len(PATHS) + 1 + len(NAMES))
    assert sorted(label for label, _ in reader.rows("pages")) == sorted([*SHOWN, "/events"])
    assert sorted(reader.rows("sources")) == sorted([(RUNS, "1"), ("Direct", str(len(PATHS)))])
    assert reader.texts("#user-types bdi") == [RUNS]
    texts = reader.texts(".ff-ev.is-event .ff-ev-t")
    assert sorted(texts) == sorted(f"{name} {RUNS * 5}" for name in NAMES)
    assert set(reader.texts(".ff-ev.is-event .ff-who")) == {RUNS}
    assert sorted(reader.texts(".ff-ev:not(.is-event) .ff-ev-t")) == sorted([*SHOWN, "/tagged"])
    assert strange_elements(reader) == []
    reader.shoot("hostile")


# On a phone names wrap, since they are read whole; those without an end take less than a third of its screen.
@pytest.mark.parametrize(("size", "most_px"), [(DESKTOP, 60), (PHONE, 280)])
def test_it_does_not_push_the_page_apart(reader, size, most_px):
    with reader.sized(size):
        reader.open_live(SITE)
        until(lambda: reader.texts("#feed > li"))
        assert reader.too_wide() == []
        cramped = """return [...document.querySelectorAll("#feed, #pages, #sources, #user-types, .ff-site")]
            .filter((n) => n.scrollWidth > n.clientWidth + 1).map((n) => n.id || n.className)"""
        assert reader.run(cramped) == []
        tall = """return [...document.querySelectorAll("#pages tr, #sources tr, #feed > li")]
            .filter((n) => n.offsetHeight > arguments[0]).length"""
        assert reader.run(tall, most_px) == 0


def test_what_comes_while_the_page_is_open_is_text_too(reader, server):
    reader.open_live(SITE)
    come(server, SITE, ["later"], f"/later{RUNS}")
    until(lambda: reader.texts(".ff-ev-t")[0] == f"/later{RUNS}")
    until(lambda: (f"/later{RUNS}", "1") in reader.rows("pages"))
    assert strange_elements(reader) == []


def test_the_card_shows_it_as_text(reader, server, shop):
    panel = shop.url.removeprefix("http://")
    line = ask(server.config.data_dir, "embed add", {"site": SITE, "hosts": [panel], "expires": "1d"})
    shop.body = next(part for part in line.splitlines() if "<iframe" in part)
    reader.driver.get(f"{shop.url}/panel")
    reader.driver.switch_to.frame(0)
    until(lambda: len(reader.texts("#pages li")) == 5)
    shown = set(reader.run("return [...document.querySelectorAll('#pages li')].map((n) => n.children[0].textContent)"))
    assert shown <= {*SHOWN, "/events", f"/later{RUNS}"}
    assert any("<" in label for label in shown)
    assert strange_elements(reader) == []
    assert reader.too_wide() == []
    assert reader.run("return window.__x") is None
    reader.driver.switch_to.default_content()


@pytest.mark.parametrize("before", ["/live/", "/", "/sign-in?next=/", "/sign-in?email=", "/?site="])
def test_an_address_is_not_reflected(reader, before):
    reader.open(before + quote('"><script>window.__x=1</script>' + RUNS, safe="/"))
    until(lambda: reader.run("return document.readyState === 'complete' && document.querySelector('main') !== null"))
    assert RUNS not in reader.run("return document.head.outerHTML + document.title")
    assert reader.run("return document.querySelectorAll('img[src=x]').length") == 0
    assert all("404" in complaint for complaint in reader.complaints())


def test_the_page_without_a_login_is_not_a_mirror_either(server):
    asked = quote('"><script>window.__x=1</script>', safe="/")
    for path in (f"/{asked}", f"/live/{asked}", f"/sign-in?next=/{asked}"):
        answer = server.request("GET", path, headers={"Accept": "text/html"})
        assert b"<script>window" not in answer.body
        assert html.escape("<script>window") not in answer.body.decode() or "next" in path
