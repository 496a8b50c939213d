"""The Overview in a real browser, over the visits of `tests/support/history.py` and a site with more pages than fit."""

from __future__ import annotations

import csv
import io
import json
import time
from collections.abc import Iterator
from urllib.parse import parse_qsl, urlencode, urlsplit

import pytest
from reader import PHONE, Reader, add_owner, come
from selenium.webdriver import ActionChains, Keys
from selenium.webdriver.common.by import By
from stream_server import until

from analytics.base.config import Config
from analytics.sites import store
from analytics.storage import schema
from analytics.storage.database import Database
from tests.support.factories import accepted, stored
from tests.support.history import at, keep_history
from tests.support.serving import Server, serving

DAYS = "period=2026-03-10,2026-03-12"
COUNTED = "2026-02-02"  # before the first heartbeat, so that the daily work leaves it
PAGES = 120
HOSTILE = "/<img src=x onerror=alert(1)>"


@pytest.fixture(scope="module")
def server(tmp_path_factory) -> Iterator[Server]:
    """A server with stored history: sites 1 and 2, one with many pages, one with a visit just now, one with none."""
    config = Config(data_dir=tmp_path_factory.mktemp("data"))
    database = Database(config)
    for domain in ("example.com", "other.example", "large.example", "today.example", "quiet.example"):
        store.add(database, domain, timezone="UTC", now=at(1))
    keep_history(database)
    pages = [f"/page-{number:03}" for number in range(PAGES)] + [HOSTILE]
    for number, path in enumerate(pages):
        stored(database, accepted(page_id=f"large-{number:04}", at=at(10, 9), visitor=number, path=path, site_id=3))
    stored(database, accepted(page_id="just-now-1", at=int(time.time()), visitor=1, site_id=4))
    with database.transaction() as connection:
        counted = {"site_id": 3, "day": COUNTED, "people": 4, "signed_in": 1, "anonymous": 3}
        connection.execute(schema.daily_usage.insert(), counted)
    database.close()
    with serving(config) as running:
        add_owner(running)
        yield running


def settle(reader: Reader) -> None:
    """Waits until every part is there, and nothing is asked for any more."""
    ready = """return document.querySelector('#overview [data-part=top] :is(.ff-stat, .ff-void)')
        && document.querySelector('#toolbar [data-key=period]')
        && !document.querySelector('#overview [data-part][aria-busy=true]')"""
    until(lambda: reader.run(ready))


def open_overview(reader: Reader, question: str = DAYS, site: str = "example.com") -> None:
    reader.open(f"/overview/{site}?{question}")
    settle(reader)


def asked(reader: Reader) -> dict[str, str]:
    """The parameters of the address, but for the period."""
    found = dict(parse_qsl(urlsplit(reader.driver.current_url).query))
    found.pop("period", None)
    return found


def filtered_by(reader: Reader) -> list:
    return json.loads(asked(reader).get("filters", "[]"))


def listed(reader: Reader, part: str) -> dict[str, str]:
    """Label and number of each row of a part."""
    cells = """return [...document.querySelectorAll(`[data-part=${arguments[0]}] tbody tr`)].map(
        (row) => [row.querySelector('.ff-lbl').textContent, row.querySelector('b').textContent])"""
    return dict(reader.run(cells, part))


def number(reader: Reader, name: str = "visitors") -> str:
    return reader.texts(f"[data-key=stat-{name}] .ff-v")[0]


def chips(reader: Reader) -> list[str]:
    return reader.texts(".ff-filters .ff-trunc")


def drawn(reader: Reader) -> dict:
    """The chart as plotly.js has drawn it; empty before."""
    return reader.run(
        "const {data, layout} = document.querySelector('#overview-chart .js-plotly-plot') || {};"
        "return JSON.parse(JSON.stringify({data: data || [], layout: layout || {}}))"
    )


def lines(reader: Reader) -> list[str]:
    """How each line of the chart is dashed."""
    return [trace["line"].get("dash", "solid") for trace in drawn(reader)["data"] if trace.get("mode") == "lines"]


def noted(reader: Reader) -> list[dict]:
    """The labels of notes in the chart."""
    return drawn(reader)["layout"].get("annotations", [])


def press(reader: Reader, *keys: str) -> None:
    """Keys to whatever has the focus."""
    ActionChains(reader.driver).send_keys(*keys).perform()


def row(part: str, name: str) -> str:
    return f'[data-part={part}] .ff-lbl[data-key$="={name}"]'


