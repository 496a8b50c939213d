"""Numbers of pages whose server is away: grey at once, with their age, until the next answer."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from reader import Reader, add_owner, add_site, chromium, come
from stream_server import until

from analytics.base.config import Config
from tests.support.serving import SITE, Server, serving

PATIENT = {"FOOTFALL_ACTIVE_WINDOW_S": "900"}  # who came stays active, however slow the machine
SOON = "window.footfallTimes = {first: 200, longest: 1500, steady: 500}"
AGE = re.compile(r"\d+ s ago")
GREY, LIVELY = {"rgb(95, 106, 117)"}, {"rgb(18, 23, 28)"}
RISE = "document.querySelector('.ff-facts dd').innerHTML = '18 <span class=ff-up>↑ 6%</span>'"  # since an hour ago
CALLS = "*/_dash-update-component*"
PING = "fetch('/_dash-update-component', {method: 'POST', body: '{}'}).catch(() => 0)"  # a call, before the tick's


@pytest.fixture(scope="module")
def config(tmp_path_factory) -> Config:
    return Config(data_dir=tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="module")
def server(config) -> Iterator[Server]:
    with serving(config, **PATIENT) as running:
        add_owner(running)
        for site in (SITE, "other.example"):
            add_site(running, site)
        come(running, SITE, ["ann", "bob"], "/before")
        yield running


@pytest.fixture(scope="module")
def reader(server, tmp_path_factory) -> Iterator[Reader]:
    with chromium(tmp_path_factory.mktemp("profile")) as driver:
        reader = Reader(driver, server)
        reader.sign_in()
        with reader.prepared(SOON):
            yield reader


def is_grey(reader: Reader, selector: str) -> bool:
    """Whether all that matches, and something does, is in the grey of what is no longer so."""
    colours = "return [...document.querySelectorAll(arguments[0])].map((node) => getComputedStyle(node).color)"
    found = set(reader.run(colours, selector))
    assert found in (GREY, LIVELY), found
    return found == GREY


def is_without_colour(reader: Reader, selector: str) -> bool:
    return (
        reader.run("return getComputedStyle(document.querySelector(arguments[0])).filter", selector) == "grayscale(1)"
    )


@pytest.mark.parametrize("loss", ["a call that fails", "offline"])
@pytest.mark.parametrize(
    ("path", "whole", "numbers"),
    [("/overview/" + SITE, "#overview-now", "#overview-now b"), ("/sites", "#sites", ".ff-sites td.ff-num b")],
)
def test_counts_of_now_are_grey_and_say_their_age_until_the_next_answer(reader, path, whole, numbers, loss):
    reader.open(path)
    until(lambda: "2" in reader.texts(numbers))
    assert not is_grey(reader, numbers)
    assert reader.texts(f"{whole} .ff-age") == [""]
    with reader.cut_off_from(CALLS):
        reader.run("dispatchEvent(new Event('offline'))" if loss == "offline" else PING)
        until(lambda: AGE.fullmatch(reader.texts(f"{whole} .ff-age")[0]), 5)
        assert is_grey(reader, numbers)
        assert "2" in reader.texts(numbers)
        first = reader.texts(f"{whole} .ff-age")
        until(lambda: reader.texts(f"{whole} .ff-age") != first)
        if loss != "offline":
            reader.shoot("grey-" + whole.removeprefix("#"))
    until(lambda: reader.texts(f"{whole} .ff-age") == [""], 40)  # the tick goes on, though calls of it have failed
    assert not is_grey(reader, numbers)


def test_a_tick_whose_call_failed_asks_again(reader):
    reader.open(f"/overview/{SITE}")
    until(lambda: reader.texts("#overview-now b") == ["2"])
    with reader.cut_off_from(CALLS):
        until(lambda: AGE.fullmatch(reader.texts("#overview-now .ff-age")[0]), 30)  # by the tick itself
    until(lambda: reader.texts("#overview-now .ff-age") == [""], 30)


def test_all_of_live_is_grey_and_the_tab_says_no_number_while_it_is_cut_off(reader):
    reader.open_live(SITE)
    reader.see("active-now", "2")
    until(lambda: reader.driver.title.startswith("2 · "))
    until(lambda: reader.texts(".ff-today .ff-v"))
    numbers = "#active-now, .ff-split b, .ff-facts :is(dd, .ff-up), .ff-today .ff-v, :is(#pages, #sources) td.ff-num"
    assert not is_grey(reader, "#active-now, .ff-today .ff-v, #pages td.ff-num")
    with reader.cut_off_from(f"{reader.server.url}/*"):
        reader.run("dispatchEvent(new Event('offline'))")
        reader.run(RISE)
        until(lambda: is_grey(reader, numbers), 5)
        assert not reader.driver.title.startswith("2")
        assert reader.driver.title.startswith("Live · ")
        assert all(
            is_without_colour(reader, one) for one in (".ff-today .ff-d", ".ff-mini", ".ff-map > .ff-figure", "#trend")
        )
        reader.shoot("grey-live")
    until(lambda: reader.driver.title.startswith("2 · "), 40)
    assert not is_grey(reader, "#active-now, .ff-today .ff-v, #pages td.ff-num")
