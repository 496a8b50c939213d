"""Names and paths with letters beyond ASCII, as people read them in a browser."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import quote

import pytest
from reader import add_owner, come
from stream_server import until

from analytics.base.config import Config
from tests.support.serving import Server, pageview, serving

SITE, ASCII = "müller.example", "xn--mller-kva.example"


@pytest.fixture(scope="module")
def server(tmp_path_factory) -> Iterator[Server]:
    with serving(Config(data_dir=tmp_path_factory.mktemp("data"))) as server:
        server.tell("site add", domain=SITE, name="", timezone="UTC")
        add_owner(server)
        for number, path in enumerate(("/caf%C3%A9", "/caf%c3%a9", "/%D8%B3%D9%84%D8%A7%D9%85")):
            body = pageview(f"page-{number:04}", path, ASCII, referrer="https://xn--bcher-kva.example/")
            assert server.collect(body, {"User-Agent": f"Mozilla/5.0 Firefox/140.{number}"}).status == 202
        yield server


@pytest.mark.parametrize("name", [SITE, quote(SITE), ASCII])
def test_the_live_page_of_a_site_is_in_letters_whichever_way_it_is_named(reader, name):
    reader.open(f"/live/{name}")
    until(lambda: ("/café", "2") in reader.rows("pages"))
    assert ("/سلام", "1") in reader.rows("pages")
    assert reader.rows("sources") == [("bücher.example", "3")]
    assert reader.texts(".ff-site bdi") == [SITE]


def test_what_comes_while_the_page_is_open_is_in_letters_too(reader, server):
    reader.open(f"/live/{SITE}")
    until(lambda: reader.texts("#feed > li"))
    come(server, SITE, ["later"], "/sp%C3%A4ter")
    until(lambda: reader.texts(".ff-ev-t")[0] == "/später")


def test_the_overview_has_one_row_for_a_page_and_filters_by_it(reader):
    reader.open(f"/overview/{SITE}?period=today")
    until(lambda: "/café" in reader.texts(".ff-lbl"))
    assert {"bücher.example", "/سلام"} <= set(reader.texts(".ff-lbl"))
    wanted = quote('[["is","page",["/caf%C3%A9"]]]')
    reader.open(f"/overview/{SITE}?period=today&filters={wanted}")
    until(lambda: reader.texts(".ff-filter bdi") == ["/café"])
    until(lambda: "/café" in reader.texts(".ff-lbl") and "/سلام" not in reader.texts(".ff-lbl"))
