"""The title of the browser's tab: which page of which site."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from house import House, open_house

from analytics.base.config import Config
from analytics.sites import store
from callbacks.table import PAGES
from tests.support.serving import SITE


@pytest.fixture(scope="module")
def house(tmp_path_factory) -> Iterator[House]:
    with open_house(Config(data_dir=tmp_path_factory.mktemp("data"), columnar=False)) as house:
        house.add_site(SITE)
        house.add_site("other.example")
        store.change(house.service.database, store.find(house.service.database, SITE), name="The shop")
        house.service.refresh()
        house.browsers["owner"] = house.join("owner@example.com", "owner")
        house.browsers["viewer"] = house.join("viewer@example.com", "viewer")
        yield house


def title(house: House, person: str, path: str) -> str:
    found = re.search(r'"data-page-title":"([^"]*)"', house.drawn(house.browsers[person], path))
    assert found, path
    return found[1].encode().decode("unicode_escape")


def test_every_page_is_named_with_its_site_by_the_sites_own_name(house):
    named = {page.address: title(house, "owner", page.address.replace("<domain>", SITE)) for page in PAGES}
    assert named == {
        "/": "All sites · Footfall",
        "/sites": "All sites · Footfall",
        "/sites/add": "Add a site · Footfall",
        "/live/<domain>": "Live · The shop · Footfall",
        "/overview/<domain>": "Overview · The shop · Footfall",
        "/concurrents/<domain>": "Concurrents · The shop · Footfall",
        "/alerts/<domain>": "Alerts · The shop · Footfall",
        "/alerts/<domain>/alert": "Alert · The shop · Footfall",
        "/notifications": "Notifications · Footfall",
        "/settings/<domain>/activity": "Settings, Activity · The shop · Footfall",
        "/settings/<domain>/channels": "Settings, Channels · The shop · Footfall",
        "/settings/<domain>/database": "Settings, Database · The shop · Footfall",
        "/settings/<domain>/rules": "Settings, Rules · The shop · Footfall",
        "/traffic/<domain>": "Traffic · The shop · Footfall",
        "/settings/<domain>/general": "Settings, General · The shop · Footfall",
        "/settings/<domain>/filters": "Settings, Filters · The shop · Footfall",
        "/settings/<domain>/snippet": "Settings, Snippet · The shop · Footfall",
        "/settings/<domain>/people": "Settings, People · The shop · Footfall",
        "/settings/<domain>/cards": "Settings, Cards · The shop · Footfall",
        "/settings/<domain>/keys": "Settings, API keys · The shop · Footfall",
        "/people": "People · Footfall",
        "/traffic": "Events without a site · Footfall",
        "/demo": "Demo traffic · Footfall",
        "/account": "Account · Footfall",
    }


def test_a_site_without_a_name_is_named_by_its_domain(house):
    assert title(house, "owner", "/live/other.example") == "Live · other.example · Footfall"


def test_a_page_that_is_not_there_or_not_for_the_role_says_so(house):
    assert title(house, "owner", "/live/nothing.example") == "Page not found · Footfall"
    assert title(house, "viewer", f"/settings/{SITE}/general") == "Not for your role · The shop · Footfall"


def test_the_switcher_has_the_sites_own_names(house):
    drawn = house.drawn(house.browsers["owner"], "/live/other.example")
    assert '"The shop"' in drawn
    assert f'"{SITE}"' in drawn
