"""The site script in a real browser: what a page tells the collector, and when."""

from __future__ import annotations

import re
from unittest.mock import ANY

import pytest
from visited_site import STUB, Answer, Visitor

ARRIVAL = ["pageview", "heartbeat"]
MOVE = ["leave", "pageview", "heartbeat"]
TALL = '<div style="height:4000px"></div>'


@pytest.fixture
def arrived(visitor) -> Visitor:
    """A visitor who has just opened `/` and was counted."""
    visitor.open()
    assert visitor.types() == ARRIVAL
    visitor.settle()
    return visitor


# -- arriving ---------------------------------------------------------------------------------------------


def test_a_page_that_opens_tells_of_its_pageview_and_a_heartbeat_in_one_request(visitor):
    visitor.open("/shoes?utm_source=mail#size")
    request = visitor.request()
    pageview, heartbeat = request.events
    url = visitor.origin + "/shoes?utm_source=mail"
    assert pageview == {
        "site": visitor.site,
        "type": "pageview",
        "id": ANY,
        "url": url,
        "pageview": pageview["id"],
        "engaged_ms": 0,
        "scroll": 0,
        "title": "Home",
        "screen": visitor.run("return [screen.width, screen.height]"),
        "timezone": "Europe/Vienna",
        "language": visitor.run("return navigator.language"),
    }
    assert heartbeat == {
        "site": visitor.site,
        "type": "heartbeat",
        "pageview": pageview["id"],
        "url": url,
        "state": "active",
        "engaged_ms": 0,
        "scroll": 0,
        "title": "Home",
    }
    assert re.fullmatch(r"[0-9.]{8,36}", pageview["id"])


def test_it_is_sent_to_the_origin_of_the_script_without_preflight(visitor):
    visitor.open()
    request = visitor.request()
    assert (request.line, request.headers["host"], request.headers["content-type"]) == (
        "POST /api/collect",
        visitor.collector.origin.removeprefix("http://"),
        "text/plain;charset=UTF-8",
    )


def test_nothing_is_kept_in_the_browser(arrived):
    stored = arrived.run("return [document.cookie, localStorage.length, sessionStorage.length]")
    assert stored == ["", 0, 0]


def test_data_api_names_another_address_which_gets_no_cookies_even_from_its_own_pages(visitor):
    visitor.open("/", f'data-api="{visitor.origin}/elsewhere"', "document.cookie = 'login=secret'")
    request = visitor.request()
    visitor.run("document.cookie = 'login=; max-age=0'")
    assert (request.line, request.headers.get("cookie")) == ("POST /elsewhere", None)


def test_the_page_before_is_the_referrer_and_overlong_texts_are_cut(visitor):
    visitor.open("/one")
    visitor.publish("/two", head="document.title = 'x'.repeat(300)")
    visitor.run("location = '/two?' + 'q'.repeat(5000)")
    events = [event for request in visitor.requests(3) for event in request.events]
    [pageview] = [event for event in events if event["type"] == "pageview" and "/two" in event["url"]]
    assert pageview["referrer"] == visitor.origin + "/one"
    assert (len(pageview["title"]), len(pageview["url"])) == (300, 4000)
    visitor.run("history.pushState(0, '', '/three')")
    visitor.pass_time(1)
    assert "referrer" not in visitor.events()[1], "the next page is reached from this site"


def test_a_page_opened_in_the_background_counts_as_hidden(visitor):
    visitor.open("/", head="look('hidden', true, 'x')")
    assert [event.get("state") for event in visitor.events()] == [None, "hidden"]
    visitor.pass_time(300)
    assert visitor.told_nothing()


def test_a_prerendered_page_counts_when_it_is_shown_with_what_was_called_before(visitor):
    visitor.open("/", head="Object.defineProperty(document, 'prerendering', {value: true})")
    visitor.footfall("identify", "u1")
    assert visitor.told_nothing()
    visitor.run("document.dispatchEvent(new Event('prerenderingchange'))")
    assert [(event["type"], event["user_id"]) for event in visitor.events()] == [
        ("pageview", "u1"),
        ("heartbeat", "u1"),
    ]


