"""The bell: a notification as a toast, as a number, in the panel and on the page; read in one window, read in all."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator

import pytest
from reader import PHONE, Reader, add_owner
from selenium.webdriver import Keys
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import Select
from stream_server import until

from analytics.base.config import Config
from analytics.notify import rules
from analytics.notify.rule_json import read
from analytics.storage.database import Database
from tests.support.factories import NOW, added_site
from tests.support.serving import Server, event, serving

SITE = "example.com"
NUMBERS = itertools.count(1)
NOTIFY = {
    "priority": "medium",
    "title": "{user_name}: {name}",
    "message": "on {path}",
    "link": "/traffic/{site}",
    "link_label": "Look",
}
RULES = (
    {"name": "Signups", "when": {"event": "Joined"}, "notify": NOTIFY | {"group_s": 0}},
    {"name": "Pages", "when": {"event": "Opened"}, "notify": NOTIFY | {"group_s": 0}},  # each has 60 a minute
    {"name": "Bursts", "when": {"event": "Burst"}, "notify": NOTIFY | {"group_s": 0}},
    {"name": "Orders", "when": {"event": "Order"}, "notify": NOTIFY | {"group_s": 300}},
    {"name": "Crashes", "when": {"event": "Crash"}, "notify": NOTIFY | {"priority": "urgent", "group_s": 300}},
    {"name": "Outages", "when": {"event": "Outage"}, "notify": NOTIFY | {"priority": "urgent", "group_s": 0}},
)

# In the page: how often the toasts change between two frames, at most.
COUNT_CHANGES = """
window.mostChanges = 0;
let changes = 0;
new MutationObserver(() => { window.mostChanges = Math.max(window.mostChanges, changes += 1); })
  .observe(document.querySelector(".ff-toasts"), {childList: true, characterData: true, subtree: true});
