"""Every action of the Overview and of Live by keyboard alone: Tab goes there, keys do it, and no mouse is moved."""

from __future__ import annotations

import time
from collections.abc import Iterator
from urllib.parse import parse_qsl, urlsplit

import pytest
from reader import Reader, add_owner, come
from selenium.webdriver import ActionChains, Keys
from stream_server import until

from analytics.base.config import Config
from analytics.sites import store
from analytics.storage.database import Database
from tests.support.factories import accepted, stored
from tests.support.history import at, keep_history
from tests.support.serving import SITE, Server, serving

DAYS = "period=2026-03-10,2026-03-12"
LARGE, LIVE = "large.example", "live.example"
PAGES = 60
MAX_TABS = 160


@pytest.fixture(scope="module")
def server(tmp_path_factory) -> Iterator[Server]:
    """Sites with a stored history, with more pages than details show at once, and with four people who are there."""
    config = Config(data_dir=tmp_path_factory.mktemp("data"))
    database = Database(config)
    for domain in (SITE, "other.example", LARGE, LIVE):
        store.add(database, domain, timezone="UTC", now=at(1))
    keep_history(database)
    for nth in range(PAGES):
        page = {"page_id": f"large-{nth:04}", "visitor": nth, "path": f"/page-{nth:02}"}
        stored(database, accepted(at=at(10, 9), site_id=3, **page))
    stored(database, accepted(page_id="first-of-all", at=int(time.time()) - 7200, visitor=1, site_id=4))
    database.close()
    with serving(config, FOOTFALL_ACTIVE_WINDOW_S="900") as running:
        add_owner(running)
        come(running, LIVE, ["ann"], "/candles", title="Candles", user_id="u-1", user_type="supplier")
        come(running, LIVE, ["bob", "cid"], "/", timezone="Europe/Lisbon")
        yield running


@pytest.fixture
def reader(signed_in) -> Iterator[Reader]:
    """The owner, whose mouse is not connected; at the end the console is empty."""
    with signed_in.prepared("addEventListener('pointerdown', () => console.error('a mouse was used'), true)"):
        yield signed_in
    assert signed_in.complaints() == []
    signed_in.driver.get("about:blank")


def press(reader: Reader, *keys: str) -> None:
    ActionChains(reader.driver).send_keys(*keys).perform()


def press_with_shift(reader: Reader, key: str) -> None:
    ActionChains(reader.driver).key_down(Keys.SHIFT).send_keys(key).key_up(Keys.SHIFT).perform()


# Where an element is from the one that has the focus: "here", "before", "after"; "" while it is not on the page.
WAY = """const wanted = document.querySelector(arguments[0]), now = document.activeElement;
if (!wanted || !wanted.checkVisibility()) return "";
if (wanted === now) return "here";
const isBefore = now !== document.body && now.compareDocumentPosition(wanted) & Node.DOCUMENT_POSITION_PRECEDING;
return isBefore ? "before" : "after";"""


def tab_to(reader: Reader, selector: str) -> None:
    """Presses Tab, or Shift and Tab, until the first such element has the focus."""
    until(lambda: reader.run(WAY, selector))
    for _ in range(MAX_TABS):
        way = reader.run(WAY, selector)
        if way == "here":
            return
        press_with_shift(reader, Keys.TAB) if way == "before" else press(reader, Keys.TAB)
    raise AssertionError(f"Tab does not lead to {selector}")


def enter(reader: Reader, selector: str) -> None:
    """Goes there and presses Enter."""
    tab_to(reader, selector)
    press(reader, Keys.ENTER)


def leave_menu(reader: Reader) -> None:
    """Escape, after which the focus is on what has opened the menu."""
    press(reader, Keys.ESCAPE)
    until(lambda: reader.run("return !document.querySelector('details.ff-menu[open]')"))
    assert reader.run("return document.activeElement.matches('summary')")


def question(reader: Reader) -> dict[str, str]:
    """The parameters of the address."""
    return dict(parse_qsl(urlsplit(reader.driver.current_url).query))


def chips(reader: Reader) -> list[str]:
    return reader.texts(".ff-filters .ff-trunc")


def figure_says(reader: Reader, figure: str) -> str:
    """What is read out of the point that keys have chosen."""
    return "".join(reader.texts(f".ff-figure-plot:has(#{figure}) [role=status]"))


# ── the Overview ─────────────────────────────────────────────────────────────────────────────────────────────────────