def test_a_page_that_carries_the_script_twice_counts_once(visitor):
    visitor.open("/", scripts=2)
    assert visitor.types() == ARRIVAL
    visitor.run("history.pushState(0, '', '/next')")
    visitor.pass_time(30)
    assert visitor.types() == MOVE
    assert visitor.told_nothing()


def test_on_a_clock_that_nobody_holds_it_works_too(visitor):
    visitor.open("/real")
    assert visitor.types() == ARRIVAL
    visitor.run("history.pushState(0, '', '/real/next')")
    assert visitor.types() == MOVE


# -- staying ----------------------------------------------------------------------------------------------


def test_a_visible_page_beats_every_30_seconds_with_totals(arrived):
    arrived.pass_time(29.999)
    assert arrived.told_nothing()
    arrived.pass_time(0.001)
    first = arrived.events()
    arrived.pass_time(30)
    second = arrived.events()
    assert [(event["type"], event["engaged_ms"], event["scroll"]) for event in first + second] == [
        ("heartbeat", 30_000, 100),
        ("heartbeat", 60_000, 100),
    ]


def test_a_page_beats_at_the_interval_that_the_server_is_set_to(visitor, monkeypatch):
    monkeypatch.setattr(visitor.collector, "beat_s", 7)
    visitor.open("/")
    assert visitor.types() == ARRIVAL
    visitor.settle()
    for _ in range(2):
        visitor.pass_time(6.999)
        assert visitor.told_nothing()
        visitor.pass_time(0.001)
        assert visitor.types() == ["heartbeat"]


def test_without_input_for_60_seconds_it_is_idle_and_time_stops(arrived):
    beats = []
    for _ in range(3):
        arrived.pass_time(30)
        beats += arrived.events()
    arrived.touch()
    arrived.pass_time(30)
    beats += arrived.events()
    assert [(beat["state"], beat["engaged_ms"]) for beat in beats] == [
        ("active", 30_000),
        ("idle", 60_000),
        ("idle", 60_000),
        ("active", 90_000),
    ]


def test_a_page_that_is_hidden_says_so_once_and_beats_again_when_it_is_seen(arrived):
    arrived.pass_time(10)
    arrived.look_away()
    assert [(beat["state"], beat["engaged_ms"]) for beat in arrived.events()] == [("hidden", 10_000)]
    arrived.pass_time(600)
    assert arrived.told_nothing()
    arrived.look_back()
    assert [(beat["state"], beat["engaged_ms"]) for beat in arrived.events()] == [("active", 10_000)]
    arrived.pass_time(30)
    assert [(beat["state"], beat["engaged_ms"]) for beat in arrived.events()] == [("active", 40_000)]


def test_time_without_focus_does_not_count(arrived):
    arrived.pass_time(10)
    arrived.run("look('focus', false, 'blur')")
    arrived.pass_time(15)
    arrived.run("look('focus', true, 'focus')")
    arrived.pass_time(5)
    assert [beat["engaged_ms"] for beat in arrived.events()] == [15_000]


def test_scroll_is_the_most_that_was_seen(visitor):
    visitor.open("/long", body=TALL)
    seen = [visitor.events()[1]["scroll"]]
    for where in (1000, 0):
        visitor.pass_time(1)
        visitor.run("scrollTo(0, arguments[0])", where)
        visitor.pass_time(29)
        seen += [beat["scroll"] for beat in visitor.events()]
    height = visitor.run("return innerHeight")
    assert seen == [0, round((1000 + height) / 40), round((1000 + height) / 40)]


# -- moving within a page ---------------------------------------------------------------------------------


@pytest.mark.parametrize("move", ["history.pushState(0, '', '/b')", "history.replaceState(0, '', '/b?c=1')"])
def test_a_new_address_is_a_new_pageview_told_together_with_the_leave_of_the_old(visitor, move):
    visitor.open("/a")
    old = visitor.events()[0]
    visitor.pass_time(5)
    visitor.touch()
    visitor.run(move)
    visitor.pass_time(0.1)
    leave, pageview, heartbeat = visitor.events()
    assert leave == {
        "site": visitor.site,
        "type": "leave",
        "pageview": old["id"],
        "engaged_ms": 5000,
        "scroll": 100,
        "title": "Home",
    }
    assert pageview == {
        **old,
        "title": "",
        "id": pageview["id"],
        "pageview": pageview["id"],
        "url": visitor.run("return location.href"),
    }
    assert pageview["id"] != old["id"]
    assert (heartbeat["pageview"], heartbeat["engaged_ms"], heartbeat["scroll"]) == (pageview["id"], 0, 0)


