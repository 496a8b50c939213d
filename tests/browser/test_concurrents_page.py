"""The page of a day's concurrents in a real browser."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import pytest
from reader import FAINT, PHONE, UNNAMED, Reader, add_owner, come
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


def each(reader: Reader, selector: str, expression: str) -> list:
    """What that expression tells of each element `n`."""
    return reader.run(f"return [...document.querySelectorAll(arguments[0])].map((n) => {expression})", selector)


def test_a_day_shows_its_peak_its_mean_and_the_week_before(reader):
    day = TODAY - timedelta(days=2)
    reader.open(f"/concurrents/{SITE}?day={day}")
    drawn(reader, day)
    until(lambda: reader.texts("#day-plot svg"))
    assert reader.texts(".ff-day-figures dt") == ["Peak", "Average"]
    assert reader.texts(".ff-day-figures b")[0] == "2"
    assert reader.texts(".ff-day-figures small") == [" at 12:00"]
    assert "↑ 100%" in reader.texts(".ff-day-figures .ff-delta")[0]
    strokes = reader.run(
        "return [...document.querySelectorAll('#day-plot path')].map((n) => n.getAttribute('d').length)"
    )
    assert min(strokes) > 1000
    reader.click("#concurrents summary")
    rows = reader.run(
        "return [...document.querySelectorAll('.ff-day-hours tbody tr')].map((n) => n.innerText.split(/\\s+/))"
    )
    assert (len(rows), rows[12]) == (24, ["12:00", "2", "0", "0"])
    fetched = "return fetch(document.querySelector('a[href*=minutes]').href).then((answer) => answer.text())"
    assert f"{day}T12:00+00:00,2,1" in reader.run(fetched).splitlines()
    reader.looks_right()
    reader.shoot("concurrents")


def test_other_days_are_chosen_by_link_and_by_date_and_the_address_names_them(reader):
    reader.open(f"/concurrents/{SITE}")
    drawn(reader, TODAY)
    reader.click('.ff-day-way[title="Day before"]')
    drawn(reader, TODAY - timedelta(days=1))
    reader.at(f"/concurrents/{SITE}?day={TODAY - timedelta(days=1)}")
    wanted = TODAY - timedelta(days=9)
    reader.run(
        """const field = document.querySelector("#day-field input");
           field.value = arguments[0];
           field.dispatchEvent(new Event("change", {bubbles: true}));""",
        str(wanted),
    )
    drawn(reader, wanted)
    reader.at(f"/concurrents/{SITE}?day={wanted}")
    assert reader.texts(".ff-day-figures b")[0] == "1"
    reader.driver.back()
    drawn(reader, TODAY - timedelta(days=1))
    reader.driver.refresh()
    drawn(reader, TODAY - timedelta(days=1))


def test_what_is_not_known_says_so_and_what_is_no_day_too(reader):
    reader.open(f"/concurrents/{SITE}?day={TODAY - timedelta(days=30)}")
    until(lambda: reader.texts(".ff-void b") == ["Nothing known of this day"])
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
    widths = until(
        lambda: reader.run("return [...document.querySelectorAll('.ff-day-unknown')].map((n) => n.style.width)")
    )
    assert [round(float(width.strip("%"))) for width in widths] == [50]


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_it_can_be_read_on_a_phone_too(reader, theme):
    with reader.preferring("prefers-color-scheme", theme), reader.sized(PHONE):
        reader.open(f"/concurrents/{SITE}?day={TODAY - timedelta(days=2)}")
        until(lambda: reader.texts("#day-plot svg"))
        assert reader.too_wide() == []
        assert (reader.run(UNNAMED), reader.run(FAINT)) == ([], [])


def test_the_live_page_leads_there(reader, server):
    come(server, SITE, ["ann"])
    reader.open(f"/live/{SITE}")
    reader.click(".ff-cap a")
    reader.at(f"/concurrents/{SITE}")
    drawn(reader, TODAY)
