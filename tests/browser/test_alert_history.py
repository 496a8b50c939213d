"""The history of alerts in a browser: more of it by keyboard, on a phone too."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from reader import DESKTOP, PHONE, Reader, add_owner
from selenium.webdriver import ActionChains, Keys
from sqlalchemy import insert
from stream_server import until

from analytics.base.config import Config
from analytics.storage import schema
from analytics.storage.database import Database
from tests.support.factories import NOW, added_site
from tests.support.serving import SITE, Server, serving

ROWS = "#alerts-rows a"


@pytest.fixture(scope="module")
def server(tmp_path_factory) -> Iterator[Server]:
    """One with an open alert, and 60 newer ones that are over."""
    config = Config(data_dir=tmp_path_factory.mktemp("data"))
    database = Database(config)
    site = added_site(database, SITE)
    row = {"site_id": site.id, "rule_id": 5, "severity": "error", "metric": "visitors", "fired_at": NOW, "told_at": NOW}
    with database.transaction() as connection:
        connection.execute(insert(schema.alerts).values(row | {"title": "Old and open"}))
        connection.execute(
            insert(schema.alerts), [row | {"title": f"Over {number}", "resolved_at": NOW} for number in range(1, 61)]
        )
    database.close()
    with serving(config) as running:
        add_owner(running)
        yield running


def press(reader: Reader, key: str) -> None:
    ActionChains(reader.driver).send_keys(key).perform()


def focused(reader: Reader) -> str:
    return str(reader.run("return document.activeElement.textContent"))


ASKED = """
const send = window.fetch;
window.asked = 0;
window.fetch = (address, options = {}) => {
  if (String(options.body).includes("alerts-more.n_clicks")) window.asked++;
  return send(address, options);
};
"""


PRESS_AGAIN = """
const more = document.getElementById("alerts-more");
more.click();
const again = () => { if (more.ariaBusy === "true") { more.click(); more.click(); } };
new MutationObserver(again).observe(more, {attributes: true});
"""


def test_presses_while_an_answer_is_under_way_ask_nothing(reader):
    reader.open(f"/alerts/{SITE}")
    until(lambda: len(reader.texts(ROWS)) == 50)
    slow = {"offline": False, "downloadThroughput": -1, "uploadThroughput": -1}
    reader.command("Network.emulateNetworkConditions", latency=300, **slow)
    reader.run(ASKED + PRESS_AGAIN)
    until(lambda: len(reader.texts(ROWS)) > 50)
    reader.command("Network.emulateNetworkConditions", latency=0, **slow)
    assert reader.run("return window.asked") == 1
    assert reader.texts(ROWS) == [f"Over {number}" for number in range(60, 0, -1)]


@pytest.mark.parametrize("size", [DESKTOP, PHONE])
def test_more_of_the_history_is_shown_by_keyboard(reader, size):
    with reader.sized(size):
        reader.open(f"/alerts/{SITE}")
        until(lambda: reader.texts("#alerts-open b") == ["Old and open"])
        assert len(reader.texts(ROWS)) == 50
        reader.looks_right()
        reader.shoot(f"alert-history-{size[0]}")
        reader.run("document.getElementById('alerts-more').focus()")
        press(reader, Keys.ENTER)
        until(lambda: reader.texts(ROWS) == [f"Over {number}" for number in range(60, 0, -1)])
        until(lambda: focused(reader) == "Over 10")
        assert not reader.run("return document.getElementById('alerts-more').checkVisibility()")
        reader.looks_right()
        press(reader, Keys.ENTER)
        until(lambda: reader.texts("h1") == ["Over 10"])
