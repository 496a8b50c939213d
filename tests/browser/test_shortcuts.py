"""Keyboard shortcuts, their sheet, and the wall, over the server as it is shipped."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from reader import PHONE, UNNAMED, Reader, add_owner, add_site, come
from selenium.webdriver import ActionChains, Keys
from stream_server import until

from analytics.base.config import Config
from layouts import shortcuts
from tests.support.serving import SITE, Server, serving

OTHER = "other.example"
LIVE = f"/live/{SITE}"
WALL = (1920, 1080)


@pytest.fixture(scope="module")
def server(tmp_path_factory) -> Iterator[Server]:
    with serving(Config(data_dir=tmp_path_factory.mktemp("data"))) as running:
        add_owner(running)
        for domain in (SITE, OTHER):
            add_site(running, domain)
            come(running, domain, [f"ann of {domain}"], "/plans", timezone="Europe/Lisbon")
        yield running


@pytest.fixture
def reader(signed_in) -> Iterator[Reader]:
    """A signed-in reader on the Live page; the console stays empty."""
    signed_in.open_live(SITE)
    yield signed_in
    signed_in.run("localStorage.clear()")
    assert signed_in.complaints() == []


def press(reader: Reader, *keys: str) -> None:
    ActionChains(reader.driver).send_keys(*keys).perform()


def is_open(reader: Reader) -> bool:
    return reader.run("return !!document.querySelector('.modal.show #shortcuts')")


def focused(reader: Reader) -> str:
    return reader.run("const n = document.activeElement; return n.id || n.getAttribute('aria-label') || n.textContent")


def theme(reader: Reader) -> str:
    return reader.run("return document.documentElement.dataset.bsTheme")


# ───────── the sheet ─────────


def test_the_question_mark_opens_a_sheet_that_holds_the_focus_and_gives_it_back(reader):
    reader.run("document.getElementById('refresh').focus()")
    press(reader, "?")
    assert is_open(reader)
    assert reader.run("return document.activeElement.matches('[role=dialog][aria-modal=true]')")
    assert reader.run(UNNAMED) == []
    within = "return document.activeElement === document.body || !!document.activeElement.closest('[role=dialog]')"
    for _ in range(4):
        press(reader, Keys.TAB)
        until(lambda: reader.run(within))  # a focus that leaves the sheet is given back a moment later
    reader.shoot("shortcuts")
    press(reader, Keys.ESCAPE)
    assert not is_open(reader)
    until(lambda: focused(reader) == "refresh")


def test_the_sheet_lists_every_shortcut_that_leads_somewhere_here(reader):
    press(reader, "?")
    shown = reader.run(
        """return [...document.querySelectorAll("#shortcuts [data-press]")].filter((row) => row.checkVisibility())
        .map((row) => [row.dataset.keys, row.querySelector("dt").textContent])"""
    )
    there = {one: reader.run("return !!document.querySelector(arguments[0])", one.target) for one in listed()}
    assert [tuple(row) for row in shown] == [(",".join(one.keys), one.label) for one in listed() if there[one]]
    assert {one.label for one in listed() if not there[one]} <= {"All sites"}


def listed() -> list[shortcuts.Shortcut]:
    return [*shortcuts.GO_TO, *shortcuts.HERE]


def test_no_two_shortcuts_are_typed_the_same_way():
    ways = [way for one in listed() for way in one.keys]
    assert len(ways) == len(set(ways))


def test_the_sheet_opens_from_the_footer_and_the_account_menu_and_closes_on_a_click_outside(reader):
    reader.click(".ff-foot [data-opens]")
    assert is_open(reader)
    ActionChains(reader.driver).move_by_offset(5, 5).click().perform()
    until(lambda: not is_open(reader))
    reader.click("#account button")
    reader.click("#account-shortcuts")
    until(lambda: is_open(reader))
    reader.click(".modal .btn-close")
    until(lambda: not is_open(reader))
    assert reader.run("return document.activeElement.matches('#account button')")


# ───────── what they do ─────────


def test_letters_press_what_they_name(reader):
    before = theme(reader)
    press(reader, "t")
    assert theme(reader) != before
    press(reader, "p")
    assert reader.run("return document.getElementById('feed-pause').ariaPressed") == "true"
    press(reader, "s")
    assert reader.run("return document.querySelector('#site-menu button').ariaExpanded") == "true"
    assert reader.run("return document.activeElement.querySelector('bdi').textContent") == SITE
    press(reader, Keys.ESCAPE, "s")
    assert reader.run("return document.querySelector('#site-menu button').ariaExpanded") == "true"
    press(reader, Keys.ESCAPE)
    come(reader.server, SITE, ["bob"], "/late")
    with reader.cut_off_from("*/api/live/stream*"):
        press(reader, "r")
        until(lambda: ("/late", "1") in reader.rows("pages"))


def test_g_and_a_letter_go_to_a_page(reader):
    before = theme(reader)
    press(reader, "g", "s")
    reader.at(f"/settings/{SITE}/general")
    until(lambda: reader.texts("h1") == ["Settings"])
    press(reader, "g", "t")
    reader.at(f"/traffic/{SITE}")
    until(lambda: reader.texts("h1") == ["Traffic"])
    assert theme(reader) == before
    press(reader, "g", "l")
    reader.at(LIVE)


def test_nothing_happens_while_somebody_types_holds_a_key_down_or_looks_at_a_dialog(reader):
    before = theme(reader)
    ActionChains(reader.driver).key_down(Keys.CONTROL).send_keys("p").key_up(Keys.CONTROL).perform()
    ActionChains(reader.driver).key_down(Keys.ALT).send_keys("t").key_up(Keys.ALT).perform()
    assert reader.run("return document.getElementById('feed-pause').ariaPressed") == "false"
    press(reader, "?", "t")
    press(reader, Keys.ESCAPE)
    assert theme(reader) == before
    reader.open(f"/settings/{SITE}/general")
    until(lambda: reader.run("return !!document.getElementById('general-name')"))
    reader.type("general-name", "g lt?")
    assert reader.run("return document.getElementById('general-name').value") == "g lt?"
    assert (theme(reader), is_open(reader)) == (before, False)
    assert reader.driver.current_url.endswith("/general")


def test_they_can_be_turned_off_for_good_and_on_again(reader):
    before = theme(reader)
    press(reader, "?")
    reader.click("#shortcuts-on")
    press(reader, Keys.ESCAPE, "t", "?")
    assert (theme(reader), is_open(reader)) == (before, False)
    reader.open_live(SITE)
    press(reader, "t")
    assert theme(reader) == before
    reader.click(".ff-foot [data-opens]")
    assert reader.run("return document.getElementById('shortcuts-on').checked") is False
    reader.click("#shortcuts-on")
    press(reader, Keys.ESCAPE, "t")
    assert theme(reader) != before


# ───────── the wall ─────────

LOCKS = """
window.locks = [];
const lock = {release: async () => locks.push("released")};
navigator.wakeLock.request = async (kind) => { locks.push(kind); return lock; };
"""


def on_the_wall(reader: Reader) -> bool:
    return reader.run(
        "return document.documentElement.matches('[data-wall]') && !document.querySelector('#tabs').checkVisibility()"
    )


def big(reader: Reader) -> float:
    return reader.run("return parseFloat(getComputedStyle(document.getElementById('active-now')).fontSize)")


def test_f_fills_the_screen_with_the_numbers_and_escape_or_f_leaves(reader):
    before = big(reader)
    with reader.sized(WALL):
        press(reader, "f")
        until(lambda: reader.run("return document.fullscreenElement === document.documentElement"))
        assert on_the_wall(reader)
        assert big(reader) > 3 * before
        press(reader, "f")
        until(lambda: not on_the_wall(reader) and not reader.run("return document.fullscreenElement"))
        reader.at(LIVE)
        reader.click("#wall")
        until(lambda: reader.run("return !!document.fullscreenElement"))
        reader.run("document.exitFullscreen()")  # as browsers do on Escape
        until(lambda: not on_the_wall(reader))


def test_an_address_opens_the_wall_keeps_the_screen_awake_and_survives_a_reload(reader):
    with reader.prepared(LOCKS), reader.sized(WALL):
        reader.open(f"{LIVE}?wall=1")
        reader.see("status-text", "Live")
        assert on_the_wall(reader)
        until(lambda: reader.run("return locks") == ["screen"])
        reader.driver.refresh()
        reader.see("status-text", "Live")
        assert on_the_wall(reader)
        press(reader, Keys.ESCAPE)
        assert not on_the_wall(reader)
        reader.at(LIVE)
        until(lambda: reader.run("return locks") == ["screen", "released"])


OVERFLOW = """
const root = document.documentElement, number = document.getElementById("active-now");
const over = [root, number].flatMap((n) => [n.scrollWidth - n.clientWidth, root.scrollHeight - root.clientHeight]);
return [number.textContent, Math.max(...over) > 1];
"""


def test_the_wall_fits_its_screen_whatever_the_number(reader):
    with reader.cut_off_from("*/api/live/stream*"):  # which would bring the true number
        reader.open(f"{LIVE}?wall=1")
        until(lambda: reader.text("active-now"))
        for size in (WALL, (1440, 900), (1366, 768), (3840, 2160), (1080, 1920), PHONE):
            for number in (8, 128, 1_283, 12_800, 1_280_000):
                with reader.sized(size):
                    figures = {"active_sessions": number, "authenticated_users": 7, "anonymous_sessions": number - 7}
                    answer = {"events": [], "stats": figures | {"as_of": int(time.time())}}
                    reader.run("dash_clientside.set_props('fallback', {data: arguments[0]})", answer)
                    until(lambda number=number: reader.run(OVERFLOW) == [f"{number:,}", False])
    assert all("ERR_BLOCKED_BY_CLIENT" in complaint for complaint in reader.complaints())


def test_the_wall_says_when_it_is_not_live(reader):
    reader.open(f"{LIVE}?wall=1")
    reader.see("status-text", "Live")
    assert not reader.is_hidden("status")
    assert not reader.is_hidden("clock")
    script = """document.getElementById("notice").hidden = false;
        return document.getElementById("try-now").checkVisibility()"""
    assert reader.run(script)
