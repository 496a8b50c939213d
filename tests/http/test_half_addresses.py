"""Addresses that are only the beginning of a page's, or have a slash too many, lead to the page."""

from __future__ import annotations

import pytest
from house import open_house

HTML = {"Accept": "text/html"}


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    from analytics.base.config import Config

    with open_house(Config(data_dir=tmp_path_factory.mktemp("half"))) as opened:
        one, _ = opened.add_site("example.com"), opened.add_site("xn--mller-kva.example")
        opened.browsers["of all"] = opened.join("owner@example.com", "owner")
        opened.browsers["of one"] = opened.join("admin@example.com", "admin", [one])
        yield opened


def led(house, who, path):
    answer = house.browsers[who].get(path, headers=HTML)
    return answer.location if answer.status_code == 302 else answer.status_code


@pytest.mark.parametrize(
    ("path", "page"),
    [
        ("/settings/example.com", "/settings/example.com/general"),
        ("/settings/example.com/", "/settings/example.com/general"),
        ("/settings/xn--mller-kva.example?a=b", "/settings/xn--mller-kva.example/general?a=b"),
        ("/settings/example.com/people/", "/settings/example.com/people"),
        ("/live/example.com/", "/live/example.com"),
        ("/live/example.com/?wall=1", "/live/example.com?wall=1"),
        ("/overview/example.com/?period=7d&f=a%3Db", "/overview/example.com?period=7d&f=a%3Db"),
        ("/sites/", "/sites"),
        ("/sites/add/", "/sites/add"),
        ("/account/", "/account"),
        ("/live", "/sites"),
        ("/overview", "/sites"),
        ("/overview/", "/sites"),
        ("/concurrents", "/sites"),
        ("/settings", "/sites"),
        ("/settings/example.com/nothing", 404),
        ("/live/example.com/nothing", 404),
        ("/nothing", 404),
        ("/nothing/", 404),
    ],
)
def test_half_an_address_leads_to_the_page(house, path, page):
    assert led(house, "of all", path) == page


@pytest.mark.parametrize(
    ("path", "page"),
    [
        ("/live", "/live/example.com"),
        ("/overview?period=7d", "/overview/example.com?period=7d"),
        ("/concurrents/", "/concurrents/example.com"),
        ("/settings", "/settings/example.com/general"),
    ],
)
def test_where_there_is_one_site_to_see_it_is_that_sites_page(house, path, page):
    assert led(house, "of one", path) == page


def test_a_stranger_signs_in_first_and_is_led_on_then(house):
    stranger = house.app.server.test_client()
    answer = stranger.get("/settings/example.com", headers=HTML)
    assert (answer.status_code, answer.location) == (302, "/sign-in?next=/settings/example.com")


def test_nothing_is_told_of_a_site_that_is_not_there(house):
    assert led(house, "of one", "/settings/nowhere.example") == "/settings/nowhere.example/general"
    assert led(house, "of one", "/settings/xn--mller-kva.example") == "/settings/xn--mller-kva.example/general"


def test_what_is_no_reading_is_not_led_anywhere(house):
    assert house.browsers["of all"].post("/settings/example.com").status_code in (404, 405)