def test_going_back_is_a_pageview_too(visitor):
    visitor.open("/a")
    visitor.seen += 1
    visitor.run("history.pushState(0, '', '/b')")
    visitor.pass_time(1)
    visitor.seen += 1
    visitor.run("history.back()")
    visitor.wait_for_timer(0.1)
    visitor.pass_time(1)
    assert [event.get("url", "") for event in visitor.events()] == ["", *[visitor.origin + "/a"] * 2]


def test_the_same_address_again_and_another_fragment_are_no_pageview(visitor):
    visitor.open("/a?b=1")
    visitor.seen += 1
    visitor.run("history.replaceState(0, '', '/a?b=1'); history.pushState(0, '', '#c'); location.hash = 'd'")
    visitor.pass_time(1)
    assert visitor.told_nothing()


def test_with_data_hash_another_fragment_is_a_pageview_and_part_of_the_url(visitor):
    visitor.open("/app#/a", "data-hash")
    urls = [visitor.events()[0]["url"]]
    visitor.run("location.hash = '/b'")
    visitor.wait_for_timer(0.1)
    visitor.pass_time(1)
    urls += [visitor.events()[1]["url"]]
    assert urls == [visitor.origin + "/app#/a", visitor.origin + "/app#/b"]


def test_a_router_that_redirects_and_then_sets_the_title_is_counted_once_where_it_ends(arrived):
    arrived.run("history.pushState(0, '', '/login')")
    arrived.run("history.replaceState(0, '', '/desk'); document.title = 'Desk'")
    arrived.pass_time(1)
    _, pageview, _ = arrived.events()
    assert (pageview["url"], pageview["title"]) == (arrived.origin + "/desk", "Desk")
    assert arrived.told_nothing()


def test_what_scrolls_while_a_router_is_at_work_belongs_to_no_page(visitor):
    visitor.open("/long", body=TALL)
    visitor.seen += 1
    visitor.run("history.pushState(0, '', '/next')")
    visitor.pass_time(0.05)
    visitor.run("scrollTo(0, 4000)")
    visitor.run("look('focus', true, 'focus')")
    visitor.pass_time(0.05)
    assert [(event["type"], event.get("scroll")) for event in visitor.events()] == [
        ("leave", 0),
        ("pageview", 0),
        ("heartbeat", 0),
    ]


def test_who_walks_on_is_active_however_long_nothing_was_touched(arrived):
    arrived.pass_time(30)
    arrived.pass_time(30)
    assert [request.events[0]["state"] for request in arrived.requests(2)] == ["active", "idle"]
    arrived.run("history.pushState(0, '', '/b')")
    arrived.pass_time(0.1)
    assert [event.get("state") for event in arrived.events()] == [None, None, "active"]


# -- leaving and coming back ------------------------------------------------------------------------------


def test_a_page_that_closes_says_so_with_its_totals_and_by_a_beacon(visitor):
    visitor.open("/a")
    arrival = visitor.events()[0]
    visitor.pass_time(12)
    visitor.go()
    request = visitor.request()
    assert request.events == [
        {
            "site": visitor.site,
            "type": "leave",
            "pageview": arrival["id"],
            "engaged_ms": 12_000,
            "scroll": 100,
            "title": "Home",
        }
    ]
    assert request.headers["content-type"] == "text/plain;charset=UTF-8"
    assert visitor.told_nothing(), "a hidden heartbeat after the leave would bring the visitor back"


def test_a_page_that_comes_back_from_the_page_cache_is_a_new_pageview(visitor):
    visitor.open("/a")
    first = visitor.events()[0]
    visitor.go()
    assert visitor.types() == ["leave"]
    visitor.driver.back()
    second = visitor.events()[0]
    way = visitor.run("return performance.getEntriesByType('navigation')[0].type")
    assert way == "navigate", "the page was loaded anew instead of kept"
    assert second == first | {"id": second["id"], "pageview": second["id"]}
    assert second["id"] != first["id"]


