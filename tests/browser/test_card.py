"""The card in a real browser: framed, themed, fresh, cut off, switched off."""

from __future__ import annotations

import os
import re
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from selenium.webdriver.common.by import By
from stream_server import StreamServer, foreign_requests, stream_server, until

from collector.card import card

AT = 1_795_181_528  # 14:32:08 in Berlin
PATHS = (
    "/",
    "/projects/xdotool/",
    "/blog/geekery/ssl-latency.html",
    "/articles/dynamic-dns-with-dhcp/",
    "/blog/tags/puppet",
)
COUNTS = (31, 22, 17, 13, 11)
LINE = (
    88,
    91,
    90,
    94,
    97,
    95,
    99,
    101,
    98,
    96,
    99,
    104,
    107,
    105,
    103,
    106,
    110,
    112,
    109,
    113,
    117,
    121,
    126,
    131,
    129,
    127,
    124,
    126,
    125,
)
POINTS = [(AT - 8 - 3600, 110), *((AT - 8 - 60 * (29 - n), people) for n, people in enumerate(LINE))]
OFF = "This card is switched off"
AWAY = re.compile(r"\d+ s ago, not connected")
QUICK = "window.footfallTimes = {first: 40, longest: 120, steady: 200, poll: 300, silent: 1200};"
PATIENT = QUICK.replace("poll: 300", "poll: 20000")  # as long waits a request for its answer


@pytest.fixture
def server() -> Iterator[StreamServer]:
    with stream_server() as running:
        running.file(card.FONT_PATH, card.font(), "font/woff2")
        running.live = live(128)
        yield running


def live(active: int, signed_in: int = 34, at: int = AT, paths: tuple[str, ...] = PATHS) -> dict[str, object]:
    return {
        "active_sessions": active,
        "authenticated_users": signed_in,
        "anonymous_sessions": active - signed_in,
        "top_pages": [{"path": path, "count": count} for path, count in zip(paths, COUNTS, strict=False)],
        "window_s": 60,
        "as_of": at,
    }


def card_page(
    server: StreamServer,
    theme: str = "",
    figures: dict[str, object] | None = None,
    tag: str = "en-GB",
    link: str = "",
    points: list[tuple[int, int]] = POINTS,
) -> str:
    """The card's address, with its policy, framed by this server's own host."""
    named = {"token": "t0ken", "theme": theme, "zone": "Europe/Berlin", "tag": tag, "link": link}
    body = card.render("semicomplete.com", figures or live(128), points, **named)
    policy = card.content_security_policy([server.url.removeprefix("http://")])
    return server.page("/embed/live", body, **{"Content-Security-Policy": policy, "Referrer-Policy": "no-referrer"})


def frame(
    browser, server: StreamServer, width: int = 360, height: int = 260, times: str = QUICK, **options: object
) -> None:
    """The card in another page's iframe, with short waits."""
    browser.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": times})
    card_page(server, **options)
    line = f'<iframe src="/embed/live?token=t0ken" width="{width}" height="{height}" style="border:0"></iframe>'
    browser.get(server.page("/panel", f"<!doctype html><title>Panel</title><link rel=icon href=data:,>{line}"))
    browser.switch_to.frame(0)
    server.streams(1)


def shot(browser, name: str) -> None:
    """A picture of the card where FOOTFALL_SHOTS names a folder."""
    if folder := os.environ.get("FOOTFALL_SHOTS"):
        browser.save_screenshot(str(Path(folder, f"{name}.png")))


def text(browser, element: str) -> str:
    return browser.execute_script("return document.getElementById(arguments[0]).textContent", element)


def rows(browser) -> list[tuple[str, str]]:
    pairs = """return [...document.querySelectorAll("#pages li")].map(
        (li) => [...li.children].map((n) => n.textContent))"""
    return [tuple(pair) for pair in browser.execute_script(pairs)]


def shown(browser) -> str:
    return browser.execute_script("return document.querySelector('main').textContent")


def pass_time(browser, ms: int) -> None:
    """Lets the page's own clock run on, so that every wait of it that is shorter ends."""
    browser.execute_async_script("setTimeout(arguments[1], arguments[0])", ms)


def complaints(browser) -> list[str]:
    return [entry["message"] for entry in browser.get_log("browser") if "favicon" not in entry["message"]]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_low_frame_has_the_small_shape(browser, server, theme):
    frame(browser, server, 260, 72, theme=theme)
    parts = "h1, #active, .ff-where, .ff-window, #at, #pages, #spark, .ff-split"
    visible = f"""return [...document.querySelectorAll({parts!r})]
        .filter((node) => node.checkVisibility()).map((node) => node.id || node.className)"""
    assert browser.execute_script(visible) == ["ff-label", "active", "ff-where", "ff-window"]
    cut = """return [...document.querySelectorAll('h1, #active, .ff-where, .ff-window')].some((node) => {
        const box = node.getBoundingClientRect();
        return box.left < 0 || box.top < 0 || box.right > innerWidth || box.bottom > innerHeight; })"""
    assert not browser.execute_script(cut)
    shot(browser, f"card-small-{theme}")


