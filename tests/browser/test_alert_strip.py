"""The strip of open alerts and the page Alerts follow what no notification says."""

from __future__ import annotations

import itertools
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing

import pytest
from reader import Reader, add_owner
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import Select
from stream_server import until

from analytics.base.config import Config
from analytics.notify import rules
from analytics.notify.rule_json import read
from analytics.storage.database import Database
from tests.support.factories import added_site
from tests.support.serving import SITE, Server, pageview, serving

NUMBERS = itertools.count(1)
CROWD = {
    "name": "Crowd",
    "when": {"metric": "active_sessions", "above": 0, "for_s": 0},
    "notify": {"priority": "high", "title": "{rule}: {value}", "severity": "critical"},
}

# In the page: how often the bell has looked at the server, one time after the other is answered.
COUNT_LOOKS = """
const send = window.fetch;
window.looks = 0;
window.fetch = (address, options = {}) => {
  if (/"action":"look"/.test(options.body)) window.looks += 1;
  return send(address, options);
};
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory) -> Iterator[Server]:
    """One with an open alert that is acknowledged."""
    config = Config(data_dir=tmp_path_factory.mktemp("data"))
    database = Database(config)
    rules.add(database, added_site(database, SITE).id, read(CROWD), now=int(time.time()))
    database.close()
    with serving(config) as running:
        add_owner(running)
        visit(running)
        until(lambda: change(running, acknowledged_at=int(time.time()), acknowledged_by="owner@example.com"))
        yield running


def see(reader: Reader, path: str, heading: str) -> None:
    reader.open(path)
    until(lambda: heading in reader.texts("h1, h2"))


def test_what_no_notification_says_of_an_alert_is_drawn_again_and_again(reader, server):
    """Each 30 s; here the page's interval goes on at once."""
    visit(server)
    reader.open_live(SITE)
    until(lambda: "acknowledged by owner@example.com" in " ".join(reader.texts("#alert-strip small")))
    change(server, fired_at=int(time.time()) - 125)
    go_on(reader, "alert-tick")
    until(lambda: "for 2m " in " ".join(reader.texts("#alert-strip small")))
    see(reader, f"/alerts/{SITE}", "Alerts")
    until(lambda: reader.texts("#alerts-open .ff-alert-title b") == ["Crowd: 1"])
    reader.run("document.querySelector('#alerts-open details:last-of-type').open = true")
    choose_in(reader, "#alerts-open select", "24")
    facts = reader.texts("#alerts-open p")
    until(lambda: go_on(reader, "alerts-tick") or reader.texts("#alerts-open p") != facts)
    is_open = "return document.querySelector('#alerts-open details:last-of-type').open"
    chosen = "return document.querySelector('#alerts-open select').value"
    assert (reader.run(is_open), reader.run(chosen)) == (True, "24"), "only ages and values were drawn again"
    change(server, acknowledged_at=None)
    go_on(reader, "alerts-tick")
    until(lambda: reader.texts("[data-form=alert-acknowledge] button") == ["Acknowledge"])


def test_an_alert_that_ends_while_it_is_snoozed_leaves_the_strip(reader, server):
    visit(server)
    reader.open_live(SITE)
    until(lambda: reader.texts("#alert-strip b") == ["Crowd: 1"])
    change(server, resolved_at=int(time.time()))
    go_on(reader, "alert-tick")
    until(lambda: not reader.texts("#alert-strip b"))
    change(server, resolved_at=None)


def visit(server: Server) -> None:
    """The person who is on the site stays for another minute."""
    assert server.collect(pageview(f"page-{next(NUMBERS):05d}")).status == 202


def change(server: Server, **values: int | str | None) -> bool:
    """Writes these columns of the newest alert, as people and the evaluator do elsewhere; whether there is one."""
    columns = ", ".join(f"{name} = :{name}" for name in values)
    with closing(sqlite3.connect(server.config.data_dir / "footfall.db", timeout=10)) as connection, connection:
        statement = f"UPDATE alerts SET {columns} WHERE id = (SELECT MAX(id) FROM alerts)"
        return connection.execute(statement, values).rowcount == 1


def go_on(reader: Reader, tick: str) -> None:
    reader.run("window.dash_clientside.set_props(arguments[0], {n_intervals: Date.now()})", tick)


def choose_in(reader: Reader, selector: str, value: str) -> None:
    Select(reader.driver.find_element(By.CSS_SELECTOR, selector)).select_by_value(value)


@pytest.mark.parametrize(("path", "place"), [("/notifications", "#all-notices"), ("/sites", "#alert-strip")])
def test_an_alert_leads_to_its_own_page(reader, path, place):
    reader.open(path)
    link = f"{place} a[href*='/alerts/']"
    until(lambda: reader.texts(link))
    address = reader.driver.find_element(By.CSS_SELECTOR, link).get_attribute("href")
    assert address.endswith(f"/alerts/{SITE}/alert?id=1")
    reader.click(link)
    until(lambda: reader.texts("h1") == ["Crowd: 1"])
    assert reader.driver.current_url == address
    until(lambda: reader.run("return document.querySelector('#bell').dataset.live") == "true")
    reader.run(COUNT_LOOKS)
    for looks in (
        1,
        2,
    ):  # when the second is asked, the page has taken the answer to the first
        reader.run("new BroadcastChannel('footfall-read').postMessage('changed')")
        until(lambda looks=looks: reader.run("return window.looks") >= looks)


def test_the_notification_of_an_alert_says_its_value_its_line_and_what_makes_the_difference(reader):
    reader.open("/notifications")
    until(lambda: reader.texts("#all-notices p"))
    assert reader.texts("#all-notices p") == ["1 (above 0) · Page: / 0 → 1"]
