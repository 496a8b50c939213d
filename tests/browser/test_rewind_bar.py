"""The Live page rewound, in a real browser: every figure is of the second that it names, and the way back is open."""

from __future__ import annotations

import itertools
import re
import time
from collections.abc import Iterator

import pytest
from reader import FAINT, PHONE, UNNAMED, Reader, add_owner, add_site, come
from selenium.webdriver import ActionChains, Keys
from stream_server import until

from analytics.base.config import Config
from tests.support.serving import AGENT, Server, pageview, serving

HOUR = 3600
_numbers = itertools.count(1)


@pytest.fixture(scope="module")
def server(tmp_path_factory) -> Iterator[Server]:
    with serving(Config(data_dir=tmp_path_factory.mktemp("data"))) as running:
        add_owner(running)
        yield running


class Past:
    """A site of the test's own with visitors of the last hours."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.site = f"past{next(_numbers)}.example"
        self.now = int(time.time())
        add_site(server, self.site, "UTC")
        key = server.tell("key add", name=self.site, scope="ingest", site=self.site)
        self.key = {"Authorization": f"Bearer {key}"}

    def visited(self, path: str, at: int, *people: int) -> None:
        """These visitors opened that page at that second."""
        pages = [
            pageview(f"{path[1:]}-{n:04}-{at}", path, self.site, ip=f"198.51.100.{n}", user_agent=AGENT, time=at)
            for n in people
        ]
        assert self.server.collect(pages, self.key).json == {"stored": len(people), "duplicate": 0}


@pytest.fixture
def past(server) -> Past:
    """Three people two hours ago, one of them still there half a minute later, and one now."""
    past = Past(server)
    past.visited("/before", past.now - 5 * HOUR, 9)
    past.visited("/then", past.now - 2 * HOUR, 1, 2, 3)
    past.visited("/later", past.now - 2 * HOUR + 30, 1)
    come(server, past.site, [f"now on {past.site}"], "/now")
    return past


# In the page: whether every minute of the line behind the slider is counted.
COUNTED = "return JSON.parse(document.getElementById('rewind-track')?.dataset.line || '{}').isComplete"


def slide(reader: Reader, at: int, *, released: bool = True) -> None:
    """Drags the slider to that second, once the minutes before it are counted: the peak until then needs them."""
    until(lambda: reader.run(COUNTED))
    reader.run(
        """const input = document.getElementById("rewind-slider");
           input.value = arguments[0];
           for (const type of arguments[1]) input.dispatchEvent(new Event(type, {bubbles: true}));""",
        at,
        ["input", "change"] if released else ["input"],
    )


def shown(reader: Reader) -> int:
    """The second that the page's figures are of, 0 when it is live."""
    return int(reader.run("return (document.getElementById('rewind') || {dataset: {}}).dataset.at") or 0)


def clock(reader: Reader, at: int) -> str:
    return reader.run("return footfall.write.time(arguments[0] * 1000, 'UTC', true)", at)


def rewound(reader: Reader, at: int) -> None:
    """Slides there, and waits for the page of that second."""
    slide(reader, at)
    until(lambda: shown(reader) == at)
    reader.see("status-text", f"Rewound to {clock(reader, at)}")


FILES = """return [...document.querySelectorAll("[data-csv]")].filter((node) => node.checkVisibility())
    .map((node) => new URL(node.href).pathname)"""


def test_the_whole_page_is_that_of_the_second_and_says_so(reader, past):
    reader.open_live(past.site)
    assert reader.run(FILES) == [f"/live/{past.site}/minutes.csv", f"/live/{past.site}/places.csv"]
    at = past.now - 2 * HOUR + 10
    rewound(reader, at)
    assert reader.text("active-now") == "3"
    assert reader.rows("pages") == [("/then", "3")]
    until(lambda: reader.texts(".ff-ev-t") == ["/then", "/then", "/then", "/before"])
    assert reader.texts("#feed time")[-1] == "3 h"
    assert reader.driver.title == f"3 at {clock(reader, at)} · Live · {past.site} · Footfall"
    assert clock(reader, at) in reader.text("clock")
    assert reader.texts(".ff-label, #sources-title, #facts dt") == [
        *("Active then", "1 h before", "Peak until then", "Sources then"),
    ]
    assert reader.texts("#pages th")[-1] == "Then"
    assert reader.run("return document.getElementById('rewind-slider').getAttribute('aria-valuetext')").startswith(
        f"{clock(reader, at)}, "
    )
    assert reader.run("return document.getAnimations().filter((one) => one.animationName === 'ff-ring').length") == 0
    assert reader.run(FILES) == [], "they are of now"
    reader.shoot("rewound")
    rewound(reader, at + 30)
    assert reader.rows("pages") == [("/then", "2"), ("/later", "1")]


