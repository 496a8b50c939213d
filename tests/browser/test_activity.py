"""Business activity on the Live page, and the page that sets it up, in a real browser."""

from __future__ import annotations

import itertools
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from typing import Any

import pytest
from reader import Reader, add_owner, add_site
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.ui import Select
from stream_server import until

from analytics.activity.figure import hour_of
from analytics.base.config import Config
from collector.control import ask
from tests.support.serving import AGENT, Server, event, pageview, serving

_numbers = itertools.count(1)
QUIET = ("polite", "assertive")  # values of aria-live, in which a change is read out


@pytest.fixture(scope="module")
def server(tmp_path_factory) -> Iterator[Server]:
    with serving(Config(data_dir=tmp_path_factory.mktemp("data"))) as running:
        add_owner(running)
        yield running


@pytest.fixture
def site(server) -> str:
    """A site of the test's own, with one pageview."""
    domain = f"activity{next(_numbers)}.example"
    add_site(server, domain)
    server.collect(pageview(f"view-{domain}", "/", domain))
    return domain


def happens(server: Server, site: str, name: str, **fields: Any) -> None:
    answer = server.collect(event(f"event-{next(_numbers):06}", name, "/", site, **fields))
    assert answer.json == {"stored": 1, "duplicate": 0}, answer


def shown(reader: Reader) -> list[tuple[str, str]]:
    """Label and number of each counter and stat."""
    return list(zip(reader.texts("#activity .ff-k bdi"), reader.texts("#activity .ff-v"), strict=False))


def test_numbers_change_with_the_event_itself_and_the_feed_shows_one_kind(reader, server, site):
    happens(server, site, "Payment", value=49, currency="EUR", user_id="u1", user_name="Ada", description="Team plan")
    happens(server, site, "Signup", user_id="u2", user_name="Bob", description="New account")
    reader.open_live(site)
    first = [("Revenue, EUR", "€49.00"), ("Payment", "1"), ("Signup", "1")]
    until(lambda: shown(reader)[:3] == first)
    until(lambda: reader.texts("#activity .ff-ticker ol .ff-trunc") == ["New account · Bob"])
    reader.run("window.footfallMark = 1")
    began = time.monotonic()
    happens(server, site, "Payment", value=0.5, currency="EUR")
    happens(server, site, "Payment", value=1_000, currency="JPY")
    happens(server, site, "Signup", user_name="Eve", user_id="u3")
    until(lambda: shown(reader)[:3] == [("Revenue, EUR", "€49.50"), ("Payment", "3"), ("Signup", "2")], 9)
    assert time.monotonic() - began < 9  # before the next redraw, which comes every 10 s
    assert reader.texts("#activity .ff-ticker ol .ff-trunc") == ["Eve", "New account · Bob"]
    sent = time.time()
    counted_until = "return Number(document.querySelector('#activity').dataset.until)"
    until(lambda: reader.run(counted_until) > sent, 30)  # the redraw counts them again, and no number changes
    assert shown(reader)[:3] == [("Revenue, EUR", "€49.50"), ("Payment", "3"), ("Signup", "2")]
    assert reader.run("return window.footfallMark") == 1
    spoken = "return [...document.querySelectorAll('#activity-place [aria-live]')].map((n) => n.ariaLive)"
    assert not [live for live in reader.run(spoken) if live in QUIET]

    menu = Select(reader.driver.find_element(By.CSS_SELECTOR, "#feed-chips select"))
    assert [option.text for option in menu.options] == ["One event", "Payment", "Signup"]
    menu.select_by_visible_text("Signup")
    assert reader.texts("#feed .ff-ev-t bdi, #feed .ff-ev-t > :first-child") == ["Signup", "Signup"]
    reader.click("#feed-chips [data-show=all]")
    assert len(reader.texts("#feed > li")) == 6
    reader.looks_right()
    reader.shoot("activity")


