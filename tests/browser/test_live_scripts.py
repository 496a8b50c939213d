"""assets/*.js in a real browser, against a server that speaks the stream's format."""

from __future__ import annotations

import itertools
import json
import re
import statistics
import time
from collections.abc import Iterator
from pathlib import Path

import dash
import pytest
from selenium.webdriver import ActionChains, Keys
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import Select
from stream_server import StreamServer, foreign_requests, stream_server, until

from collector.live.hub import MAX_SILENCE_S
from tests.support.serving import ROOT

AT = 1_795_181_528  # Fri 20 Nov 2026, 14:32:08 in Berlin
SCRIPTS = (  # in Dash's order
    *(f"components/{name}" for name in ("address", "common", "feed")),
    *(f"lib/{name}" for name in ("theme", "document", "language", "shared", "shell", "stream")),
    *(f"pages/{name}" for name in ("check", "live")),
)
REACT = [next((Path(dash.__file__).parent / "deps").glob(f"{name}@18.3*.min.js")) for name in ("react", "react-dom")]
QUICK = {"first": 40, "longest": 120, "steady": 200, "hidden": 200, "nudge": 300, "greeting": 100, "help": 100}

LIVE = """<main id="live" class="ff-main" data-site="{site}" data-stream="/api/live/stream?site={site}"
  data-timezone="Europe/Berlin">
  <div id="notice" hidden>since <b id="notice-since"></b><button id="try-now">Try now</button></div>
  <h2 class="ff-label"><span data-then="Active then">Active now</span></h2>
  <span id="clock"></span><p id="active-now" class="ff-big"></p><p id="active-said" role="status"></p>
  <i id="split-signed-in"></i><i id="split-anonymous"></i><b id="signed-in"></b><b id="anonymous"></b>
  <span id="signed-in-share"></span><span id="anonymous-share"></span>
  <div id="activity" style="width:360px;height:400px"></div></main>"""
DRAW = """<script>const activity = document.getElementById("activity"), {Feed} = window.footfall_components;
  if (activity) ReactDOM.createRoot(activity).render(React.createElement(Feed, {id: "feed", label: "Activity"}));
</script>"""
FIRST = """<main id="first-visit" data-then="live" data-site="example.com"
  data-stream="/api/live/stream?site=example.com">
  <h2 id="greeting" hidden>The first visitor is here.</h2></main>"""
PAGE = """<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Footfall</title>
<link rel="icon" href="data:,"><link rel="stylesheet" href="/assets/css/footfall.css">
<script>window.footfallTimes = {times}; {extra}</script></head>
<body data-page-title="Live · example.com · Footfall"><header>
<button id="theme">Theme</button>
<details class="ff-menu"><summary>Menu</summary><a href="#there">there</a></details>
<button data-copy="#snippet"><span>Copy</span></button><pre id="snippet">&lt;script defer&gt;</pre>
<input id="paste"><span id="status" class="ff-status is-connecting" role="status"><span class="ff-dot"></span>
<span id="status-text">Connecting…</span></span></header><div id="slot">{body}</div>{scripts}</body></html>"""


@pytest.fixture
def server() -> Iterator[StreamServer]:
    with stream_server() as running:
        yield running


def live_page(server: StreamServer, *, body: str = "", extra: str = "", **times: float) -> str:
    body = body or LIVE.format(site="example.com")
    for script in REACT:
        server.pages[f"/{script.name}"] = ("text/javascript", script.read_bytes(), {})
    addresses = (*(f"/{script.name}" for script in REACT), *(f"/assets/{name}.js" for name in SCRIPTS))
    scripts = "".join(f'<script src="{address}"></script>' for address in addresses) + DRAW
    html = PAGE.format(times=json.dumps(QUICK | times), body=body, scripts=scripts, extra=extra)
    return server.page("/", html)


def stats(active: int, signed_in: int = 0, at: float = AT) -> dict[str, object]:
    return {
        "active_sessions": active,
        "authenticated_users": signed_in,
        "anonymous_sessions": active - signed_in,
        "top_pages": [],
        "window_s": 60,
        "as_of": at,
    }