# -- who it is --------------------------------------------------------------------------------------------


def test_a_page_may_carry_its_user(visitor):
    visitor.open("/", 'data-user="u7" data-user-type="couple"')
    assert {(event["user_id"], event["user_type"]) for event in visitor.events()} == {("u7", "couple")}


def test_an_empty_user_in_a_template_is_nobody(visitor):
    visitor.open("/", 'data-user="" data-user-type=""')
    assert not {"user_id", "user_type"} & {key for event in visitor.events() for key in event}


def test_identify_shows_at_once_and_in_all_that_follows(arrived):
    who = []
    for arguments in ([7, {"user_type": "supplier"}], [None]):
        arrived.footfall("identify", *arguments)
        who += [(event["type"], event.get("user_id"), event.get("user_type")) for event in arrived.events()]
        arrived.footfall("identify", *arguments)
        assert arrived.told_nothing(), "the same again is no news"
    assert who == [("heartbeat", "7", "supplier"), ("heartbeat", None, None)]


def test_calls_made_before_the_script_loads_happen_in_their_order(visitor):
    visitor.open("/", head=STUB + "footfall('identify', 'u1'); footfall('event', 'Early')")
    requests = visitor.requests(2)
    assert [(event["type"], event["user_id"]) for event in requests[0].events + requests[1].events] == [
        ("pageview", "u1"),
        ("heartbeat", "u1"),
        ("event", "u1"),
    ]


def test_with_data_visitor_the_browser_keeps_an_id(visitor):
    for path in ("/one", "/two"):
        visitor.open(path, 'data-visitor="browser"')
    visitor.wait_until("return document.readyState == 'complete'")
    seen = [event for request in visitor.requests(3) for event in request.events]
    assert {event["visitor_id"] for event in seen} == {visitor.run("return localStorage.footfall_visitor")}
    assert visitor.run("return localStorage.length") == 1


# -- events -----------------------------------------------------------------------------------------------


def test_an_event_carries_what_the_page_says_and_the_pageview_it_belongs_to(visitor):
    visitor.open("/cart")
    pageview = visitor.events()[0]
    details = {
        "props": {"size": 42},
        "value": 19.9,
        "currency": "EUR",
        "description": "Shoes",
        "user_name": "Ada",
    }
    visitor.footfall("event", "Purchase", details)
    [event] = visitor.events()
    assert event == details | {
        "site": visitor.site,
        "type": "event",
        "id": ANY,
        "pageview": pageview["id"],
        "url": pageview["url"],
        "name": "Purchase",
    }


def test_an_event_right_after_a_move_belongs_to_the_new_page(arrived):
    arrived.run("history.pushState(0, '', '/thanks'); footfall('event', 'Paid', null)")
    moved, paid = (request.events for request in arrived.requests(2))
    assert [event["type"] for event in moved] == MOVE
    assert [(event["name"], event["url"]) for event in paid] == [("Paid", arrived.origin + "/thanks")]
    assert paid[0]["pageview"] == moved[1]["id"]


def test_an_event_that_no_request_can_carry_does_not_stop_the_others(arrived):
    arrived.run("const loop = {}; loop.self = loop; footfall('event', 'Loop', {props: loop})")
    arrived.footfall("event", "Huge", {"props": {"text": "x" * 70_000}})
    arrived.footfall("event", "Fine")
    [loop], [fine] = (request.events for request in arrived.requests(2))
    assert (loop["name"], loop["props"], fine["name"]) == ("Loop", {}, "Fine")


def test_an_unknown_command_is_ignored(arrived):
    arrived.run("footfall('dance'); footfall(); footfall('pageview', {url: 'http://['})")
    assert arrived.told_nothing()


# -- events of its own ------------------------------------------------------------------------------------