def test_a_click_on_a_row_filters_everything_and_back_undoes_it(reader):
    open_overview(reader)
    assert (number(reader), listed(reader, "sources")["Google"]) == ("5", "3")
    reader.click(row("devices", "Firefox"))
    until(lambda: number(reader) == "2")
    settle(reader)
    assert chips(reader) == ["Browser is Firefox"]
    assert filtered_by(reader) == [["is", "browser", ["Firefox"]]]
    assert listed(reader, "sources") == {"Google": "2", "newsletter": "1"}
    assert listed(reader, "devices") == {"Firefox": "2"}
    assert listed(reader, "events") == {"Purchase": "1", "Signup": "1"}
    reader.driver.back()
    until(lambda: number(reader) == "5")
    settle(reader)
    assert (chips(reader), listed(reader, "sources")["Google"]) == ([], "3")
    reader.driver.forward()
    until(lambda: number(reader) == "2")


def test_a_new_site_opens_with_today_and_an_address_that_names_a_period_stays(reader):
    def opened(site, question=""):
        open_overview(reader, question, site)
        return urlsplit(reader.driver.current_url).query, reader.texts("[data-key=period] > span:first-child")

    assert opened("example.com") == ("", ["Last 30 days"])
    assert opened("quiet.example") == ("period=today", ["Today"])
    assert opened("quiet.example", "metric=visits") == ("metric=visits&period=today", ["Today"])
    assert opened("quiet.example", "period=7d") == ("period=7d", ["Last 7 days"])
    reader.click("[data-key=period]")
    reader.click("[data-change='period=30d&interval=']")
    until(lambda: reader.texts("[data-key=period] > span:first-child") == ["Last 30 days"])
    assert urlsplit(reader.driver.current_url).query == "period=30d"


def test_the_bar_says_how_many_are_there_now_and_leads_to_them(reader, server):
    come(server, "other.example", ["ann", "bob"])
    open_overview(reader, DAYS, "other.example")
    until(lambda: reader.texts("#overview-now > :not(.ff-pulse,.ff-age)") == ["2", "now", "last 60 s"])
    reader.click("#overview-now")
    reader.at("/live/other.example")


def test_shift_click_excludes_and_so_does_the_button_of_the_row(reader):
    open_overview(reader)
    link = reader.driver.find_element(By.CSS_SELECTOR, row("sources", "Google"))
    ActionChains(reader.driver).key_down(Keys.SHIFT).click(link).key_up(Keys.SHIFT).perform()
    until(lambda: chips(reader) == ["Source is not Google"])
    settle(reader)
    assert len(reader.driver.window_handles) == 1
    assert listed(reader, "sources") == {"Direct / None": "2", "newsletter": "1"}
    reader.click('[data-part=sources] [aria-label="Exclude newsletter"]')
    until(lambda: chips(reader) == ["Source is none of Google, newsletter"])
    settle(reader)
    assert filtered_by(reader) == [["is_not", "source", ["Google", "newsletter"]]]
    assert listed(reader, "sources") == {"Direct / None": "2"}


def test_a_click_on_the_map_filters_by_the_country(reader):
    open_overview(reader)
    shapes = "#overview-map .choroplethlayer path"
    until(lambda: len(reader.driver.find_elements(By.CSS_SELECTOR, shapes)) == 3)
    settle(reader)
    germany = reader.driver.find_element(By.CSS_SELECTOR, f"{shapes}:nth-child(1)")
    ActionChains(reader.driver).move_to_element(germany).click().perform()
    until(lambda: chips(reader) == ["Country is Germany"])


def test_chips_are_removed_by_the_keyboard_and_the_focus_stays_in_the_bar(reader):
    both = urlencode({"filters": '[["is","country",["DE"]],["is","source",["Google"]]]'})
    open_overview(reader, f"{DAYS}&{both}")
    assert chips(reader) == ["Country is Germany", "Source is Google"]
    reader.run("document.querySelector('.ff-filter .ff-x').focus()")
    press(reader, Keys.ENTER)
    until(lambda: chips(reader) == ["Source is Google"])
    settle(reader)
    assert reader.run("return document.activeElement.ariaLabel") == "Remove the filter Source is Google"
    press(reader, Keys.ENTER)
    until(lambda: chips(reader) == [])
    assert asked(reader) == {}


def suggested(reader: Reader) -> list[list[str]]:
    """The suggestions with their counts; none while they are asked for."""
    return reader.run(
        """return [...document.querySelectorAll('#overview-filter [aria-busy=false] > [role=option]')].map((node) =>
            [...node.children].map((part) => part.textContent))"""
    )


def focused(reader: Reader, name: str = "id") -> str:
    return reader.run(f"return document.activeElement.{name}")