def test_what_comes_while_it_is_rewound_changes_nothing_until_one_is_back(reader, server, past):
    reader.open_live(past.site)
    rewound(reader, past.now - 2 * HOUR + 10)
    before = reader.run("return document.getElementById('live').innerText.replace(/[0-9]+ min ago/g, '')")
    come(server, past.site, [f"late on {past.site}", f"later on {past.site}"], "/news")
    until(
        lambda: server.request("GET", f"/api/live?site={past.site}", headers=key_of(past)).json["active_sessions"] == 3
    )
    reader.click("#refresh")  # it is the past that is read again
    until(lambda: reader.run("return document.getElementById('refresh').ariaBusy") == "false")
    again = reader.run("return document.getElementById('live').innerText.replace(/[0-9]+ min ago/g, '')")
    assert again == before
    assert reader.driver.title.startswith("3 at ")
    reader.click("#rewind-live")
    until(lambda: shown(reader) == 0)
    reader.see("status-text", "Live")
    reader.see("active-now", "3")
    until(lambda: reader.rows("pages") == [("/news", "2"), ("/now", "1")])
    until(lambda: reader.texts(".ff-ev-t")[:3] == ["/news", "/news", "/now"])
    assert reader.driver.title == f"3 · Live · {past.site} · Footfall"
    assert reader.texts(".ff-label") == ["Active now"]
    assert reader.text("rewind-live") == "Live"


def key_of(past: Past) -> dict[str, str]:
    key = past.server.tell("key add", name=f"stats of {past.site}", scope="stats", site=past.site)
    return {"Authorization": f"Bearer {key}"}


def press(reader: Reader, *keys: str, held: str = "") -> None:
    chain = ActionChains(reader.driver)
    (chain.key_down(held).send_keys(*keys).key_up(held) if held else chain.send_keys(*keys)).perform()


def test_it_goes_back_by_keyboard_minute_by_minute_and_second_by_second(reader, past):
    reader.open_live(past.site)
    until(lambda: reader.run("return document.getElementById('rewind-slider')"))
    reader.run("document.getElementById('rewind-slider').focus()")
    press(reader, Keys.PAGE_DOWN)
    until(lambda: shown(reader))
    begun = shown(reader)
    assert abs(begun - (time.time() - HOUR)) < 60
    for keys, held, moved in (
        ((Keys.ARROW_LEFT,), "", -60),
        ((Keys.ARROW_RIGHT,), "", 60),
        ((Keys.ARROW_LEFT,), Keys.SHIFT, -1),
        ((Keys.ARROW_RIGHT,), Keys.SHIFT, 1),
        ((Keys.ARROW_DOWN, Keys.ARROW_DOWN), "", -120),
        ((Keys.PAGE_DOWN,), "", -HOUR),
    ):
        begun += moved
        press(reader, *keys, held=held)
        until(lambda wanted=begun: shown(reader) == wanted)
    press(reader, Keys.HOME)
    until(lambda: shown(reader) == past.now - 5 * HOUR)
    assert re.fullmatch(
        r"\d\d:\d\d:\d\d, 5 h( \d min)? ago",
        reader.run("return document.getElementById('rewind-slider').getAttribute('aria-valuetext')"),
    )
    press(reader, Keys.END)
    until(lambda: shown(reader) == 0)
    assert reader.run("return document.getElementById('rewind-slider').getAttribute('aria-valuetext')") == "Live"


def test_it_plays_forward_until_it_is_live_again(reader, past):
    reader.open_live(past.site)
    at = past.now - 2 * HOUR - 100
    rewound(reader, at)
    assert reader.text("active-now") == "0"
    reader.click("#rewind-play")
    assert reader.run("return document.getElementById('rewind-play').ariaLabel") == "Pause"
    reader.see("active-now", "3", 60)
    assert shown(reader) > at
    reader.click("#rewind-play")
    until(lambda: reader.run("return footfall.live.settled()"))
    paused = shown(reader)
    assert reader.text("status-text") == f"Rewound to {clock(reader, paused)}"
    rewound(reader, int(time.time()) - 40)
    for _ in range(2):
        reader.click("#rewind-speed")
    assert reader.text("rewind-speed") == "300×"
    reader.click("#rewind-play")
    until(lambda: shown(reader) == 0)
    reader.see("status-text", "Live")
    assert reader.is_hidden("rewind-play")