LINKS = {  # what a page links to, and the event that tells of it
    "http://127.0.0.1:1/there?x=1&y=2#part": ("Outbound Link: Click", "http://127.0.0.1:1/there?x=1&y=2"),
    "//Elsewhere.example": ("Outbound Link: Click", "http://elsewhere.example/"),
    "https://notsite.example/": ("Outbound Link: Click", "https://notsite.example/"),
    "https://cdn.example/Price%20list.PDF?signature=secret#2": (
        "File Download",
        "https://cdn.example/Price%20list.PDF",
    ),
    "/files/photos.zip": ("File Download", "{origin}/files/photos.zip"),
    "/next": None,
    "?page=2": None,
    "#part": None,
    "https://www.{site}/": None,
    "http://{site}:8080/x": None,
    "mailto:ann@example.com": None,
    "tel:+43": None,
    "javascript:void 0": None,
    "blob:https://elsewhere.example/1.pdf": None,
    "http://[": None,
}
CALM = "addEventListener('click', (event) => event.preventDefault());"


def links(visitor, *hrefs: str) -> str:
    """The body of a page with these links; one in a word in a word, as pages have them."""
    filled = (href.format(site=visitor.site, origin=visitor.origin) for href in hrefs)
    return "".join(f'<p><a href="{href}"><b><i>go</i></b></a></p>' for href in filled)


def named(events) -> list[tuple[str, dict]]:
    return [(event["name"], event["props"]) for event in events if event["type"] == "event"]


def test_links_out_of_the_site_and_to_files_are_told_of_and_no_others(visitor):
    visitor.open("/", head=CALM, body=links(visitor, *LINKS))
    pageview = visitor.events()[0]
    visitor.settle()
    visitor.run("document.querySelectorAll('i').forEach((link) => link.click())")
    events = [event for request in visitor.requests(2) for event in request.events]
    expected = [event for event in LINKS.values() if event]
    assert named(events) == [(name, {"url": url.format(origin=visitor.origin)}) for name, url in expected]
    assert {(event["pageview"], event["url"]) for event in events} == {(pageview["id"], pageview["url"])}
    assert visitor.told_nothing()


def test_a_link_marked_as_a_download_is_one(visitor):
    visitor.open("/", head=CALM, body='<a href="/report?year=2026" download>go</a>')
    visitor.seen += 1
    visitor.settle()
    visitor.run("document.querySelector('a').click()")
    assert named(visitor.events()) == [("File Download", {"url": visitor.origin + "/report"})]


@pytest.mark.parametrize(
    "body",
    [
        '<svg><a href="https://elsewhere.example/"><text y="20">go</text></a></svg>',
        '<map name="m"><area shape="default" href="https://elsewhere.example/"></map>',
        '<div><template shadowrootmode="open"><a href="https://elsewhere.example/"><b>go</b></a></template></div>',
        '<base href="https://elsewhere.example/x"><a href="/">go</a>',
    ],
)
def test_links_of_every_kind_are_seen(visitor, body):
    visitor.open("/", head=CALM, body=body)
    visitor.seen += 1
    visitor.settle()
    visitor.run(
        """const click = new MouseEvent("click", {bubbles: true, cancelable: true, composed: true});
        const root = document.querySelector("div")?.shadowRoot || document;
        root.querySelector("text, area, b, a").dispatchEvent(click);"""
    )
    assert named(visitor.events()) == [("Outbound Link: Click", {"url": "https://elsewhere.example/"})]


def followed(visitor, way: str, there: str) -> None:
    """Follows the link of the page by a real key or button; returns when the browser is there."""
    own = visitor.driver.window_handles
    if way == "key":
        visitor.driver.find_element("tag name", "a").send_keys("\n")
    else:
        button = {"button": "middle" if way == "middle button" else "left", "x": 9, "y": 9, "clickCount": 1}
        for what in ("mousePressed", "mouseReleased"):
            visitor.driver.execute_cdp_cmd("Input.dispatchMouseEvent", {"type": what, **button})
    if way in ("click", "key"):
        visitor.until(lambda: visitor.driver.current_url == there)
        return
    visitor.until(lambda: len(visitor.driver.window_handles) > len(own))
    [opened] = set(visitor.driver.window_handles) - set(own)
    visitor.driver.switch_to.window(opened)
    try:
        visitor.until(lambda: visitor.driver.current_url == there)
    finally:
        visitor.driver.close()
        visitor.driver.switch_to.window(own[0])