def pageview(n: int, **more: object) -> dict[str, object]:
    return {
        "id": f"event-{n:04}",
        "type": "pageview",
        "visitor_id": "v",
        "user_id": None,
        "user_type": None,
        "path": f"/page/{n}",
        "title": "",
        "source": "",
        "country": "",
        "city": "",
        "device": "",
        "browser": "",
        "timestamp": time.time() - 10_000 + n,
        **more,
    }


def text(browser, element: str) -> str:
    return browser.execute_script("return document.getElementById(arguments[0]).textContent", element)


def rows(browser, part: str = ".ff-ev-t") -> list[str]:
    return browser.execute_script(
        "return [...document.querySelectorAll('#feed > li ' + arguments[0])].map((n) => n.textContent)", part
    )


def state(browser) -> str:
    return browser.execute_script("return footfall.live.state()")


def present(browser, element: str) -> bool:
    return browser.execute_script("return document.getElementById(arguments[0]) !== null", element)


def is_hidden(browser, element: str) -> bool:
    return browser.execute_script("return document.getElementById(arguments[0]).hidden", element)


def open_live(browser, server: StreamServer, **options: object) -> None:
    browser.get(live_page(server, **options))
    server.streams(1)


# ───────── numbers ─────────


def test_stats_change_the_numbers_the_bars_the_title_and_the_pill(browser, server):
    open_live(browser, server)
    server.send("stats", stats(1280, 345, time.time()))
    until(lambda: text(browser, "active-now") == "1,280")
    shown = ("signed-in", "anonymous", "signed-in-share", "anonymous-share", "active-said", "status-text")
    assert {name: text(browser, name) for name in shown} == {
        "signed-in": "345",
        "anonymous": "935",
        "signed-in-share": "27%",
        "anonymous-share": "73%",
        "active-said": "1,280 people active",
        "status-text": "Live",
    }
    assert browser.execute_script(
        "return ['signed-in', 'anonymous'].map((n) => document.getElementById('split-' + n).style.flexGrow)"
    ) == ["345", "935"]
    assert browser.title == "1,280 · Live · example.com · Footfall"
    assert browser.find_element(By.ID, "status").get_attribute("class") == "ff-status is-live"
    assert foreign_requests(browser, server) == []


def test_the_number_is_in_the_document_at_once_and_not_with_the_next_redraw(browser, server):
    open_live(browser, server)
    browser.execute_script("""
        window.seen = {};
        const number = document.getElementById("active-now");
        const note = () => { seen[number.textContent] = Date.now(); };
        new MutationObserver(note).observe(number, {childList: true});""")
    sent = {}
    for n in range(100, 140):
        sent[str(n)] = time.time() * 1000
        server.send("stats", stats(n))
        until(lambda n=n: browser.execute_script("return seen[arguments[0]]", str(n)))
    seen = browser.execute_script("return seen")
    assert statistics.median(seen[n] - sent[n] for n in sent) < 1000


def test_dash_gets_the_same_values_and_a_nudge_only_after_a_change_and_not_more_often_than_allowed(browser, server):
    recorder = """window.calls = [];
        window.dash_clientside = {set_props: (...call) => calls.push([...call, Date.now()])}"""
    open_live(browser, server, extra=recorder)
    server.send("stats", stats(100, 10))
    until(lambda: text(browser, "active-now") == "100")
    assert not browser.execute_script("return calls.some(([id]) => id === 'nudge')"), "the first are drawn anyway"
    for n in range(20):
        server.send("stats", stats(100 + n, 10))
        server.send("stats", stats(100 + n, 10))
    until(lambda: text(browser, "active-now") == "119")
    until(lambda: browser.execute_script("return calls.some(([id]) => id === 'nudge')"))
    browser.execute_script("footfall.live.drawing(true); footfall.live.drawing(false)")  # as Dash says it
    server.send("stats", stats(119, 10, AT + 1))  # nothing new
    server.send("new_event", pageview(1))
    until(lambda: browser.execute_script("return calls.filter(([id]) => id === 'nudge').length") >= 2)
    calls = browser.execute_script("return calls")
    last = {name: props for name, props, _ in calls if name != "nudge"}
    assert last == {
        "active-now": {"children": "119"},
        "signed-in": {"children": "10"},
        "anonymous": {"children": "109"},
        "signed-in-share": {"children": "8%"},
        "anonymous-share": {"children": "92%"},
        "split-signed-in": {"style": {"flex": 10}},
        "split-anonymous": {"style": {"flex": 109}},
    }
    nudges = [at for name, _, at in calls if name == "nudge"]
    assert min(b - a for a, b in itertools.pairwise(nudges)) >= QUICK["nudge"] - 20


