"""Figures in a real browser: drawn after the numbers, in both themes, explored by pointer and by keys."""

from __future__ import annotations

import itertools
import re
import struct
import time
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from xml.etree import ElementTree

import pytest
from reader import FAINT, PHONE, UNNAMED, Reader, add_owner, add_site, come
from selenium.webdriver import ActionChains, Keys
from selenium.webdriver.common.actions.wheel_input import ScrollOrigin
from selenium.webdriver.common.by import By
from stream_server import until

from analytics.base.config import Config
from analytics.sites import notes, store
from analytics.storage.database import Database
from collector.ingest.visit import Origin
from tests.support.factories import accepted, beat, keep_beats, stored
from tests.support.history import at
from tests.support.serving import Server, serving

HOSTILE, NOTED = "<a href='//e'>x</a>&amp;<b>", "period=2026-03-09,2026-03-11&interval=day"
BUNDLE, WORLD = "*/plotly.min.js", "*/world_110m.json"
_numbers = itertools.count(1)


@pytest.fixture(scope="module")
def server(tmp_path_factory) -> Iterator[Server]:
    config = Config(data_dir=tmp_path_factory.mktemp("data"))
    database = Database(config)
    keep_regions(database)
    keep_a_day(database)
    keep_a_note(database)
    database.close()
    with serving(config) as running:
        add_owner(running)
        running.tell("maintain")
        yield running


def keep_regions(database: Database) -> None:
    """Stores 10 visitors of regions.example on 10 March 2026: 7 of Germany, of whom one has no region."""
    number = store.add(database, "regions.example", timezone="UTC", now=at(1)).id
    places = [("DE", "Bavaria")] * 3 + [("DE", "Hesse")] * 2 + [("DE", "<b>Atlantis</b>"), ("DE", "")]
    for nth, (country, region) in enumerate([*places, ("FR", ""), ("SG", ""), ("US", "California")]):
        origin = Origin("example.com", channel="Direct", country=country, region=region)
        stored(database, accepted(page_id=f"region-{nth:03}", at=at(10, 9), visitor=nth, site_id=number, origin=origin))


def keep_a_day(database: Database) -> None:
    """Stores two people of day.example, a day and a half ago."""
    number, then = store.add(database, "day.example", timezone="UTC", now=at(1)).id, int(time.time()) - 129_600
    keep_beats(database, [beat(n, at=then, nth=n, visit_id=9000 + n, site_id=number) for n in (1, 2)])


def keep_a_note(database: Database) -> None:
    """Stores a visitor of noted.example on 10 March 2026, and a note of markup."""
    number = store.add(database, "noted.example", timezone="UTC", now=at(1)).id
    stored(database, accepted(page_id="noted-001", at=at(10, 9), visitor=1, site_id=number))
    notes.add(database, number, "2026-03-10", HOSTILE, now=at(10))


@pytest.fixture
def site(server) -> str:
    """A site with two people in Germany, one in Portugal and one in Japan."""
    domain = f"figures{next(_numbers)}.example"
    add_site(server, domain)
    for zone, people in (("Europe/Berlin", ["ann", "bob"]), ("Europe/Lisbon", ["eva"]), ("Asia/Tokyo", ["ken"])):
        come(server, domain, people, "/pricing", timezone=zone)
    return domain


def of_graph(reader: Reader, name: str, expression: str) -> object:
    """What the expression says of plotly's graph element `g`."""
    return reader.run(f"const g = document.querySelector('#{name} .js-plotly-plot'); return g && ({expression})")


def drawn(reader: Reader, *names: str) -> None:
    for name in names:
        until(lambda name=name: of_graph(reader, name, "g._fullLayout && Boolean(g.querySelector('.main-svg'))"))


def opened(reader: Reader, site: str) -> None:
    reader.open_live(site)
    until(lambda: reader.text("active-now") == "4")
    drawn(reader, "trend", "world")
    until(lambda: of_graph(reader, "world", "g.querySelectorAll('path.point').length") == 6)


def focus(reader: Reader, name: str) -> None:
    reader.run(f"document.getElementById('{name}').closest('.ff-figure-plot').focus()")


def press(reader: Reader, *keys: str) -> None:
    ActionChains(reader.driver).send_keys(*keys).perform()


