"""The demo, as a visitor who tries it out sees it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from reader import FAINT, PHONE, UNNAMED, Reader, chromium
from stream_server import until

from analytics.base.config import Config
from collector.simulate.people import DEMO_DOMAIN
from tests.support.serving import Server, serving

DRAWN = "return !!document.querySelector('h1') && !document.querySelector('.ff-skel')"
FEW = 3  # people: at any hour there are more


@pytest.fixture(scope="module")
def server(tmp_path_factory) -> Iterator[Server]:
    with serving(Config(data_dir=tmp_path_factory.mktemp("data")), command="demo") as running:
        yield running


@pytest.fixture(scope="module")
def reader(server, tmp_path_factory) -> Iterator[Reader]:
    with chromium(tmp_path_factory.mktemp("profile")) as driver:
        yield Reader(driver, server)


def test_it_is_soon_full_of_people(server):
    until(lambda: server.request("GET", f"/api/live?site={DEMO_DOMAIN}").json["active_sessions"] > FEW, 60)


def test_it_needs_no_login_and_shows_them(reader):
    reader.open("/")
    reader.see("status-text", "Live")
    until(lambda: int(reader.text("active-now") or 0) > FEW)
    until(lambda: len(reader.texts("#feed > li")) >= 10)
    until(lambda: len(reader.rows("pages")) > FEW)
    assert reader.run("return !document.querySelector('#account > *')")
    reader.shoot("live")
    assert reader.complaints() == []
    assert reader.foreign_requests() == []


def test_soon_a_toast_comes_and_an_alert_fires_that_says_why(reader):
    """Its crowd has come at the latest two minutes after the start, and the alert is over two minutes later."""
    reader.open("/")
    until(lambda: reader.texts(".ff-toast b"), 120)
    until(lambda: reader.texts("#alert-strip .ff-alert-why"), 120)
    assert "people at the Monitorama talk" in "".join(reader.texts("#alert-strip b"))
    assert reader.texts("#alert-strip .ff-alert-why")[0].startswith("Source: newsletter 0 → ")
    reader.shoot("alert")


def test_the_alert_recovers(reader):
    reader.open(f"/alerts/{DEMO_DOMAIN}")

    def over() -> list[str]:
        reader.driver.refresh()
        until(lambda: reader.run(DRAWN))
        return reader.texts("#alerts-over tbody tr")

    assert "Monitorama" in until(over, 240)[0]
    reader.shoot("alert-over")


def test_all_sites_shows_the_half_hour_before_it_began_too(reader):
    """The past is sent late, when its minutes have already been counted."""
    reader.open("/sites")

    def least() -> int:
        trend = reader.run("return [...document.querySelectorAll('#sites .ff-trend')].map(({title}) => title)")
        return int((trend or ["Between 0"])[0].split()[1])

    until(lambda: least() > 0, 60)


def usage_of_days(server) -> list[str]:
    """The lines of the file "Daily usage" of the last 30 days."""
    answer = server.request("GET", f"/overview/{DEMO_DOMAIN}/usage.csv?period=30d")
    return answer.body.decode().splitlines()[1:] if answer.status == 200 else []


def test_the_overview_has_the_weeks_before_and_today(reader, server):
    until(lambda: len(usage_of_days(server)) >= 28, 120)
    for name, question in (("week", "period=7d:today"), ("half-hour", "period=realtime")):
        reader.open(f"/overview/{DEMO_DOMAIN}?{question}")
        until(lambda: reader.run(DRAWN))
        reader.shoot(f"overview-{name}")
    assert reader.complaints() == []


def test_there_are_no_pages_of_accounts(server):
    assert {path: server.request("GET", path).status for path in ("/sign-in", "/sign-out", "/setup")} == {
        "/sign-in": 404,
        "/sign-out": 404,
        "/setup": 404,
    }


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_a_full_page_can_be_read_and_fits_a_phone(reader, theme):
    with reader.preferring("prefers-color-scheme", theme):
        reader.open("/")
        until(lambda: reader.texts("#map .ff-map-list li"))
        assert (reader.run(UNNAMED), reader.run(FAINT)) == ([], [])
        with reader.sized(PHONE):
            assert reader.too_wide() == []