def test_a_ticker_shows_a_value_without_a_currency_and_none_for_a_currency_alone(reader, server, site):
    happens(server, site, "Signup", value=0, currency="EUR", user_name="Ada")
    happens(server, site, "Signup", value=49, user_name="Bob")
    happens(server, site, "Signup", currency="EUR", user_name="Cid")
    reader.open_live(site)
    newest = ["Cid", "49 · Bob", "€0.00 · Ada"]
    until(lambda: reader.texts("#activity .ff-ticker ol .ff-trunc") == newest)
    happens(server, site, "Signup", value=12.5, user_name="Eve")
    until(lambda: reader.texts("#activity .ff-ticker ol .ff-trunc") == ["12.5 · Eve", *newest[:2]])


def test_a_site_without_events_leads_to_the_page_that_says_how(reader, site):
    reader.open_live(site)
    until(lambda: "No event yet" in (reader.text("activity") or ""))
    reader.looks_right()
    reader.click("#activity a")
    reader.at(f"/settings/{site}/activity")
    until(lambda: "Add a card" in reader.texts("h2"))
    reader.looks_right()


def test_cards_are_added_moved_by_keyboard_and_removed(reader, server, site):
    reader.open(f"/settings/{site}/activity")
    until(lambda: "Add a card" in reader.texts("h2"))
    for name in ("Signup", "Payment", "Review"):
        reader.type("activity-card-event", name)
        reader.click("#activity-card [type=submit]")
        until(lambda name=name: name in reader.texts("#activity-list td bdi"))
    assert reader.texts("#activity-preview .ff-k bdi") == ["Signup", "Payment", "Review"]
    last = reader.driver.find_elements(By.CSS_SELECTOR, "#activity-list [aria-label='Move Review up']")[0]
    last.send_keys(Keys.ENTER)
    until(lambda: reader.texts("#activity-list td bdi") == ["Signup", "Review", "Payment"])
    focused = "return document.activeElement.ariaLabel"
    until(lambda: reader.run(focused) == "Move Review up")
    reader.driver.switch_to.active_element.send_keys(Keys.ENTER)
    until(lambda: reader.texts("#activity-list td bdi") == ["Review", "Signup", "Payment"])
    until(lambda: reader.run(focused) == "Move Review down")  # it is the first now
    assert "Now 1 of 3" in reader.texts("[data-state-of=activity-move]")
    reader.looks_right()
    reader.shoot("activity-settings")
    reader.click("#activity-list tr:nth-child(2) .ff-btn")
    reader.click("#confirm-yes")
    until(lambda: reader.texts("#activity-list td bdi") == ["Review", "Payment"])
    reader.open_live(site)
    until(lambda: [label for label, _ in shown(reader)] == ["Review", "Payment"])


def test_a_gauge_is_compared_with_earlier_days_and_changes_with_the_stream(reader, server, site):
    now = int(time.time())
    hour = hour_of(now)
    with closing(sqlite3.connect(server.config.data_dir / "footfall.db", timeout=10)) as database:  # as a follower does
        ((site_id,),) = database.execute("SELECT id FROM sites WHERE domain = ?", [site]).fetchall()
        gauge = (
            "INSERT INTO gauges (site_id, watch_id, name, definition, value, changed_at) VALUES (?, 1, ?, '{}', ?, ?)"
        )
        number = database.execute(gauge, [site_id, "Bookings", 1_100, now]).lastrowid
        card = "INSERT INTO activity_cards (site_id, position, kind, title, gauge_id) VALUES (?, 0, 'gauge', ?, ?)"
        database.execute(card, [site_id, "Bookings", number])
        for at, was in ((hour - 24 * 3_600, 1_000), (hour - 3_600, 1_090), (hour, 1_095)):
            database.execute("INSERT INTO gauge_readings VALUES (?, ?, ?, ?)", [number, at, site_id, was])
        database.commit()
        reader.open_live(site)
        until(lambda: shown(reader)[:1] == [("Bookings", "1,100")])
        assert reader.texts("#activity [data-kind=gauge] .ff-window") == ["now"]
        assert reader.texts("#activity [data-kind=gauge] .ff-d > span") == ["↑ 10.0%up 10.0% yesterday"]
        said = "return document.querySelector('#activity [data-kind=gauge] svg').ariaLabel"
        assert reader.run(said) == "When each of the last 24 hours began, and now: 1,090 to 1,100"
        reader.run("window.footfallMark = 1")
        reader.run("window.dash_clientside.set_props('activity-tick', {disabled: true})")
        database.execute("UPDATE gauges SET value = 1234, changed_at = ? WHERE id = ?", [now + 1, number])
        database.commit()
        until(lambda: shown(reader)[:1] == [("Bookings", "1,234")])
    assert reader.run("return window.footfallMark") == 1
    reader.looks_right()
    reader.shoot("activity-gauge")


