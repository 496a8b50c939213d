"""The Live page in a real browser, fed by a real page in another window, over the server as it is shipped."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator

import pytest
from reader import FAINT, PHONE, UNNAMED, Reader, add_owner, add_site, chromium, come, go
from selenium.webdriver import ActionChains, Keys
from stream_server import until

from analytics.base.config import Config
from tests.support.serving import AGENT, Server, event, serving

_numbers = itertools.count(1)


@pytest.fixture(scope="module")
def server(tmp_path_factory) -> Iterator[Server]:
    with serving(Config(data_dir=tmp_path_factory.mktemp("data"))) as running:
        add_owner(running)
        yield running


@pytest.fixture(scope="module")
def anonymous(server, shop, tmp_path_factory) -> Iterator[Reader]:
    with chromium(tmp_path_factory.mktemp("profile")) as driver:
        yield Reader(driver, server, shop.url)


@pytest.fixture
def site(server, shop) -> str:
    """A site of the test's own, which the shop's pages belong to; a first visitor has come and gone."""
    domain = f"site{next(_numbers)}.example"
    shop.snippet = add_site(server, domain)
    come(server, domain, [f"first of {domain}"], "/once")
    go(server, domain, [f"first of {domain}"])
    return domain


# ───────── seen ─────────


def test_a_visit_in_a_real_browser_is_seen_moves_and_ends(reader, shop, site):
    reader.open_live(site)
    assert (reader.text("active-now"), reader.rows("pages"), reader.texts(".ff-ev-t")) == ("0", [], ["/once"])
    reader.shoot("nobody")
    with reader.another_window():
        visitor = reader.driver.current_window_handle
        reader.driver.get(f"{shop.url}/welcome?utm_source=mail")
        reader.driver.switch_to.window(reader.window)
        reader.see("active-now", "1")
        assert reader.texts("#feed > li.is-new .ff-ev-t") == ["/welcome"]
        until(lambda: reader.rows("pages") == [("/welcome", "1")])
        assert reader.driver.title == f"1 · Live · {site} · Footfall"
        assert reader.rows("sources") == [("mail", "1")]

        reader.driver.switch_to.window(visitor)
        reader.driver.get(f"{shop.url}/pricing")
        reader.driver.switch_to.window(reader.window)
        until(lambda: reader.rows("pages") == [("/pricing", "1")])
        assert reader.text("active-now") == "1"
        assert reader.texts(".ff-ev-t") == ["/pricing", "/welcome", "/once"]
    reader.see("active-now", "0")
    until(lambda: reader.rows("pages") == [])
    assert reader.driver.title == f"0 · Live · {site} · Footfall"


def test_a_person_on_two_tabs_is_one_on_the_page_seen_last(reader, shop, site):
    reader.open_live(site)
    with reader.another_window():
        reader.driver.get(f"{shop.url}/first")
        with reader.another_window():
            reader.driver.get(f"{shop.url}/second")
            reader.driver.switch_to.window(reader.window)
            until(lambda: reader.rows("pages") == [("/second", "1")])
            assert reader.text("active-now") == "1"
    reader.see("active-now", "0")


def test_todays_numbers_stand_below_and_lead_to_the_overview(reader, server, site):
    come(server, site, ["tom", "tia"])
    reader.open_live(site)
    until(lambda: len(reader.texts("#today .ff-k")) == 6)
    assert reader.texts("#today .ff-k")[:3] == ["Visitors today", "Visits today", "Pageviews today"]
    until(lambda: int(reader.texts("#today .ff-v")[0]) >= 2, 40)
    assert (
        reader.run("return document.querySelector('.ff-toolbar a').getAttribute('href')") == f"/settings/{site}/cards"
    )
    reader.shoot("live-today")
    reader.click("#today .ff-stat:nth-child(3)")
    reader.at(f"/overview/{site}?period=today&metric=pageviews")
    until(lambda: reader.texts("[aria-pressed=true] .ff-k") == ["Pageviews"])


def test_todays_row_keeps_the_focus_when_it_is_read_again(reader, server, site):
    reader.open_live(site)
    before = until(lambda: reader.texts("#today .ff-v")[:1], 40)
    reader.run("document.querySelectorAll('#today .ff-stat')[1].focus()")
    come(server, site, ["tom", "tia"])
    until(lambda: reader.texts("#today .ff-v")[:1] != before, 40)
    assert "metric=visits" in reader.run("return document.activeElement.getAttribute('href') || ''")


def test_signed_in_people_and_their_events_stand_out(reader, server, site):
    come(server, site, ["ann"], "/plans", user_id="u-1", user_type="supplier", title="Plans")
    come(server, site, ["bob", "cid"], "/plans", timezone="Europe/Lisbon", referrer="https://www.google.com/")
    reader.open_live(site)
    paid = event("payment-1", "Payment", "/plans", site, value=49.5, currency="EUR", description="Team, yearly")
    who = {"pageview": "page-of-ann", "user_id": "u-1", "user_type": "supplier", "user_name": "Ann"}
    assert server.collect(paid | who, {"User-Agent": f"{AGENT} ann"}).status == 202
    until(lambda: reader.texts(".ff-ev-t")[0] == "Payment Team, yearly €49.50")
    assert reader.texts("#feed > li:first-child .ff-who") == ["Ann"]
    shown = ("active-now", "signed-in", "anonymous", "signed-in-share", "anonymous-share")
    assert [reader.text(name) for name in shown] == ["3", "1", "2", "33%", "67%"]
    until(lambda: reader.texts("#user-types > li") == ["supplier1"])
    reader.click('[data-show="signed-in"]')
    assert reader.texts(".ff-ev-t") == ["Payment Team, yearly €49.50", "/plans"]


def chips(reader: Reader) -> list[str]:
    return reader.texts(".ff-filters .ff-trunc")


def test_a_filter_counts_only_those_who_match_and_the_number_is_never_that_of_all(reader, server, site):
    come(server, site, ["ann"], "/plans", user_id="u-1", user_type="supplier")
    come(server, site, ["bob", "cid"], "/plans", timezone="Europe/Lisbon", referrer="https://www.google.com/")
    reader.open_live(site)
    reader.see("active-now", "3")
    reader.run("document.querySelector('[data-key=filter]').focus()")
    press(reader, Keys.ENTER, Keys.TAB, "Country", Keys.TAB, Keys.TAB, "port")
    until(lambda: reader.texts("#live-filter [role=option]")[:1] == ["Portugal2"])
    reader.shoot("live-filter-form")
    press(reader, Keys.ENTER, Keys.ENTER)
    reader.see("active-now", "2")
    assert chips(reader) == ["Country is Portugal"]
    assert reader.texts("#facts > *") == ["All visitors", "3 67% match"]
    until(lambda: reader.texts(".ff-ev-t") == ["/plans", "/plans"])
    assert reader.texts("#trend-of") == ["all visitors, each minute"]
    assert reader.driver.title == f"2 · Live · {site} · Footfall"

    reader.run(
        """window.seen = [];
        new MutationObserver(() => seen.push(document.getElementById('active-now').textContent))
            .observe(document.getElementById('active-now'), {childList: true, characterData: true, subtree: true});"""
    )
    come(server, site, ["dan"], "/berlin")
    come(server, site, ["eve"], "/lisbon", timezone="Europe/Lisbon")
    reader.see("active-now", "3")
    until(lambda: reader.texts(".ff-ev-t") == ["/lisbon", "/plans", "/plans"])
    until(lambda: reader.texts("#facts dd") == ["5 60% match"])
    assert set(reader.run("return window.seen")) <= {"2", "3"}
    until(lambda: len(reader.texts("#today .ff-k")) == 6)
    reader.shoot("live-filtered")
    reader.looks_right()

    reader.run("document.querySelector('.ff-filters .ff-x').focus()")
    press(reader, Keys.ENTER)
    reader.see("active-now", "5")
    until(lambda: "/berlin" in reader.texts(".ff-ev-t"))
    reader.driver.back()
    reader.see("active-now", "3")
    reader.open(f'/live/{site}?filters=[["is","browser",["x"]]]')
    reader.see("active-now", "5")
    assert reader.texts(".ff-toolbar [role=alert]")[0].startswith("These filters are left out: everybody is shown.")
    reader.click(".ff-toolbar [role=alert] a")
    until(lambda: not reader.texts(".ff-toolbar [role=alert]"))


# ───────── the wires between ─────────


def test_without_a_stream_the_numbers_follow_within_ten_seconds_and_the_pill_says_how(reader, server, site):
    with reader.cut_off_from("*/api/live/stream*"):
        reader.open(f"/live/{site}")
        reader.see("active-now", "0")
        come(server, site, ["dan", "eve"], "/late")
        reader.see("active-now", "2", 30)
        assert reader.rows("pages") == [("/late", "2")]
        assert reader.texts(".ff-ev-t") == ["/late", "/late", "/once"]
        reader.see("status-text", "Live")
        assert reader.run("return document.getElementById('status').title") == "Refreshed every 10 s"
        assert reader.is_hidden("notice")

        come(server, site, ["fay"], "/later")
        reader.click("#refresh")
        reader.see("active-now", "3")
        assert reader.rows("pages") == [("/late", "2"), ("/later", "1")]

    assert all("ERR_BLOCKED_BY_CLIENT" in complaint for complaint in reader.complaints())


WATCH_CALLS = """
window.calls = {now: 0, most: 0, over: 0};
const ask = window.fetch;
window.fetch = (address, options) => {
  const answer = ask(address, options);
  if (String(address).includes("_dash-update-component") && String(options.body).includes("active-now.children")) {
    calls.most = Math.max(calls.most, ++calls.now);
    const over = () => { calls.now--; calls.over++; };
    answer.then(over, over);
  }
  return answer;
};
window.footfallTimes = {nudge: 100};
"""
IMPATIENT = "window.footfallTimes.answer = 1500;"
ASK_ALL_THE_TIME = """
dash_clientside.set_props("tick", {interval: 20});
setInterval(() => document.getElementById("refresh").click(), 7);
setInterval(() => document.querySelector("button.ff-retry").click(), 11);
"""


@pytest.fixture
def slow_line(reader) -> Iterator[Reader]:
    """A line on which an answer takes longer than the ticks and nudges are apart; calls are counted."""
    with reader.prepared(WATCH_CALLS):
        yield reader
    set_latency(reader, 0)


def set_latency(reader: Reader, ms: int) -> None:
    reader.command(
        "Network.emulateNetworkConditions", offline=False, latency=ms, downloadThroughput=-1, uploadThroughput=-1
    )


def add_retry(reader: Reader) -> None:
    """The button of a frame that failed."""
    reader.run("""const again = document.createElement("button");
        again.className = "ff-retry";
        document.getElementById("live").append(again);""")


def test_ticks_nudges_and_clicks_that_are_faster_than_the_answers_do_not_pile_up(slow_line, site):
    slow_line.open_live(site)
    add_retry(slow_line)
    set_latency(slow_line, 300)
    slow_line.run(ASK_ALL_THE_TIME)
    before = slow_line.run("return calls.over")
    until(lambda: slow_line.run("return calls.over") >= before + 5, 60)
    assert slow_line.run("return calls.most") == 1


def test_steady_traffic_on_a_slow_line_does_not_keep_the_lists_from_being_redrawn(slow_line, server, site):
    slow_line.open_live(site)
    set_latency(slow_line, 600)
    names = (f"visitor {n}" for n in itertools.count())
    until(lambda: come(server, site, [next(names)], "/busy") or slow_line.rows("pages"))
    assert slow_line.run("return calls.most") == 1


def test_a_call_that_got_no_answer_does_not_end_the_ticks(slow_line, site):
    is_busy = "return document.getElementById('refresh').getAttribute('aria-busy') === 'true'"
    with slow_line.prepared(IMPATIENT):
        slow_line.open_live(site)
        with slow_line.cut_off_from("*/_dash-update-component*"):
            slow_line.click("#refresh")
            until(lambda: slow_line.run(is_busy) and slow_line.run("return calls.now") == 0)
    until(lambda: not slow_line.run(is_busy))
    slow_line.run("dash_clientside.set_props('tick', {interval: 50}); calls.over = 0")
    until(lambda: slow_line.run("return calls.over") >= 3)
    assert [
        line for line in slow_line.complaints() if "did not respond" not in line and "ERR_BLOCKED" not in line
    ] == []


def test_try_again_in_a_frame_that_failed_asks_at_once(slow_line, site):
    with slow_line.prepared("window.footfallTimes.nudge = 60_000;"):
        slow_line.open_live(site)
    add_retry(slow_line)
    until(lambda: slow_line.run("return calls.over") == 2)  # the first draw, and that after the stream's first figures
    slow_line.run("document.querySelector('button.ff-retry').click()")
    until(lambda: slow_line.run("return calls.over") == 3)


def test_an_event_that_comes_twice_in_one_frame_is_one_row(reader, server, site):
    """At the start both the stream and the first redraw bring the newest events."""
    with reader.cut_off_from("*/api/live/stream*"):
        reader.open(f"/live/{site}")
        until(lambda: reader.texts(".ff-ev-t") == ["/once"])
        once = {"id": "1", "type": "pageview", "path": "/twice", "timestamp": int(time.time()), "user_id": None}
        stats = {"active_sessions": 7, "authenticated_users": 0, "anonymous_sessions": 7, "as_of": once["timestamp"]}
        answer = {"events": [once, once], "stats": stats}
        reader.run("dash_clientside.set_props('fallback', {data: arguments[0]})", answer)
        reader.see("active-now", "7")
        assert reader.texts(".ff-ev-t") == ["/twice", "/once"]
    assert all("ERR_BLOCKED_BY_CLIENT" in complaint for complaint in reader.complaints())


# ───────── other pages ─────────


def test_the_site_menu_leads_to_the_other_sites_and_says_how_busy_they_are(reader, server, site):
    other = f"other-{site}"
    add_site(server, other, "UTC")
    come(server, other, ["gil"])
    reader.open_live(site)
    reader.click("#site-menu button")
    assert [
        (name, people)
        for name, people in zip(reader.texts("#site-menu a bdi"), reader.texts("#site-menu a .ff-num"), strict=True)
        if name in {site, other}
    ] == [(other, "1"), (site, "0")]
    assert reader.texts("#site-menu .is-current bdi") == [site]
    reader.click(f'#site-menu a[href="/live/{other}"]')
    reader.at(f"/live/{other}")
    reader.see("active-now", "1")
    assert reader.driver.title == f"1 · Live · {other} · Footfall"


def test_a_page_of_no_site_says_so_and_shows_no_pill(reader, site):
    reader.open("/live/nothing.example")
    until(lambda: reader.texts("h1") == ["Page not found"])
    assert reader.is_hidden("status")
    assert reader.driver.title == "Page not found · Footfall"
    assert (reader.run(UNNAMED), reader.run(FAINT)) == ([], [])
    reader.shoot("not-found")
    with reader.sized(PHONE):
        assert (reader.too_wide(), reader.is_hidden("tabs")) == ([], True)
    reader.click("main a")
    until(lambda: reader.texts("h1") != ["Page not found"])


# ───────── how it looks and handles ─────────

FIRST_PAINT = """
window.looks = [];
new MutationObserver(() => document.documentElement && document.documentElement.dataset.bsTheme
  && looks.push([document.documentElement.dataset.bsTheme, performance.now()]))
  .observe(document, {attributes: true, subtree: true, attributeFilter: ["data-bs-theme"]});
