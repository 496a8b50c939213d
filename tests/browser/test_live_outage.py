"""The Live page while its server is away: it says so, keeps what it knows, and comes back by itself."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack

import pytest
from reader import Reader, add_owner, add_site, chromium, come
from stream_server import until

from analytics.base.config import Config
from tests.support.serving import SITE, Server, serving

PATIENT = {"FOOTFALL_ACTIVE_WINDOW_S": "900"}  # who came stays active, however slow the machine
SOON = "window.footfallTimes = {first: 200, longest: 1500, steady: 500}"  # waits between tries, of a minute's test


@pytest.fixture
def server(tmp_path) -> Iterator[Server]:
    with serving(Config(data_dir=tmp_path / "data"), **PATIENT) as running:
        add_owner(running)
        add_site(running, SITE)
        yield running


@pytest.fixture
def reader(server, tmp_path) -> Iterator[Reader]:
    with chromium(tmp_path / "profile") as driver:
        reader = Reader(driver, server)
        reader.sign_in()
        with reader.prepared(SOON):
            yield reader


def test_a_killed_server_is_told_of_and_its_return_brings_all_that_was_missed_once(server, reader):
    come(server, SITE, ["ann", "bob"], "/before", timezone="Europe/Lisbon")
    reader.open_live(SITE)
    reader.see("active-now", "2")
    until(lambda: reader.run("return Boolean(document.querySelector('#world .geo path'))"))  # the outlines are here
    assert reader.complaints() == []

    server.kill()
    reader.see("status-text", "Disconnected", 40)
    assert reader.run(
        "return /^Not connected since \\d\\d:\\d\\d:\\d\\d/.test(document.getElementById('notice').textContent)"
    )
    assert not reader.is_hidden("notice")
    assert (reader.text("active-now"), reader.rows("pages")) == ("2", [("/before", "2")])
    assert reader.texts(".ff-ev-t") == ["/before", "/before"]
    reader.click("#refresh")  # a call that fails, as each tick's would
    reader.shoot("disconnected")

    with ExitStack() as stack:
        with reader.cut_off_from("*/api/live/stream*"):  # before the server is there: the page tries often
            again = stack.enter_context(serving(server.config, "--port", str(server.port), **PATIENT))
            come(again, SITE, ["cid"], "/first")
            come(again, SITE, ["dan"], "/second")
            come(again, SITE, ["eve"], "/third")
            reader.requests()
        reader.see("status-text", "Live", 40)
        until(lambda: any("/stream?" in url and "&last_event_id=" in url for url in reader.requests()), 40)
        assert reader.is_hidden("notice")
        reader.see("active-now", "5")
        until(
            lambda: (
                sorted(reader.rows("pages")) == [("/before", "2"), ("/first", "1"), ("/second", "1"), ("/third", "1")]
            )
        )
        assert reader.texts(".ff-ev-t") == ["/third", "/second", "/first", "/before", "/before"]

        come(again, SITE, ["fay"], "/fourth")
        until(lambda: ("/fourth", "1") in reader.rows("pages"))
        reader.click("#refresh")
        until(lambda: reader.run("return document.getElementById('refresh').getAttribute('aria-busy') === 'false'"))
        assert reader.texts(".ff-ev-t") == ["/fourth", "/third", "/second", "/first", "/before", "/before"]
    assert [
        line for line in reader.complaints() if "net::ERR_" not in line and "server did not respond" not in line
    ] == []