def test_what_is_wrong_stands_at_its_field(reader, site):
    reader.open(f"/settings/{site}/activity")
    until(lambda: "Add a card" in reader.texts("h2"))
    Select(reader.driver.find_element(By.ID, "activity-card-measure")).select_by_value("value")
    reader.click("#activity-card [type=submit]")
    until(lambda: any(reader.texts("#activity-card-currency-note .ff-wrong")))
    assert reader.texts("#activity-card-currency-note .ff-wrong") == [
        "Values are summed in one currency: name it, like EUR"
    ]


def test_rewound_the_cards_are_as_of_then_and_back_at_now_they_go_on(reader, server):
    site, now = f"activity{next(_numbers)}.example", int(time.time())
    add_site(server, site, "UTC" if time.gmtime(now).tm_hour > 2 else "Asia/Tokyo")  # an hour ago is the same day
    key = ask(server.config.data_dir, "key add", {"name": "past", "scope": "ingest", "site": site})
    for back, value in ((3_600, 20), (1_200, 5)):
        body = event(f"event-{next(_numbers):06}", "Payment", "/", site, value=value, currency="EUR")
        body |= {"time": now - back, "ip": "198.51.100.7", "user_agent": AGENT}
        answer = server.collect(body, {"Authorization": f"Bearer {key}"})
        assert answer.json == {"stored": 1, "duplicate": 0}, answer
    reader.open_live(site)
    until(lambda: shown(reader)[:2] == [("Revenue, EUR", "€25.00"), ("Payment", "2")])
    reader.open(f"/live/{site}?at={now - 2_400}")
    until(lambda: shown(reader)[:2] == [("Revenue, EUR", "€20.00"), ("Payment", "1")])
    assert reader.texts("#activity .ff-window")[0].startswith("that day until ")
    assert len(reader.texts("#activity .ff-ticker ol > li")) == 1
    happens(server, site, "Payment", value=1, currency="EUR")
    reader.looks_right()
    reader.shoot("activity-rewound")
    reader.click("#rewind-live")
    until(lambda: shown(reader)[:2] == [("Revenue, EUR", "€26.00"), ("Payment", "3")])
    assert reader.texts("#activity .ff-window")[0] == "today"


SEEN = """return [...document.querySelectorAll('#activity > li')].filter((n) => n.checkVisibility())
    .map((n) => [n.dataset.kind, Math.round(n.getBoundingClientRect().top)])"""
FITS = """const end = document.querySelector('#activity').getBoundingClientRect().bottom;
    return document.documentElement.scrollHeight <= innerHeight && end <= innerHeight"""


def test_on_a_wall_the_numbers_are_one_row_without_tickers(reader, server, site):
    happens(server, site, "Payment", value=49, currency="EUR", user_name="Ada")
    for name in ("Signup", "Booking", "Review"):
        happens(server, site, name, user_name="Bob")
    reader.open(f"/live/{site}?wall=1")
    until(lambda: shown(reader)[:3] == [("Revenue, EUR", "€49.00"), ("Payment", "1"), ("Booking", "1")])
    for size in ((1440, 900), (1920, 1080), (1080, 1920)):
        with reader.sized(size):
            until(lambda: reader.run(FITS))
            kinds, tops = zip(*reader.run(SEEN), strict=True)
            assert (kinds, len(set(tops))) == (("stat", "stat", "counter", "counter"), 1)
    reader.shoot("activity-wall")