def test_the_card_says_which_site_it_is_and_leads_there_if_its_owner_wants(browser, server):
    frame(browser, server)
    assert browser.execute_script("return document.querySelector('.ff-where').innerHTML") == (
        "<bdi>semicomplete.com</bdi>"
    )
    shot(browser, "card")
    browser.switch_to.default_content()
    frame(browser, server, link="/live/semicomplete.com")
    link = browser.find_element(By.CSS_SELECTOR, ".ff-where a")
    assert (link.get_attribute("href"), link.get_attribute("target"), link.get_attribute("rel")) == (
        f"{server.url}/live/semicomplete.com",
        "_blank",
        "noopener",
    )


def test_the_card_stands_in_a_frame_without_a_complaint_a_cookie_or_another_host(browser, server):
    frame(browser, server)
    assert {name: text(browser, name) for name in ("active", "signed-in", "anonymous", "change", "at")} == {
        "active": "128",
        "signed-in": "34",
        "anonymous": "94",
        "change": "↑ 16% vs 1 h ago",
        "at": "14:32:08",
    }
    assert rows(browser) == [(path, str(count)) for path, count in zip(PATHS, COUNTS, strict=True)]
    label = browser.find_element(By.ID, "spark").get_attribute("aria-label")
    assert label == "Active people per minute over the last 30 minutes: from 88 to 128"
    loaded = "return document.fonts.ready.then(() => [...document.fonts].map((face) => face.status))"
    assert browser.execute_script(loaded) == ["loaded"]
    assert browser.execute_script("return [document.cookie, localStorage.length, sessionStorage.length]") == [
        "",
        0,
        0,
    ]
    assert server.asked == [{"site": "semicomplete.com", "token": "t0ken"}]
    assert complaints(browser) == []
    assert foreign_requests(browser, server) == []


def test_a_frame_on_a_host_that_is_not_listed_stays_empty(browser, server):
    card_page(server)
    other = server.url.replace("127.0.0.1", "localhost")
    server.page(
        "/panel",
        f'<!doctype html><title>Panel</title><iframe src="{server.url}/embed/live?token=t"></iframe>',
    )
    browser.get(other + "/panel")
    refused = until(lambda: [line for line in complaints(browser) if "frame-ancestors" in line])
    assert len(refused) == 1
    assert server.asked == []


def test_the_whole_card_comes_over_the_wire_in_at_most_40_kilobytes(browser, server):
    frame(browser, server)
    sizes = """return document.fonts.ready.then(() => [...performance.getEntriesByType("navigation"),
        ...performance.getEntriesByType("resource")].map(
            (entry) => [new URL(entry.name).pathname, entry.decodedBodySize]))"""
    got = {path: size for path, size in browser.execute_script(sizes) if not path.startswith("/api/")}
    assert set(got) == {"/embed/live", "/embed/card.woff2"}
    assert sum(got.values()) <= 40_000


def test_a_message_changes_numbers_pages_line_and_clock(browser, server):
    frame(browser, server)
    server.send("stats", live(99, 9, AT + 61, ("/new",)))
    until(lambda: text(browser, "active") == "99")
    assert {name: text(browser, name) for name in ("signed-in", "anonymous", "change", "at")} == {
        "signed-in": "9",
        "anonymous": "90",
        "change": "↓ 10% vs 1 h ago",
        "at": "14:33:09",
    }
    assert rows(browser) == [("/new", "31")]
    assert browser.find_element(By.ID, "spark").get_attribute("aria-label").endswith("from 91 to 99")


@pytest.mark.parametrize(
    ("before", "now", "change", "look"),
    [
        (110, 128, "↑ 16% vs 1 h ago", "ff-up"),
        (110, 99, "↓ 10% vs 1 h ago", "ff-worse"),
        (1_000, 993, "↓ 1% vs 1 h ago", "ff-flat"),
        (9, 12, "↑ 33% vs 1 h ago", "ff-flat"),
        (9, 90, "", "ff-flat"),
        (9, 0, "↓ 100% vs 1 h ago", "ff-flat"),
        (10, 100, "↑ 900% vs 1 h ago", "ff-up"),
        (0, 128, "", "ff-flat"),
    ],
)
def test_a_small_change_and_one_from_few_people_is_not_judged(browser, server, before, now, change, look):
    points = [(AT - 8 - 3600, before), *POINTS[1:]]
    server.live = live(now)
    frame(browser, server, figures=live(now), points=points)
    assert (text(browser, "change"), browser.execute_script("return document.getElementById('change').className")) == (
        change,
        look,
    )