def test_an_older_number_of_a_slow_redraw_is_never_painted(browser, server):
    open_live(browser, server)
    server.send("stats", stats(128))
    until(lambda: state(browser) == "live" and text(browser, "active-now") == "128")
    redraw = """const number = document.getElementById("active-now"), done = arguments[0];
        number.textContent = "90";
        requestAnimationFrame(() => done(number.textContent));"""
    assert browser.execute_async_script(redraw) == "128"


def test_the_clock_runs_in_the_sites_zone(browser, server):
    open_live(browser, server)
    server.send("stats", stats(1))
    until(lambda: text(browser, "clock").startswith("Fri, 20 Nov 2026, 14:32:"))
    first = text(browser, "clock")
    assert first.endswith(" · Europe/Berlin")
    until(lambda: text(browser, "clock") != first)


# ───────── connection ─────────


def test_after_a_cut_the_stream_comes_back_with_the_last_id(browser, server):
    open_live(browser, server)
    last = server.send("stats", stats(5))
    until(lambda: text(browser, "active-now") == "5")
    server.cut()
    server.streams(1)
    server.send("stats", stats(6))
    until(lambda: text(browser, "active-now") == "6")
    assert server.asked == [{"site": "example.com"}, {"site": "example.com", "last_event_id": last}]
    assert state(browser) == "live"


def test_without_a_server_the_page_says_since_when_and_try_now_tries_at_once(browser, server):
    open_live(browser, server, longest=60_000)
    server.send("stats", stats(7))
    until(lambda: text(browser, "active-now") == "7")
    server.status = 503
    server.cut()
    until(lambda: text(browser, "status-text") == "Disconnected")
    assert not is_hidden(browser, "notice")
    assert text(browser, "notice-since")[:5] in {"14:32", "14:33"}
    assert text(browser, "active-now") == "7"
    assert re.fullmatch(r"Active \d+ s ago", label(browser))
    assert "is-stale" in browser.find_element(By.ID, "live").get_attribute("class")
    stopped = text(browser, "clock")
    later = time.monotonic() + 2.1
    until(lambda: time.monotonic() > later)
    assert text(browser, "clock") == stopped
    server.status = 200
    browser.find_element(By.ID, "try-now").click()
    until(lambda: server.send("stats", stats(8)) and text(browser, "status-text") == "Live")
    assert is_hidden(browser, "notice")
    assert label(browser) == "Active now"
    assert "is-stale" not in browser.find_element(By.ID, "live").get_attribute("class")


def test_figures_are_grey_and_say_their_age_as_soon_as_the_stream_is_cut(browser, server):
    open_live(browser, server, first=60_000, longest=60_000)  # it is not tried again during the test
    server.send("stats", stats(7))
    until(lambda: text(browser, "active-now") == "7")
    server.cut()
    until(lambda: re.fullmatch(r"Active \d s ago", label(browser)))
    assert (text(browser, "status-text"), text(browser, "active-now")) == ("Connecting…", "7")
    assert "is-stale" in browser.find_element(By.ID, "live").get_attribute("class")


def label(browser) -> str:
    return browser.execute_script("return document.querySelector('.ff-label').textContent")


def test_a_silent_stream_is_taken_for_lost(browser, server):
    open_live(browser, server, silent=400)
    server.send("stats", stats(5))
    until(lambda: state(browser) == "live")
    until(lambda: len(server.asked) >= 2)