@pytest.mark.parametrize("way", ["click", "key", "middle button", "new window"])
def test_however_a_link_is_followed_it_is_told_of_once_and_leads_where_it_should(visitor, way):
    there = visitor.origin.replace("localhost", "127.0.0.1") + "/there"
    target = "target=_blank" if way == "new window" else ""
    visitor.open("/here", body=f'<a href="{there}" {target} style="display:block;height:90px">go</a>')
    visitor.settle()
    followed(visitor, way, there)
    visitor.until(lambda: len(visitor.all_requests()) > 1)
    sent = {event.get("id"): event for request in visitor.all_requests() for event in request.events}
    assert named(sent.values()) == [("Outbound Link: Click", {"url": there})], "a closing page tells of it again"


def test_the_right_button_and_a_page_that_counts_by_itself_tell_nothing(visitor):
    visitor.open("/", "data-manual", head=CALM, body=links(visitor, "https://elsewhere.example/"))
    visitor.run("document.querySelector('a').click()")
    assert visitor.told_nothing()
    visitor.open("/more", body=links(visitor, "https://elsewhere.example/"))
    visitor.seen += 1
    visitor.run("document.querySelector('a').dispatchEvent(new MouseEvent('auxclick', {bubbles: true, button: 2}))")
    assert visitor.told_nothing()


def test_data_404_marks_the_page_that_was_loaded_as_not_found(visitor):
    visitor.open("/gone?id=7", "data-404")
    arrival, missing = (request.events for request in visitor.requests(2))
    assert [event["type"] for event in arrival] == ARRIVAL
    assert named(missing) == [("404", {"path": "/gone"})]
    assert missing[0]["pageview"] == arrival[0]["id"]
    visitor.settle()
    visitor.run("history.pushState(0, '', '/found')")
    visitor.pass_time(1)
    assert visitor.types() == MOVE


# -- when to be silent ------------------------------------------------------------------------------------


def test_stop_ends_the_visit_and_all_sending_until_start(arrived):
    arrived.footfall("stop")
    assert arrived.types() == ["leave"]
    arrived.run("footfall('event', 'Click'); footfall('identify', 'u1'); history.pushState(0, '', '/b')")
    arrived.look_away()
    arrived.look_back()
    arrived.pass_time(120)
    assert arrived.told_nothing()
    arrived.run("footfall('start'); footfall('start')")
    assert [event.get("url") for event in arrived.events()] == [arrived.origin + "/b"] * 2
    assert arrived.told_nothing()


def test_stopped_before_it_loads_it_sends_nothing_until_consent(visitor):
    visitor.open("/", head=STUB + "footfall('stop')")
    visitor.pass_time(120)
    assert visitor.told_nothing()
    visitor.footfall("start")
    assert visitor.types() == ARRIVAL


@pytest.mark.parametrize("path", ["/admin", "/admin/users", "/shop/7/edit", "/a.b"])
def test_an_excluded_page_sends_nothing(visitor, path):
    visitor.open(path, 'data-exclude="/admin**, /shop/*/edit,/a.b"')
    visitor.footfall("event", "Click")
    visitor.footfall("identify", "u1")
    visitor.pass_time(60)
    assert visitor.told_nothing()


@pytest.mark.parametrize("path", ["/", "/my/admin", "/shop/7/8/edit", "/shop/7/edit/more", "/aXb"])
def test_wildcards_stay_within_their_bounds(visitor, path):
    visitor.open(path, 'data-exclude="/admin**, /shop/*/edit,/a.b"')
    assert visitor.types() == ARRIVAL


def test_walking_onto_an_excluded_page_and_off_it(visitor):
    visitor.open("/a", 'data-exclude="/admin"')
    visitor.seen += 1
    visitor.run("history.pushState(0, '', '/admin')")
    visitor.pass_time(1)
    assert visitor.types() == ["leave"]
    visitor.run("history.pushState(0, '', '/b')")
    visitor.pass_time(1)
    assert visitor.types() == ARRIVAL


def test_with_data_manual_only_the_page_says_what_is_a_pageview(visitor):
    visitor.open("/", "data-manual")
    visitor.run("history.pushState(0, '', '/b')")
    visitor.pass_time(60)
    assert visitor.told_nothing()
    visitor.footfall("event", "Early")
    [event] = visitor.events()
    visitor.footfall("pageview", {"url": "/virtual"})
    arrival = visitor.events()
    visitor.footfall("pageview")
    assert ("pageview" in event, event["url"]) == (False, visitor.origin + "/b")
    assert [event["url"] for event in arrival] == [visitor.origin + "/virtual"] * 2
    assert [event.get("url") for event in visitor.events()] == [None, *[visitor.origin + "/b"] * 2]


