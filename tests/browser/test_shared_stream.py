"""The tabs of one browser share one stream: counted at the server, looked at in every tab."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from reader import Reader, add_owner, add_site, chromium, come
from stream_server import StreamServer, stream_server, until
from test_live_scripts import live_page, pageview, rows, state, stats, text

from analytics.base.config import Config
from tests.support.serving import SITE, serving


@pytest.fixture
def server() -> Iterator[StreamServer]:
    with stream_server() as running:
        yield running


@pytest.fixture
def tabs(browser, server) -> list[str]:
    """Three windows with the Live page, all seen; the first was there first."""
    return open_tabs(browser, live_page(server, hidden=30_000))


def open_tabs(browser, address: str, kind: str = "window") -> list[str]:
    browser.get(address)
    for _ in range(2):
        browser.switch_to.new_window(kind)
        browser.get(address)
    return browser.window_handles


def in_each(browser, tabs: list[str], look) -> list[object]:
    """What `look` finds in each of these tabs."""
    found = []
    for tab in tabs:
        browser.switch_to.window(tab)
        found.append(look(browser))
    return found


def all_show(browser, tabs: list[str], number: str) -> None:
    for tab in tabs:
        browser.switch_to.window(tab)
        until(lambda: text(browser, "active-now") == number)


def sent_until_shown(browser, server, number: str) -> None:
    """Sends until it is shown: this server loses what it sends to a leader that steps down; the real one repeats it."""
    until(lambda: server.send("stats", stats(int(number))) and text(browser, "active-now") == number)


def test_three_tabs_have_one_stream_and_all_of_them_move(browser, server, tabs):
    server.streams(1)
    server.send("stats", stats(5))
    server.send("new_event", pageview(1))
    all_show(browser, tabs, "5")
    server.send("stats", stats(6))
    server.send("new_event", pageview(2))
    all_show(browser, tabs, "6")
    assert in_each(browser, tabs, rows) == [["/page/2", "/page/1"]] * 3
    assert in_each(browser, tabs, state) == ["live"] * 3
    assert server.asked == [{"site": "example.com"}]


def test_a_tab_that_joins_gets_what_the_others_have_without_asking_the_server(browser, server):
    browser.get(live_page(server))
    server.streams(1)
    server.send("connected", {"recentEvents": [pageview(1)]})
    server.send("new_event", pageview(2))
    server.send("stats", stats(7))
    all_show(browser, browser.window_handles, "7")
    browser.switch_to.new_window("window")
    browser.get(live_page(server))
    until(lambda: (text(browser, "active-now"), rows(browser)) == ("7", ["/page/2", "/page/1"]))
    assert state(browser) == "live"
    assert len(server.asked) == 1


def test_when_the_leader_is_closed_the_next_goes_on_after_the_last_id(browser, server, tabs):
    last = server.send("stats", stats(5))
    all_show(browser, tabs, "5")
    browser.switch_to.window(tabs[0])
    browser.close()
    until(lambda: server.asked[1:] == [{"site": "example.com", "last_event_id": last}])
    server.streams(1)
    server.send("stats", stats(6))
    all_show(browser, tabs[1:], "6")
    assert in_each(browser, tabs[1:], state) == ["live"] * 2


def test_a_hidden_leader_gives_way_to_a_tab_that_is_seen_and_goes_on_listening(browser, server, tabs):
    last = server.send("stats", stats(5))
    all_show(browser, tabs, "5")
    browser.switch_to.window(tabs[0])
    browser.minimize_window()
    until(lambda: browser.execute_script("return document.hidden"))
    until(lambda: server.asked[1:] == [{"site": "example.com", "last_event_id": last}])
    server.streams(1)
    server.send("stats", stats(6))
    all_show(browser, tabs, "6")
    assert len(server.asked) == 2


def test_tabs_behind_each_other_have_one_stream_and_none_when_all_are_hidden(browser, server):
    open_tabs(browser, live_page(server, hidden=200), "tab")
    sent_until_shown(browser, server, "5")
    server.streams(1)
    browser.switch_to.new_window("tab")
    server.streams(0)


def test_the_pill_of_every_tab_says_when_the_one_stream_is_lost(browser, server, tabs):
    server.send("stats", stats(5))
    all_show(browser, tabs, "5")
    server.status = 503
    server.cut()
    for tab in tabs:
        browser.switch_to.window(tab)
        until(lambda: text(browser, "status-text") == "Disconnected")
    server.status = 200
    browser.find_element("id", "try-now").click()  # in one that follows
    sent_until_shown(browser, server, "6")
    all_show(browser, tabs, "6")
    assert in_each(browser, tabs, lambda tab: text(tab, "status-text")) == ["Live"] * 3


def test_a_leader_that_is_stuck_is_not_believed_and_another_takes_its_place(browser, server):
    page = live_page(server, silent=2_000, heartbeat=200)
    browser.get(page)
    server.streams(1)
    browser.switch_to.new_window("window")
    browser.get(page)
    last = server.send("stats", stats(5))
    all_show(browser, browser.window_handles, "5")
    first, second = browser.window_handles
    browser.switch_to.window(first)
    browser.execute_cdp_cmd("Page.setWebLifecycleState", {"state": "frozen"})
    browser.switch_to.window(second)
    until(lambda: {"site": "example.com", "last_event_id": last} in server.asked)
    sent_until_shown(browser, server, "6")
    assert state(browser) == "live"


def test_signing_out_is_told_to_every_tab(browser, server, tabs):
    server.page("/sign-in", "<title>Sign in</title>")
    server.send("stats", stats(5))
    all_show(browser, tabs, "5")
    server.status = server.live_status = 401
    server.cut()
    for tab in tabs:
        browser.switch_to.window(tab)
        until(lambda: browser.title == "Sign in")


def test_without_locks_each_tab_has_a_stream_of_its_own(browser, server):
    """As over plain http in a local network."""
    tabs = open_tabs(browser, live_page(server, extra="Object.defineProperty(navigator, 'locks', {value: undefined});"))
    server.streams(3)
    server.send("stats", stats(5))
    all_show(browser, tabs, "5")


# ───────── over the server as it is shipped ─────────

KEEP = "window.footfallTimes = {first: 200, hidden: 600000}"


@contextmanager
def three_readers(server, profile) -> Iterator[Reader]:
    with chromium(profile) as driver:
        reader = Reader(driver, server)
        reader.sign_in()
        with reader.prepared(KEEP):
            reader.open_live(SITE)
        for _ in range(2):
            driver.switch_to.new_window("window")
            reader.open_live(SITE)
        yield reader


def test_a_change_of_leaders_in_steady_traffic_leaves_nothing_out_and_brings_nothing_twice(tmp_path):
    with serving(Config(data_dir=tmp_path / "data")) as server:
        add_owner(server)
        add_site(server, SITE)
        come(server, SITE, ["first"], "/0")
        with three_readers(server, tmp_path / "profile") as reader:
            leader, *others = reader.driver.window_handles
            for n in range(1, 10):
                if n == 5:
                    reader.driver.switch_to.window(leader)
                    reader.driver.close()
                come(server, SITE, [f"visitor {n}"], f"/{n}")
            wanted = [f"/{n}" for n in range(9, -1, -1)]
            for tab in others:
                reader.driver.switch_to.window(tab)
                reader.see("active-now", "10")
                until(lambda: sorted(reader.texts(".ff-ev-t"), reverse=True) == wanted)
                assert reader.text("status-text") == "Live"
            opened = [url for url in reader.requests() if "/api/live/stream" in url]
            assert [("last_event_id" in url) for url in opened] in ([True], [False, True]), json.dumps(opened)


STREAMS = "footfall_streams "


def streams(server) -> str:
    """How many streams the server has open, as it says itself."""
    lines = server.request("GET", "/metrics").body.decode().splitlines()
    return next(line.removeprefix(STREAMS) for line in lines if line.startswith(STREAMS))


def test_windows_of_many_sites_leave_connections_for_pages_and_all_are_fresh(tmp_path):
    """A browser has six connections to a server: with six streams no page would load; the bell has one."""
    sites = [f"{name}.example" for name in ("a", "b", "c", "d", "e")]
    with serving(Config(data_dir=tmp_path / "data")) as server, chromium(tmp_path / "profile") as driver:
        add_owner(server)
        reader = Reader(driver, server)
        reader.sign_in()
        for site in sites:
            add_site(server, site)
            come(server, site, ["first"])
        with reader.prepared("window.footfallTimes = {hidden: 600000, heartbeat: 300}"):
            reader.open_live(sites[0])
        for site in sites[1:]:
            driver.switch_to.new_window("window")
            with reader.prepared("window.footfallTimes = {hidden: 600000, heartbeat: 300}"):
                reader.open_live(site)
            reader.see("active-now", "1")
        until(lambda: streams(server) == "3.0")
        title = "return document.getElementById('status').title"
        assert reader.run(title) == "Refreshed every 10 s"
        come(server, sites[-1], ["second"])
        reader.see("active-now", "2")
        last = driver.current_window_handle
        for streaming in driver.window_handles[:2]:
            driver.switch_to.window(streaming)
            driver.close()
        driver.switch_to.window(last)  # as many are left as there can be streams
        until(lambda: streams(server) == "3.0" and reader.run(title).startswith("Last figures"), 30)
