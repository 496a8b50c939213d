"""The page of a day's concurrents in a real browser."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import pytest
from reader import FAINT, PHONE, UNNAMED, Reader, add_owner, come
from selenium.webdriver import ActionChains
from selenium.webdriver.common.by import By
from stream_server import until

from analytics.base.config import Config
from analytics.storage.database import Database
from tests.support.factories import added_site, beat, keep_beats
from tests.support.serving import Server, serving

SITE = "example.com"
DAY = 86_400
TODAY = datetime.now(UTC).date()


def noon(back: int) -> int:
    return int(datetime(TODAY.year, TODAY.month, TODAY.day, 12, tzinfo=UTC).timestamp()) - back * DAY


@pytest.fixture(scope="module")
def server(tmp_path_factory) -> Iterator[Server]:
    """A site with two people at noon of the day before yesterday, and one a week earlier."""
    config = Config(data_dir=tmp_path_factory.mktemp("data"))
    database = Database(config)
    site = added_site(database, SITE)
    beats_at = ((10, 1), (9, 1), (2, 1), (2, 2))
    beats = [beat(n, at=noon(back), nth=n, visit_id=n + back, site_id=site.id) for back, n in beats_at]
    keep_beats(database, beats)
    database.close()
    with serving(config) as running:
        add_owner(running)
        running.tell("maintain")
        yield running


def drawn(reader: Reader, day: date) -> None:
    """Waits until that day is on show."""
    until(lambda: reader.run("return (document.getElementById('day-field') || {dataset: {}}).dataset.day") == str(day))


GRAPH = "document.querySelector('#day .js-plotly-plot')"


def chart(reader: Reader) -> None:
    """Waits until the day's line is drawn."""
    until(lambda: reader.run(f"return {GRAPH} && {GRAPH}.querySelectorAll('.js-line').length > 0"))


def drag(reader: Reader, begin: str, end: str) -> None:
    """Draws a range on the chart, from one time of the day to another."""
    at = f"""const axis = {GRAPH}._fullLayout.xaxis;
        return arguments[0].map((time) => Math.round(axis.d2p(time) - axis._length / 2));"""
    left, right = reader.run(at, [begin, end])
    plot = reader.driver.find_element(By.CSS_SELECTOR, "#day .nsewdrag")
    begun = ActionChains(reader.driver).move_to_element(plot).move_by_offset(left, 0).click_and_hold()
    begun.move_by_offset(right - left, 0).release().perform()


def each(reader: Reader, selector: str, expression: str) -> list:
    """What that expression tells of each element `n`."""
    return reader.run(f"return [...document.querySelectorAll(arguments[0])].map((n) => {expression})", selector)


def test_a_day_shows_its_peak_its_mean_and_the_week_before(reader):
    day = TODAY - timedelta(days=2)
    reader.open(f"/concurrents/{SITE}?day={day}")
    drawn(reader, day)
    chart(reader)
    assert reader.texts(".ff-day-figures dt") == ["Peak", "Average"]
    assert reader.texts(".ff-day-figures b")[0] == "2"
    assert reader.texts(".ff-day-figures small") == ["at 12:00"]
    assert "↑ 100%" in reader.texts(".ff-day-figures .ff-delta")[0]
    assert reader.run(f"return [{GRAPH}.data.map((one) => (one.y || []).length), {GRAPH}.layout.yaxis.rangemode]") == [
        [288, 288, 1, 1440, 1440],
        "tozero",
    ]
    assert reader.texts("#day-open") == ["By hour"]
    reader.click("#day-open")
    rows = reader.run(
        "return [...document.querySelectorAll('#day-table tbody tr')].map((n) => n.innerText.split(/\\s+/))"
    )
    assert (len(rows), rows[12]) == (24, ["12:00", "2", "0", "0"])
    fetched = "return fetch(document.querySelector('a[href*=minutes]').href).then((answer) => answer.text())"
    assert f"{day}T12:00+00:00,2,1" in reader.run(fetched).splitlines()
    reader.looks_right()
    reader.shoot("concurrents")