def test_the_second_is_in_the_address_and_back_leads_to_now(reader, past):
    reader.open_live(past.site)
    entries = reader.run("return history.length")
    at, live = past.now - 2 * HOUR + 10, f"/live/{past.site}"
    for nearer in (900, 600, 300):
        slide(reader, at - nearer, released=False)
    assert reader.run("return location.search") == ""
    rewound(reader, at)
    reader.at(f"{live}?at={at}")
    reader.run("document.getElementById('rewind-slider').focus()")
    for moved in (60, 120):
        press(reader, Keys.ARROW_RIGHT)
        until(lambda moved=moved: shown(reader) == at + moved)
    reader.at(f"{live}?at={at + 120}")
    assert reader.run("return history.length") == entries + 1, "keys replace the entry"

    reader.driver.refresh()
    until(lambda: shown(reader) == at + 120)
    reader.see("status-text", f"Rewound to {clock(reader, at + 120)}")
    until(lambda: reader.run("return (document.getElementById('rewind-slider') || {}).value") == str(at + 120))
    assert reader.texts("#rewind-live") == ["Back to live"]
    assert reader.text("active-now") == "0"

    rewound(reader, at)
    reader.driver.back()
    until(lambda: shown(reader) == at + 120)
    reader.driver.back()
    until(lambda: shown(reader) == 0)
    reader.see("status-text", "Live")
    reader.see("active-now", "1")
    until(lambda: reader.rows("pages") == [("/now", "1")])
    assert (reader.text("rewind-live"), reader.is_hidden("rewind-play")) == ("Live", True)
    reader.driver.forward()
    until(lambda: shown(reader) == at + 120)
    reader.click("#rewind-live")
    until(lambda: shown(reader) == 0)
    reader.at(live)


# In the page: the minutes behind the slider are counted later than everything else is drawn.
LATE_LINE = """
const send = window.fetch;
window.fetch = async (address, options = {}) => {
  if (String(options.body).includes("rewind-track.data-line")) await new Promise((done) => setTimeout(done, 2000));
  return send(address, options);
};
"""


def test_a_link_to_a_moment_ends_with_the_peak_until_then_however_late_its_minutes_are_counted(reader, past):
    at = past.now - 2 * HOUR + 10
    with reader.prepared(LATE_LINE):
        reader.open(f"/live/{past.site}?at={at}")
        until(lambda: shown(reader) == at)
        assert reader.texts("#facts dd")[1] == "–"
        until(lambda: reader.texts("#facts dd")[1].startswith("3 at "))


def test_a_link_to_a_moment_that_is_none_shows_now_and_says_so(reader, past):
    for wrong in ("1", "yesterday"):
        reader.open(f"/live/{past.site}?at={wrong}")
        reader.see("active-now", "1")
        reader.see("status-text", "Live")
        line = f"This moment is left out: Live shows now. Second '{wrong}': none of the last 24 hours. Remove it"
        until(lambda line=line: reader.texts(".ff-wrong-address") == [line])
    assert reader.text("rewind-live") == "Live"
    reader.looks_right()
    reader.click(".ff-wrong-address a")
    until(lambda: reader.texts(".ff-wrong-address") == [""])
    reader.at(f"/live/{past.site}")


def test_the_past_can_be_read_while_the_stream_is_cut_and_does_not_claim_to_be_lost(reader, past):
    reader.open_live(past.site)
    with reader.cut_off_from("*/api/live*"):
        rewound(reader, past.now - 2 * HOUR + 10)
        assert reader.is_hidden("notice")
        assert reader.text("active-now") == "3"
    reader.complaints()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_rewound_everything_has_a_name_and_can_be_read(reader, past, theme):
    with reader.preferring("prefers-color-scheme", theme):
        reader.open_live(past.site)
        rewound(reader, past.now - 2 * HOUR + 10)
        assert (reader.run(UNNAMED), reader.run(FAINT)) == ([], [])


def test_rewound_nothing_moves_for_those_who_prefer_stillness(reader, past):
    with reader.preferring("prefers-reduced-motion", "reduce"):
        reader.open_live(past.site)
        rewound(reader, past.now - 2 * HOUR + 10)
        assert reader.run("return document.getAnimations().length") == 0


def test_on_a_phone_it_fits_and_can_be_touched(reader, past):
    with reader.sized(PHONE):
        reader.open_live(past.site)
        rewound(reader, past.now - 2 * HOUR + 10)
        assert reader.too_wide() == []
        sizes = reader.run(
            """return ["rewind-live", "rewind-play", "rewind-speed", "rewind-slider"].map((id) => {
                 const box = document.getElementById(id).getBoundingClientRect();
                 return Math.min(box.width, box.height);
               })"""
        )
        assert min(sizes) >= 36


def test_a_site_of_this_minute_has_nothing_to_go_back_to_yet(reader, server):
    site = f"past{next(_numbers)}.example"
    add_site(server, site, "UTC")
    come(server, site, [f"first of {site}"], "/hello")
    reader.open_live(site)
    until(lambda: reader.run("return document.getElementById('rewind-slider')"))
    assert reader.text("rewind-live") == "Live"
    assert reader.run("return document.getElementById('rewind-slider').getAttribute('aria-valuetext')") == "Live"