const frame = () => { changes = 0; requestAnimationFrame(frame); };
frame();
"""

# In the page: the server takes a second longer to hear of a change.
SLOW = """
const send = window.fetch;
window.fetch = async (address, options = {}) => {
  if (/"action":"(read|clear)/.test(options.body)) await new Promise((done) => setTimeout(done, 1000));
  return send(address, options);
};
"""

# In the page: how often it has looked at the server, whose answers take longer than the stream's frames.
COUNT_LOOKS = """
const send = window.fetch;
window.looks = 0;
window.fetch = async (address, options = {}) => {
  if (/"action":"look"/.test(options.body)) {
    window.looks += 1;
    await new Promise((done) => setTimeout(done, 500));
  }
  return send(address, options);
};
"""
NO_PACE = "window.footfallTimes = {pace: 0, toast: 60000};"  # a look that is due does not wait
# In the page: what the bell asks of the server.
NOTE_ASKED = """
const send = window.fetch;
window.asked = [];
window.fetch = (address, options = {}) => {
  const asked = /"action":"([a-z_]+)"/.exec(options.body);
  if (asked) window.asked.push(asked[1]);
  return send(address, options);
};
"""
# In the page: another window has changed something; `isHeard` once this one has done what it does about it.
CHANGE_ELSEWHERE = """
const hearing = new BroadcastChannel("footfall-read");
hearing.onmessage = () => setTimeout(() => { window.isHeard = true; hearing.close(); });
new BroadcastChannel("footfall-read").postMessage("changed");
"""
HIDE = """
Object.defineProperty(document, "hidden", {configurable: true, get: () => arguments[0]});
document.dispatchEvent(new Event("visibilitychange"));
"""
STREAM = "*/api/notifications/stream*"
CALLS = "*/_dash-update-component*"


@pytest.fixture(scope="module")
def server(tmp_path_factory) -> Iterator[Server]:
    config = Config(data_dir=tmp_path_factory.mktemp("data"))
    database = Database(config)
    site = added_site(database, SITE)
    for rule in RULES:
        rules.add(database, site.id, read(rule), now=NOW)
    database.close()
    with serving(config) as running:
        add_owner(running)
        yield running


def send(server: Server, name: str, who: str) -> None:
    answer = server.collect(event(f"event-{next(NUMBERS):04d}", site=SITE, name=name, user_name=who))
    assert answer.status == 202, answer.body


@pytest.fixture
def page(reader, server) -> Reader:
    """A page with a listening bell, and nothing to read."""
    reader.open(f"/traffic/{SITE}")
    until(lambda: is_listening(reader))
    first = f"First {next(NUMBERS)}"
    send(server, "Opened", first)
    until(lambda: f"Medium: {first}: Opened" in toasts(reader))  # others may have come along from the page before
    mark_all(reader)
    until(lambda: unread(reader) == "")
    close_all = "document.querySelectorAll('.ff-toast button').forEach((button) => button.click())"
    until(lambda: reader.run(close_all) or not toasts(reader))
    return reader


def is_listening(reader: Reader) -> bool:
    return reader.run("return Boolean(document.querySelector('#bell[data-live=true]'))")


def toasts(reader: Reader) -> list[str]:
    return reader.texts(".ff-toast b")


def unread(reader: Reader) -> str:
    return "".join(reader.texts("#bell .ff-unread"))


def open_centre(reader: Reader) -> None:
    reader.run("document.querySelector('#bell').click()")
    until(lambda: reader.run("return Boolean(document.querySelector('#centre .ff-notice'))"))


def close_centre(reader: Reader) -> None:
    reader.driver.switch_to.active_element.send_keys(Keys.ESCAPE)
    until(lambda: reader.run("return !document.querySelector('#centre.show')"))


def mark_all(reader: Reader) -> None:
    open_centre(reader)
    reader.run("document.querySelector('#centre [data-act=read_all]').click()")
    close_centre(reader)


def await_answers(reader: Reader) -> None:
    """Waits until the server has answered all that the bell has asked: it asks one thing after the other."""
    open_centre(reader)
    for priority, has_rows in (("low", False), ("", True)):
        choice = reader.driver.find_element(By.CSS_SELECTOR, "#centre select[name=priority]")
        until(choice.is_displayed)
        Select(choice).select_by_value(priority)
        until(lambda has_rows=has_rows: bool(listed(reader)) is has_rows)
    close_centre(reader)


def listed(reader: Reader) -> list[tuple[str, bool]]:
    """The titles in the panel, and whether each is unread."""
    found = reader.run("""return [...document.querySelectorAll('#centre .ff-notice')].map(
        (row) => [row.querySelector('b').textContent, row.classList.contains('is-unread')])""")
    return [(title, is_unread) for title, is_unread in found]


def test_an_event_is_a_toast_a_number_and_a_row_until_it_is_read(page, server):
    send(server, "Joined", "Lena")
    until(lambda: toasts(page) == ["Medium: Lena: Joined"])
    assert unread(page) == "1"
    assert page.run("return document.querySelector('#bell').getAttribute('aria-label')") == "1 unread notification"
    page.shoot("toast")
    open_centre(page)
    until(lambda: listed(page)[0] == ("Medium: Lena: Joined", True))
    page.shoot("notifications")
    page.run("document.querySelector('#centre .ff-notice button').click()")
    until(lambda: listed(page)[0] == ("Medium: Lena: Joined", False))
    close_centre(page)
    until(lambda: unread(page) == "")
    page.driver.refresh()
    until(lambda: page.run("return Boolean(document.querySelector('#bell'))"))
    assert unread(page) == ""


@pytest.mark.parametrize("minutes", [-10, 10])
def test_a_wrong_clock_of_the_device_hides_no_toast(page, server, minutes):
    with page.prepared(f"const right = Date.now; Date.now = () => right() + {minutes} * 60000;"):
        page.driver.refresh()
        until(lambda: is_listening(page))
        send(server, "Joined", "Mia")
        until(lambda: toasts(page) == ["Medium: Mia: Joined"])


def test_many_of_a_kind_are_one_toast_with_their_count(page, server):
    for number in range(3):
        send(server, "Crash", f"Shop {number}")
    until(lambda: toasts(page) == ["Urgent: Shop 0: Crash +2 more"])
    assert unread(page) == "1"


def test_a_burst_changes_the_page_once_a_frame_and_is_three_toasts_and_how_many_more(page, server):
    page.run(COUNT_CHANGES)
    burst = [event(f"event-{next(NUMBERS):04d}", site=SITE, name="Burst", user_name=f"N{n}") for n in range(40)]
    assert server.collect(burst).status == 202
    until(lambda: page.texts(".ff-toasts > button") == ["+37 more"])
    assert toasts(page) == [f"Medium: N{number}: Burst" for number in (39, 38, 37)]
    assert page.run("return window.mostChanges") == 1


def test_a_stream_of_notifications_is_no_stream_of_looks_at_the_server(page, server):
    page.run(COUNT_LOOKS)
    open_centre(page)
    began, numbers = time.monotonic(), itertools.count(1)
    while time.monotonic() < began + 3:
        number = next(numbers)
        send(server, "Order", "Shop")
        title = "Medium: Shop: Order" + (f" +{number - 1} more" if number > 1 else "")
        until(lambda title=title: listed(page)[0] == (title, True))
    assert page.run("return window.looks") <= 2 + (time.monotonic() - began) / 2
    assert unread(page) == "1"


def test_a_hidden_window_looks_once_it_is_shown(page, server):
    with page.prepared(NO_PACE):
        page.driver.refresh()
        until(lambda: is_listening(page))
        send(server, "Joined", "Bo")
        until(lambda: toasts(page) == ["Medium: Bo: Joined"])
        await_answers(page)
        page.run(NOTE_ASKED)
        page.run(HIDE, True)
        page.run(CHANGE_ELSEWHERE)
        until(lambda: page.run("return window.isHeard"))
        page.run("document.querySelector('.ff-toast button').click()")
        until(lambda: page.run("return window.asked") == ["read"])  # a look would have been asked before
        page.run(HIDE, False)
        until(lambda: page.run("return window.asked") == ["read", "look"])


def test_a_burst_of_others_pushes_no_urgent_toast_off_the_screen(page, server):
    send(server, "Outage", "Shop")
    until(lambda: toasts(page) == ["Urgent: Shop: Outage"])
    burst = [event(f"event-{next(NUMBERS):04d}", site=SITE, name="Joined", user_name=f"N{n}") for n in range(5)]
    assert server.collect(burst).status == 202
    until(lambda: page.texts(".ff-toasts > button") == ["+3 more"])
    assert sorted(toasts(page)) == ["Medium: N3: Joined", "Medium: N4: Joined", "Urgent: Shop: Outage"]


def test_what_is_read_in_one_window_is_read_in_all(page, server):
    with page.another_window():
        page.driver.get(server.url + "/notifications")
        until(lambda: is_listening(page))
        page.driver.switch_to.window(page.window)
        send(server, "Joined", "Omar")
        until(lambda: unread(page) == "1")
        for window in page.driver.window_handles:
            page.driver.switch_to.window(window)
            until(lambda: unread(page) == "1")
        until(lambda: page.run("return Boolean(document.querySelector('#all-notices [data-act=read_all]:enabled'))"))
        page.run("document.querySelector('#all-notices [data-act=read_all]').click()")
        until(lambda: unread(page) == "")
        page.driver.switch_to.window(page.window)
        until(lambda: unread(page) == "")
        page.driver.switch_to.window(page.driver.window_handles[-1])


@pytest.mark.parametrize(
    "clicked",
    ["#centre .ff-notice button", "#centre [data-act=read_all]", ".ff-toast [aria-label=Close]", ".ff-toast a"],
    ids=["a row", "all", "a toast that is closed", "a link that is followed"],
)
def test_other_windows_follow_once_a_slow_server_has_answered(page, server, clicked):
    with page.another_window():
        page.driver.get(f"{server.url}/traffic/{SITE}")
        until(lambda: is_listening(page))
        page.driver.switch_to.window(page.window)
        send(server, "Joined", "Noor")
        until(lambda: unread(page) == "1" and toasts(page) == ["Medium: Noor: Joined"])
        open_centre(page)
        page.run(SLOW)
        page.run("document.querySelector(arguments[0]).click()", clicked)
        for window in (page.window, page.driver.window_handles[-1]):
            page.driver.switch_to.window(window)
            until(lambda: unread(page) == "")
        page.driver.refresh()
        until(lambda: is_listening(page))
        assert unread(page) == ""


def test_what_the_server_does_not_answer_stays_unread_and_can_be_tried_again(page, server):
    send(server, "Joined", "Ines")
    open_centre(page)
    until(lambda: listed(page)[0] == ("Medium: Ines: Joined", True))
    with page.cut_off_from(CALLS):
        page.run("document.querySelector('#centre .ff-notice button').click()")
        said = "No answer. Reload the page to see whether it was saved."
        until(lambda: page.texts("#centre [role=alert] span:not(.ff-i)") == [said])
        assert (listed(page)[0], unread(page)) == (("Medium: Ines: Joined", True), "1")
    page.run("document.querySelector('#centre [role=alert] button').click()")
    until(lambda: listed(page)[0] == ("Medium: Ines: Joined", False))
    assert (page.texts("#centre [role=alert]"), unread(page)) == ([], "")
    assert page.complaints()


def test_the_bell_is_used_by_keyboard_on_a_phone(page, server):
    with page.sized(PHONE):
        send(server, "Joined", "Ada")
        until(lambda: toasts(page) == ["Medium: Ada: Joined"])
        page.run("document.querySelector('#bell').focus()")
        page.driver.switch_to.active_element.send_keys(Keys.ENTER)
        until(lambda: listed(page)[:1] == [("Medium: Ada: Joined", True)])
        page.run("document.querySelector('#centre .ff-notice button').focus()")
        page.driver.switch_to.active_element.send_keys(Keys.ENTER)
        until(lambda: listed(page)[0] == ("Medium: Ada: Joined", False))
        assert page.run("return document.documentElement.scrollWidth <= innerWidth")
        close_centre(page)


def go_to(reader: Reader, path: str) -> None:
    """Follows a tab of the header, as a click does: the document is another one."""
    reader.click(f".ff-tabs a[href='{path}']")
    reader.at(path)


def test_a_toast_goes_along_to_the_next_page_once_and_not_when_it_was_dismissed(page, server):
    send(server, "Joined", "Yuki")
    send(server, "Joined", "Pavel")
    until(lambda: toasts(page) == ["Medium: Pavel: Joined", "Medium: Yuki: Joined"])
    page.click(".ff-toast [aria-label=Close]")
    until(lambda: toasts(page) == ["Medium: Yuki: Joined"])
    go_to(page, f"/overview/{SITE}")
    until(lambda: is_listening(page))
    assert toasts(page) == ["Medium: Yuki: Joined"]
    until(lambda: unread(page) == "1")
    go_to(page, f"/concurrents/{SITE}")
    until(lambda: is_listening(page))
    assert (toasts(page), unread(page)) == (["Medium: Yuki: Joined"], "1")
    until(lambda: not toasts(page), 15)  # its time is over
    go_to(page, f"/overview/{SITE}")
    until(lambda: is_listening(page))
    assert (toasts(page), unread(page)) == ([], "1")


def test_what_arrives_between_two_pages_is_a_toast_of_the_next(page, server):
    page.driver.get("about:blank")
    send(server, "Joined", "Kofi")
    page.driver.get(f"{server.url}/overview/{SITE}")
    until(lambda: toasts(page) == ["Medium: Kofi: Joined"])
    until(lambda: is_listening(page) and unread(page) == "1")


@pytest.mark.parametrize("arrives_first", ["before the page is made", "after the page is made"])
def test_the_number_has_what_arrives_between_two_pages_once_without_a_look_at_the_server(page, server, arrives_first):
    await_answers(page)
    with page.prepared(NO_PACE + NOTE_ASKED):
        page.driver.get("about:blank")
        if arrives_first == "before the page is made":
            send(server, "Joined", "Aki")
            page.open(f"/overview/{SITE}")
        else:
            with page.cut_off_from(STREAM):
                page.open(f"/overview/{SITE}")
                until(lambda: page.run("return Boolean(document.querySelector('#bell'))"))
                send(server, "Joined", "Aki")
            page.complaints()  # Chromium may note what was cut off
        until(lambda: (toasts(page), unread(page)) == (["Medium: Aki: Joined"], "1"))
        send(server, "Joined", "Bea")
        until(lambda: toasts(page) == ["Medium: Bea: Joined", "Medium: Aki: Joined"])
        assert (unread(page), page.run("return window.asked")) == ("2", [])


def test_what_arrives_before_the_first_stream_is_open_is_a_toast_too(page, server):
    with page.prepared("sessionStorage.clear(); window.footfallTimes = {first: 200}"):
        with page.cut_off_from(STREAM):
            page.open(f"/overview/{SITE}")
            until(lambda: page.run("return Boolean(document.querySelector('#bell'))"))
            send(server, "Joined", "Vera")
            open_centre(page)  # the list has it before the stream
            until(lambda: listed(page)[0] == ("Medium: Vera: Joined", True))
            assert (toasts(page), unread(page)) == ([], "1")
        until(lambda: toasts(page) == ["Medium: Vera: Joined"])
        until(lambda: is_listening(page) and unread(page) == "1")


def test_what_arrives_while_the_connection_is_lost_is_a_toast_a_number_and_a_row_when_it_is_back(page, server):
    line = {"latency": 0, "downloadThroughput": -1, "uploadThroughput": -1}
    with page.prepared("window.footfallTimes = {toast: 60000}"):
        page.driver.refresh()
        until(lambda: is_listening(page))
        page.command("Network.emulateNetworkConditions", offline=True, **line)
        until(lambda: not is_listening(page))
        for who in ("Ida", "Noa"):
            send(server, "Joined", who)
        page.command("Network.emulateNetworkConditions", offline=False, **line)
        until(lambda: toasts(page) == ["Medium: Noa: Joined", "Medium: Ida: Joined"])
        until(lambda: is_listening(page) and unread(page) == "2")
        open_centre(page)
        until(lambda: listed(page)[:2] == [("Medium: Noa: Joined", True), ("Medium: Ida: Joined", True)])
        close_centre(page)
        page.complaints()  # Chromium may note what was cut off


def test_a_toast_whose_link_was_followed_stays_behind(page, server):
    send(server, "Joined", "Rosa")
    until(lambda: toasts(page) == ["Medium: Rosa: Joined"])
    page.run("window.footfallMark = 1")
    page.click(".ff-toast a")
    until(lambda: not page.run("return window.footfallMark") and is_listening(page))
    until(lambda: unread(page) == "")
    assert toasts(page) == []


def test_toasts_do_not_wait_for_a_person_who_comes_later(page, server):
    with page.prepared("window.footfallTimes = {away: 1}"):  # ms: each way to another page takes longer
        send(server, "Crash", "Till")
        until(lambda: [toast[:7] for toast in toasts(page)] == ["Urgent:"])
        page.driver.get("about:blank")
        page.driver.get(f"{server.url}/overview/{SITE}")
        until(lambda: is_listening(page))
        assert toasts(page) == []


def test_everything_is_cleared_and_the_list_says_so(page, server):
    open_centre(page)
    page.run("document.querySelector('#centre [data-act=clear]').click()")
    until(lambda: page.texts("#centre [data-act=clear]") == ["Clear all of them?"])
    page.run("document.querySelector('#centre [data-act=clear]').click()")
    until(lambda: "Nothing to tell" in page.run("return document.querySelector('#centre').textContent"))
    close_centre(page)
