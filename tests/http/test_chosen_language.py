"""The language of dates and numbers: the browser's, or the one that a person has chosen."""

from __future__ import annotations

import json
import re

import pytest
from house import open_house

from analytics.base.config import Config


@pytest.fixture(scope="module")
def house(tmp_path_factory):
    with open_house(Config(data_dir=tmp_path_factory.mktemp("data"))) as house:
        house.add_site("example.com")
        yield house


def written(house, browser, accept_language: str) -> tuple[str, str]:
    """What the account page is written in, and its sample of a number."""
    browser.environ_base["HTTP_ACCEPT_LANGUAGE"] = accept_language
    page = json.dumps(json.loads(house.drawn(browser, "/account")), ensure_ascii=False)
    return re.search(r'"data-language": "([^"]*)"', page)[1], re.search(r"12\D345", page)[0]


def test_pages_follow_the_browser_until_a_language_is_chosen_and_again_afterwards(house):
    ada = house.join("ada@example.com", "viewer")
    assert written(house, ada, "de-DE,de;q=0.9") == ("de-DE", "12.345")
    assert written(house, ada, "fr") == ("fr-FR", "12\u202f345")
    assert house.send(ada, "language", "", language="es-ES") == {"go": "/account"}
    assert written(house, ada, "fr") == ("es-ES", "12.345")
    assert house.send(ada, "language", "", language="") == {"go": "/account"}
    assert written(house, ada, "en-US") == ("en-US", "12,345")


def test_one_persons_choice_is_nobody_elses(house):
    bob, eve = house.join("bob@example.com", "viewer"), house.join("eve@example.com", "viewer")
    house.send(bob, "language", "", language="de-DE")
    assert written(house, bob, "en-GB") == ("de-DE", "12.345")
    assert written(house, eve, "en-GB") == ("en-GB", "12,345")


def test_a_language_that_is_none_is_said_to_be_none(house):
    cleo = house.join("cleo@example.com", "viewer")
    answer = house.send(cleo, "language", "", language="xx-XX")
    assert answer["message"] == "'xx-XX' is no language that is here; give one like en-GB, or nothing"
    assert written(house, cleo, "en-GB") == ("en-GB", "12,345")
