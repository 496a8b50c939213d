"""Figures in a real browser: drawn after the numbers, in both themes, explored by pointer and by keys."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator

import pytest
from reader import Reader, add_owner, add_site, come
from stream_server import until

from analytics.base.config import Config
from tests.support.serving import Server, serving

DRAWN = "return document.querySelectorAll('.ff-figure .main-svg').length > 0"
BUNDLE = "*/assets/plotly/*/plotly.min.js"
_numbers = itertools.count(1)


@pytest.fixture(scope="module")
def server(tmp_path_factory) -> Iterator[Server]:
    with serving(Config(data_dir=tmp_path_factory.mktemp("data"))) as running:
        add_owner(running)
        yield running


@pytest.fixture
def site(server) -> str:
    """A site with two people of one page."""
    domain = f"figures{next(_numbers)}.example"
    add_site(server, domain)
    for zone, people in (("Europe/Berlin", ["ann", "bob"]), ("Europe/Lisbon", ["eva"]), ("Asia/Tokyo", ["ken"])):
        come(server, domain, people, "/pricing", timezone=zone)
    return domain


def graph(name: str) -> str:
    return f"document.querySelector('#{name} .js-plotly-plot')"


def drawn(reader: Reader, name: str) -> None:
    """Waits until the figure is there."""
    until(lambda: reader.run(f"return Boolean({graph(name)}?.querySelector('.main-svg') && {graph(name)}._fullLayout)"))


def test_the_map_and_the_line_of_a_live_page_are_drawn(reader, site):
    reader.open_live(site)
    reader.see("active-now", "4")
    drawn(reader, "trend")
    drawn(reader, "world")
    time.sleep(1)
    reader.shoot("live-figures")