def label(reader: Reader, name: str) -> str:
    """The hover label that is on show."""
    return " ".join(str(of_graph(reader, name, "g.querySelector('.hoverlayer').textContent")).split())


def said(reader: Reader, name: str) -> str:
    return reader.run(
        f"return document.getElementById('{name}').closest('.ff-figure').querySelector('[role=status]').textContent"
    )


# ───────── drawn ─────────


def test_the_map_and_the_line_are_drawn_and_look_right(reader, site):
    opened(reader, site)
    assert reader.run("return document.getElementById('world-words').textContent").startswith("4 people in 3 places;")
    reader.shoot("live-figures")
    reader.looks_right()


def test_the_theme_is_switched_without_a_request(reader, site):
    opened(reader, site)
    reader.run("document.documentElement.dataset.bsTheme = 'light'")
    line = "g.querySelector('.js-line').style.stroke"
    until(lambda: of_graph(reader, "trend", line) == "rgb(8, 121, 90)")
    reader.requests()
    reader.run("document.documentElement.dataset.bsTheme = 'dark'")
    until(lambda: of_graph(reader, "trend", line) == "rgb(61, 219, 166)")
    assert [url for url in reader.requests() if "/assets/" in url] == []
    reader.run("document.documentElement.dataset.bsTheme = 'light'")


def test_the_bundle_is_asked_for_after_the_numbers_and_by_pages_with_a_figure_alone(reader, site):
    reader.requests()
    reader.open("/account")
    until(lambda: reader.texts("h1") == ["Account"])
    assert [url for url in reader.requests() if "plotly" in url] == []
    with reader.prepared(NUMBER_AT_BUNDLE):
        opened(reader, site)
    assert reader.run("return window.numberAtBundle") == "4"
    asked = [url.rpartition("/")[2] for url in reader.requests() if "plotly" in url]
    assert asked == ["plotly.min.js", "world_110m.json"]


NUMBER_AT_BUNDLE = """
new MutationObserver((changes) => {
  if (changes.some(({addedNodes}) => [...addedNodes].some(({src}) => src && src.includes("plotly.min.js"))))
    window.numberAtBundle = document.getElementById("active-now").textContent;
}).observe(document, {childList: true, subtree: true});
"""


# ───────── not there ─────────


def test_a_page_whose_bundle_is_missing_keeps_its_numbers_lists_and_tables(reader, site):
    with reader.cut_off_from(BUNDLE):
        reader.open_live(site)
        until(lambda: reader.texts(".is-failed .ff-figure-wait"))
        reader.see("active-now", "4")
        assert reader.rows("pages") == [("/pricing", "4")]
        assert reader.texts("#map .ff-map-list li")[0] == "Germany2"
        reader.click("#world-open")
        until(lambda: reader.texts("#world-table tbody th") == ["Germany", "Japan", "Portugal"])
        come(reader.server, site, ["zoe"], "/new", timezone="Europe/Berlin")
        until(lambda: reader.rows("pages") == [("/pricing", "4"), ("/new", "1")])
        assert reader.texts(".ff-figure-wait")[0].startswith("The figure could not be loaded.")
        reader.shoot("live-without-bundle")
    reader.click(".ff-sparkbox .ff-figure-again")
    drawn(reader, "trend", "world")


def test_an_overview_whose_bundle_is_missing_keeps_its_numbers_lists_and_tables(reader, server):
    with reader.cut_off_from(BUNDLE):
        reader.open(DAY)
        until(lambda: len(reader.texts("#overview .is-failed .ff-figure-wait")) == 3)
        assert reader.texts("[data-key=stat-visitors] .ff-v") == ["10"]
        reader.click("[data-key=tab-country]")
        until(lambda: reader.texts("[data-part=places] tbody tr b")[:1] == ["7"])
        reader.click("#overview-week-open")
        until(lambda: reader.texts("#overview-week-table tbody td"))
        reader.run("scrollTo(0, 0)")
        reader.click("[data-key=details-time]")
        until(lambda: reader.texts("[data-part=rows] tbody td"))
        reader.click("#overview-details [aria-label=Close]")
        reader.shoot("overview-without-bundle")
    reader.complaints()
    reader.click(".ff-main-chart .ff-figure-again")
    drawn(reader, "overview-chart")