def test_filters_are_written_and_changed_by_the_keyboard_alone(reader):
    """Newcomers wrote Germany, and nobody had come: only DE worked."""
    open_overview(reader)
    reader.run("document.querySelector('[data-key=filter]').focus()")
    press(reader, Keys.ENTER, Keys.TAB, "Country", Keys.TAB, Keys.TAB)
    assert focused(reader) == "overview-filter-value"
    until(lambda: suggested(reader)[:3] == [["Germany", "2"], ["United States", "2"], ["France", "1"]])
    press(reader, "germ")
    until(lambda: suggested(reader) == [["Germany", "2"], ["As typed: germ", ""]])
    assert reader.run("return document.activeElement.getAttribute('aria-activedescendant')").endswith("values-0")
    press(reader, Keys.ENTER)
    press(reader, "jp")
    until(lambda: suggested(reader) == [["Japan", ""]])
    press(reader, Keys.ENTER, Keys.ARROW_DOWN, Keys.ARROW_DOWN, Keys.ARROW_UP)
    assert reader.texts("#overview-filter [aria-selected=true]") == ["United States2"]
    reader.shoot("filter-form")
    press(reader, Keys.ENTER)
    chosen = "#overview-filter .ff-filter"
    until(lambda: reader.texts(chosen) == ["Germany", "Japan", "United States"])
    press(reader, Keys.BACKSPACE)
    press(reader, "x", Keys.ESCAPE)
    assert (reader.texts(chosen), focused(reader, "value")) == (["Germany", "Japan"], "")
    press(reader, Keys.ENTER)
    until(lambda: chips(reader) == ["Country is any of Germany, Japan"])
    settle(reader)
    assert (number(reader), filtered_by(reader)) == ("2", [["is", "country", ["DE", "JP"]]])

    reader.run("document.querySelector('.ff-toolbar .ff-filter button').focus()")
    press(reader, Keys.ENTER)
    until(lambda: (focused(reader), reader.texts(chosen)) == ("overview-filter-value", ["Germany", "Japan"]))
    until(lambda: suggested(reader)[:2] == [["United States", "2"], ["France", "1"]])
    press(reader, Keys.BACKSPACE, "France", Keys.ENTER, Keys.ENTER)
    until(lambda: filtered_by(reader) == [["is", "country", ["DE", "FR"]]])
    settle(reader)
    assert number(reader) == "3"
    press(reader, Keys.ESCAPE)
    reader.click('[data-key="filter"]')
    assert reader.texts(chosen) == [], "the next filter begins empty"


def test_what_is_typed_is_a_value_where_the_operator_wants_text(reader):
    open_overview(reader)
    reader.click('[data-key="filter"]')
    reader.click("#overview-filter [name=how] option[value=matches]")
    reader.run("document.querySelector('#overview-filter-value').focus()")
    press(reader, "/blog/*", Keys.ENTER, "/pri*", Keys.ENTER, Keys.ENTER)
    until(lambda: chips(reader) == ["Page matches any of /blog/*, /pri*"])
    settle(reader)
    assert listed(reader, "pages") == {"/blog/a": "1", "/blog/b": "1", "/pricing": "1"}


def test_with_what_it_is_compared_is_chosen_and_said(reader):
    open_overview(reader, "period=2026-03-11,2026-03-12&interval=day")
    assert "from 0 in 4–5 Mar 2026" in "".join(reader.texts("[data-key=stat-visitors] .ff-d > span"))
    reader.click('[data-key="compare"]')
    reader.click('#toolbar [data-change="compare=previous"]')
    until(lambda: asked(reader).get("compare") == "previous")
    until(lambda: "9–10 Mar 2026" in reader.texts(".ff-legend")[0])
    settle(reader)
    until(lambda: lines(reader).count("4px,4px") == 1)
    assert "up 33.3%" in reader.texts("[data-key=stat-visitors]")[0]
    assert reader.run("return document.querySelector('[data-key=compare]').ariaLabel") == "Compared with 9–10 Mar 2026"
    reader.click('[data-key="compare"]')
    reader.click('#toolbar [data-change="compare=off"]')
    until(lambda: "4px,4px" not in lines(reader) and asked(reader)["compare"] == "off")


def test_dates_of_ones_own_are_a_period(reader):
    open_overview(reader)
    reader.click('[data-key="period"]')
    for name, day in (("first", "2026-03-12"), ("last", "2026-03-10")):
        field = reader.driver.find_element(By.CSS_SELECTOR, f"[name=period-{name}]")
        reader.run("arguments[0].value = arguments[1]", field, day)
    reader.click("#overview-period form button")
    until(lambda: "period=2026-03-10%2C2026-03-12" in reader.driver.current_url)
    reader.click('[aria-label="Previous period"]')
    until(lambda: "period=2026-03-07%2C2026-03-09" in reader.driver.current_url)
    until(lambda: reader.texts(".ff-top .ff-void b") == ["Nobody came in this period: 7–9 Mar 2026"])


