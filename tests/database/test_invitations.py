"""Invitations, on SQLite and on PostgreSQL."""

from __future__ import annotations

import threading

import pytest
from argon2 import PasswordHasher
from sqlalchemy import select

from analytics.access import accounts, invitations, logins, members, passwords
from analytics.access.invitations import COMMAND_LINE, InvalidInvitation, Invitation
from analytics.access.roles import ADMIN, MEMBER, OWNER, VIEWER
from analytics.base.errors import InvalidInput
from analytics.sites import store
from analytics.storage import schema

NOW, DAY_S = 1_800_000_000, 86_400
PASSWORD = "correct horse"
CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


@pytest.fixture(autouse=True)
def cheap(monkeypatch):
    monkeypatch.setattr(passwords, "HASHER", CHEAP)


@pytest.fixture
def shop(database):
    return store.add(database, "shop.example", now=NOW).id


@pytest.fixture
def owner(database):
    return accounts.add_person(database, "owner@example.com", OWNER, PASSWORD, now=NOW)


def invite(database, role, site_id, by=COMMAND_LINE, **more):
    return invitations.invite(database, role, site_id, by=by, now=NOW, **more)


def test_an_invitation_makes_an_account_with_its_role_and_a_login(database, shop):
    made, token = invite(database, VIEWER, shop, email=" Ann@Example.com")
    assert made == Invitation(made.id, shop, VIEWER, "ann@example.com", COMMAND_LINE, NOW, NOW + 7 * DAY_S)
    assert invitations.find(database, token, now=NOW) == made
    login = invitations.join(database, token, "Ann2@example.com", PASSWORD, now=NOW + 5)
    ann = logins.signed_in(database, login, now=NOW + 5)
    assert (ann.email, ann.role, ann.memberships, ann.created_at) == (
        "ann2@example.com",
        MEMBER,
        {shop: VIEWER},
        NOW + 5,
    )


def test_one_to_every_site_gives_that(database, shop):
    _, token = invite(database, ADMIN, None)
    person = logins.signed_in(database, invitations.join(database, token, "a@b.c", PASSWORD, now=NOW), now=NOW)
    assert (person.role, person.memberships) == (ADMIN, {})


def test_a_person_with_an_account_gets_the_role_and_keeps_a_higher_one(database, shop, owner):
    ann = accounts.add_person(database, "ann@example.com", ADMIN, PASSWORD, now=NOW, sites=[shop])
    for role, site_id, then in (
        (VIEWER, shop, (MEMBER, ADMIN)),
        (OWNER, shop, (MEMBER, OWNER)),
        (VIEWER, None, (VIEWER, OWNER)),
    ):
        _, token = invite(database, role, site_id)
        invitations.accept(database, token, members.find(database, ann.email), now=NOW)
        found = members.find(database, ann.email)
        assert (found.role, found.role_on(shop)) == then
    invitations.accept(database, invite(database, VIEWER, None)[1], owner, now=NOW)
    assert members.find(database, owner.email) == owner


def test_it_is_good_once(database, shop, owner):
    _, token = invite(database, VIEWER, shop)
    invitations.accept(database, token, owner, now=NOW)
    with pytest.raises(InvalidInvitation):
        invitations.join(database, token, "ann@example.com", PASSWORD, now=NOW)
    with pytest.raises(InvalidInvitation):
        invitations.accept(database, token, owner, now=NOW)
    assert [person.email for person in accounts.people(database)] == [owner.email]


def test_of_two_who_open_it_at_once_one_gets_in(database, shop):
    _, token = invite(database, VIEWER, shop)
    got = []

    def join(number):
        try:
            got.append(invitations.join(database, token, f"p{number}@example.com", PASSWORD, now=NOW))
        except InvalidInvitation:
            got.append(None)

    both = [threading.Thread(target=join, args=(number,)) for number in range(2)]
    for one in both:
        one.start()
    for one in both:
        one.join()
    assert sorted(login is None for login in got) == [False, True]
    assert len(accounts.people(database)) == 1


