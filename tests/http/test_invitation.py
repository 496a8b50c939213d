"""Accepting an invitation: who gets in by the link, and the answer to everybody else."""

from __future__ import annotations

import html
import re

import pytest
from doorway import CHEAP, NOW, PAGE, doorway

from analytics.access import accounts, invitations, members, passwords
from analytics.sites import store
from callbacks.gate import signin

EMAIL, PASSWORD = "ann@example.com", "correct horse"
pytestmark = pytest.mark.parametrize("config", ["sqlite"], indirect=True)  # the tables have their own tests


@pytest.fixture
def door(database, monkeypatch):
    monkeypatch.setattr(passwords, "HASHER", CHEAP)
    accounts.add_person(database, "owner@example.com", "owner", PASSWORD, now=NOW)
    return doorway(database)


@pytest.fixture
def shop(database):
    return store.add(database, "shop.example", now=NOW).id


@pytest.fixture
def token(database, shop):
    return invitations.invite(database, "viewer", shop, email=EMAIL, by=0, now=NOW)[1]


def words(answer):
    return " ".join(re.sub(r"<[^>]+>", " ", html.unescape(answer.text)).split())


def test_the_page_says_what_it_is_an_invitation_to(door, token):
    page = door.client().get("/invitation", query_string={"token": token}, headers=PAGE)
    assert page.status_code == 200
    assert "You are invited to shop.example on localhost , as viewer" in words(page)
    assert f'value="{EMAIL}"' in page.text
    assert f"/sign-in?next=%2Finvitation%3Ftoken%3D{token}" in page.text


def test_a_stranger_gets_an_account_a_login_and_the_site(database, door, token, shop):
    ann = door.client()
    entered = ann.post("/invitation", data={"token": token, "email": EMAIL, "password": PASSWORD})
    assert (entered.status_code, entered.location) == (302, "/live/shop.example")
    assert members.find(database, EMAIL).memberships == {shop: "viewer"}
    assert ann.get("/live/shop.example").status_code == 200
    assert ann.get("/invitation", query_string={"token": token}).status_code == 404


def test_somebody_signed_in_gets_the_role_with_one_click(database, door, token, shop):
    accounts.add_person(database, "bob@example.com", "viewer", PASSWORD, now=NOW, sites=[999])
    bob = door.client()
    bob.post("/sign-in", data={"email": "bob@example.com", "password": PASSWORD})
    page = bob.get("/invitation", query_string={"token": token}, headers=PAGE)
    assert "You are signed in as bob@example.com . Your account gets the role." in words(page)
    assert 'type="password"' not in page.text
    assert bob.post("/invitation", data={"token": token}).location == "/live/shop.example"
    assert members.find(database, "bob@example.com").role_on(shop) == "viewer"


def test_after_signing_in_the_invitation_is_the_way_on(door, token):
    way_on = f"/invitation?token={token}"
    signed = door.client().post("/sign-in", data={"email": "owner@example.com", "password": PASSWORD, "next": way_on})
    assert signed.location == way_on


def test_what_is_wrong_stands_beside_its_field_and_the_invitation_stays(database, door, token):
    given = {"token": token, "email": "owner@example.com", "password": PASSWORD}
    again = door.client().post("/invitation", data=given, headers=PAGE)
    assert again.status_code == 422
    assert "There is an account with this e-mail; sign in, then open the link again" in words(again)
    short = door.client().post("/invitation", data={"token": token, "email": "x", "password": "short"}, headers=PAGE)
    assert short.status_code == 422
    assert re.findall(r'id="(\w+-note)">', short.text) == ["email-note", "password-note"]
    assert "short" not in re.sub(r"<p[^>]*>.*?</p>", "", short.text)
    assert invitations.find(database, token, now=NOW)


def test_wrong_used_expired_and_revoked_get_one_same_answer(database, door, token, shop):
    client = door.client()

    def answer(wanted, **more):
        responses = [
            client.get("/invitation", query_string={"token": wanted}, headers=PAGE),
            client.post("/invitation", data={"token": wanted, "email": "x@y.z", "password": PASSWORD}, headers=PAGE),
        ]
        assert [one.status_code for one in responses] == [404, 404]
        return {one.text for one in responses}

    made, revoked = invitations.invite(database, "viewer", shop, by=0, now=NOW)
    invitations.revoke(database, made.id, shop)
    door.client().post("/invitation", data={"token": token, "email": EMAIL, "password": PASSWORD})
    _, expired = invitations.invite(database, "viewer", shop, life_s=60, by=0, now=NOW)
    door.clock.now += 60
    answers = [answer(one) for one in ("A" * 43, "", token, revoked, expired)]
    assert len(set.union(*answers)) == 1


def test_without_a_token_there_is_nothing(door):
    assert door.client().get("/invitation").status_code == 404


def test_who_tries_too_many_wrong_tokens_is_sent_away_for_a_while(door):
    client = door.client()

    def status(method):
        return client.open("/invitation", method=method, query_string={"token": "A" * 43}).status_code

    assert [status(method) for method in ("GET", "POST") * (signin.BY_ADDRESS // 2)] == [404] * signin.BY_ADDRESS
    refused = client.get("/invitation", query_string={"token": "A" * 43}, headers=PAGE)
    assert (refused.status_code, refused.headers["Retry-After"]) == (429, str(signin.WINDOW_S))
    assert signin.WAIT in words(refused)
    assert status("POST") == 429
    door.clock.now += signin.WINDOW_S
    assert status("GET") == 404


def test_wrong_tokens_of_others_in_the_network_do_not_keep_anybody_from_a_good_one(database, door, token, shop):
    for _ in range(signin.BY_ADDRESS + 1):
        refused = door.client().get("/invitation", query_string={"token": "A" * 43})
    assert refused.status_code == 429
    ann = door.client()
    assert ann.get("/invitation", query_string={"token": token}).status_code == 200
    joined = ann.post("/invitation", data={"token": token, "email": EMAIL, "password": PASSWORD})
    assert (joined.status_code, joined.location) == (302, "/live/shop.example")
    assert members.find(database, EMAIL).memberships == {shop: "viewer"}


def test_opening_the_right_one_often_is_no_try(door, token):
    client = door.client()
    statuses = {
        client.get("/invitation", query_string={"token": token}).status_code for _ in range(signin.BY_ADDRESS + 1)
    }
    assert statuses == {200}


def test_another_site_cannot_accept_for_somebody(door, token):
    foreign = {"Origin": "https://evil.example"}
    assert door.client().post("/invitation", data={"token": token}, headers=foreign).status_code == 403


def test_a_public_dashboard_invites_nobody(database, token):
    assert doorway(database, public=True).client().get("/invitation", query_string={"token": token}).status_code == 404
