"""FOOTFALL_BASE_URL with a path: everything behind a real proxy that serves the host's own pages too.

One person's way from the set-up link to signing out, once with a proxy that passes the path on and once with one that
takes it away. At the end every address that the browser asked for was below the path, or the host's own page.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NamedTuple

import pytest
from reader import OWNER, PASSWORD, Reader, Shop, chromium, open_shop
from selenium.webdriver.common.by import By
from stream_server import until

from analytics.base.config import Config
from tests.support import proxy
from tests.support.serving import SITE, Server, serving

HOST_S_OWN = "location / {{ proxy_pass http://127.0.0.1:{shop}; }}"
PREFIX = "/stats"
FAR = {"X-Forwarded-For": "203.0.113.77"}  # another client


def _nginx(strips: bool, port: int, server: int, shop: int, folder: Path) -> Any:
    block = proxy.to(server, proxy.readme_block("nginx", "location /stats/"))
    if strips:
        block = block.replace(f"{server};", f"{server}/;")
    return proxy.nginx(folder, port, block + HOST_S_OWN.format(shop=shop))


def _caddy(strips: bool, port: int, server: int, shop: int, folder: Path) -> Any:
    block = proxy.to(server, proxy.readme_block("caddyfile", "/stats/*"))
    if strips:
        block = block.replace("handle ", "handle_path ")
    return proxy.caddy(folder, port, f"{block}\nhandle {{\nreverse_proxy 127.0.0.1:{shop}\n}}")


PROXIES = {"nginx": _nginx} | ({"caddy": _caddy} if proxy.program("caddy") else {})


class Host(NamedTuple):
    """A host with pages of its own and Footfall below a path."""

    origin: str
    server: Server
    shop: Shop

    @property
    def url(self) -> str:
        return self.origin + PREFIX


@contextmanager
def _host(name: str, strips: bool, folder: Path) -> Iterator[Host]:
    port = proxy.free_port()
    settings = {"FOOTFALL_BASE_URL": f"http://localhost:{port}{PREFIX}/", "FOOTFALL_TRUSTED_PROXIES": "127.0.0.1"}
    with (
        serving(Config(data_dir=folder / "data"), **settings) as server,
        open_shop() as shop,
        PROXIES[name](strips, port, server.port, shop.server_port, folder),
    ):
        yield Host(f"http://localhost:{port}", server, shop)


@pytest.fixture(params=[f"{name}-{way}" for name in PROXIES for way in ("passes-it-on", "takes-it-away")])
def host(request, tmp_path) -> Iterator[Host]:
    name, _, way = request.param.partition("-")
    with _host(name, way == "takes-it-away", tmp_path) as host:
        yield host


@pytest.fixture
def reader(host, tmp_path) -> Iterator[Reader]:
    """A browser on it; at the end its console is empty, and it asked for nothing but ours and the host's own pages."""
    with chromium(tmp_path / "profile") as driver:
        reader = Reader(driver, SimpleNamespace(url=host.url), f"{host.origin}/shop")
        yield reader
        assert reader.complaints() == []
        assert reader.foreign_requests() == []


def test_everything_is_served_below_the_path(host, reader):
    _sets_up(host, reader)
    _sees_a_visit_of_the_host_s_own_page(host, reader)
    _walks_through_the_pages(reader)
    _changes_a_setting(reader)
    _shows_a_card_on_the_host_s_own_page(host, reader)
    _signs_out_and_in_again(reader)


def _sets_up(host: Host, reader: Reader) -> None:
    [link] = [line.split()[-1] for line in host.server.lines if "setup?token=" in line]
    assert link.startswith(f"{host.url}/setup?token=")
    reader.driver.get(link)
    for field, text in (("email", OWNER), ("password", PASSWORD), ("domain", SITE)):
        reader.type(field, text)
    reader.click("button[type=submit]")
    reader.at(f"/live/{SITE}")
    [login] = reader.driver.get_cookies()
    assert (login["name"], login["path"]) == ("footfall_login", PREFIX)
    until(lambda: reader.texts("#first-visit pre"))
    host.shop.snippet = reader.texts("pre")[0]
    assert f'src="{host.url}/js/footfall.js"' in host.shop.snippet