@pytest.mark.parametrize("wish", ["globalPrivacyControl: {value: true}", "doNotTrack: {value: '1'}"])
def test_who_asks_not_to_be_tracked_is_not(visitor, wish):
    head = STUB + f"Object.defineProperties(navigator, {{{wish}}}); footfall('event', 'Early')"
    visitor.open("/", 'data-visitor="browser"', head)
    visitor.run("footfall('event', 'Click'); footfall('start'); footfall('pageview')")
    visitor.pass_time(60)
    assert visitor.told_nothing()
    assert visitor.run("return localStorage.length") == 0


# -- when the collector is away ---------------------------------------------------------------------------


@pytest.mark.parametrize("failure", [503, 500, 429, 0])
def test_a_pageview_that_failed_is_sent_again_with_the_same_id(visitor, failure):
    visitor.answer_with(failure)
    visitor.open()
    first = visitor.events()
    visitor.wait_for_timer(1)
    visitor.pass_time(0.999)
    assert visitor.told_nothing()
    visitor.pass_time(0.001)
    assert visitor.events() == first[:1], "a lost heartbeat is not sent again"


def test_retry_after_is_honoured_and_what_happens_meanwhile_goes_with_it(visitor):
    visitor.answer_with(Answer(503, {"Retry-After": "20"}))
    visitor.open()
    first = visitor.events()
    visitor.wait_for_timer(20)
    visitor.footfall("event", "Meanwhile")
    visitor.pass_time(19.999)
    assert visitor.told_nothing()
    visitor.pass_time(0.001)
    again = visitor.events()
    assert again[0] == first[0]
    assert [event.get("name", event["type"]) for event in again] == ["pageview", "Meanwhile"]


def test_what_was_turned_away_of_a_batch_goes_again_with_the_rest_of_it(visitor):
    visitor.answer_with(Answer(202, {"Retry-After": "20"}))
    visitor.open()
    first = visitor.events()
    visitor.wait_for_timer(20)
    visitor.pass_time(20)
    again = visitor.events()
    assert again[0] == first[0]
    assert [event["type"] for event in again] == ["pageview"]
    visitor.pass_time(10)
    assert visitor.types() == ["heartbeat"]


def test_after_three_retries_in_growing_pauses_it_waits_for_the_next_heartbeat(visitor):
    visitor.answer_with(503, 503, 503, 503)
    visitor.open()
    first = visitor.events()
    for pause in (1, 4, 9):
        visitor.wait_for_timer(pause)
        visitor.pass_time(pause)
        assert visitor.events() == first[:1]
    visitor.wait_for_timer(16)
    visitor.pass_time(15)
    assert visitor.told_nothing()
    visitor.pass_time(31)
    last = visitor.events()
    assert [event["type"] for event in last] == ARRIVAL
    assert last[0] == first[0]


@pytest.mark.parametrize("refusal", [400, 404, 413, 422, 200])
def test_what_the_collector_has_judged_is_not_sent_again(visitor, refusal):
    visitor.answer_with(refusal)
    visitor.open()
    visitor.seen += 1
    visitor.pass_time(29)
    assert visitor.told_nothing()
    visitor.pass_time(1)
    assert visitor.types() == ["heartbeat"]


UNKNOWN = Answer(404, {}, b'{"error": {"code": "unknown_site", "message": "no site here"}}')
WARNED = "window.said = []; console.warn = (text) => said.push(text);"


def test_a_site_that_the_collector_does_not_know_is_warned_of_once(visitor):
    visitor.answer_with(UNKNOWN, UNKNOWN)
    visitor.open("/", head=WARNED)
    visitor.seen += 1
    visitor.pass_time(30)
    visitor.seen += 1
    visitor.pass_time(30)
    visitor.seen += 1
    assert visitor.run("return said") == ["Footfall: wrong " + UNKNOWN.body.decode()]


