"""Servers that many tests share: each test has a site of its own on them."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import pytest

from tests.conftest import config_on
from tests.support.serving import Server, serving

_numbers = itertools.count(1)


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def shared(request, tmp_path_factory) -> Iterator[Server]:
    """One shipped server for all tests over HTTP, once on SQLite and once on PostgreSQL, without a rate limit."""
    config = config_on(request, tmp_path_factory.mktemp("shared"))
    with serving(config, FOOTFALL_COLLECT_RATE="0") as server:
        yield server


@pytest.fixture
def site(shared) -> str:
    """The domain of a new site on the shared server."""
    domain = f"site-{next(_numbers)}.example"
    shared.tell("site add", domain=domain, name="", timezone="UTC")
    return domain


@pytest.fixture
def other_site(shared) -> str:
    """The domain of another new site on the shared server."""
    domain = f"other-{next(_numbers)}.example"
    shared.tell("site add", domain=domain, name="", timezone="UTC")
    return domain