@pytest.mark.parametrize(
    ("tag", "active", "change", "clock"),
    [
        ("de-DE", "12.345", "↑ 11.123\xa0% ggü. vor 1 h", "14:33:09"),
        ("en-US", "12,345", "↑ 11,123% vs 1 h ago", "2:33:09 PM"),
    ],
)
def test_what_comes_later_is_written_in_the_cards_language_too(browser, server, tag, active, change, clock):
    frame(browser, server, tag=tag)
    server.send("stats", live(12_345, at=AT + 61))
    until(lambda: text(browser, "active") == active)
    assert text(browser, "change") == change
    assert text(browser, "at").replace("\u202f", " ") == clock


def test_the_change_goes_when_nothing_is_known_of_that_hour(browser, server):
    frame(browser, server)
    server.send("stats", live(99, 9, AT + 600))
    until(lambda: text(browser, "active") == "99")
    assert text(browser, "change") == ""


def test_hostile_text_stays_text(browser, server):
    evil = "/<img src=x onerror=window.__x=1>"
    frame(browser, server, figures=live(1, 0, paths=(evil,)))
    assert rows(browser) == [(evil, "31")]
    server.send("stats", live(2, 0, paths=("</script><svg onload=window.__x=1>", "/\u202etxt.exe")))
    until(lambda: rows(browser)[0][0] == "</script><svg onload=window.__x=1>")
    assert browser.execute_script("return [document.querySelectorAll('#pages :is(img, svg)').length, window.__x]") == [
        0,
        None,
    ]
    assert complaints(browser) == []


def test_after_a_cut_it_comes_back_with_the_last_id(browser, server):
    frame(browser, server)
    last = server.send("stats", live(130))
    until(lambda: text(browser, "active") == "130")
    server.cut()
    server.streams(1)
    server.send("stats", live(131))
    until(lambda: text(browser, "active") == "131")
    assert server.asked[1] == {"site": "semicomplete.com", "token": "t0ken", "last_event_id": last}


def test_without_a_stream_it_asks_now_and_then(browser, server):
    server.status = 503
    browser.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": QUICK})
    server.live = live(140)
    browser.get(card_page(server))
    until(lambda: text(browser, "active") == "140")
    server.live = live(141, at=AT + 10)
    until(lambda: (text(browser, "active"), text(browser, "at")) == ("141", "14:32:18"))
    assert server.polls[0] == {"site": "semicomplete.com", "token": "t0ken"}


def test_while_its_stream_says_nothing_it_says_how_old_its_numbers_are(browser, server):
    browser.execute_cdp_cmd("Page.addScriptToEvaluateOnNewDocument", {"source": QUICK})
    browser.get(card_page(server))
    server.streams(1)
    server.send("stats", live(130))
    until(lambda: text(browser, "at") == "14:32:08")
    server.live_status = 503
    until(lambda: AWAY.fullmatch(text(browser, "at")))
    assert len(server.asked) <= 2, "after the first silence, not the second"
    server.live_status = 200
    until(lambda: server.send("stats", live(131)) and text(browser, "at") == "14:32:08")


def test_without_anything_it_says_how_old_its_numbers_are(browser, server):
    frame(browser, server)
    server.send("stats", live(130))
    until(lambda: text(browser, "active") == "130")
    server.status = server.live_status = 503
    server.cut()
    until(lambda: AWAY.fullmatch(text(browser, "at")))
    assert text(browser, "active") == "130"
    server.status = 200
    server.streams(1)
    server.send("stats", live(131, at=AT + 20))
    until(lambda: text(browser, "at") == "14:32:28")


@pytest.mark.parametrize(
    ("theme", "grey", "lively"),
    [
        ("light", "rgb(95, 106, 117)", "rgb(18, 23, 28)"),
        ("dark", "rgb(138, 149, 161)", "rgb(233, 237, 241)"),
    ],
)
def test_its_numbers_are_grey_with_their_age_as_soon_as_the_stream_is_cut(browser, server, theme, grey, lively):
    frame(browser, server, times="window.footfallTimes = {first: 60000, longest: 60000};", theme=theme)
    colours = """return [...document.querySelectorAll("#active, .ff-split b, #pages b")].map(
        (node) => getComputedStyle(node).color)"""
    assert set(browser.execute_script(colours)) == {lively}, "the first connection is on its way"
    server.send("stats", live(130))
    until(lambda: text(browser, "active") == "130")
    server.live_status = 503
    server.cut()
    until(lambda: AWAY.fullmatch(text(browser, "at")), 5)
    assert set(browser.execute_script(colours)) == {grey}
    first = text(browser, "at")
    until(lambda: text(browser, "at") != first)
    shot(browser, f"card-grey-{theme}")


