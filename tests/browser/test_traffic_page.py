"""The Traffic page in a real browser: what became of real events, a decision and its undo, a pageview on trial."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from reader import FAINT, UNNAMED, Reader, add_owner, add_site
from stream_server import until

from analytics.base.config import Config
from tests.support.serving import SITE, Server, eventually, pageview, rows, serving

GOOGLEBOT = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"


@pytest.fixture(scope="module")
def server(tmp_path_factory) -> Iterator[Server]:
    """A server whose site has got one of several things."""
    with serving(Config(data_dir=tmp_path_factory.mktemp("data"))) as server:
        add_site(server, SITE)
        add_site(server, "quiet.example")
        add_owner(server)
        server.collect(pageview("page-0001"))
        server.collect(pageview("page-0001"))
        server.collect(pageview("page-0002"), {"DNT": "1"})
        server.collect(pageview("page-0003"), {"User-Agent": GOOGLEBOT})
        for host in ("shop.test", "shop.test", "copy.test"):
            server.collect(pageview("page-0004", url=f"https://{host}/"))
        server.collect(pageview("page-0005", scroll=101))
        server.collect(pageview("page-0006", site="nowhere.example"))
        server.collect(pageview("page-0001", title=["a list"]))
        eventually(lambda: rows(server.config, "SELECT sum(count) FROM outcomes") == [(11,)])
        yield server


@pytest.fixture
def reader(signed_in) -> Iterator[Reader]:
    """The owner on the page; at the end nothing was complained of, and nobody else was asked."""
    signed_in.open(f"/traffic/{SITE}")
    until(lambda: signed_in.text("traffic-bars"))
    yield signed_in
    assert (signed_in.complaints(), signed_in.foreign_requests()) == ([], [])


def outcomes(reader: Reader) -> dict[str, str]:
    cells = """return [...document.querySelectorAll(".ff-outcomes tbody tr, .ff-outcomes tfoot tr")].map(
        (row) => [(row.querySelector("b, th")).textContent, row.querySelector(".ff-num").textContent])"""
    return dict(reader.run(cells))


def test_every_event_is_told_of_in_words_and_the_total_balances(reader):
    assert outcomes(reader) == {
        "Stored": "1",
        "Sent again": "2",
        "Unlisted host": "3",
        "Do Not Track or Global Privacy Control": "1",
        "Robots": "1",
        "Wrong field": "1",
        "Received": "9",
    }
    assert "9 received" in reader.text("traffic-bars")
    fields = "return [...document.querySelectorAll('.ff-fields tbody tr')].map((row) => row.innerText.split(/\\s/)[0])"
    assert reader.run(fields) == ["title"]
    assert "Beside these, 1 named no site" in reader.text("traffic-outcomes")
    assert reader.rows("traffic-robots") == [("Googlebot", "1")]
    assert reader.run("return document.querySelectorAll('.ff-bars > span').length") == 24


def drawn(reader: Reader, hours: int) -> None:
    """Waits for the bars of so many hours."""
    until(lambda: reader.run("return document.querySelectorAll('.ff-bars > span').length") == hours)


def test_seven_days_are_shown_by_the_hour_too_and_the_address_says_so(reader):
    reader.click("#traffic-period [data-key='7d']")
    drawn(reader, 168)
    assert reader.run("return document.activeElement.ariaPressed") == "true"
    assert outcomes(reader)["Received"] == "9"
    reader.at(f"/traffic/{SITE}?period=7d")
    reader.driver.back()
    drawn(reader, 24)
    reader.at(f"/traffic/{SITE}")
    reader.driver.forward()
    drawn(reader, 168)
    reader.driver.refresh()
    drawn(reader, 168)
    reader.click("#traffic-period [data-key='24h']")
    drawn(reader, 24)
    reader.at(f"/traffic/{SITE}")


def test_a_period_that_makes_no_sense_is_the_default_which_a_line_says(reader):
    reader.open(f"/traffic/{SITE}?period=month")
    drawn(reader, 24)
    line = "A part of this address is left out. Period 'month': 24h, 7d. Remove it"
    assert reader.texts(".ff-wrong-address") == [line]
    reader.looks_right()
    reader.click(".ff-wrong-address a")
    until(lambda: reader.texts(".ff-wrong-address") == [""])
    reader.at(f"/traffic/{SITE}")


def test_a_host_is_included_with_one_click_and_taken_back_with_another(reader, server):
    assert reader.texts("#hosts tbody bdi") == ["shop.test", "copy.test"]
    reader.click('[data-key="shop.test"] [data-value="include"]')
    until(lambda: reader.texts("#hosts tbody button") == ["Undo", "Include", "Ignore"])
    assert reader.text("hosts").startswith("HostEventsLastshop.testIts pages count from now on.Undo")
    page = pageview("page-shop", url="https://shop.test/")
    eventually(lambda: server.collect(page).status == 202)
    reader.click('[data-key="shop.test"] [data-value="reconsider"]')
    until(lambda: reader.texts("#hosts tbody bdi") == ["shop.test", "copy.test"])
    again = pageview("page-again", url="https://shop.test/")
    eventually(lambda: server.collect(again).json.get("filtered") == "unlisted_host")


def settled(server):
    """All outcomes, once what was refused so far is written: refusals are counted in memory for up to a second."""
    count = "SELECT coalesce(sum(count), 0) FROM outcomes WHERE reason = 'opted_out'"
    before = rows(server.config, count)
    server.collect(pageview("the-last-one", "/", SITE), {"DNT": "1"})
    until(lambda: rows(server.config, count) != before)
    return rows(server.config, "SELECT sum(count) FROM outcomes")


def test_a_pageview_on_trial_shows_each_step_and_leaves_nothing(reader, server):
    before = settled(server)
    reader.type("trial-user_agent", GOOGLEBOT)
    reader.type("trial-url", f"https://{SITE}/prices?utm_source=letter")
    reader.click("#trial [type=submit]")
    until(lambda: reader.texts("#trial-result h2") == ["It would be left out"])
    states = reader.run("return [...document.querySelectorAll('.ff-verdicts li')].map((n) => n.className)")
    assert states == ["is-passed"] * 5 + ["is-stopped"] + ["is-not-reached"] * 5
    assert "Googlebot" in reader.texts(".ff-verdicts .is-stopped")[0]
    facts = reader.texts("#trial-result dd")
    assert facts[:2] == [f"{SITE}/prices", "letter"]
    reader.type("trial-address", "nowhere")
    reader.click("#trial [type=submit]")
    until(lambda: reader.texts("#trial-address-note .ff-wrong")[0].startswith("'nowhere' is no address"))
    (counted,), (known,) = settled(server), before
    assert counted[0] - known[0] == 1  # the one that was sent to settle it


def test_what_names_no_site_is_one_click_away_with_its_names(reader):
    reader.click("#traffic-outcomes a[href='/traffic']")
    reader.at("/traffic")
    until(lambda: "1 received" in (reader.text("traffic-bars") or ""))
    assert outcomes(reader) == {"Unknown site": "1", "Received": "1"}
    assert reader.texts(".ff-hosts tbody bdi") == ["nowhere.example"]
    reader.click("#traffic-period [data-key='7d']")
    drawn(reader, 168)
    for theme in ("light", "dark"):
        reader.run("document.documentElement.dataset.bsTheme = arguments[0]", theme)
        until(lambda: reader.run(FAINT) == [])
    assert reader.run(UNNAMED) == []
    with reader.sized((390, 844)):
        assert reader.too_wide() == []
    reader.shoot("traffic-of-no-site")


def test_a_site_that_got_nothing_says_what_to_do(reader):
    reader.open("/traffic/quiet.example")
    until(lambda: "Nothing received" in (reader.text("traffic-bars") or ""))
    assert reader.is_hidden("traffic-robots")
    assert "No other host" in reader.text("hosts")


def test_it_can_be_read_by_everybody_on_a_desk_and_on_a_phone(reader):
    for theme in ("light", "dark"):
        reader.run("document.documentElement.dataset.bsTheme = arguments[0]", theme)
        until(lambda: reader.run(FAINT) == [])
    assert reader.run(UNNAMED) == []
    with reader.sized((390, 844)):
        assert reader.too_wide() == []
    reader.shoot("traffic")