def test_the_pill_says_live_no_longer_than_twice_the_time_in_which_the_server_says_something(browser, server):
    open_live(browser, server, silent=1500)
    server.send("stats", stats(5))
    until(lambda: text(browser, "status-text") == "Live")
    until(lambda: text(browser, "status-text") == "Connecting…")
    assert len(server.asked) <= 2
    until(lambda: server.send("stats", stats(6)) and text(browser, "status-text") == "Live")
    for script in ("assets/lib/stream.js", "assets/lib/shared.js"):
        assert f"silent: {2000 * MAX_SILENCE_S:.0f}," in (ROOT / script).read_text("utf-8")
    assert f"silent || {2000 * MAX_SILENCE_S:.0f};" in (ROOT / "collector/card/card.js").read_text("utf-8")


def test_a_hidden_tab_closes_its_stream_and_a_visible_one_opens_it_again(browser, server):
    open_live(browser, server)
    server.send("stats", stats(5))
    until(lambda: state(browser) == "live")
    here = browser.current_window_handle
    browser.switch_to.new_window("tab")
    server.streams(0)
    browser.switch_to.window(here)
    server.streams(1)
    server.send("stats", stats(6))
    until(lambda: text(browser, "active-now") == "6")
    assert state(browser) == "live"


def test_the_stream_goes_with_its_page_and_another_site_gets_its_own(browser, server):
    open_live(browser, server)
    browser.execute_script("document.getElementById('slot').replaceChildren()")
    server.streams(0)
    assert is_hidden(browser, "status")
    browser.execute_script("document.getElementById('slot').innerHTML = arguments[0]", LIVE.format(site="b.example"))
    server.streams(1)
    browser.execute_script(
        "const live = document.getElementById('live'); live.dataset.site = 'c.example';"
        "live.dataset.stream = '/api/live/stream?site=c.example'"
    )
    until(lambda: len(server.asked) == 3)
    server.streams(1)
    assert [query["site"] for query in server.asked] == ["example.com", "b.example", "c.example"]


def test_a_signed_out_reader_is_sent_to_sign_in_and_back(browser, server):
    server.status = server.live_status = 401
    server.page("/sign-in", "<title>Sign in</title>")
    browser.get(live_page(server) + "?site=example.com")
    until(lambda: browser.title == "Sign in")
    assert browser.current_url == server.url + "/sign-in?next=%2F%3Fsite%3Dexample.com"


def test_a_site_that_is_gone_is_named_and_not_asked_for_again(browser, server):
    server.status = server.live_status = 404
    browser.get(live_page(server))
    until(lambda: text(browser, "status-text") == "No such site")
    assert len(server.asked) == len(server.polls) == 1


def test_the_callbacks_figures_keep_the_page_alive_while_the_stream_cannot_be_had(browser, server):
    server.status = 429
    browser.get(live_page(server, silent=700))
    until(lambda: state(browser) == "down")
    polled = {"stats": stats(12), "events": [pageview(2), pageview(1)]}
    browser.execute_script("footfall.live.polled(arguments[0])", polled)
    until(lambda: text(browser, "active-now") == "12")
    assert (text(browser, "status-text"), rows(browser)) == ("Live", ["/page/2", "/page/1"])
    assert browser.find_element(By.ID, "status").get_attribute("title") == "Refreshed every 10 s"
    browser.execute_script("footfall.live.polled(arguments[0])", polled | {"events": [pageview(3), pageview(2)]})
    until(lambda: rows(browser) == ["/page/3", "/page/2", "/page/1"])
    until(lambda: state(browser) == "down")


DASH = "window.dash_clientside = {set_props(id, props) { if (id === 'url') window.asked = props; }}"


def test_the_first_visit_is_greeted_and_dash_is_asked_for_the_page_without_a_reload(browser, server):
    open_live(browser, server, body=FIRST, extra=DASH)
    server.send("stats", stats(0))
    server.send("new_event", pageview(1))
    until(lambda: not is_hidden(browser, "greeting"))
    assert until(lambda: browser.execute_script("return window.asked")) == {"pathname": "/"}