@pytest.mark.parametrize("head", ["console.warn = () => { throw new Error('no') };", "delete console.warn;"])
def test_a_warning_that_fails_disturbs_nobody(visitor, head):
    visitor.answer_with(UNKNOWN)
    visitor.open("/", head=head)
    visitor.seen += 1
    visitor.pass_time(30)
    assert visitor.types() == ["heartbeat"]


def test_an_answer_that_does_not_come_within_20_seconds_is_none(visitor):
    visitor.answer_with(-1)
    visitor.open()
    first = visitor.events()
    visitor.run("advance(20_000)")
    visitor.wait_for_timer(1)
    visitor.pass_time(1)
    assert visitor.events() == first[:1]


def test_a_page_that_closes_takes_what_is_unsent_along(visitor):
    visitor.answer_with(503)
    visitor.open()
    first = visitor.events()
    visitor.wait_for_timer(1)
    visitor.footfall("event", "Last")
    visitor.go()
    last = visitor.events()
    assert last[0] == first[0]
    assert [event["type"] for event in last] == ["pageview", "event", "leave"]


def test_stop_takes_what_is_unsent_along_once(visitor):
    visitor.answer_with(503)
    visitor.open()
    visitor.seen += 1
    visitor.wait_for_timer(1)
    visitor.footfall("stop")
    assert visitor.types() == ["pageview", "leave"]
    visitor.pass_time(60)
    assert visitor.told_nothing()


def test_what_waits_is_bounded_and_goes_in_requests_that_a_closing_page_may_send(arrived):
    arrived.answer_with(503)
    arrived.footfall("event", "First")
    assert arrived.types() == ["event"]
    arrived.wait_for_timer(1)
    arrived.run("for (let n = 0; n < 60; n++) footfall('event', 'n' + n, {props: {text: 'é'.repeat(1000)}})")
    arrived.pass_time(1)
    request = arrived.request()
    assert int(request.headers["content-length"]) < 64 * 1024
    names = [event["name"] for event in request.events]
    assert names == ["First", *(f"n{n}" for n in range(len(names) - 1))]
    assert len(names) > 15


def test_a_policy_that_forbids_the_collector_disturbs_nobody(visitor):
    allowed = f"default-src 'self' 'unsafe-inline' {visitor.collector.origin} data:; connect-src 'none'"
    visitor.open("/", csp=allowed)
    visitor.run("footfall('event', 'Click'); history.pushState(0, '', '/b')")
    for _ in range(4):
        visitor.pass_time(30)
    visitor.look_away()
    assert visitor.told_nothing()
    assert visitor.run("return location.pathname") == "/b"


# -- browsers that lack something -------------------------------------------------------------------------


@pytest.mark.parametrize(
    "poorer",
    [
        "Object.defineProperty(window, 'crypto', {value: undefined})",
        "Object.defineProperty(window, 'history', {value: undefined})",
        "Object.defineProperty(window, 'localStorage', {get() { throw new Error('denied') }})",
        "Object.defineProperty(window, 'footfall', {value: undefined, writable: true})",
    ],
)
def test_a_browser_that_lacks_something_is_counted_all_the_same(visitor, poorer):
    visitor.open("/", 'data-visitor="browser"', poorer)
    pageview, heartbeat = visitor.events()
    assert re.fullmatch(r"[0-9.]{8,36}", pageview["id"])
    assert heartbeat["pageview"] == pageview["id"]
    visitor.go()
    assert visitor.types() == ["leave"]


def test_without_beacons_the_leave_goes_by_fetch(visitor):
    visitor.open("/", head="navigator.sendBeacon = undefined")
    visitor.seen += 1
    visitor.go()
    assert visitor.types() == ["leave"]


@pytest.mark.parametrize("broken", ["window.fetch = () => { throw new Error('no') }", "delete window.fetch"])
def test_without_fetch_the_page_lives_on(visitor, broken):
    visitor.open("/", head=broken)
    visitor.pass_time(120)
    assert visitor.run("return document.title") == "Home"


def test_a_script_without_a_site_does_nothing(visitor):
    visitor.site = ""
    visitor.open()
    visitor.footfall("event", "Click")
    visitor.pass_time(60)
    assert visitor.told_nothing()