def test_concurrents_whose_bundle_is_missing_keep_their_numbers_and_table(reader, server):
    then = datetime.fromtimestamp(time.time() - 129_600, UTC).date()
    with reader.cut_off_from(BUNDLE):
        reader.open(f"/concurrents/day.example?day={then}")
        until(lambda: reader.texts("#concurrents .is-failed .ff-figure-wait"))
        assert reader.texts(".ff-day-figures b")[0] == "2"
        reader.click("#day-open")
        until(lambda: reader.texts("#day-table tbody td"))
        (file,) = reader.run("return [...document.querySelectorAll('#day-chart [data-csv]')].map((n) => n.href)")
        assert file == f"{reader.server.url}/concurrents/day.example/minutes.csv?day={then}"
        reader.shoot("concurrents-without-bundle")
    reader.complaints()
    reader.click(".ff-figure-again")
    drawn(reader, "day")


def test_a_map_without_the_outlines_can_be_tried_again(signed_in, site):
    reader = signed_in
    reader.driver.get("about:blank")
    with reader.cut_off_from(WORLD):
        reader.open_live(site)
        until(lambda: reader.texts(".ff-map .is-failed .ff-figure-again"))
        drawn(reader, "trend")
    reader.complaints()
    reader.click(".ff-map .ff-figure-again")
    until(lambda: of_graph(reader, "world", "g.querySelectorAll('path.point').length") == 6)
    assert reader.complaints() == []


# ───────── explored ─────────


def test_the_map_is_zoomed_by_buttons_wheel_and_keys_and_keeps_its_view_through_redraws(reader, server, site):
    opened(reader, site)
    scale, lon = "g._fullLayout.geo.projection.scale", "Math.round(g._fullLayout.geo.projection.rotation.lon)"
    focus(reader, "world")
    press(reader, "+")
    until(lambda: of_graph(reader, "world", scale) == 2)
    press(reader, Keys.ARROW_RIGHT)
    until(lambda: of_graph(reader, "world", lon) == 26)
    come(server, site, ["zoe"], "/new", timezone="America/New_York")
    until(lambda: of_graph(reader, "world", "g.data[1].lat.length") == 4)
    assert (of_graph(reader, "world", scale), of_graph(reader, "world", lon)) == (2, 26)
    press(reader, "-")
    until(lambda: of_graph(reader, "world", scale) == 1)
    box = reader.driver.find_element(By.CSS_SELECTOR, "#world .geo")
    ActionChains(reader.driver).move_to_element(box).scroll_from_origin(
        ScrollOrigin.from_element(box), 0, -300
    ).perform()
    until(lambda: of_graph(reader, "world", scale) > 1)
    come(server, site, ["tom"], "/new", timezone="Asia/Kolkata")
    until(lambda: of_graph(reader, "world", "g.data[1].lat.length") == 5)
    assert of_graph(reader, "world", scale) > 1
    press(reader, "0")
    until(lambda: (of_graph(reader, "world", scale), of_graph(reader, "world", lon)) == (1, 11))


def _origin(element: object) -> object:
    from selenium.webdriver.common.actions.wheel_input import ScrollOrigin

    return ScrollOrigin.from_element(element)


def test_keys_go_from_dot_to_dot_and_the_dot_keeps_its_focus_through_redraws(reader, server, site):
    opened(reader, site)
    focus(reader, "world")
    press(reader, Keys.PAGE_DOWN)
    until(lambda: label(reader, "world") == said(reader, "world") == "Germany · 2 people")
    press(reader, Keys.PAGE_DOWN)
    until(lambda: "Japan" in label(reader, "world") or "Portugal" in label(reader, "world"))
    chosen = label(reader, "world")
    come(server, site, ["zoe"], "/new", timezone="America/New_York")
    until(lambda: of_graph(reader, "world", "g.data[1].lat.length") == 4)
    until(lambda: label(reader, "world") == chosen)
    press(reader, Keys.ESCAPE)
    until(lambda: label(reader, "world") == "")