CHECK = """<section id="first-visit" data-site="example.com" data-stream="/api/live/stream?site=example.com"
  data-timezone="Europe/Berlin" data-then="stay"><h3 id="greeting" hidden>Somebody is here</h3>
  <p id="greeting-what" hidden></p><p id="waiting-since" hidden></p><p id="last-visit" hidden></p>
  <details id="trouble"><summary>Nothing comes?</summary><b id="opted-out" hidden>This one does.</b></details>
  </section>"""


def test_the_check_tells_of_the_last_visit_and_greets_the_next_with_page_and_time(browser, server):
    open_live(browser, server, body=CHECK)
    server.send("connected", {"recentEvents": [pageview(1, timestamp=AT)]})
    server.send("stats", stats(1))
    until(lambda: text(browser, "last-visit") == "The last one before: /page/1 at 14:32:08 · Europe/Berlin")
    assert is_hidden(browser, "greeting")
    server.send("new_event", pageview(2, timestamp=AT + 5))
    until(lambda: not is_hidden(browser, "greeting"))
    assert text(browser, "greeting-what") == "/page/2 at 14:32:13 · Europe/Berlin"
    assert not is_hidden(browser, "waiting-since")


def test_the_check_helps_where_nothing_comes(browser, server):
    open_live(browser, server, body=CHECK, extra="navigator.__defineGetter__('globalPrivacyControl', () => true)")
    until(lambda: browser.execute_script("return document.getElementById('trouble').open"))
    assert not is_hidden(browser, "opted-out")


# ───────── feed ─────────


def test_rows_say_what_happened_where_from_and_by_whom(browser, server):
    open_live(browser, server)
    now = time.time()
    payment = {
        **pageview(
            3,
            country="DE",
            city="Berlin",
            device="Desktop",
            browser="Firefox",
            user_id="7",
            timestamp=now - 65,
        ),
        "type": "event",
        "name": "Payment",
        "description": "Team plan",
        "user_name": "lena.h",
        "value": 49,
        "currency": "EUR",
    }
    visit = pageview(
        2, path="/a", country="US", source="Google", device="Mobile", browser="Safari", timestamp=now - 130
    )
    server.send("stats", stats(1, 1, now))
    server.send("connected", {"recentEvents": [payment, visit]})
    until(lambda: len(rows(browser)) == 2)
    assert rows(browser) == ["Payment Team plan €49.00", "/a"]
    assert rows(browser, ".ff-ev-m") == ["GermanyDirect Firefoxlena.h", "USGoogle Safari"]
    assert rows(browser, "time") == ["1 min", "2 min"]
    icons = "return [...document.querySelectorAll('#feed .ff-i')].map((n) => n.className.replaceAll('ff-i-', ''))"
    assert [name.removeprefix("ff-i ") for name in browser.execute_script(icons)] == [
        "card",
        "monitor 12",
        "eye",
        "phone 12",
    ]
    assert browser.execute_script("return document.querySelectorAll('#feed .is-new').length") == 0
    assert not present(browser, "feed-empty")


def test_a_row_names_who_did_it_with_a_name_an_id_or_both(browser, server):
    open_live(browser, server)
    who = ({"user_name": "Ada"}, {"user_id": "7"}, {"user_id": "8", "user_name": "Bob"}, {})
    done = [pageview(number, type="event", name="Paid", **one) for number, one in enumerate(who)]
    server.send("connected", {"recentEvents": done})
    until(lambda: len(rows(browser)) == 4)
    assert sorted(rows(browser, ".ff-ev-m")) == ["Direct", "Direct7", "DirectAda", "DirectBob"]


def test_an_arrival_flashes_once_and_stands_on_top(browser, server):
    open_live(browser, server)
    server.send("connected", {"recentEvents": [pageview(1)]})
    server.send("new_event", pageview(2))
    until(lambda: rows(browser) == ["/page/2", "/page/1"])
    flashing = "return [...document.querySelectorAll('#feed .is-new .ff-ev-t')].map((n) => n.textContent)"
    assert browser.execute_script(flashing) == ["/page/2"]
    until(lambda: browser.execute_script(flashing) == [])


