"""The readers, for files whose `server` lasts as long as the file: one browser each, with an empty profile."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import visited_site
from reader import Reader, Shop, chromium, open_shop

# the visitor of a site with our script
driver, servers, visitor = visited_site.driver, visited_site.servers, visited_site.visitor


@pytest.fixture(scope="module")
def shop() -> Iterator[Shop]:
    """The site that is visited."""
    with open_shop() as running:
        yield running


@pytest.fixture(scope="module")
def anonymous(server, tmp_path_factory) -> Iterator[Reader]:
    """A reader without a login."""
    with chromium(tmp_path_factory.mktemp("profile")) as driver:
        yield Reader(driver, server)


@pytest.fixture(scope="module")
def signed_in(anonymous) -> Reader:
    """The owner."""
    anonymous.sign_in()
    return anonymous


@pytest.fixture
def reader(signed_in) -> Iterator[Reader]:
    """The owner; at the end of each test the console is empty and no other host got a request."""
    yield signed_in
    assert signed_in.complaints() == []
    assert signed_in.foreign_requests() == []
    signed_in.driver.get("about:blank")


@pytest.fixture
def newcomer(server, shop, tmp_path) -> Iterator[Reader]:
    """A reader without a login at a server of its own, who visits the shop too; asserts the same as `reader`."""
    with chromium(tmp_path / "profile") as driver:
        reader = Reader(driver, server, shop.url)
        yield reader
        assert reader.complaints() == []
        assert reader.foreign_requests() == []