def settle(reader: Reader) -> None:
    ready = """return document.querySelector('#overview [data-part=top] :is(.ff-stat, .ff-void)')
        && document.querySelector('#toolbar [data-key=period]')
        && !document.querySelector('#overview [data-part][aria-busy=true]')"""
    until(lambda: reader.run(ready))


def open_overview(reader: Reader, more: str = "", site: str = SITE) -> None:
    reader.open(f"/overview/{site}?{DAYS}{more}")
    settle(reader)


def test_the_period_and_what_it_is_compared_with(reader):
    open_overview(reader)
    enter(reader, "[data-key=compare]")
    enter(reader, "#overview-comparison li a[data-change='compare=year']")
    until(lambda: question(reader).get("compare") == "year")
    settle(reader)
    enter(reader, "#overview-before")
    until(lambda: question(reader)["period"] == "2026-03-07,2026-03-09")
    settle(reader)
    enter(reader, "#overview-after")
    until(lambda: question(reader)["period"] == "2026-03-10,2026-03-12")
    settle(reader)
    enter(reader, "[data-key=period]")
    tab_to(reader, "[name=period-first]")
    press(reader, "03112026")
    enter(reader, "#overview-period form [type=submit]")
    until(lambda: question(reader)["period"] == "2026-03-11,2026-03-12")
    settle(reader)
    enter(reader, "[data-key=period]")
    leave_menu(reader)
    press(reader, Keys.ENTER)
    enter(reader, "#overview-period li a[data-change^='period=30d']")
    until(lambda: question(reader)["period"] == "30d")


def test_the_chart(reader):
    open_overview(reader)
    enter(reader, "[data-key=stat-pageviews]")
    until(lambda: question(reader).get("metric") == "pageviews")
    enter(reader, "[data-key=interval-day]")
    until(lambda: question(reader).get("interval") == "day")
    settle(reader)
    enter(reader, "[data-key=shape-bars]")
    until(lambda: question(reader).get("draw") == "bars")
    settle(reader)
    until(lambda: reader.run("return document.querySelector('#overview-chart .js-plotly-plot .main-svg')"))
    tab_to(reader, ".ff-figure-plot:has(#overview-chart)")
    press(reader, Keys.ARROW_LEFT)
    until(lambda: figure_says(reader, "overview-chart"))
    for file in (".ff-main-chart [data-csv]", "[data-part=sources] [data-csv]", "[data-part=usage] [data-csv]"):
        tab_to(reader, file)


def test_notes_are_written_and_removed(reader):
    open_overview(reader, "&interval=day")
    enter(reader, "[data-key=notes]")
    tab_to(reader, "#note-day")
    press(reader, "03112026")
    tab_to(reader, "#note-text")
    press(reader, "Version 2")
    enter(reader, "[data-form=note] [type=submit]")
    noted = "return (document.querySelector('#overview-chart .js-plotly-plot')?.layout?.annotations || []).length"
    until(lambda: reader.run(noted) == 1)
    settle(reader)
    enter(reader, "[aria-label='Remove Version 2']")
    until(lambda: reader.run("return document.activeElement.id") == "confirm-no")
    enter(reader, "#confirm-yes")
    until(lambda: reader.run(noted) == 0)


def test_rows_filter_and_are_excluded_and_chips_removed(reader):
    open_overview(reader)
    enter(reader, "[data-part=devices] .ff-lbl[data-key$='=Firefox']")
    until(lambda: chips(reader) == ["Browser is Firefox"])
    settle(reader)
    enter(reader, "[data-part=sources] [aria-label='Exclude newsletter']")
    until(lambda: chips(reader) == ["Browser is Firefox", "Source is not newsletter"])
    settle(reader)
    tab_to(reader, "[data-part=pages] .ff-lbl[data-key$='=/pricing']")
    press_with_shift(reader, Keys.ENTER)
    until(lambda: chips(reader)[2:] == ["Page is not /pricing"])
    settle(reader)
    enter(reader, ".ff-filter .ff-x")
    until(lambda: chips(reader) == ["Source is not newsletter", "Page is not /pricing"])
    settle(reader)
    press(reader, Keys.ENTER)
    until(lambda: chips(reader) == ["Page is not /pricing"])


def write_country(reader: Reader, form: str, typed: str, option: str) -> None:
    """Filters by the country that is suggested first for what is typed."""
    enter(reader, "[data-key=filter]")
    tab_to(reader, f"#{form} [name=by]")
    press(reader, "Country")
    tab_to(reader, f"#{form}-value")
    press(reader, typed)
    until(lambda: reader.texts(f"#{form} [role=option]")[:1] == [option])
    press(reader, Keys.ENTER, Keys.ENTER)


