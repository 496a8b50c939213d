"""Who has which role where, on SQLite and on PostgreSQL."""

from __future__ import annotations

import threading

import pytest
from argon2 import PasswordHasher

from analytics.access import accounts, logins, members, passwords
from analytics.access.roles import ADMIN, MEMBER, OWNER, VIEWER, Person
from analytics.base.errors import InvalidInput
from analytics.sites import store

NOW = 1_800_000_000
CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


@pytest.fixture(autouse=True)
def cheap(monkeypatch):
    monkeypatch.setattr(passwords, "HASHER", CHEAP)


@pytest.fixture
def shop(database):
    return store.add(database, "shop.example", now=NOW).id


@pytest.fixture
def blog(database):
    return store.add(database, "blog.example", now=NOW).id


def join(database, name, role, *on, at=NOW):
    return accounts.add_person(database, f"{name}@example.com", role, "correct horse", now=at, sites=on)


def test_a_role_on_one_site_opens_that_site_and_no_other(database, shop, blog):
    ann = join(database, "ann", VIEWER, shop)
    assert ann == Person(ann.id, "ann@example.com", MEMBER, NOW, {shop: VIEWER})
    assert (ann.role_on(shop), ann.role_on(blog)) == (VIEWER, MEMBER)
    assert (ann.may(VIEWER, shop), ann.may(ADMIN, shop), ann.may(VIEWER, blog)) == (True, False, False)
    assert not ann.may_everywhere(VIEWER)


def test_the_higher_of_two_roles_counts(database, shop, blog):
    ann = join(database, "ann", VIEWER)
    raised = members.change(database, ann.email, OWNER, [shop], now=NOW)
    assert (raised.role, raised.role_on(shop), raised.role_on(blog)) == (VIEWER, OWNER, VIEWER)
    lowered = members.change(database, ann.email, ADMIN, now=NOW)
    assert (lowered.role_on(shop), lowered.role_on(blog)) == (OWNER, ADMIN)


def test_the_people_of_a_site_are_those_who_see_it(database, shop, blog):
    ada, bob = join(database, "ada", OWNER), join(database, "bob", VIEWER, shop, at=NOW + 5)
    join(database, "eve", OWNER, blog)
    both = members.change(database, ada.email, VIEWER, [shop], now=NOW + 9)
    assert members.of_site(database, shop) == [
        members.Member(both, OWNER, NOW, everywhere=True),
        members.Member(bob, VIEWER, NOW + 5, everywhere=False),
    ]


def test_a_removed_role_ends_at_once_for_signed_in_people(database, shop):
    ann = join(database, "ann", ADMIN, shop)
    token = logins.sign_in(database, ann.email, "correct horse", now=NOW)
    assert logins.signed_in(database, token, now=NOW) == ann
    members.change(database, ann.email, MEMBER, [shop], now=NOW)
    assert logins.signed_in(database, token, now=NOW).role_on(shop) == MEMBER


def test_a_removed_person_is_nowhere_and_signed_out(database, shop):
    join(database, "ada", OWNER)
    ann = join(database, "ann", ADMIN, shop)
    token = logins.sign_in(database, ann.email, "correct horse", now=NOW)
    assert members.remove(database, " ANN@example.com") == ann
    assert logins.signed_in(database, token, now=NOW) is None
    assert [member.person.email for member in members.of_site(database, shop)] == ["ada@example.com"]
    with pytest.raises(InvalidInput, match="nobody with the e-mail ann@example"):
        members.remove(database, ann.email)


@pytest.mark.parametrize(
    "lower",
    [
        members.remove,
        lambda database, email: members.change(database, email, ADMIN, now=NOW),
        lambda database, email: members.change(database, email, MEMBER, now=NOW),
    ],
)
def test_the_last_owner_of_every_site_stays_one(database, shop, lower):
    ada = join(database, "ada", OWNER)
    join(database, "bob", OWNER, shop)  # of one site only
    with pytest.raises(InvalidInput, match=r"ada@example\.com is the last owner of every site"):
        lower(database, ada.email)
    assert members.find(database, ada.email) == ada
    join(database, "eve", OWNER)
    lower(database, ada.email)


def test_of_two_owners_who_remove_each_other_at_once_one_stays(database):
    emails = [join(database, name, OWNER).email for name in ("ada", "bob")]
    refused = []

    def remove(email):
        try:
            members.remove(database, email)
        except InvalidInput as wrong:
            refused.append(str(wrong))

    both = [threading.Thread(target=remove, args=(email,)) for email in emails]
    for one in both:
        one.start()
    for one in both:
        one.join()
    assert len(accounts.people(database)) == len(refused) == 1


def test_an_unknown_role_is_refused(database, shop):
    ann = join(database, "ann", VIEWER, shop)
    with pytest.raises(InvalidInput, match="role 'king': owner, admin or viewer"):
        members.change(database, ann.email, "king", [shop], now=NOW)


def test_what_a_site_meant_for_people_goes_with_it(database, shop, blog):
    ann = join(database, "ann", VIEWER, shop, blog)
    store.remove(database, "shop.example")
    assert members.find(database, ann.email).memberships == {blog: VIEWER}
