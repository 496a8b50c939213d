"""From the set-up link to the first visitor, as an owner meets it."""

from __future__ import annotations

from collections.abc import Iterator
from html import unescape

import pytest
from reader import OWNER, PASSWORD, Reader
from stream_server import until

from analytics.base.config import Config
from collector.control import ask
from tests.support.serving import Server, serving

# Counts the frames, and those in which nothing is on the page.
FRAMES = """
window.frames_seen = window.blank = 0;
const look = () => { frames_seen += 1; if (!document.querySelector("main")) blank += 1; requestAnimationFrame(look); };
look();
"""


@pytest.fixture
def server(tmp_path) -> Iterator[Server]:
    with serving(Config(data_dir=tmp_path / "data")) as running:
        yield running


@pytest.fixture
def reader(newcomer) -> Reader:
    return newcomer


def test_from_the_set_up_link_to_the_first_visitor(server, shop, reader):
    link = server.lines[0].split()[-1].removeprefix(server.url)
    reader.open("/")
    reader.at("/sign-in")
    assert reader.texts(".ff-alert") == [
        "Nobody has an account yet. Open the set-up link that the server printed when it started. On the machine that "
        "runs it, .venv/bin/python app.py setup-link prints it again."
    ]
    assert server.command("setup-link") == server.url + link
    reader.open(f"{link}0")
    assert reader.texts("h1") == ["This set-up link does not work here"]
    reader.open(link)
    reader.looks_right()
    reader.shoot("set-up")
    reader.type("email", OWNER)
    reader.type("password", "short")
    reader.type("domain", "https://example.com/")
    reader.click("button[type=submit]")
    until(lambda: reader.texts(".is-wrong"))
    assert reader.run("return ['email', 'domain'].map((id) => document.getElementById(id).value)") == [
        OWNER,
        "https://example.com/",
    ]
    reader.complaints()  # Chromium notes the 422
    reader.looks_right()
    reader.type("password", PASSWORD)
    reader.click("button[type=submit]")

    reader.at("/live/example.com")
    until(lambda: reader.texts("h1") == ["Add the script, then watch people arrive"])
    reader.see("status-text", "Live")
    shop.snippet = reader.run("return document.querySelector('[data-copy]').dataset.copy")
    assert (
        unescape(shop.snippet) == f'<script defer src="{server.url}/js/footfall.js" data-site="example.com"></script>'
    )
    assert reader.texts(".ff-code pre") == [shop.snippet]
    reader.command("Browser.grantPermissions", permissions=["clipboardReadWrite", "clipboardSanitizedWrite"])
    reader.click("[data-copy]")
    until(lambda: reader.texts("[data-copy] > span:last-child") == ["Copied"])
    reader.looks_right()
    reader.shoot("first-run")

    reader.run(FRAMES)
    with reader.another_window():
        reader.driver.get(f"{shop.url}/hello")
        reader.driver.switch_to.window(reader.window)
        until(lambda: not reader.is_hidden("greeting") or reader.text("active-now") is not None)
        reader.see("active-now", "1")
        assert reader.run("return [blank, frames_seen > 0]") == [
            0,
            True,
        ]  # nor loaded again: the counters are still there
        until(lambda: reader.rows("pages") == [("/hello", "1")])
        until(lambda: reader.texts(".ff-ev-t") == ["/hello"])
    reader.see("active-now", "0")

    reader.open(link)
    until(lambda: reader.texts("h1") == ["Already set up"])
    reader.looks_right()
    reader.shoot("set-up-over")
    assert all("404" in complaint for complaint in reader.complaints())

    ask(server.config.data_dir, "site remove", {"domain": "example.com"})
    reader.open("/")
    until(lambda: reader.texts("h1") == ["No site yet"])
    reader.looks_right()
    reader.shoot("no-sites")
