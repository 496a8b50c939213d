"""Titles instead of paths in lists of pages, in a real browser: on the Overview, in its details, and on Live."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from reader import Reader, add_owner, add_site, come
from stream_server import until

from analytics.base.config import Config
from tests.support.serving import SITE, Server, serving

HOSTILE = "<img src=x onerror=alert(1)> \u202eGifts"
OVERVIEW = f"/overview/{SITE}?period=today"
BY_TITLE = {"Candles and more": "/candles", HOSTILE.replace("\u202e", ""): "/gifts", "/unnamed": ""}


@pytest.fixture(scope="module")
def server(tmp_path_factory) -> Iterator[Server]:
    with serving(Config(data_dir=tmp_path_factory.mktemp("data"), active_window_s=600)) as running:
        add_owner(running)
        add_site(running, SITE, "UTC")
        come(running, SITE, ["ann"], "/candles", title="Candles")
        come(running, SITE, ["bob"], "/candles", title="Candles and more")
        come(running, SITE, ["cat"], "/gifts", title=HOSTILE)
        come(running, SITE, ["dan"], "/unnamed")
        yield running


def go(reader: Reader, address: str) -> None:
    reader.open(address)
    until(lambda: reader.texts("h1") and not reader.run("return document.querySelector('.ff-skel, ._dash-loading')"))


def named(reader: Reader, rows: str) -> dict[str, str]:
    """What each row says in its first line and below."""
    lines = """return [...document.querySelectorAll(arguments[0])].map((cell) => {
        const below = cell.querySelector("small");
        return [(below ? cell.querySelector("bdi") : cell).textContent, below ? below.textContent : ""];
    })"""
    return dict(reader.run(lines, rows))


def test_lists_of_pages_show_titles_and_the_address_says_so(reader):
    go(reader, OVERVIEW)
    pages = "[data-part=pages] .ff-lbl"
    assert named(reader, pages) == {"/candles": "", "/gifts": "", "/unnamed": ""}
    reader.click("[data-part=pages] [data-key=titles]")
    until(lambda: named(reader, pages) == BY_TITLE)
    reader.at(f"{OVERVIEW}&names=titles")
    for of, heading in (("entry", "Entry page"), ("exit", "Exit page")):
        reader.click(f"[data-part=pages] [data-key=tab-{of}]")
        until(lambda heading=heading: reader.texts("[data-part=pages] th > bdi") == [heading])
        assert named(reader, pages) == BY_TITLE
    reader.shoot("titles")
    reader.driver.back()
    reader.driver.back()
    reader.driver.back()
    until(lambda: "/unnamed" in named(reader, pages) and "Candles and more" not in named(reader, pages))
    assert reader.texts("[data-part=sources] [data-key=titles]") == []


def test_a_row_with_a_title_filters_by_its_page(reader):
    go(reader, f"{OVERVIEW}&names=titles")
    until(lambda: named(reader, "[data-part=pages] .ff-lbl") == BY_TITLE)
    reader.click("[data-part=pages] [data-key='page=/candles']")
    until(lambda: named(reader, "[data-part=pages] .ff-lbl") == {"Candles and more": "/candles"})
    assert reader.texts(".ff-filter .ff-trunc") == ["Page is /candles"]


def test_details_show_titles_too_and_turn_back(reader):
    go(reader, f"{OVERVIEW}&names=titles&details=page")
    rows = "#overview-details .ff-lbl"
    until(lambda: named(reader, rows) == BY_TITLE)
    reader.shoot("titles-details")
    reader.click("#overview-details [data-key=titles]")
    until(lambda: named(reader, rows) == dict.fromkeys(("/candles", "/gifts", "/unnamed"), ""))


def test_live_shows_titles_and_the_browser_remembers_it(reader):
    reader.open_live(SITE)
    pages = "#pages td:first-child"
    until(lambda: named(reader, pages) == {"/candles": "", "/gifts": "", "/unnamed": ""})
    reader.click("#page-titles")
    until(lambda: named(reader, pages) == BY_TITLE)
    reader.shoot("titles-live")
    reader.looks_right()
    reader.open_live(SITE)
    until(lambda: named(reader, pages) == BY_TITLE)
    reader.click("#page-titles")
    until(lambda: named(reader, pages) == {"/candles": "", "/gifts": "", "/unnamed": ""})
