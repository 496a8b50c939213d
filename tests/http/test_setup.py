"""The one-time set-up page over HTTP."""

from __future__ import annotations

import re
import threading

import pytest
from doorway import CHEAP, PAGE, SECRET, doorway

from analytics.access import accounts, first_owner, passwords
from analytics.sites import store
from callbacks.gate import setup

GIVEN = {
    "token": first_owner.setup_token(SECRET),
    "email": "Ada@example.com",
    "password": "correct horse",
    "domain": "https://Example.com/",
    "timezone": "Europe/Berlin",
}
LINK = setup.link("", SECRET)


@pytest.fixture
def door(database, monkeypatch):
    monkeypatch.setattr(passwords, "HASHER", CHEAP)
    return doorway(database)


def test_the_link_carries_the_token_of_the_installation():
    assert setup.link("http://127.0.0.1:8050", SECRET) == f"http://127.0.0.1:8050/setup?token={GIVEN['token']}"
    assert setup.link("", b"another") != LINK


def test_the_page_asks_for_owner_and_site(door):
    answer = door.client().get(LINK)
    assert answer.status_code == 200
    for part in ('name="email"', 'name="password"', 'name="domain"', 'value="Europe/Berlin"', "data-guess"):
        assert part in answer.text
    assert "<script>" not in answer.text


def test_set_up_makes_owner_and_site_and_signs_in(database, door):
    client = door.client()
    answer = client.post("/setup", data=GIVEN)
    assert (answer.status_code, answer.location) == (302, "/live/example.com")
    (owner,) = accounts.people(database)
    assert (owner.email, owner.role) == ("ada@example.com", "owner")
    assert [(site.domain, site.timezone) for site in store.all_sites(database)] == [("example.com", "Europe/Berlin")]
    assert door.done == [1]
    assert client.get("/live/example.com").status_code == 200


def test_afterwards_the_page_is_gone_for_everybody_and_who_has_the_link_is_told_where_to_sign_in(database, door):
    client = door.client()
    client.post("/setup", data=GIVEN)
    for visitor in (client, door.client()):
        for answer in (visitor.get(LINK, headers=PAGE), visitor.post("/setup", data=GIVEN)):
            assert answer.status_code == 404
            assert "Already set up" in answer.text
            assert 'href="/sign-in"' in answer.text
        stranger = visitor.get("/setup?token=x", headers=PAGE)
        assert stranger.status_code == 404
        assert "Already set up" not in stranger.text
    assert len(accounts.people(database)) == 1


def test_the_link_says_so_as_well_when_the_first_account_was_made_otherwise(database, door):
    accounts.add_person(database, "ada@example.com", "owner", "correct horse", now=1)
    answer = door.client().get(LINK, headers=PAGE)
    assert (answer.status_code, "Already set up" in answer.text) == (404, True)
    assert accounts.people(database)[0].email not in answer.text


def test_the_zones_are_offered_by_one_name_and_taken_by_any(database, door):
    page = door.client().get(LINK).text
    assert '<option value="Asia/Kolkata" data-also="Asia/Calcutta">Kolkata</option>' in page
    assert 'value="US/Pacific"' not in page
    again = door.client().post("/setup", data=GIVEN | {"password": "short", "timezone": "Asia/Calcutta"})
    assert '<option value="Asia/Kolkata" data-also="Asia/Calcutta" selected>' in again.text
    assert door.client().post("/setup", data=GIVEN | {"timezone": "US/Pacific"}).status_code == 302
    assert [site.timezone for site in store.all_sites(database)] == ["US/Pacific"]


@pytest.mark.parametrize("token", ["", "x", "é", first_owner.setup_token(b"another")])
def test_without_the_token_there_is_no_page(database, door, token):
    """What is old or cut off leads somewhere, and says nothing of whether there are accounts."""
    client = door.client()
    before = client.get("/setup", query_string={"token": token})
    assert before.status_code == 404
    assert "This set-up link does not work here" in before.text
    assert "“.venv/bin/python app.py setup-link” prints the right one" in before.text
    assert 'href="/sign-in"' in before.text
    assert client.post("/setup", data=GIVEN | {"token": token}).status_code == 404
    assert accounts.people(database) == []
    client.post("/setup", data=GIVEN)
    assert client.get("/setup", query_string={"token": token}).text == before.text


def test_wrong_fields_say_so_beside_themselves_and_keep_what_was_typed(database, door):
    wrong = GIVEN | {"email": "ada", "password": "marked", "domain": "exa mple", "timezone": "Mars/Olympus"}
    answer = door.client().post("/setup", data=wrong)
    assert answer.status_code == 422
    assert answer.text.count('aria-invalid="true"') == 4
    assert answer.text.count("is-wrong") == 4
    assert 'value="ada"' in answer.text
    assert 'value="exa mple"' in answer.text
    assert "marked" not in answer.text
    assert (accounts.people(database), store.all_sites(database), door.done) == ([], [], [])


def test_one_wrong_field_leaves_the_others_as_they_were(door):
    answer = door.client().post("/setup", data=GIVEN | {"password": "short"})
    assert answer.text.count('aria-invalid="true"') == 1
    assert re.search('<option value="Europe/Berlin"[^>]* selected>', answer.text)
    assert "data-guess" not in answer.text
    assert GIVEN["token"] in answer.text


def test_hostile_text_comes_back_as_text(door):
    hostile = '"><img src=x onerror=alert(1)>'
    answer = door.client().post("/setup", data=GIVEN | {"email": hostile, "domain": hostile, "timezone": hostile})
    assert answer.status_code == 422
    assert "<img src=x" not in answer.text


def test_two_at_once_make_one_owner_and_the_other_finds_nothing(database, door):
    door.client().get("/sign-in")  # Dash sets itself up at the first request
    start, statuses = threading.Barrier(2), []

    def race(name):
        client = door.client()
        start.wait()
        statuses.append(client.post("/setup", data=GIVEN | {"email": f"{name}@example.com"}).status_code)

    threads = [threading.Thread(target=race, args=(name,)) for name in ("ada", "eve")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(statuses) == [302, 404]
    assert len(accounts.people(database)) == 1
    assert door.done == [1]