def test_a_filter_is_written_and_changed(reader):
    open_overview(reader)
    write_country(reader, "overview-filter", "germ", "Germany2")
    until(lambda: chips(reader) == ["Country is Germany"])
    settle(reader)
    enter(reader, ".ff-toolbar .ff-filter .ff-trunc")
    until(lambda: reader.run("return document.activeElement.id") == "overview-filter-value")
    press(reader, "France")
    until(lambda: reader.texts("#overview-filter [role=option]")[:1] == ["France1"])
    press(reader, Keys.ENTER, Keys.ENTER)
    until(lambda: chips(reader) == ["Country is any of Germany, France"])


def test_a_country_of_the_map_filters_and_is_excluded(reader):
    """Keys could choose a country on the map, and do nothing with it."""
    open_overview(reader)
    tab_to(reader, "[data-part=places] [role=tab][aria-selected=true]")
    on_map = "return document.querySelector('#overview-map .js-plotly-plot')?.calcdata?.[0]?.[0]?.ct"
    until(lambda: reader.run(on_map))
    tab_to(reader, ".ff-figure-plot:has(#overview-map)")
    hints = """return document.activeElement.getAttribute("aria-describedby").split(" ").map((id) =>
        document.getElementById(id).textContent)"""
    assert "Enter filters by it" in reader.run(hints)[1]
    press(reader, Keys.ENTER)
    assert chips(reader) == [], "no country is chosen"
    press(reader, Keys.PAGE_DOWN)
    until(lambda: figure_says(reader, "overview-map").startswith("Germany"))
    press(reader, Keys.ENTER)
    until(lambda: chips(reader) == ["Country is Germany"])
    settle(reader)
    enter(reader, ".ff-filter .ff-x")
    until(lambda: chips(reader) == [])
    settle(reader)
    tab_to(reader, ".ff-figure-plot:has(#overview-map)")
    press(reader, Keys.PAGE_DOWN)
    until(lambda: figure_says(reader, "overview-map").startswith("Germany"))
    press_with_shift(reader, Keys.ENTER)
    until(lambda: chips(reader) == ["Country is not Germany"])


def test_segments_are_saved_chosen_and_removed(reader):
    open_overview(reader, "&filters=[[%22is%22,%22country%22,[%22DE%22]]]")
    enter(reader, "[data-key=segments]")
    tab_to(reader, "#segment-name")
    press(reader, "Germany")
    tab_to(reader, "#segment-shared")
    press(reader, Keys.SPACE)
    enter(reader, "[data-form=segment] [type=submit]")
    until(lambda: reader.texts(".ff-segments li a") == ["Germanyeverybody's"])
    leave_menu(reader)
    enter(reader, ".ff-filter .ff-x")
    until(lambda: chips(reader) == [])
    settle(reader)
    enter(reader, "[data-key=segments]")
    enter(reader, ".ff-segments li a")
    until(lambda: chips(reader) == ["Country is Germany"])
    settle(reader)
    enter(reader, "[data-key=segments]")
    enter(reader, ".ff-segments [aria-label='Remove Germany']")
    enter(reader, "#confirm-yes")
    until(lambda: reader.text("overview-said") == "Germany is removed")


def rows(reader: Reader) -> list[str]:
    return reader.texts("[data-part=rows] tbody td:first-child bdi")


def test_details_are_opened_sorted_paged_searched_and_closed(reader):
    open_overview(reader, site=LARGE)
    enter(reader, "[data-key=details-page]")
    until(lambda: len(rows(reader)) == 50)
    settle(reader)
    enter(reader, "[data-key=sort-name]")
    until(lambda: question(reader).get("sort") == "name")
    settle(reader)
    press(reader, Keys.ENTER)
    until(lambda: rows(reader)[:1] == ["/page-59"])
    settle(reader)
    enter(reader, "[data-key=next]")
    until(lambda: rows(reader)[:1] == ["/page-09"])
    settle(reader)
    tab_to(reader, "#overview-details [data-csv]")
    enter(reader, "[data-key=previous]")
    until(lambda: rows(reader)[:1] == ["/page-59"])
    settle(reader)
    tab_to(reader, "#overview-details .ff-scroll")
    tab_to(reader, "#details-search")
    press(reader, "page-1")
    until(lambda: len(rows(reader)) == 10)
    settle(reader)
    enter(reader, "#overview-details [aria-label='Exclude /page-19']")
    until(lambda: chips(reader) == ["Page is not /page-19"])
    settle(reader)
    enter(reader, "[data-key=details-page]")
    until(lambda: rows(reader))
    enter(reader, "#overview-details [aria-label=Close]")
    until(lambda: "details" not in question(reader))
    assert reader.run("return !document.getElementById('overview-details').open")