def test_the_choice_of_a_period_says_which_dates_it_covers_and_may_include_today(reader):
    """Newcomers took "Last 12 months" for the time up to today; it ended with October."""
    open_overview(reader, "period=7d")
    reader.click('[data-key="period"]')
    reader.shoot("period")
    week, with_today = reader.texts("#toolbar .ff-range li:has(> [data-change^='period=7d&']) > a")
    assert week.startswith("Last 7 days")
    assert (with_today, "–" in week) == ("+ today", True)
    reader.click("#toolbar [data-change='period=7d%3Atoday&interval=']")
    until(lambda: reader.texts("[data-key=period] > span")[0] == "Last 7 days, with today")
    assert dict(parse_qsl(urlsplit(reader.driver.current_url).query)) == {"period": "7d:today"}
    assert reader.texts("[data-key=period] > span")[1] != ""


def test_an_empty_period_shows_no_zeros_and_leads_on(reader):
    open_overview(reader, "period=2026-01-01,2026-01-31")
    assert reader.texts(".ff-stat") == []
    assert reader.texts(".ff-top .ff-void b") == ["Nobody came in this period: 1–31 Jan 2026"]
    panels = "return [...document.querySelectorAll('.ff-panel')].filter((one) => one.offsetParent).length"
    assert reader.run(panels) == 0, "eight would say the same"
    reader.shoot("empty-period")
    reader.click(".ff-top .ff-link")
    until(lambda: reader.texts(".ff-stat .ff-v")[:1] == ["5"])
    until(lambda: reader.run(panels) == 7)
    width = "return document.querySelector('#overview-week .main-svg')?.getBoundingClientRect().width"
    until(lambda: (reader.run(width) or 0) > 200)
    assert dict(parse_qsl(urlsplit(reader.driver.current_url).query)) == {"period": "all"}


def test_the_bucket_that_is_not_over_is_marked(reader):
    open_overview(reader, "period=month&interval=day", "today.example")
    assert "This day, so far" in reader.texts(".ff-legend")[0]


def test_the_chart_is_read_out_by_the_arrow_keys(reader):
    open_overview(reader, f"{DAYS}&compare=off")
    until(lambda: len(drawn(reader)["data"]) == 2)
    plot = ".ff-main-chart .ff-figure-plot"
    reader.run(f"document.querySelector('{plot}').focus()")
    press(reader, Keys.ARROW_LEFT)
    until(lambda: reader.texts(f"{plot} [role=status]") == ["Tue 10 Mar, Visitors: 3"])
    press(reader, Keys.ARROW_RIGHT)
    until(lambda: reader.texts(f"{plot} [role=status]") == ["Wed 11 Mar, Visitors: 3"])
    press(reader, Keys.ESCAPE)
    until(lambda: not reader.texts(".ff-main-chart .hoverlayer text"))


def test_a_stretch_that_is_dragged_on_the_chart_becomes_the_period(reader):
    open_overview(reader, f"{DAYS}&interval=day")
    until(lambda: drawn(reader)["data"])
    dragged = """const graph = document.querySelector('#overview-chart .js-plotly-plot');
        graph.emit('plotly_relayout', {'xaxis.range[0]': arguments[0], 'xaxis.range[1]': arguments[1]})"""
    for nonsense in ((None, None), ("NaN", 1), (2, 1), (5e9, 6e9), (-1e12, -5), (-0.5, 2.5), (1e308, 9999)):
        reader.run(dragged, *nonsense)
    assert "2026-03-10,2026-03-12" in reader.driver.current_url
    reader.run(dragged, 0.6, 2.2)
    until(lambda: "period=2026-03-11%2C2026-03-12" in reader.driver.current_url)
    until(lambda: number(reader) == "4")
    reader.driver.back()
    until(lambda: number(reader) == "5")


def test_a_part_of_a_single_day_is_only_zoomed_and_a_double_click_undoes_it(reader):
    open_overview(reader, "period=2026-03-10,2026-03-10&interval=hour")
    until(lambda: drawn(reader)["data"])
    before, address = drawn(reader)["layout"]["xaxis"]["range"], reader.driver.current_url
    plot = reader.driver.find_element(By.CSS_SELECTOR, "#overview-chart .nsewdrag")
    ActionChains(reader.driver).move_to_element(plot).click_and_hold().move_by_offset(150, 0).release().perform()
    until(lambda: drawn(reader)["layout"]["xaxis"]["range"][0] > before[0] + 5)
    assert reader.driver.current_url == address
    ActionChains(reader.driver).move_to_element(plot).double_click().perform()
    until(lambda: drawn(reader)["layout"]["xaxis"]["range"] == before)
    assert reader.driver.current_url == address


def test_the_chart_has_bars_by_choice(reader):
    open_overview(reader, f"{DAYS}&interval=day")
    until(lambda: drawn(reader)["data"])
    reader.click("[data-key=shape-bars]")
    until(lambda: [trace["y"] for trace in drawn(reader)["data"] if trace["type"] == "bar"] == [[3, 3, 1]])
    assert asked(reader)["draw"] == "bars"
    assert drawn(reader)["layout"]["yaxis"]["range"][0] == 0