@contextmanager
def touched(reader: Reader) -> Iterator[None]:
    """In the block, the screen is a phone's, with fingers in place of a mouse."""
    with reader.sized(PHONE):
        reader.command("Emulation.setTouchEmulationEnabled", enabled=True)
        try:
            yield
        finally:
            reader.command("Emulation.setTouchEmulationEnabled", enabled=False)


def swipe(reader: Reader, name: str, across: int, down: int) -> None:
    """A finger moves by so many px from the middle of a figure."""
    box = reader.run(f"return document.querySelector('#{name} .bg').getBoundingClientRect().toJSON()")
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    reader.command("Input.dispatchTouchEvent", type="touchStart", touchPoints=[{"x": x, "y": y}])
    for part in range(1, 11):
        point = {"x": x + across * part / 10, "y": y + down * part / 10}
        reader.command("Input.dispatchTouchEvent", type="touchMove", touchPoints=[point])
    reader.command("Input.dispatchTouchEvent", type="touchEnd", touchPoints=[])


def test_a_finger_scrolls_the_page_and_moves_a_map_that_is_enlarged(reader, site):
    """On a touch screen a map could be enlarged by its buttons, and then nothing moved it."""
    view = "[Math.round(g._fullLayout.geo.projection.rotation.lon), g._fullLayout.geo.projection.scale]"
    with touched(reader):
        opened(reader, site)
        assert reader.run("return matchMedia('(pointer: coarse)').matches")
        reader.run("document.querySelector('#world').scrollIntoView({block: 'center'})")
        before = reader.run("return scrollY")
        swipe(reader, "world", 0, -100)
        until(lambda: reader.run("return scrollY") > before)
        assert of_graph(reader, "world", view) == [11, 1]
        reader.run("document.querySelector('#world').scrollIntoView({block: 'center'})")
        reader.click("#world [data-attr=zoom][data-val=in]")
        until(lambda: of_graph(reader, "world", "g._fullLayout.dragmode") == "pan")
        before = reader.run("return scrollY")
        swipe(reader, "world", -100, -60)
        until(lambda: of_graph(reader, "world", view)[0] > 11)
        assert reader.run("return scrollY") == before
        reader.click("#world .modebar-btn:is([data-attr=reset], [data-val=reset])")
        until(lambda: of_graph(reader, "world", "g._fullLayout.dragmode") is False)
        swipe(reader, "world", 0, -100)
        until(lambda: reader.run("return scrollY") > before)
        assert of_graph(reader, "world", view) == [11, 1]


def test_arrow_keys_move_the_hover_point_of_a_line(reader, site):
    opened(reader, site)
    focus(reader, "trend")
    press(reader, Keys.ARROW_LEFT)
    until(lambda: label(reader, "trend").endswith("4 active"))
    until(lambda: said(reader, "trend").endswith("4 active"))


def test_the_numbers_of_a_figure_are_a_table_when_it_is_opened(reader, site):
    opened(reader, site)
    reader.click("#world-open")
    until(lambda: reader.texts("#world-table td") == ["2", "1", "1"])
    reader.click("#trend-open")
    until(lambda: reader.texts("#trend-table td")[:1] == ["4"])
    reader.shoot("live-tables")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_figures_can_be_read_on_a_phone(reader, site, theme):
    with reader.preferring("prefers-color-scheme", theme), reader.sized(PHONE):
        opened(reader, site)
        assert reader.too_wide() == []
        assert (reader.run(UNNAMED), reader.run(FAINT)) == ([], [])


# ───────── downloaded ─────────

PNG, SVG = "Download as PNG", "Download as SVG"
SURFACE, OCEAN = "#11161b", "#0a121a"  # of the dark theme


@pytest.fixture
def downloads(reader, tmp_path) -> Iterator[Path]:
    """The folder into which the browser downloads."""
    reader.command("Browser.setDownloadBehavior", behavior="allow", downloadPath=str(tmp_path))
    yield tmp_path
    reader.command("Browser.setDownloadBehavior", behavior="default")