def test_a_range_that_is_drawn_on_the_chart_is_zoomed_and_compared_with_the_week_before(reader):
    day = TODAY - timedelta(days=2)
    reader.open(f"/concurrents/{SITE}?day={day}")
    drawn(reader, day)
    chart(reader)
    drag(reader, f"{day} 11:30", f"{day} 12:30")
    until(lambda: reader.texts("#day-range b")[:1] == ["2"])
    assert [int(time[:2]) for time in reader.texts("#day-range h3")[0].split(" chosen")[0].split(" – ")] == [11, 12]
    assert reader.texts("#day-range small") == ["at 12:00"]
    reader.shoot("concurrents-range")
    begin, end = reader.run(f"return {GRAPH}._fullLayout.xaxis.range")
    assert (begin[:13], end[:13]) == (f"{day} 11", f"{day} 12")
    reader.click("[data-resets]")
    until(lambda: reader.texts("#day-range b") == [])
    assert reader.run(f"return {GRAPH}._fullLayout.xaxis.range") == [f"{day} 00:00", f"{day} 23:59"]


def test_other_days_are_chosen_by_link_and_by_date_and_the_address_names_them(reader):
    reader.open(f"/concurrents/{SITE}")
    drawn(reader, TODAY)
    reader.click('.ff-day-way[title="Day before"]')
    drawn(reader, TODAY - timedelta(days=1))
    reader.at(f"/concurrents/{SITE}?day={TODAY - timedelta(days=1)}")
    wanted = TODAY - timedelta(days=9)
    reader.run(
        """const field = document.querySelector("#day-field input");
           window.isSame = true;
           field.focus();
           field.value = arguments[0];
           field.dispatchEvent(new Event("change", {bubbles: true}));""",
        str(wanted),
    )
    drawn(reader, wanted)
    reader.at(f"/concurrents/{SITE}?day={wanted}")
    until(lambda: reader.texts(".ff-day-figures b")[:1] == ["1"])
    assert reader.run("return window.isSame"), "the page is not loaded again"
    assert reader.run("return document.activeElement.value") == str(wanted), "the field keeps the focus"
    reader.driver.back()
    drawn(reader, TODAY - timedelta(days=1))
    reader.driver.refresh()
    drawn(reader, TODAY - timedelta(days=1))


ABOVE_THE_HEAD = """
const top = (selector) => document.querySelector(selector).getBoundingClientRect().top;
return top("#concurrents .ff-card-head") - top("#concurrents .ff-card");
"""


def test_what_is_not_known_says_so_and_what_is_no_day_too(reader):
    reader.open(f"/concurrents/{SITE}?day={TODAY - timedelta(days=30)}")
    until(lambda: reader.texts(".ff-void b") == ["Nothing known of this day"])
    assert reader.run(ABOVE_THE_HEAD) < 4, "px: the head with the day's choice is at the top"
    reader.open(f"/concurrents/{SITE}?day={TODAY + timedelta(days=2)}")
    until(lambda: reader.texts(".ff-void b") == ["Still to come"])
    reader.open(f"/concurrents/{SITE}?day=%3Cb%3Eyesterday")
    until(lambda: reader.texts(".ff-void b") == ["No such day"])
    assert reader.texts(".ff-void p") == [f"'<b>yesterday' is no day; give one like {TODAY}."]
    reader.click(".ff-void a")
    drawn(reader, TODAY)


def test_the_first_day_marks_what_was_before_the_first_visitor(reader):
    day = TODAY - timedelta(days=10)
    reader.open(f"/concurrents/{SITE}?day={day}")
    drawn(reader, day)
    chart(reader)
    unknown = reader.run(f"return {GRAPH}.layout.shapes.map(({{x0, x1}}) => [x0, x1])")
    assert unknown == [[f"{day} 00:00", f"{day} 12:00"]]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_it_can_be_read_on_a_phone_too(reader, theme):
    with reader.preferring("prefers-color-scheme", theme), reader.sized(PHONE):
        reader.open(f"/concurrents/{SITE}?day={TODAY - timedelta(days=2)}")
        chart(reader)
        assert reader.too_wide() == []
        assert (reader.run(UNNAMED), reader.run(FAINT)) == ([], [])
        ticks = each(reader, "#day .xtick text", "n.getAttribute('transform')")
        assert ticks
        assert not any("rotate" in tick for tick in ticks), ticks


def test_the_live_page_leads_there(reader, server):
    come(server, SITE, ["ann"])
    reader.open(f"/live/{SITE}")
    reader.click(".ff-cap a")
    reader.at(f"/concurrents/{SITE}")
    drawn(reader, TODAY)