def test_another_metric_and_interval_are_drawn_and_in_the_address(reader):
    open_overview(reader)
    reader.click("[data-key=stat-pageviews]")
    until(lambda: reader.texts(".ff-main-chart h2") == ["Pageviews by day"])
    reader.click("[data-key=interval-hour]")
    until(lambda: reader.texts(".ff-main-chart h2") == ["Pageviews by hour"])
    assert asked(reader) == {"metric": "pageviews", "interval": "hour"}
    reader.driver.refresh()
    settle(reader)
    assert reader.texts(".ff-main-chart h2") == ["Pageviews by hour"]


def test_tabs_follow_the_arrow_keys_and_outlast_a_filter(reader):
    open_overview(reader)
    reader.run("document.querySelector('[data-part=places] [role=tab]').focus()")
    press(reader, Keys.ARROW_RIGHT)
    until(lambda: listed(reader, "places") == {"Germany": "2", "United States": "2", "France": "1"})
    settle(reader)
    assert reader.run("return [document.activeElement.textContent, document.activeElement.ariaSelected]") == [
        "Countries",
        "true",
    ]
    reader.click(row("sources", "Google"))
    until(lambda: listed(reader, "places") == {"France": "1", "Germany": "1", "United States": "1"})
    assert asked(reader) == {"places": "country", "filters": '[["is","source",["Google"]]]'}


def test_a_screen_filters_everything_as_any_other_row(reader):
    open_overview(reader)
    reader.click("[data-key=tab-screen]")
    until(lambda: listed(reader, "devices") == {"1440x900": "1"})
    settle(reader)
    reader.click(row("devices", "1440x900"))
    until(lambda: chips(reader) == ["Screen is 1440x900"])
    assert asked(reader) == {"devices": "screen", "filters": '[["is","screen",["1440x900"]]]'}
    until(lambda: number(reader) == "1")


def test_the_open_tab_of_a_panel_is_in_sight_on_a_phone(reader):
    within = """const tab = document.querySelector('[data-key=tab-language]'), row = tab.parentNode;
        const [own, whole] = [tab, row].map((node) => node.getBoundingClientRect());
        return row.scrollWidth > row.clientWidth && own.left >= whole.left && own.right <= whole.right;"""
    with reader.sized(PHONE):
        open_overview(reader, f"{DAYS}&devices=language")
        assert reader.run(within)
        overlapping = """return [...document.querySelectorAll('.ff-ptabs button')].filter(
            (tab) => tab.scrollWidth > tab.clientWidth + 1).map((tab) => tab.textContent)"""
        assert reader.run(overlapping) == []


def test_an_event_shows_its_properties_and_a_value_filters(reader):
    open_overview(reader)
    reader.click(row("events", "Purchase"))
    until(lambda: reader.texts("[data-part=events] .ff-chip") == ["plan", "seats"])
    settle(reader)
    reader.click("[data-key=property-seats]")
    until(lambda: listed(reader, "events") == {"Purchase": "1", "3": "1"})
    reader.click('[data-part=events] [data-key="prop:seats=3"]')
    until(lambda: chips(reader) == ["Event is Purchase", "seats is 3"])


def test_filters_are_saved_as_a_segment_gone_to_and_removed(reader):
    germany = urlencode({"filters": '[["is","country",["DE"]]]'})
    open_overview(reader, f"{DAYS}&{germany}")
    reader.click('[data-key="segments"]')
    reader.type("segment-name", "Germany")
    reader.click("#segment-shared")
    reader.click("[data-form=segment] [type=submit]")
    until(lambda: reader.texts(".ff-segments li a") == ["Germanyeverybody's"])
    assert reader.text("overview-said") == "Germany is saved"
    open_overview(reader)
    reader.click('[data-key="segments"]')
    reader.click(".ff-segments li a")
    until(lambda: chips(reader) == ["Country is Germany"])
    settle(reader)
    reader.click('[data-key="segments"]')
    reader.click('.ff-segments [aria-label="Remove Germany"]')
    reader.click("#confirm-yes")
    until(lambda: reader.text("overview-said") == "Germany is removed")
    until(lambda: not reader.texts(".ff-segments li"))


def test_a_note_is_written_into_the_chart_and_removed(reader):
    open_overview(reader, f"{DAYS}&interval=day")
    reader.click("[data-key=notes]")
    reader.run("document.getElementById('note-day').value = '2026-03-11'")
    reader.type("note-text", "Version 2")
    reader.click("[data-form=note] [type=submit]")
    until(
        lambda: (
            [(one["text"], one["x"]) for one in drawn(reader)["layout"].get("annotations", [])] == [("Version 2", 1)]
        )
    )
    settle(reader)
    reader.click('[aria-label="Remove Version 2"]')
    reader.click("#confirm-yes")
    until(lambda: not noted(reader))