def test_tabs_titles_properties_and_tables(reader):
    open_overview(reader)
    tab_to(reader, "[data-part=devices] [role=tab][aria-selected=true]")
    press(reader, Keys.ARROW_RIGHT)
    until(lambda: "devices" in question(reader))
    settle(reader)
    tab_to(reader, "[data-part=pages] [data-key=titles]")
    press(reader, Keys.SPACE)
    until(lambda: question(reader).get("names") == "titles")
    settle(reader)
    tab_to(reader, ".ff-figure-plot:has(#overview-week)")
    enter(reader, "#overview-week-open")
    until(lambda: reader.texts("#overview-week-table tbody td"))
    enter(reader, "[data-part=events] .ff-lbl[data-key$='=Purchase']")
    until(lambda: chips(reader) == ["Event is Purchase"])
    settle(reader)
    enter(reader, "[data-key=property-seats]")
    until(lambda: question(reader).get("property"))
    settle(reader)
    enter(reader, "[data-part=events] [data-key='prop:seats=3']")
    until(lambda: chips(reader) == ["Event is Purchase", "seats is 3"])
    settle(reader)
    enter(reader, "#overview-now")
    reader.at(f"/live/{SITE}")


# ── Live ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


def open_live(reader: Reader) -> None:
    reader.open_live(LIVE)
    reader.see("active-now", "3")


def test_live_is_filtered(reader):
    open_live(reader)
    write_country(reader, "live-filter", "port", "Portugal2")
    reader.see("active-now", "2")
    until(lambda: chips(reader) == ["Country is Portugal"])
    tab_to(reader, ".ff-map [data-csv]")
    assert "filters=" in reader.run("return document.activeElement.href")
    enter(reader, ".ff-filter .ff-x")
    reader.see("active-now", "3")


def test_the_activity_is_paused_and_filtered(reader, server):
    open_live(reader)
    until(lambda: len(reader.texts("#feed > li")) >= 3)
    tab_to(reader, "#feed-pause")
    press(reader, Keys.SPACE)
    come(server, LIVE, ["dan"], "/late")
    reader.see("active-now", "4")
    until(lambda: reader.texts("#feed-waiting") == ["1 new"])
    enter(reader, "#feed-waiting")
    until(lambda: reader.texts("#feed .ff-ev-t")[0] == "/late")
    tab_to(reader, "#feed-chips [data-show=signed-in]")
    press(reader, Keys.SPACE)
    until(lambda: reader.texts("#feed .ff-ev-t") == ["/candles"])
    enter(reader, "#feed-chips [data-show=all]")
    tab_to(reader, "#feed")
    enter(reader, "#feed-pause")
    assert reader.run("return document.activeElement.ariaPressed") == "false"


def test_live_shows_titles_tables_the_past_and_the_wall(reader):
    reader.open_live(LIVE)
    tab_to(reader, "#page-titles")
    press(reader, Keys.SPACE)
    until(lambda: "Candles" in "".join(reader.texts("#pages tbody")))
    press(reader, Keys.SPACE)
    until(lambda: "Candles" not in "".join(reader.texts("#pages tbody")))
    for name in ("trend", "world"):
        enter(reader, f"#{name}-open")
        until(lambda name=name: reader.texts(f"#{name}-table td"))
        press(reader, Keys.ENTER)
    until(lambda: reader.run("return document.querySelector('#world .js-plotly-plot .main-svg')"))
    tab_to(reader, ".ff-figure-plot:has(#world)")
    press(reader, Keys.PAGE_DOWN)
    until(lambda: figure_says(reader, "world"))
    tab_to(reader, "#rewind-slider")
    press(reader, Keys.ARROW_LEFT)
    until(lambda: (reader.text("status-text") or "").startswith("Rewound"))
    enter(reader, "#rewind-play")
    enter(reader, "#rewind-speed")
    enter(reader, "#rewind-live")
    reader.see("status-text", "Live")
    enter(reader, "#refresh")
    enter(reader, "#wall")
    until(lambda: reader.run("return 'wall' in document.documentElement.dataset"))
    press(reader, Keys.ESCAPE)
    until(lambda: reader.run("return !('wall' in document.documentElement.dataset)"))
    enter(reader, "#today .ff-stat")
    until(lambda: urlsplit(reader.driver.current_url).path == f"/overview/{LIVE}")
