"""Settings, Database, in a real browser with a real PostgreSQL as the application's: see the SQL, install, remove."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from reader import PHONE, Reader, add_owner, add_site
from selenium.webdriver import ActionChains, Keys
from selenium.webdriver.common.by import By
from stream_server import until

from analytics.base.addresses import network
from analytics.base.config import Config
from layouts.settings import database as layout
from tests.conftest import host_database
from tests.support.host import Host, over_tcp
from tests.support.serving import SITE, Server, serving

PAGE = f"/settings/{SITE}/database"


@pytest.fixture(scope="module")
def server(tmp_path_factory) -> Iterator[Server]:
    config = Config(data_dir=tmp_path_factory.mktemp("data"), allowed_targets=(network("127.0.0.0/8"),))
    with serving(config, FOOTFALL_ALLOWED_TARGETS="127.0.0.0/8") as running:
        add_owner(running)
        add_site(running, SITE)
        yield running


@pytest.fixture
def shop_database(postgresql_server) -> Iterator[tuple[Host, str]]:
    """The application's database, and its URL for the page."""
    with host_database(postgresql_server) as host, over_tcp(host) as url:
        yield host, url


@pytest.fixture
def owner(signed_in) -> Iterator[Reader]:
    yield signed_in
    assert signed_in.complaints() == []
    assert signed_in.foreign_requests() == []


def opened(reader: Reader) -> None:
    reader.open(PAGE)
    until(lambda: "Watched tables" in reader.texts("h2"))


def says(reader: Reader, form: str, words: str) -> None:
    until(lambda: any(words in text for text in reader.texts(f"#{form} .ff-form-state, [data-state-of={form}]")))


def filled(reader: Reader, url: str) -> None:
    for field, text in {
        "source": url,
        "table": "bookings",
        "title": "{guest} booked",
        "value_column": "amount",
        "currency": "EUR",
        "columns": "id,status",
        "filters": "status=neq.draft",
        "gauges": "Bookings: count\nRevenue: sum(amount) where status=eq.paid in EUR",
    }.items():
        reader.type(f"{layout.ADD}-{field}", text)


def both_looks(reader: Reader, name: str) -> None:
    reader.looks_right()
    reader.shoot(name)


def test_a_table_is_watched_and_forgotten_by_a_person(owner, shop_database):
    host, url = shop_database
    before = host.catalog()
    opened(owner)
    both_looks(owner, "database-empty")
    filled(owner, url)
    owner.type(f"{layout.ADD}-table", "bokings")
    owner.click(f"#{layout.ADD} .ff-form-end [type=submit]")
    says(owner, layout.ADD, "Nothing is done yet")
    assert "CREATE TRIGGER" in owner.text(layout.SQL)
    until(lambda: owner.run("return document.activeElement.id") == f"{layout.PLAN}-install")
    assert host.catalog() == before
    owner.driver.find_element(By.ID, f"{layout.PLAN}-install").send_keys(Keys.ENTER)  # by keyboard, where the focus is
    says(owner, layout.ADD, "Not saved")
    assert owner.texts(f"#{layout.ADD}-table-note .ff-wrong")[0].startswith("There is no table public.bokings")
    both_looks(owner, "database-wrong")

    owner.type(f"{layout.ADD}-table", "bookings")
    owner.click(f"#{layout.PLAN}-install")
    says(owner, layout.ADD, "The form was changed: look at the SQL again")
    both_looks(owner, "database-sql")
    owner.click(f"#{layout.PLAN}-install")
    says(owner, layout.ADD, "public.bookings is followed")
    assert owner.run(f"return document.getElementById('{layout.ADD}-source').value") == ""
    assert owner.texts(f"#{layout.SQL}") == []
    host.run("INSERT INTO bookings (guest, status, amount) VALUES ('Ada', 'paid', 1234.5), ('Bob', 'pending', 10)")
    until(lambda: any("Followed" in text for text in owner.texts(f"#{layout.LIST} .ff-badge")))
    until(lambda: "1,234.50 EUR" in "".join(owner.texts(f"#{layout.GAUGES} td")))
    assert "s3cret" not in owner.driver.page_source
    both_looks(owner, "database-followed")

    owner.click(f"#{layout.LIST} [data-confirm]")
    until(lambda: "nothing stays behind" in owner.text("confirm-question"))
    owner.shoot("database-confirm")
    ActionChains(owner.driver).send_keys(Keys.ESCAPE).perform()
    until(lambda: owner.is_hidden("confirm-yes"))
    assert host.catalog() != before
    owner.click(f"#{layout.LIST} [data-confirm]")
    until(lambda: owner.driver.find_element(By.ID, "confirm-yes").is_displayed())
    owner.click("#confirm-yes")
    says(owner, layout.REMOVE, "public.bookings is removed, with nothing left")
    until(lambda: "No table yet" in "".join(owner.texts(f"#{layout.LIST} b")))
    assert host.catalog() == before


def test_the_page_on_a_phone(owner, shop_database, server):
    host, url = shop_database
    server.command(
        *("watch", "add", "--site", SITE, "--source", url, "--table", "bookings", "--event", "Booking"),
        *("--gauge", "Bookings: count", "--gauge", "Revenue: sum(amount) in EUR"),
    )
    host.run("INSERT INTO bookings (guest, status, amount) VALUES ('Ada', 'paid', 1234.5)")
    with owner.sized(PHONE):
        opened(owner)
        until(lambda: "1,234.50 EUR" in "".join(owner.texts(f"#{layout.GAUGES} td")))
        assert owner.too_wide() == []
        owner.click(f"#{layout.LIST} [data-confirm]")
        until(lambda: owner.driver.find_element(By.ID, "confirm-yes").is_displayed())
        owner.click("#confirm-yes")
        says(owner, layout.REMOVE, "public.bookings is removed, with nothing left")
