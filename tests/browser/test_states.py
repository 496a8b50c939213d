"""What pages say when something cannot be had: the page, its lists, the network."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from reader import PHONE, UNNAMED, Reader, add_owner, add_site, come
from stream_server import until

from analytics.base.config import Config
from tests.support.serving import SITE, Server, serving

CALLS = "*/_dash-update-component*"
SOON = "window.footfallTimes = {first: 200, longest: 1500, page: 1500, answer: 1500}"


@pytest.fixture(scope="module")
def server(tmp_path_factory) -> Iterator[Server]:
    with serving(Config(data_dir=tmp_path_factory.mktemp("data"))) as running:
        add_owner(running)
        add_site(running, SITE)
        come(running, SITE, ["ann"], "/plans")
        yield running


@pytest.fixture
def reader(signed_in) -> Iterator[Reader]:
    """A signed-in reader; the console has only failures of the network."""
    yield signed_in
    said = [line for line in signed_in.complaints() if "net::ERR_" not in line and "did not respond" not in line]
    assert said == []


@contextmanager
def offline(reader: Reader) -> Iterator[None]:
    line = {"latency": 0, "downloadThroughput": -1, "uploadThroughput": -1}
    reader.command("Network.emulateNetworkConditions", offline=True, **line)
    try:
        yield
    finally:
        reader.command("Network.emulateNetworkConditions", offline=False, **line)


def test_a_page_whose_callback_fails_says_so_and_try_again_loads_it(reader):
    with reader.cut_off_from(CALLS), reader.prepared(SOON):
        reader.open(f"/live/{SITE}")
        until(lambda: not reader.is_hidden("failed"))
        assert reader.texts("h1") == ["Page not loaded"]
        assert reader.run(UNNAMED) == []
        reader.shoot("page-failed")
        with reader.sized(PHONE):
            assert reader.too_wide() == []
    reader.click(".ff-reload")
    reader.see("status-text", "Live")
    assert reader.texts("h1") == ["Live"]


def test_lists_that_cannot_be_redrawn_say_of_when_they_are(reader):
    with reader.prepared(SOON):
        reader.open_live(SITE)
    assert reader.is_hidden("unread")
    with reader.cut_off_from(CALLS):
        reader.click("#refresh")
        until(lambda: not reader.is_hidden("unread"))
        words = r"The lists could not be read\. They are from \d\d:\d\d:\d\d\. Try again"
        assert re.fullmatch(words, reader.text("unread"))
        assert reader.text("status-text") == "Live"
        reader.shoot("lists-unread")
    reader.click("#unread .ff-retry")
    until(lambda: reader.is_hidden("unread"))


def test_a_device_that_is_offline_says_so_at_once_and_comes_back_by_itself(reader):
    with reader.prepared(SOON):
        reader.open_live(SITE)
    with offline(reader):
        reader.see("status-text", "Offline")
        assert not reader.is_hidden("notice")
        assert reader.is_hidden("unread")
        reader.shoot("offline")
    reader.see("status-text", "Live")
    assert reader.is_hidden("notice")