# ── details ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def rows(reader: Reader) -> list[str]:
    return reader.texts("[data-part=rows] tbody td:first-child bdi")


def is_open(reader: Reader) -> bool:
    return bool(reader.run("return document.getElementById('overview-details')?.open"))


def test_details_are_searched_sorted_and_paged_in_their_own_address(reader):
    open_overview(reader, DAYS, "large.example")
    reader.click("[data-key=details-page]")
    until(lambda: is_open(reader) and len(rows(reader)) == 50)
    assert reader.texts("[data-part=rows] .ff-turn > span") == [f"1–50 of {PAGES + 1}, 10–12 Mar 2026"]
    settle(reader)
    reader.click("[data-key=sort-name]")
    settle(reader)
    assert rows(reader)[:2] == [HOSTILE, "/page-000"], "as text"
    reader.click("[data-key=sort-name]")
    settle(reader)
    assert rows(reader)[0] == "/page-119"
    reader.click("[data-key=next]")
    until(lambda: rows(reader)[0] == "/page-069")
    assert asked(reader) == {"details": "page", "sort": "-name", "page": "2"}
    reader.type("details-search", "PAGE-11")
    until(lambda: len(rows(reader)) == 10)
    until(lambda: asked(reader) == {"details": "page", "sort": "-name", "search": "PAGE-11"})
    settle(reader)
    assert reader.run("return document.activeElement.id") == "details-search"
    reader.driver.refresh()
    until(lambda: is_open(reader) and len(rows(reader)) == 10)
    settle(reader)
    press(reader, Keys.ESCAPE)  # empties the field, as fields for searching do
    until(lambda: len(rows(reader)) == 50)
    press(reader, Keys.ESCAPE)
    until(lambda: not is_open(reader))
    assert asked(reader) == {}


def test_a_row_of_the_details_filters_and_closes_them(reader):
    open_overview(reader, f"{DAYS}&details=country&search=ger")
    until(lambda: is_open(reader) and rows(reader) == ["Germany"])
    reader.click("[data-part=rows] .ff-lbl")
    until(lambda: not is_open(reader) and chips(reader) == ["Country is Germany"])
    reader.driver.back()
    until(lambda: is_open(reader) and rows(reader) == ["Germany"])


def test_the_chart_has_a_table_for_who_does_not_see_it(reader):
    open_overview(reader)
    reader.click("[data-key=details-time]")
    until(lambda: is_open(reader) and len(reader.texts("[data-part=rows] tbody tr")) == 3)
    assert reader.texts("[data-part=rows] tbody td")[:3] == ["Tue 10 Mar", "3", "3"]


def test_a_file_has_what_is_shown(reader):
    open_overview(reader, f"{DAYS}&details=source&sort=name")
    until(lambda: is_open(reader) and len(rows(reader)) == 3)
    settle(reader)
    fetched = "return fetch(document.querySelector('[data-part=rows] [data-csv]').href).then((answer) => answer.text())"
    _, *found = list(csv.reader(io.StringIO(reader.run(fetched))))
    assert {line[0]: line[1] for line in found} == listed(reader, "rows")
    assert [line[0] for line in found] == rows(reader) == ["Direct / None", "Google", "newsletter"]
    panel = "return fetch(document.querySelector('[data-part=pages] [data-csv]').href).then((answer) => answer.text())"
    _, *found = list(csv.reader(io.StringIO(reader.run(panel))))
    assert {line[0]: line[1] for line in found} == listed(reader, "pages")


# ── what goes wrong ──────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_broken_address_says_what_is_known_and_leads_out(reader):
    reader.open("/overview/example.com?period=30x")
    until(lambda: reader.texts("#overview-wrong [role=alert]"))
    assert reader.texts("#overview-wrong [role=alert]")[0].startswith(
        "This address cannot be shown. Period '30x': realtime,"
    )
    reader.click("#toolbar .ff-link")
    until(lambda: reader.driver.current_url.endswith("/overview/example.com"))
    until(lambda: reader.texts("[data-part=sources] h2, [data-part=sources] [role=tab]"))


