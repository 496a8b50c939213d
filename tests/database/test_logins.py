"""Logins of a person, on SQLite and on PostgreSQL."""

from __future__ import annotations

import pytest
from argon2 import PasswordHasher

from analytics.access import accounts, logins, passwords
from analytics.base.errors import InvalidInput

NOW = 1_800_000_000
EMAIL, PASSWORD = "ada@example.com", "correct horse"
CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


@pytest.fixture
def ada(database, monkeypatch):
    monkeypatch.setattr(passwords, "HASHER", CHEAP)
    return accounts.add_person(database, EMAIL, "owner", PASSWORD, now=NOW)


def login(database, at=NOW, password=PASSWORD):
    return logins.sign_in(database, EMAIL, password, now=at)


def holds(database, *tokens):
    return [logins.signed_in(database, token, now=NOW + 9) is not None for token in tokens]


def test_logins_are_listed_newest_first_without_expired_ones(database, ada):
    for at in (NOW - logins.LOGIN_S, NOW, NOW + 5):
        login(database, at)
    assert logins.since(database, ada, now=NOW + 5) == [NOW + 5, NOW]


def test_the_others_end_and_this_one_stays(database, ada):
    own, other, third = (login(database) for _ in range(3))
    bob = accounts.add_person(database, "bob@example.com", "viewer", PASSWORD, now=NOW)
    theirs = logins.sign_in(database, bob.email, PASSWORD, now=NOW)
    logins.end(database, ada, keep=own)
    assert holds(database, own, other, third, theirs) == [True, False, False, True]
    logins.end(database, ada)
    assert holds(database, own, theirs) == [False, True]


def test_a_new_password_takes_the_old_one_and_ends_the_other_logins(database, ada):
    own, other = login(database), login(database)
    logins.change_password(database, ada, PASSWORD, "battery staple", keep=own)
    assert holds(database, own, other) == [True, False]
    assert login(database) is None
    assert login(database, password="battery staple")


@pytest.mark.parametrize(
    ("old", "new", "field"), [("wrong horse", "battery staple", "old"), ("", "", "old"), (PASSWORD, "short", "new")]
)
def test_what_is_wrong_is_named_and_nothing_changes(database, ada, old, new, field):
    own, other = login(database), login(database)
    with pytest.raises(InvalidInput) as refused:
        logins.change_password(database, ada, old, new, keep=own)
    assert refused.value.fields.keys() == {field}
    assert holds(database, own, other) == [True, True]
    assert login(database)


def test_a_reset_while_the_old_password_is_checked_wins(database, ada, monkeypatch):
    def reset(hashed, password):
        monkeypatch.undo()
        monkeypatch.setattr(passwords, "HASHER", CHEAP)
        logins.reset_password(database, EMAIL, "from the command line", now=NOW)
        return True

    monkeypatch.setattr(passwords, "matches", reset)
    with pytest.raises(InvalidInput, match="changed meanwhile"):
        logins.change_password(database, ada, PASSWORD, "battery staple", keep="")
    assert login(database, password="from the command line")
