"""Sites, as an owner meets them: adding one until its first visit is greeted, and all of them on one page."""

from __future__ import annotations

from collections.abc import Iterator
from html import unescape
from urllib.parse import urlsplit

import pytest
from reader import Reader, add_owner, add_site, come
from selenium.webdriver import ActionChains, Keys
from stream_server import until

from analytics.base.config import Config
from collector.control import ask
from tests.support.serving import Server, serving


@pytest.fixture
def server(tmp_path) -> Iterator[Server]:
    with serving(Config(data_dir=tmp_path / "data")) as running:
        add_owner(running)
        yield running


@pytest.fixture
def reader(newcomer) -> Reader:
    return newcomer


def press(reader: Reader, *keys: str) -> None:
    ActionChains(reader.driver).send_keys(*keys).perform()


# ── adding one ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_from_adding_a_site_to_the_greeting_of_its_first_visit(server, shop, reader):
    reader.command("Emulation.setTimezoneOverride", timezoneId="Asia/Calcutta")
    reader.sign_in()
    until(lambda: reader.texts("h1") == ["No site yet"])
    reader.looks_right()
    reader.click("main a[href='/sites/add']")
    until(lambda: reader.run("return (document.getElementById('add-site-timezone') || {}).value") == "Asia/Calcutta")
    reader.looks_right()
    reader.shoot("add-site")
    reader.type("add-site-domain", "no domain")
    reader.click("main [type=submit]")
    until(lambda: "'no domain' is no domain; give it with its ending, like example.com" in reader.texts(".ff-wrong"))
    reader.type("add-site-domain", "https://Example.com/")
    reader.click("main [type=submit]")

    reader.at("/settings/example.com/snippet")
    reader.see("status-text", "Live")
    until(lambda: (reader.text("waiting-since") or "").endswith(" · Asia/Kolkata"))
    reader.looks_right()
    reader.click("#snippet-hash")
    line = f'<script defer src="{server.url}/js/footfall.js" data-site="example.com" data-hash></script>'
    until(lambda: reader.texts("#snippet-line pre") == [line])
    shop.snippet = unescape(reader.run("return document.querySelector('#snippet-line [data-copy]').dataset.copy"))
    assert shop.snippet == line
    assert reader.is_hidden("greeting")

    with reader.another_window():
        reader.driver.get(f"{shop.url}/hello")
        reader.driver.switch_to.window(reader.window)
        until(lambda: not reader.is_hidden("greeting"))
        assert reader.text("greeting-what").startswith("/hello at ")
        reader.looks_right()
        reader.shoot("snippet-greeted")


def test_an_own_address_is_left_out_and_an_unlisted_host_let_in(server, shop, reader):
    add_site(server, "example.com")
    come(server, "example.com", ["ann"])
    answer = server.collect(
        {"site": "example.com", "type": "pageview", "id": "from-elsewhere", "url": "https://shop.example.net/"}
    )
    assert answer.json == {"stored": 0, "filtered": "unlisted_host"}
    reader.sign_in()

    def asked() -> bool:
        reader.open("/settings/example.com/filters")
        until(lambda: "Hosts" in reader.texts("h2"))
        return "Unlisted hosts" in reader.texts("h2")

    until(asked)
    reader.looks_right()
    reader.shoot("filters")

    def allowed() -> str:
        return reader.run("return document.getElementById('filter-hosts-hosts').value")

    reader.click("[data-value=include]")
    until(lambda: reader.texts("#hosts tbody button") == ["Undo"])
    assert allowed() == "shop.example.net"
    reader.click("[data-value=reconsider]")
    until(lambda: reader.texts("#hosts tbody button") == ["Include", "Ignore"])
    assert allowed() == ""
    reader.click("[data-value=include]")
    until(lambda: allowed() == "shop.example.net")
    reader.click("#filter-hosts [type=submit]")
    until(lambda: reader.texts("#filter-hosts .ff-form-state")[0].startswith("Saved at "))
    elsewhere = {
        "site": "example.com",
        "type": "pageview",
        "id": "from-elsewhere-2",
        "url": "https://shop.example.net/",
    }
    assert server.collect(elsewhere).json == {"stored": 1, "duplicate": 0}
    reader.click("[data-add]")
    reader.click("#filter-addresses [type=submit]")
    until(lambda: reader.texts("#filter-addresses .ff-form-state")[0].startswith("Saved at "))
    answer = server.collect(
        {"site": "example.com", "type": "pageview", "id": "a-page-of-mine", "url": "https://example.com/"}
    )
    assert answer.json == {"stored": 0, "filtered": "excluded_address"}


# ── all of them ──────────────────────────────────────────────────────────────────────────────────────────────────────


def listed(reader: Reader) -> list[tuple[str, str]]:
    """Domain and people active of each row."""
    cells = """return [...document.querySelectorAll("#sites tbody tr")].map(
        (row) => [row.querySelector("bdi").textContent, row.cells[1].textContent])"""
    return [tuple(row) for row in reader.run(cells)]