@pytest.mark.parametrize(
    ("question", "why", "closed"),
    [
        ("details=nonsense", "Details 'nonsense': time, ", ""),
        ("details=page&period=zz", "Period 'zz': realtime, ", "period=zz"),
        ("details=page&page=0", "Page '0' is no whole number from 1 on", ""),
        ("details=page&sort=-q", "Sort 'q': name, ", ""),
        ("details=page&" + urlencode({"filters": '[["is"]]'}), "", urlencode({"filters": '[["is"]]'})),
    ],
)
def test_a_dialog_of_a_broken_address_says_why_and_leads_out(reader, question, why, closed):
    reader.open(f"/overview/example.com?{question}")
    until(lambda: is_open(reader) and reader.texts("[data-part=rows] [role=alert]"))
    assert reader.texts("[data-part=rows] [role=alert]")[0].startswith(f"This address cannot be shown. {why}")
    assert reader.texts("[data-part=rows] h2") == ["Details"]
    assert reader.run("return document.querySelectorAll('[data-part=rows] .ff-skels').length") == 0
    assert reader.run("return document.querySelector('[data-part=rows]').ariaBusy") == "false"
    reader.shoot("overview-broken-details")
    with reader.sized(PHONE):
        assert reader.too_wide() == []
    press(reader, Keys.ESCAPE)
    until(lambda: not is_open(reader))
    assert urlsplit(reader.driver.current_url).query == closed
    reader.driver.back()
    until(lambda: is_open(reader) and reader.texts("[data-part=rows] [role=alert]"))
    reader.click("[data-part=rows] .ff-link")
    until(lambda: reader.driver.current_url.endswith("/overview/example.com") and not is_open(reader))
    settle(reader)


def test_an_open_dialog_says_why_it_cannot_follow_the_address_and_comes_back(reader):
    open_overview(reader, f"{DAYS}&details=source")
    until(lambda: is_open(reader) and len(rows(reader)) == 3)
    reader.run("footfall_components.address.go('sort=-q')")
    until(lambda: reader.texts("[data-part=rows] [role=alert]"))
    assert (rows(reader), reader.texts("[data-part=rows] footer")) == ([], [])
    reader.driver.back()
    until(lambda: len(rows(reader)) == 3 and reader.texts("[data-part=rows] h2") == ["Sources"])
    assert reader.texts("[data-part=rows] [role=alert]") == []


def test_of_a_name_that_is_there_twice_the_last_value_counts_that_is_not_empty(reader):
    open_overview(reader, f"details=nonsense&details=page&details=&{DAYS}&search=docs&search=blog&search=")
    until(lambda: is_open(reader) and sorted(rows(reader)) == ["/blog/a", "/blog/b"])
    assert reader.run("return document.getElementById('details-search').value") == "blog"
    press(reader, Keys.ESCAPE, Keys.ESCAPE)
    until(lambda: not is_open(reader))
    reader.open("/overview/example.com?details=&period=today")
    settle(reader)
    assert not is_open(reader)


CUT_OFF = """const ask = window.fetch;
window.footfallTimes = {part: 500};
window.isCutOff = true;
const isOfPart = (body) => body.includes('"search"') && !body.includes('"root');
window.fetch = (address, options) => window.isCutOff && isOfPart(String((options || {}).body))
  ? Promise.reject(new TypeError("cut off")) : ask(address, options);"""


@pytest.mark.parametrize("query", [DAYS, ""])
def test_parts_that_cannot_be_read_say_so_and_are_asked_for_again(reader, query):
    with reader.prepared(CUT_OFF):
        reader.open(f"/overview/example.com?{query}")
        until(lambda: len(reader.texts(".ff-overview [role=alert]")) == 7)
    assert reader.texts("[data-part=sources] [role=alert] b") == ["Sources could not be read"]
    assert reader.texts("h1") == ["Overview"]
    reader.shoot("overview-failed")
    reader.complaints()  # Dash notes what was cut off
    reader.run("window.isCutOff = false")
    reader.click("[data-part=sources] .ff-retry")
    found = {"Google": "3", "Direct / None": "2", "newsletter": "1"} if query else {}
    until(lambda: reader.texts("#toolbar [data-key=period]") and listed(reader, "sources") == found)
    until(lambda: reader.texts("#overview .is-failed") == [])  # all that had failed
    settle(reader)


HELD = """const ask = window.fetch;
window.held = null;
window.waiting = [];
window.fetch = (address, options) => {
  const answer = ask(address, options);
  if (!window.held || !String((options || {}).body).includes(window.held)) return answer;
  return new Promise((resolve) => window.waiting.push(() => resolve(answer)));
};"""
RELEASED = """const done = arguments[0], waiting = window.waiting;
window.held = null;
waiting.forEach((release, nth) => setTimeout(release, 60 * nth));
setTimeout(done, 60 * waiting.length);"""


@pytest.mark.parametrize("held", ["Firefox", '"search"'], ids=["after the newer one", "before the newer one"])
def test_an_older_answer_never_replaces_a_newer_one(reader, held):
    with reader.prepared(HELD):
        open_overview(reader)
    known = listed(reader, "devices")
    reader.driver.execute_script("window.held = arguments[0]", held)
    reader.click(row("devices", "Firefox"))
    until(lambda: reader.run("return window.waiting.length") >= 4)
    reader.driver.back()
    if held == "Firefox":
        settle(reader)
    else:
        until(lambda: reader.run("return window.waiting.length") >= 8)
    reader.driver.execute_async_script(RELEASED)
    until(lambda: listed(reader, "devices") == known)
    settle(reader)
    assert (chips(reader), listed(reader, "devices")) == ([], known)