"""


def test_a_chosen_theme_stays_and_is_there_before_the_first_paint(reader, site):
    with reader.preferring("prefers-color-scheme", "light"):
        reader.open_live(site)
        assert reader.run("return document.documentElement.dataset.bsTheme") == "light"
        reader.click("#theme")
        assert reader.run("return document.documentElement.dataset.bsTheme") == "dark"
        with reader.prepared(FIRST_PAINT):
            reader.open_live(site)
        painted = until(
            lambda: reader.run("return performance.getEntriesByName('first-paint').map((e) => e.startTime)")
        )[0]
        looks = reader.run("return looks")
        assert {look for look, _ in looks} == {"dark"}
        assert looks[0][1] < painted
        reader.click("#theme")
        reader.run("localStorage.clear()")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_everything_has_a_name_and_can_be_read(reader, server, site, theme):
    with reader.preferring("prefers-color-scheme", theme):
        come(server, site, ["ann"], "/plans", user_id="u-1", user_type="supplier", timezone="Asia/Tokyo")
        come(server, site, ["bob"], "/", timezone="Europe/Lisbon")
        reader.open_live(site)
        until(lambda: reader.texts("#map .ff-map-list li"))
        reader.click("#site-menu button")
        assert (reader.run(UNNAMED), reader.run(FAINT)) == ([], [])
        reader.click("#account button")
        assert (reader.run(UNNAMED), reader.run(FAINT)) == ([], [])


def test_a_phone_needs_no_scrolling_sideways(reader, server, site):
    come(server, site, ["ann"], "/a/very/long/path/" + "that-goes-on/" * 20, user_id="u" * 100, user_type="t" * 60)
    with reader.sized(PHONE):
        reader.open_live(site)
        assert reader.too_wide() == []
        for menu in ("#site-menu", "#account"):
            reader.click(f"{menu} button")
            box = reader.run(
                "const b = document.querySelector(arguments[0]).getBoundingClientRect(); return [b.left, b.right]",
                f"{menu} .dropdown-menu",
            )
            assert box[0] >= 0
            assert box[1] <= PHONE[0]
        assert reader.too_wide() == []


def press(reader: Reader, *keys: str) -> None:
    ActionChains(reader.driver).send_keys(*keys).perform()


def test_it_can_be_used_by_keyboard_and_the_focus_is_seen(reader, site):
    reader.open_live(site)
    press(reader, Keys.TAB)
    assert reader.run(
        "return [document.activeElement.className, document.activeElement.getBoundingClientRect().left >= 0]"
    ) == ["ff-skip", True]
    press(reader, Keys.ENTER)
    assert reader.run("return document.activeElement.id") == "page"

    reader.run("document.activeElement.blur(); window.scrollTo(0, 0); document.querySelector('.ff-skip').focus()")
    reached = []
    for _ in range(48):
        press(reader, Keys.TAB)
        name, ring = reader.run("""const n = document.activeElement, style = getComputedStyle(n);
            const id = n.id.startsWith("react-aria") ? "" : n.id;
            const of = n.matches(".modebar-btn") ? ` of ${n.closest(".ff-figure").dataset.title}` : "";
            return [n !== document.body && (id || n.getAttribute("aria-label") || n.textContent.trim()) + of,
                    style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2]""")
        if name in reached or not name:
            break
        assert ring, name
        reached.append(name)
    wanted = [
        "Footfall",
        f"Site: {site}",
        "Live",
        "theme",
        "Your accountO",
        "refresh",
        "Active people in each of the last 30 minutes",
        "trend-open",
        "Map of active people",
        "world-open",
        "feed-pause",
        "All",
        "Events",
    ]
    assert [name for name in reached if name in wanted] == wanted


def test_escape_closes_a_menu_and_gives_the_focus_back(reader, site):
    reader.open_live(site)
    for menu in ("#site-menu", "#account"):
        reader.click(f"{menu} button")
        press(reader, Keys.TAB, Keys.ESCAPE)
        until(lambda menu=menu: reader.run(CLOSED, f"{menu} button") == ["false", True])


CLOSED = """const button = document.querySelector(arguments[0]);
return [button.ariaExpanded, document.activeElement === button];"""


def test_the_arrow_keys_open_a_menu_and_move_through_it(reader, server, site):
    add_site(server, f"other-{site}", "UTC")
    reader.open_live(site)
    reader.run("document.querySelector('#site-menu button').focus()")
    press(reader, Keys.ARROW_DOWN)
    until(lambda: reader.run("return document.querySelector('#site-menu button').ariaExpanded") == "true")
    press(reader, Keys.ARROW_DOWN)
    first = until(lambda: reader.run("return document.activeElement.href"))
    press(reader, Keys.ARROW_DOWN)
    assert reader.run("return document.activeElement.href") != first
    press(reader, Keys.ARROW_UP)
    assert reader.run("return document.activeElement.href") == first


def test_nothing_moves_for_those_who_prefer_stillness(reader, server, site):
    come(server, site, ["ann"], timezone="Europe/Lisbon")
    reader.open_live(site)
    moving = "return document.getAnimations().length"
    assert until(lambda: reader.run(moving))
    with reader.preferring("prefers-reduced-motion", "reduce"):
        reader.open_live(site)
        come(server, site, ["bob"], "/new", timezone="Asia/Tokyo")
        until(lambda: reader.texts(".ff-ev.is-new .ff-ev-t") == ["/new"])
        assert reader.run(moving) == 0