def test_it_ends_when_its_time_is_over_when_it_is_revoked_and_when_its_site_is_gone(database, shop):
    made, token = invite(database, VIEWER, shop, life_s=DAY_S)
    assert invitations.find(database, token, now=NOW + DAY_S - 1) == made
    with pytest.raises(InvalidInvitation):
        invitations.find(database, token, now=NOW + DAY_S)
    invitations.revoke(database, made.id, None)  # that of a site is not one of every site
    assert invitations.find(database, token, now=NOW) == made
    invitations.revoke(database, made.id, shop)
    with pytest.raises(InvalidInvitation):
        invitations.find(database, token, now=NOW)
    _, another = invite(database, VIEWER, shop)
    store.remove(database, "shop.example")
    with pytest.raises(InvalidInvitation):
        invitations.find(database, another, now=NOW)


def test_who_may_not_invite_any_more_has_left_no_way_in(database, shop, owner):
    ann = accounts.add_person(database, "ann@example.com", OWNER, PASSWORD, now=NOW, sites=[shop])
    _, to_shop = invite(database, OWNER, shop, by=ann.id)
    _, to_all = invite(database, OWNER, None, by=ann.id)
    assert invitations.find(database, to_shop, now=NOW)
    with pytest.raises(InvalidInvitation):
        invitations.find(database, to_all, now=NOW)
    members.change(database, ann.email, ADMIN, [shop], now=NOW)
    with pytest.raises(InvalidInvitation):
        invitations.find(database, to_shop, now=NOW)
    members.remove(database, ann.email)
    with pytest.raises(InvalidInvitation):
        invitations.find(database, to_shop, now=NOW)


@pytest.mark.parametrize("token", ["", "x", "é", "\ud800", "A" * 43])
def test_a_made_up_token_is_no_invitation(database, shop, token):
    invite(database, VIEWER, shop)
    with pytest.raises(InvalidInvitation):
        invitations.find(database, token, now=NOW)


def test_an_account_that_is_there_is_not_made_again_and_the_invitation_stays(database, shop, owner):
    made, token = invite(database, VIEWER, shop)
    with pytest.raises(InvalidInput, match="there is an account") as refused:
        invitations.join(database, token, owner.email, "another password", now=NOW)
    assert refused.value.fields.keys() == {"email"}
    with pytest.raises(InvalidInput) as refused:
        invitations.join(database, token, "nobody", "short", now=NOW)
    assert refused.value.fields.keys() == {"email", "password"}
    assert invitations.find(database, token, now=NOW) == made


def test_open_ones_are_listed_by_site_without_used_and_expired_ones(database, shop, owner):
    first, _ = invite(database, VIEWER, shop)
    _, used = invite(database, ADMIN, shop)
    everywhere, _ = invite(database, ADMIN, None, life_s=30 * DAY_S)
    invitations.accept(database, used, owner, now=NOW)
    assert invitations.pending(database, shop, now=NOW) == [first]
    assert invitations.pending(database, None, now=NOW) == [everywhere]
    assert invitations.pending(database, shop, now=NOW + 7 * DAY_S) == []


@pytest.mark.parametrize(
    ("role", "more", "says"),
    [
        ("king", {}, "role 'king'"),
        (VIEWER, {"email": "nobody"}, "no e-mail address"),
        (VIEWER, {"life_s": 91 * DAY_S}, "at most 90 days"),
        (VIEWER, {"life_s": 0}, "at most 90 days"),
    ],
)
def test_what_cannot_be_an_invitation_is_refused(database, shop, role, more, says):
    with pytest.raises(InvalidInput, match=says):
        invite(database, role, shop, **more)


def test_there_is_an_end_to_open_invitations(database, shop, monkeypatch):
    monkeypatch.setattr(invitations, "MAX_PENDING", 2)
    for _ in range(2):
        invite(database, VIEWER, shop)
    with pytest.raises(InvalidInput, match="revoke some first"):
        invite(database, VIEWER, shop)
    invite(database, VIEWER, None)


def test_the_token_is_nowhere_in_the_database(database, shop):
    _, token = invite(database, VIEWER, shop)
    with database.read() as connection:
        assert token not in str(connection.execute(select(schema.invitations)).all())