def download(reader: Reader, name: str, button: str, *, key: bool = False) -> None:
    """Presses a button of a figure by the pointer, or by Enter."""
    found = reader.driver.find_element(By.CSS_SELECTOR, f"#{name} .modebar-btn[data-title='{button}']")
    reader.run("arguments[0].closest('.ff-figure').scrollIntoView({block: 'center'})", found)
    if key:
        reader.run("arguments[0].focus()", found)
        press(reader, Keys.ENTER)
    else:
        ActionChains(reader.driver).move_to_element(found).click().perform()


def downloaded(folder: Path, name: str) -> bytes:
    """The file of this name as soon as it is complete; it is removed."""
    until(lambda: [file.name for file in folder.iterdir()] == [name])
    content = (folder / name).read_bytes()
    (folder / name).unlink()
    return content


def corner(png: bytes) -> str:
    """The colour at the upper left of a PNG, as `#rrggbb`; with `aa` unless it is opaque."""
    kind, at, packed = png[25], 8, b""
    while at < len(png):
        (length,) = struct.unpack(">I", png[at : at + 4])
        packed += png[at + 8 : at + 8 + length] if png[at + 4 : at + 8] == b"IDAT" else b""
        at += length + 12
    assert kind in {2, 6}  # RGB, and with a transparency
    pixel = zlib.decompress(packed)[1 : 4 if kind == 2 else 5]  # no filter changes the first pixel
    return f"#{pixel.hex().removesuffix('ff' if kind == 6 else '')}"


def ground(svg: bytes) -> str:
    """The colour of the rectangle behind all of an SVG."""
    svg_element = ElementTree.fromstring(svg)
    behind = svg_element[0]
    assert behind.tag.endswith("}rect")
    assert [behind.get(side) for side in ("width", "height")] == [svg_element.get(side) for side in ("width", "height")]
    style = dict(part.strip().split(": ") for part in (behind.get("style") or "").strip("; ").split(";"))
    red, green, blue = (int(number) for number in re.findall(r"\d+", style["fill"]))
    return f"#{red:02x}{green:02x}{blue:02x}" if float(style["fill-opacity"]) == 1 else style["fill-opacity"]


@pytest.mark.parametrize("key", [False, True], ids=["pointer", "key"])
def test_downloaded_pictures_have_the_ground_on_which_they_were_seen(reader, site, downloads, key):
    with reader.preferring("prefers-color-scheme", "dark"):
        opened(reader, site)
        download(reader, "world", PNG, key=key)
        assert corner(downloaded(downloads, "Map of active people.png")) == OCEAN
        download(reader, "world", SVG, key=key)
        assert ground(downloaded(downloads, "Map of active people.svg")) == OCEAN
        reader.open(DAY)
        drawn(reader, "overview-chart")
        download(reader, "overview-chart", PNG, key=key)
        assert corner(downloaded(downloads, "Chart over time.png")) == SURFACE
        download(reader, "overview-chart", SVG, key=key)
        assert ground(downloaded(downloads, "Chart over time.svg")) == SURFACE
        seen = "getComputedStyle(g.querySelector('.main-svg')).backgroundColor"
        assert of_graph(reader, "overview-chart", seen) == "rgba(0, 0, 0, 0)"


# ───────── kept as text ─────────


def test_a_note_of_markup_stays_text_in_label_hover_and_files(reader, downloads):
    reader.open(f"/overview/noted.example?{NOTED}")
    drawn(reader, "overview-chart")
    texts = "[...g.querySelectorAll('%s text')].map((n) => n.textContent.trim())"
    until(lambda: of_graph(reader, "overview-chart", texts % ".annotation") == [HOSTILE])
    ActionChains(reader.driver).move_to_element(
        reader.driver.find_element(By.CSS_SELECTOR, "#overview-chart .annotation-text-g")
    ).perform()
    until(lambda: HOSTILE in of_graph(reader, "overview-chart", texts % ".hoverlayer"))
    assert of_graph(reader, "overview-chart", "g.querySelectorAll('a[href], a[*|href], b').length") == 0
    download(reader, "overview-chart", SVG)
    svg = ElementTree.fromstring(downloaded(downloads, "Chart over time.svg"))
    names = {element.tag.rpartition("}")[2] for element in svg.iter()}
    assert "text" in names
    assert not names & {"a", "b", "script"}
    assert HOSTILE in {"".join(element.itertext()) for element in svg.iter() if element.tag.endswith("}text")}
    download(reader, "overview-chart", PNG)
    assert downloaded(downloads, "Chart over time.png").startswith(b"\x89PNG")