def test_an_event_that_comes_again_after_a_resume_is_one_row(browser, server):
    open_live(browser, server)
    server.send("new_event", pageview(1))
    until(lambda: rows(browser) == ["/page/1"])
    server.cut()
    server.streams(1)
    server.send("connected", {"recentEvents": [pageview(2), pageview(1)]})
    server.send("new_event", pageview(2))
    server.send("new_event", pageview(3))
    until(lambda: rows(browser) == ["/page/3", "/page/2", "/page/1"])


def test_the_hundred_newest_rows_and_the_hundred_newest_events_are_kept_for_the_filters(browser, server):
    open_live(browser, server)
    for n in range(130):
        kind = {"type": "event", "name": "Signup", "user_id": "u"} if n % 10 == 0 else {}
        server.send("new_event", pageview(n, **kind))
    until(lambda: rows(browser)[:1] == ["/page/129"])
    everything = rows(browser)
    assert (len(everything), everything[-1]) == (100, "Signup")
    browser.find_element(By.CSS_SELECTOR, "[data-show=event]").click()
    assert rows(browser) == ["Signup"] * 13
    browser.find_element(By.CSS_SELECTOR, "[data-show=pageview]").click()
    assert len(rows(browser)) == 90
    browser.find_element(By.CSS_SELECTOR, "[data-show=signed-in]").click()
    assert rows(browser) == ["Signup"] * 10
    pressed = browser.execute_script(
        "return [...document.querySelectorAll('[data-show][aria-pressed=true]')].map((n) => n.dataset.show)"
    )
    assert pressed == ["signed-in"]
    menu = Select(browser.find_element(By.CSS_SELECTOR, "#feed-chips select"))
    menu.select_by_visible_text("Signup")
    assert rows(browser) == ["Signup"] * 13
    browser.find_element(By.CSS_SELECTOR, "[data-show=all]").click()
    assert rows(browser) == everything
    assert menu.first_selected_option.text == "One event"


def test_what_came_and_has_no_row_is_counted_below(browser, server):
    open_live(browser, server)
    for n in range(130):
        server.send("new_event", pageview(n, **({"type": "event", "name": "Signup"} if n % 10 == 0 else {})))
    until(lambda: present(browser, "feed-more") and text(browser, "feed-more") == "+30 more")
    server.send("more", {"events": 1_975})
    until(lambda: text(browser, "feed-more") == "+2,005 more")
    browser.find_element(By.CSS_SELECTOR, "[data-show=event]").click()
    assert not present(browser, "feed-more"), "of which kind they were is not known"
    assert len(rows(browser)) == 13


@pytest.mark.parametrize(("chance", "waits"), [(0.5, [40, 60, 60, 60]), (0, [0, 0, 0, 0])])
def test_tries_to_connect_wait_longer_each_time_up_to_a_limit_and_for_a_random_part_of_it(
    browser, server, chance, waits
):
    server.status = 503
    note = "if (call && call.name === 'open') waits.push(ms)"
    extra = f"""Math.random = () => {chance}; window.waits = []; const later = window.setTimeout;
        window.setTimeout = (call, ms, ...more) => {{ {note}; return later(call, ms, ...more); }};"""
    browser.get(live_page(server, extra=extra))  # the limits are 40 ms, doubled with each try, and 120 ms
    until(lambda: len(browser.execute_script("return waits")) >= len(waits))
    assert browser.execute_script("return waits")[: len(waits)] == waits


def test_a_paused_list_does_not_move_and_counts_what_waits(browser, server):
    open_live(browser, server)
    server.send("new_event", pageview(1))
    until(lambda: rows(browser) == ["/page/1"])
    browser.find_element(By.ID, "feed-pause").click()
    for n in (2, 3):
        server.send("new_event", pageview(n))
    until(lambda: present(browser, "feed-waiting") and text(browser, "feed-waiting") == "2 new")
    assert rows(browser) == ["/page/1"]
    browser.find_element(By.ID, "feed-pause").click()
    assert rows(browser) == ["/page/3", "/page/2", "/page/1"]
    assert not present(browser, "feed-waiting")