def test_a_revoked_token_switches_the_card_off_for_good(browser, server):
    frame(browser, server)
    server.send("stats", live(130))
    until(lambda: text(browser, "active") == "130")
    server.status = server.live_status = 404
    server.cut()
    until(lambda: shown(browser) == OFF)
    pass_time(browser, 600)  # twice the longest of its waits
    assert len(server.polls) == 1
    assert len(server.asked) in (1, 2), "the first, and one more where its wait was shorter than the check"


def test_a_refused_try_waits_for_the_check_that_is_under_way(browser, server):
    frame(browser, server, times=PATIENT)
    server.send("stats", live(130))
    until(lambda: text(browser, "active") == "130")
    server.permits = threading.Semaphore(0)
    server.status = server.live_status = 404
    server.cut()
    until(lambda: len(server.asked) == 2)
    pass_time(browser, 200)
    assert len(server.polls) == 1
    server.permits.release()
    until(lambda: shown(browser) == OFF)
    assert (len(server.polls), len(server.asked)) == (1, 2)


def test_a_try_that_fails_during_the_check_gets_its_figures_from_the_same_answer(browser, server):
    frame(browser, server, times=PATIENT)
    server.send("stats", live(130))
    until(lambda: text(browser, "active") == "130")
    server.permits = threading.Semaphore(0)
    server.status = 503
    server.live = live(140)
    server.cut()
    until(lambda: len(server.asked) == 2)
    pass_time(browser, 100)
    server.permits.release()  # a second question would get no answer
    until(lambda: text(browser, "active") == "140")


def test_a_card_whose_stream_was_ended_asks_whether_it_is_revoked_long_before_the_next_try(browser, server):
    frame(browser, server, times="window.footfallTimes = {first: 8000};")
    server.send("stats", live(130))
    until(lambda: text(browser, "active") == "130")
    browser.execute_script("Math.random = () => 0.5")  # the next try in 4 s at the soonest
    server.status = server.live_status = 404
    tries = len(server.asked)
    server.cut()
    until(lambda: shown(browser) == OFF)
    assert (len(server.polls), len(server.asked)) == (1, tries)


@pytest.mark.parametrize(("theme", "surface"), [("light", "rgb(255, 255, 255)"), ("dark", "rgb(17, 22, 27)")])
def test_a_card_that_is_off_says_so_within_any_frame(browser, server, theme, surface):
    policy = {"Content-Security-Policy": card.off_policy()}
    server.page("/embed/live", card.render_off(theme), **policy)
    line = '<iframe src="/embed/live?token=gone" width="360" height="260" style="border:0"></iframe>'
    browser.get(server.page("/panel", f"<!doctype html><title>Panel</title><link rel=icon href=data:,>{line}"))
    browser.switch_to.frame(0)
    shown = """const main = document.querySelector("main"), style = getComputedStyle(main);
        return [main.textContent, style.backgroundColor, document.documentElement.scrollHeight <= innerHeight]"""
    assert browser.execute_script(shown) == ["This card is switched off", surface, True]
    assert complaints(browser) == []


@pytest.mark.parametrize(("width", "height", "whole"), [(360, 260, 5), (280, 220, 2), (900, 600, 5)])
def test_no_row_is_cut_and_nothing_overflows_at(browser, server, width, height, whole):
    frame(browser, server, width, height)
    seen = """const box = document.getElementById("pages").getBoundingClientRect();
        const boxes = [...document.querySelectorAll("#pages li")].map((li) => li.getBoundingClientRect());
        const inside = boxes.filter((li) => li.left < box.right);
        const root = document.documentElement;
        return {rows: inside.length, cut: inside.filter((li) => li.bottom > box.bottom).length,
            over: root.scrollWidth > innerWidth || root.scrollHeight > innerHeight,
            foot: document.querySelector(".ff-foot").getBoundingClientRect().bottom <= innerHeight};"""
    got = browser.execute_script(seen)
    assert got["rows"] >= whole
    assert got | {"rows": 0} == {"rows": 0, "cut": 0, "over": False, "foot": True}


@pytest.mark.parametrize(
    ("theme", "system", "surface"),
    [
        ("light", "dark", "rgb(255, 255, 255)"),
        ("dark", "light", "rgb(17, 22, 27)"),
        ("", "light", "rgb(255, 255, 255)"),
        ("", "dark", "rgb(17, 22, 27)"),
    ],
)
def test_the_theme_is_the_one_asked_for_else_the_readers(browser, server, theme, system, surface):
    media = {"features": [{"name": "prefers-color-scheme", "value": system}]}
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", media)
    browser.get(card_page(server, theme))
    colour = "return getComputedStyle(document.querySelector('main')).backgroundColor"
    assert browser.execute_script(colour) == surface