# ───────── regions ─────────

MAP, OUTLINES = "overview-map", "*/regions/DE.json"
DAY = "/overview/regions.example?period=2026-03-10,2026-03-10"
GERMANY = f"{DAY}&filters=%5B%5B%22is%22%2C%22country%22%2C%5B%22DE%22%5D%5D%5D"


def shapes(reader: Reader) -> int:
    """How many outlines the map of the Overview has drawn."""
    return int(of_graph(reader, MAP, "g.querySelectorAll('.choroplethlayer path').length") or 0)


def chips(reader: Reader) -> list[str]:
    return reader.texts(".ff-filter .ff-trunc")


def click_on(reader: Reader, location: str, *, shift: bool = False) -> None:
    """Clicks on the middle of a country's or region's shape."""
    nth = f"[...document.querySelectorAll('#{MAP} .choroplethlayer path')]"
    shape = reader.run(f"return {nth}.find((path) => path.__data__.loc === arguments[0])", location)
    reader.run("arguments[0].scrollIntoView({block: 'center'})", shape)
    moved = ActionChains(reader.driver).move_to_element(shape)
    (moved.key_down(Keys.SHIFT).click().key_up(Keys.SHIFT) if shift else moved.click()).perform()


def test_a_country_shows_its_regions_which_filter_and_back_undoes_it(reader, server):
    reader.open(DAY)
    until(lambda: shapes(reader) == 3)
    until(lambda: of_graph(reader, MAP, "g.querySelectorAll('path.point').length") == 1)  # Singapore
    reader.looks_right()
    reader.shoot("overview-world-with-dots")
    reader.requests()
    click_on(reader, "DEU")
    until(lambda: shapes(reader) == 16)
    assert [url.rpartition("/")[2] for url in reader.requests() if "/regions/" in url] == ["DE.json"]
    assert chips(reader) == ["Country is Germany"]
    words = reader.run(f"return document.getElementById('{MAP}-words').textContent")
    assert words.startswith("Visitors by region of Germany: Bavaria 3, Hesse 2, <b>Atlantis</b> 1.")
    assert reader.texts(".ff-map-note span") == ["Not on the map: <b>Atlantis</b> 1, unknown region 1."]
    reader.looks_right()
    reader.shoot("overview-regions")
    click_on(reader, "DE-HE")
    until(lambda: chips(reader) == ["Country is Germany", "Region is Hesse"])
    reader.driver.back()
    until(lambda: chips(reader) == ["Country is Germany"])
    until(lambda: of_graph(reader, MAP, "g.data[0].z.filter(Boolean).length") == 2)
    click_on(reader, "DE-BY", shift=True)
    until(lambda: chips(reader) == ["Country is Germany", "Region is not Bavaria"])
    reader.click("[data-key=all-countries]")
    until(lambda: chips(reader) == ["Region is not Bavaria"])
    until(lambda: shapes(reader) == 3)


def test_a_region_says_its_name_and_its_number(reader):
    reader.open(GERMANY)
    until(lambda: shapes(reader) == 16)
    shape = reader.run(
        f"return [...document.querySelectorAll('#{MAP} .choroplethlayer path')].find((p) => p.__data__.loc === 'DE-BY')"
    )
    ActionChains(reader.driver).move_to_element(shape).perform()
    until(lambda: label(reader, MAP) == "Bavaria · 3")


def test_a_country_whose_regions_are_not_known_stays_on_the_world(reader):
    reader.open(GERMANY.replace("DE", "FR"))
    until(lambda: shapes(reader) == 1)
    (sentence,) = reader.texts(".ff-map-note span")
    assert sentence == "The regions of France are not known: that takes a database of places with cities."
    reader.shoot("overview-unknown-regions")


def test_outlines_that_are_missing_can_be_tried_again(reader):
    with reader.cut_off_from(OUTLINES):
        reader.open(GERMANY)
        until(lambda: reader.texts(".ff-choro .is-failed .ff-figure-again"))
    reader.complaints()
    reader.click(".ff-choro .ff-figure-again")
    until(lambda: shapes(reader) == 16)