def test_all_sites_are_counted_searched_sorted_and_opened_with_the_keys(server, reader):
    domains = [f"site-{number:02}.example" for number in range(52)]
    for domain in (*domains, "the-shop.example"):
        add_site(server, domain)
    come(server, "the-shop.example", ["ann", "bob"])
    come(server, domains[7], ["cyn"])
    reader.sign_in()
    until(lambda: listed(reader)[:3] == [("the-shop.example", "2"), (domains[7], "1"), (domains[0], "0")])
    assert reader.text("sites-total") == "53 sites · 3 people active in the last 60 s"
    assert reader.texts(".ff-turn > span") == ["1–50 of 53"]
    reader.looks_right()
    reader.shoot("sites")

    reader.run("document.querySelector('#sites [href=\"/live/the-shop.example\"]').focus()")
    come(server, domains[7], ["dan", "eve", "flo"])
    reader.run("document.getElementById('sites-refresh').click()")  # as the tick does: the focus stays where it is
    until(lambda: listed(reader)[:2] == [(domains[7], "4"), ("the-shop.example", "2")])
    assert reader.run("return document.activeElement.getAttribute('href')") == "/live/the-shop.example"

    reader.click("[data-sort=domain]")
    until(lambda: listed(reader)[0] == (domains[0], "0"))
    assert reader.run("return document.querySelector('[aria-sort=ascending]').textContent") == "Site"
    reader.click(".ff-turn [data-page='2']")
    until(lambda: [domain for domain, _ in listed(reader)] == [*domains[50:], "the-shop.example"])

    reader.run("document.activeElement.blur()")
    press(reader, "/", "shop")
    until(lambda: listed(reader) == [("the-shop.example", "2")])
    assert reader.texts(".ff-turn > span") == ["1–1 of 1 found, of 53"]
    press(reader, "x")
    until(lambda: listed(reader) == [] and reader.texts(".ff-none b") == ["No such site"])
    press(reader, Keys.BACKSPACE)
    until(lambda: listed(reader) == [("the-shop.example", "2")])
    press(reader, Keys.ARROW_DOWN, Keys.ENTER)
    reader.at("/live/the-shop.example")
    reader.see("active-now", "2")


def query(reader: Reader) -> str:
    return urlsplit(reader.driver.current_url).query


def test_search_order_and_page_are_in_the_address(server, reader):
    domains = [f"site-{number:02}.example" for number in range(52)]
    for domain in domains:
        add_site(server, domain)
    reader.sign_in()
    reader.open("/sites")
    until(lambda: listed(reader))
    begun = reader.run("return history.length")
    reader.click("[data-sort=domain]")
    until(lambda: listed(reader)[0][0] == domains[0] and query(reader) == "sort=domain")
    reader.click("[data-sort=domain]")
    until(lambda: listed(reader)[0][0] == domains[51] and query(reader) == "sort=-domain")
    reader.click(".ff-turn [data-page='2']")
    until(lambda: [domain for domain, _ in listed(reader)] == [domains[1], domains[0]])
    assert query(reader) == "sort=-domain&page=2"
    assert reader.run("return history.length") == begun + 3, "an entry for each"

    reader.driver.refresh()
    until(lambda: [domain for domain, _ in listed(reader)] == [domains[1], domains[0]])
    reader.driver.back()
    until(lambda: listed(reader)[0][0] == domains[51])
    reader.driver.back()
    until(lambda: listed(reader)[0][0] == domains[0] and query(reader) == "sort=domain")

    entries = reader.run("return history.length")
    reader.click("#sites-words")
    for letters, typed in (("sit", "sit"), ("e-5", "site-5"), ("1", "site-51")):
        press(reader, letters)
        until(lambda typed=typed: query(reader) == f"sort=domain&search={typed}")
    until(lambda: [domain for domain, _ in listed(reader)] == [domains[51]])
    assert query(reader) == "sort=domain&search=site-51"
    assert reader.run("return [history.length, document.getElementById('sites-words').value]") == [entries, "site-51"]
    reader.driver.refresh()
    until(lambda: [domain for domain, _ in listed(reader)] == [domains[51]])
    assert reader.run("return document.getElementById('sites-words').value") == "site-51"
    reader.click("#sites-words")
    reader.driver.back()
    until(lambda: query(reader) == "" and len(listed(reader)) == 50)
    assert reader.run("return document.getElementById('sites-words').value") == "", "Back empties the field"

    reader.open("/sites?sort=colour&search=site-5")
    until(lambda: [domain for domain, _ in listed(reader)] == domains[50:])
    assert reader.texts(".ff-wrong-address") == [
        "A part of this address is left out. Sort 'colour': domain, active, people, visits, pageviews. Remove it"
    ]
    reader.looks_right()
    reader.click(".ff-wrong-address a")
    until(lambda: query(reader) == "search=site-5" and reader.texts(".ff-wrong-address") == [""])


def test_a_removed_site_is_gone_from_open_pages(server, reader):
    for domain in ("one.example", "two.example"):
        add_site(server, domain)
        come(server, domain, ["ann"])
    reader.sign_in()
    until(lambda: [domain for domain, _ in listed(reader)] == ["one.example", "two.example"])
    with reader.another_window():
        reader.open_live("two.example")
        ask(server.config.data_dir, "site remove", {"domain": "two.example"})
        reader.see("status-text", "No such site")
    reader.click("#sites-refresh")
    until(lambda: [domain for domain, _ in listed(reader)] == ["one.example"])
    reader.complaints()  # Chromium notes the 404 of the removed site