def test_a_device_that_is_offline_is_told_so_and_asks_again_when_it_is_back(reader):
    open_overview(reader)
    line = {"latency": 0, "downloadThroughput": -1, "uploadThroughput": -1}
    reader.command("Network.emulateNetworkConditions", offline=True, **line)
    reader.click("[data-key=stat-pageviews]")
    until(lambda: reader.texts(".ff-top [role=alert] p") == ["This device is offline."])
    assert reader.texts("#toolbar [data-key=period] > span:first-child") == ["10–12 Mar 2026"]
    reader.command("Network.emulateNetworkConditions", offline=False, **line)
    until(lambda: reader.texts(".ff-main-chart h2") == ["Pageviews by day"])
    reader.complaints()  # Chromium may note what was cut off


def test_a_day_of_the_daily_usage_is_a_bar_of_both_kinds(reader):
    open_overview(reader, "period=2026-02-01,2026-02-03", "large.example")
    titles = "return [...document.querySelectorAll('#overview-days .ff-bars > span')].map((day) => day.title)"
    until(lambda: reader.run(titles))
    assert reader.run(titles) == [
        "1 Feb 2026: nobody",
        "2 Feb 2026: 4 people, 1 signed in, 3 anonymous",
        "3 Feb 2026: nobody",
    ]
    painted = """return [...document.querySelectorAll('#overview-days .ff-bars > span')].map(
        (day) => getComputedStyle(day).backgroundImage)"""
    keys = "return [...document.querySelectorAll('.ff-bars-key i')].map((n) => getComputedStyle(n).backgroundColor)"
    signed_in, anonymous = reader.run(keys)
    assert signed_in != anonymous
    bar = f"linear-gradient(0deg, {signed_in} 0%, {signed_in} 25%, {anonymous} 25%, {anonymous} 100%)"
    assert reader.run(painted) == ["none", bar, "none"]


def test_g_o_leads_to_the_overview(reader):
    reader.open("/live/example.com")
    until(lambda: reader.texts("#tabs a"))
    press(reader, "g", "o")
    until(lambda: reader.driver.current_url.endswith("/overview/example.com"))
    settle(reader)


def test_it_can_be_read_by_everybody_on_a_desk_and_on_a_phone(reader):
    both = urlencode({"filters": '[["is_not","source",["Bing"]]]'})
    open_overview(reader, f"{DAYS}&places=country&{both}")
    reader.looks_right()
    reader.shoot("overview")


def figure_says(reader: Reader, figure: str) -> str:
    """What is read out of the point that keys have chosen."""
    return "".join(reader.texts(f".ff-figure-plot:has(#{figure}) [role=status]"))


def test_keys_go_through_the_hours_of_the_week_and_the_countries_of_the_map(reader):
    open_overview(reader)
    plotted = (
        "return ['week', 'map'].every((one) => document.querySelector(`#overview-${one} .js-plotly-plot`)?.calcdata)"
    )
    until(lambda: reader.run(plotted))
    focus = "document.querySelector(`.ff-figure-plot:has(#${arguments[0]})`).focus()"
    reader.run(focus, "overview-week")
    press(reader, Keys.ARROW_RIGHT)
    until(lambda: figure_says(reader, "overview-week").startswith("Mon 00:00, "))
    press(reader, Keys.ARROW_RIGHT)
    until(lambda: figure_says(reader, "overview-week").startswith("Mon 01:00, "))
    press(reader, Keys.ARROW_DOWN)
    until(lambda: figure_says(reader, "overview-week").startswith("Tue 01:00, "))
    press(reader, Keys.ARROW_UP, Keys.ARROW_UP)
    until(lambda: figure_says(reader, "overview-week").startswith("Mon 01:00, "))
    buttons = "return [...document.querySelectorAll('#overview-week .modebar-btn')].map((n) => n.dataset.title)"
    assert reader.run(buttons) == ["Download as PNG", "Download as SVG"]  # no zoom: there is none
    press(reader, "+", "-", "0")
    assert figure_says(reader, "overview-week").startswith("Mon 01:00, ")
    reader.run(focus, "overview-map")
    press(reader, Keys.PAGE_DOWN)
    until(lambda: figure_says(reader, "overview-map").startswith("Germany"))
    press(reader, Keys.PAGE_DOWN)
    until(lambda: (said := figure_says(reader, "overview-map")) and not said.startswith("Germany"))