def test_a_list_under_the_pointer_does_not_move(browser, server):
    open_live(browser, server)
    server.send("new_event", pageview(1))
    until(lambda: rows(browser) == ["/page/1"])
    ActionChains(browser).move_to_element(browser.find_element(By.ID, "feed")).perform()
    server.send("new_event", pageview(2))
    until(lambda: present(browser, "feed-waiting") and text(browser, "feed-waiting") == "1 new")
    assert rows(browser) == ["/page/1"]
    ActionChains(browser).move_to_element(browser.find_element(By.ID, "theme")).perform()
    until(lambda: rows(browser) == ["/page/2", "/page/1"])


def test_hostile_text_stays_text(browser, server):
    evil = "<img src=x onerror=window.__x=1>"
    fields = (
        "path",
        "title",
        "source",
        "country",
        "city",
        "browser",
        "user_id",
        "name",
        "description",
        "user_name",
    )
    open_live(browser, server)
    server.send("new_event", pageview(2) | dict.fromkeys(fields, evil))
    server.send(
        "new_event",
        pageview(1) | dict.fromkeys(fields, evil) | {"type": "event", "value": 3, "currency": evil},
    )
    turned = "/\u202etxt.exe"
    server.send("new_event", pageview(3, path=turned))
    until(lambda: len(rows(browser)) == 3)
    assert rows(browser) == [turned, evil, f"{evil} {evil} 3 {evil}"]
    assert browser.execute_script("return document.querySelectorAll('#feed :is(img, a, script)').length") == 0
    assert browser.execute_script("return window.__x") is None
    isolated = "return getComputedStyle(document.querySelector('#feed .ff-ev-t')).unicodeBidi"
    assert browser.execute_script(isolated) in {"isolate", "plaintext"}
    assert foreign_requests(browser, server) == []


def test_the_name_of_an_event_from_a_database_table_leads_to_its_row(browser, server):
    open_live(browser, server)
    booking = {"type": "event", "name": "Booking", "description": "Room 5"}
    server.send("new_event", pageview(1) | booking | {"link": "https://shop.example/b/7?a=1&b=%22"})
    server.send("new_event", pageview(2) | booking | {"link": "/b/8"})
    server.send("new_event", pageview(3) | booking)
    until(lambda: len(rows(browser)) == 3)
    assert rows(browser) == ["Booking Room 5"] * 3
    links = """return [...document.querySelectorAll('#feed a')].map((link) => ["href", "rel", "target"].map((name) =>
        link.getAttribute(name)).concat(link.textContent))"""
    assert browser.execute_script(links) == [
        ["/b/8", "noreferrer", None, "Booking"],
        ["https://shop.example/b/7?a=1&b=%22", "noreferrer", "_blank", "Booking"],
    ]


# ───────── frame ─────────


def test_the_theme_is_switched_and_remembered(browser, server):
    browser.get(live_page(server))
    theme = "return document.documentElement.dataset.bsTheme"
    before = browser.execute_script(theme)
    browser.find_element(By.ID, "theme").click()
    assert {before, browser.execute_script(theme)} == {"light", "dark"}
    browser.refresh()
    assert browser.execute_script(theme) != before


def test_a_menu_closes_on_escape_on_a_click_outside_and_on_its_links(browser, server):
    browser.get(live_page(server))
    summary = browser.find_element(By.TAG_NAME, "summary")
    is_open = "return document.querySelector('details').open"
    leave = (
        lambda: browser.switch_to.active_element.send_keys(Keys.ESCAPE),
        lambda: browser.find_element(By.ID, "snippet").click(),
        lambda: browser.find_element(By.LINK_TEXT, "there").click(),
    )
    for close in leave:
        summary.click()
        assert browser.execute_script(is_open)
        close()
        assert not browser.execute_script(is_open)


def test_the_copy_button_copies_and_says_so(browser, server):
    browser.get(live_page(server))
    button = browser.find_element(By.CSS_SELECTOR, "[data-copy]")
    button.click()
    until(lambda: button.text == "Copied")
    field = browser.find_element(By.ID, "paste")
    field.send_keys(Keys.CONTROL, "v")
    assert field.get_attribute("value") == "<script defer>"