def _sees_a_visit_of_the_host_s_own_page(host: Host, reader: Reader) -> None:
    reader.see("status-text", "Live")
    with reader.another_window():
        reader.driver.get(f"{host.origin}/shop/welcome")
        visitor = reader.driver.current_window_handle
        assert reader.driver.get_cookies() == []
        reader.driver.switch_to.window(reader.window)
        reader.see("active-now", "1")
        until(lambda: reader.rows("pages") == [("/shop/welcome", "1")])
        reader.driver.switch_to.window(visitor)
        reader.driver.get(f"{host.origin}/shop/next")
        reader.driver.switch_to.window(reader.window)
        until(lambda: reader.rows("pages") == [("/shop/next", "1")])
        assert reader.text("status-text") == "Live"


def _walks_through_the_pages(reader: Reader) -> None:
    reader.click("#tabs [data-tab=Overview]")
    reader.at(f"/overview/{SITE}")
    until(lambda: reader.texts(".ff-stat .ff-v"))
    until(lambda: not reader.run("return document.querySelector('.ff-overview .ff-skel')"))
    until(lambda: reader.run("return document.querySelectorAll('.ff-main-chart .main-svg').length"))
    reader.click("#tabs [data-tab=Traffic]")
    until(lambda: reader.texts("#traffic-bars h2"))
    reader.driver.find_element(By.TAG_NAME, "body").send_keys("gl")
    reader.at(f"/live/{SITE}")
    reader.click(".ff-brand")
    reader.see("status-text", "Live")
    for path, heading in (("/sites", "Sites"), ("/account", "Account"), ("/nowhere", "Not found")):
        reader.open(path)
        until(lambda heading=heading: any(heading.lower() in text.lower() for text in reader.texts("h1")))
    reader.click("#tabs [data-tab=Live], a.ff-btn")
    reader.open(f"/concurrents/{SITE}")
    until(lambda: reader.texts("h1"))
    reader.open("/api/docs")
    assert reader.texts("h1") == ["API"]
    reader.complaints()  # the console notes that one page is not there


def _changes_a_setting(reader: Reader) -> None:
    reader.open(f"/settings/{SITE}/general")
    until(lambda: reader.texts("#general-name, #general input"))
    name = reader.run("return document.querySelector('#general input').id")
    reader.type(name, "The shop")
    reader.click("#general button[type=submit]")
    until(lambda: any("Saved" in text for text in reader.texts("#general .ff-form-state")))


def _shows_a_card_on_the_host_s_own_page(host: Host, reader: Reader) -> None:
    host.shop.snippet = ""
    host.shop.body = host.server.command("embed", "add", "--site", SITE, "--host", host.origin.partition("://")[2])
    assert f'src="{host.url}/embed/live?token=' in host.shop.body
    reader.driver.get(f"{host.origin}/shop/panel")
    reader.driver.switch_to.frame(reader.driver.find_element(By.TAG_NAME, "iframe"))
    until(lambda: reader.text("active") is not None)
    before = reader.text("active")
    host.server.collect({"site": SITE, "type": "pageview", "id": "from-afar", "url": f"https://{SITE}/afar"}, FAR)
    until(lambda: reader.text("active") == str(int(before or 0) + 1))
    assert reader.run("return document.fonts.ready.then(() => [...document.fonts].map((one) => one.status))") == [
        "loaded"
    ]
    reader.driver.switch_to.default_content()


def _signs_out_and_in_again(reader: Reader) -> None:
    reader.open(f"/settings/{SITE}/cards")
    until(lambda: reader.texts("h2"))
    reader.click("#account button")
    reader.click("#account form button")
    until(lambda: reader.driver.current_url == f"{reader.server.url}/sign-in")
    assert reader.driver.get_cookies() == []
    reader.open(f"/overview/{SITE}?period=7d")
    until(lambda: "/sign-in?next=" in reader.driver.current_url)
    reader.type("email", OWNER)
    reader.type("password", PASSWORD)
    reader.click("button[type=submit]")
    reader.at(f"/overview/{SITE}?period=7d")
