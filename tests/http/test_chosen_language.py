"""The language of words, dates and numbers: the browser's, or the one that a person has chosen."""

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


def in_german(house, browser, path: str) -> str:
    browser.environ_base["HTTP_ACCEPT_LANGUAGE"] = "de"
    return json.dumps(json.loads(house.drawn(browser, path)), ensure_ascii=False)


def test_words_are_in_the_language_too_and_a_page_that_is_not_there_says_so_in_it(house):
    dora = house.join("dora@example.com", "viewer")
    account = in_german(house, dora, "/account")
    assert all(f'"{word}"' in account for word in ("Konto", "Abmelden", "Zum Inhalt springen", "Wo du angemeldet bist"))
    assert '"data-tab": "Overview"' in in_german(house, dora, "/live/example.com"), "shortcuts find a tab by its key"
    assert "Seite nicht gefunden" in in_german(house, dora, "/live/nowhere.example")


def test_a_wrong_field_is_said_in_the_language_and_the_api_stays_english(house):
    fritz = house.join("fritz@example.com", "viewer")
    fritz.environ_base["HTTP_ACCEPT_LANGUAGE"] = "de"
    answer = house.send(fritz, "password", "", old="correct horse", new="short")
    assert answer == {"wrong": {"new": "ein Passwort hat 10 bis 1000 Zeichen"}, "message": ""}
    answer = house.send(fritz, "password", "", old="wrong horse", new="long enough, this")
    assert answer["wrong"] == {"old": "das ist nicht dein Passwort"}


@pytest.mark.parametrize(
    ("asked", "tag", "script"),
    [
        ("de-DE", "de", "/assets/words/de.js"),
        ("zh-TW", "zh-Hans", "/assets/words/zh.js"),
        ("it-IT", "en", None),
        ("en-US", "en", None),
    ],
)
def test_the_document_names_the_language_of_its_words_and_loads_those_of_its_scripts(house, asked, tag, script):
    gina = house.sign_in("ada@example.com")
    gina.environ_base["HTTP_ACCEPT_LANGUAGE"] = asked
    house.send(gina, "language", "", language="")
    document = gina.get("/account").text
    assert f'<html lang="{tag}">' in document
    scripts = re.findall(r'<script src="([^"?]*)', document)
    assert [address for address in scripts if "/words/" in address] == ([script] if script else [])
    if script:
        assert scripts.index(script) < scripts.index("/assets/lib/theme.js")
        address = re.search(rf'"({script}[^"]*)"', document)[1]
        answer = gina.get(address)
        assert (answer.status_code, answer.headers["Cache-Control"]) == (200, "public, max-age=31536000")


def test_the_plain_pages_follow_the_browser(house):
    stranger = house.app.server.test_client()
    assert '<html lang="fr">' in stranger.get("/sign-in", headers={"Accept-Language": "fr-CH"}).text
    assert '<html lang="en">' in stranger.get("/sign-in").text
