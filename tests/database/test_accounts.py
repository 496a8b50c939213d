"""People, passwords and logins, on SQLite and on PostgreSQL."""

from __future__ import annotations

import threading

import pytest
from argon2 import PasswordHasher
from sqlalchemy import func, select

from analytics.access import accounts, first_owner, logins, members, passwords, roles
from analytics.base.errors import InvalidInput
from analytics.sites import store
from analytics.storage import schema

NOW = 1_800_000_000
EMAIL, PASSWORD = "ada@example.com", "correct horse"
SECRET = b"k" * 40
CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


@pytest.fixture(autouse=True)
def _cheap_passwords(monkeypatch):
    monkeypatch.setattr(passwords, "HASHER", CHEAP)


@pytest.fixture
def ada(database) -> roles.Person:
    return accounts.add_person(database, EMAIL, "owner", PASSWORD, now=NOW)


def _stored(database, table) -> int:
    with database.read() as connection:
        return connection.execute(select(func.count()).select_from(table)).scalar_one()


def test_a_person_is_stored_under_the_address_in_lower_case(database):
    assert not accounts.has_people(database)
    ada = accounts.add_person(database, " Ada@Example.COM ", "owner", PASSWORD, now=NOW)
    bob = accounts.add_person(database, "bob@example.com", "viewer", PASSWORD, now=NOW)
    assert (ada.email, ada.role, ada.created_at) == (EMAIL, "owner", NOW)
    assert accounts.people(database) == [ada, bob]
    assert accounts.has_people(database)


@pytest.mark.parametrize(
    ("email", "role", "password", "named"),
    [
        ("ada", "owner", PASSWORD, "e-mail"),
        ("a@b@c", "owner", PASSWORD, "e-mail"),
        ("a b@example.com", "owner", PASSWORD, "e-mail"),
        ("a\0b@example.com", "owner", PASSWORD, "e-mail"),
        ("a\ud800@example.com", "owner", PASSWORD, "e-mail"),
        ("a" * 250 + "@example.com", "owner", PASSWORD, "e-mail"),
        (EMAIL, "boss", PASSWORD, "owner, admin or viewer"),
        (EMAIL, "owner", "nine char", "10 to 1000"),
        (EMAIL, "owner", "x" * 1001, "10 to 1000"),
    ],
)
def test_what_cannot_be_an_account_is_refused(database, email, role, password, named):
    with pytest.raises(InvalidInput, match=named):
        accounts.add_person(database, email, role, password, now=NOW)
    assert accounts.people(database) == []


def test_a_second_account_of_one_address_is_refused(database, ada):
    with pytest.raises(InvalidInput, match="there already"):
        accounts.add_person(database, "ADA@example.com", "viewer", PASSWORD, now=NOW)
    assert accounts.people(database) == [ada]


def test_the_right_password_gives_a_login_for_thirty_days(database, ada):
    token = logins.sign_in(database, "Ada@example.com", PASSWORD, now=NOW)
    assert logins.signed_in(database, token, now=NOW) == ada
    assert logins.signed_in(database, token, now=NOW + 30 * 86_400 - 1) == ada
    assert logins.signed_in(database, token, now=NOW + 30 * 86_400) is None


@pytest.mark.parametrize(
    ("email", "password"),
    [
        (EMAIL, "wrong horse!"),
        (EMAIL, ""),
        ("bob@example.com", PASSWORD),
        ("a\0b", PASSWORD),
        ("", ""),
        (EMAIL, "\ud800" * 10),
    ],
)
def test_anything_else_gives_none(database, ada, email, password):
    assert logins.sign_in(database, email, password, now=NOW) is None
    assert _stored(database, schema.logins) == 0


def test_an_unknown_address_is_checked_at_the_price_of_a_known_one():
    assert not PasswordHasher().check_needs_rehash(passwords.UNKNOWN_HASH)


def test_a_password_is_the_same_however_a_keyboard_composes_it(database):
    accounts.add_person(database, EMAIL, "owner", "caf\u00e9 caf\u00e9 caf\u00e9", now=NOW)
    assert logins.sign_in(database, EMAIL, "cafe\u0301 cafe\u0301 cafe\u0301", now=NOW)


@pytest.mark.parametrize("token", ["", "x", "A" * 43, "é" * 43, "\ud800" * 43])
def test_a_made_up_token_is_nobodys(database, ada, token):
    assert logins.signed_in(database, token, now=NOW) is None


def test_neither_password_nor_token_is_in_the_database(database, ada):
    token = logins.sign_in(database, EMAIL, PASSWORD, now=NOW)
    with database.read() as connection:
        rows = [*connection.execute(select(schema.people)), *connection.execute(select(schema.logins))]
    assert token not in str(rows)
    assert PASSWORD not in str(rows)
    assert "$argon2id$" in str(rows)


def test_signing_out_ends_that_login_at_once_and_no_other(database, ada):
    desk, phone = (logins.sign_in(database, EMAIL, PASSWORD, now=NOW) for _ in range(2))
    assert logins.signed_in(database, desk, now=NOW) == ada
    logins.sign_out(database, desk)
    assert logins.signed_in(database, desk, now=NOW) is None
    assert logins.signed_in(database, phone, now=NOW) == ada


def test_a_new_password_ends_every_login_and_the_old_password(database, ada):
    token = logins.sign_in(database, EMAIL, PASSWORD, now=NOW)
    logins.signed_in(database, token, now=NOW)
    mark = accounts.password_mark(database, EMAIL)
    assert logins.reset_password(database, EMAIL, "another horse", now=NOW) == ada
    assert logins.signed_in(database, token, now=NOW) is None
    assert logins.sign_in(database, EMAIL, PASSWORD, now=NOW) is None
    assert logins.sign_in(database, EMAIL, "another horse", now=NOW)
    assert accounts.password_mark(database, EMAIL) != mark


def test_a_new_password_for_nobody_is_refused(database):
    with pytest.raises(InvalidInput, match="nobody"):
        logins.reset_password(database, EMAIL, PASSWORD, now=NOW)


def test_a_login_that_another_process_ended_is_closed_in_the_next_second(database, ada):
    token = logins.sign_in(database, EMAIL, PASSWORD, now=NOW)
    logins.signed_in(database, token, now=NOW)
    with database.transaction() as connection:
        connection.execute(schema.logins.delete())
    assert logins.signed_in(database, token, now=NOW) == ada
    assert logins.signed_in(database, token, now=NOW + 1) is None


def test_expired_logins_of_a_person_go_when_a_new_one_comes(database, ada):
    logins.sign_in(database, EMAIL, PASSWORD, now=NOW)
    logins.sign_in(database, EMAIL, PASSWORD, now=NOW + logins.LOGIN_S)
    assert _stored(database, schema.logins) == 1


def test_a_hash_of_older_parameters_is_renewed_at_the_next_sign_in(database, ada, monkeypatch):
    monkeypatch.setattr(passwords, "HASHER", PasswordHasher(time_cost=2, memory_cost=16, parallelism=1))
    mark = accounts.password_mark(database, EMAIL)
    assert logins.sign_in(database, EMAIL, PASSWORD, now=NOW)
    renewed = accounts.password_mark(database, EMAIL)
    assert renewed != mark
    assert logins.sign_in(database, EMAIL, PASSWORD, now=NOW)
    assert accounts.password_mark(database, EMAIL) == renewed


def test_a_password_that_changes_while_the_old_one_is_checked_gives_no_login(database, ada, monkeypatch):
    class ResetDuringCheck(PasswordHasher):
        def check_needs_rehash(self, hashed):
            logins.reset_password(database, EMAIL, "another horse", now=NOW)
            return False

    monkeypatch.setattr(passwords, "HASHER", ResetDuringCheck(time_cost=1, memory_cost=8, parallelism=1))
    assert logins.sign_in(database, EMAIL, PASSWORD, now=NOW) is None
    assert _stored(database, schema.logins) == 0


def test_set_up_makes_owner_site_and_login_and_only_once(database):
    token = first_owner.setup_token(SECRET)
    assert first_owner.is_setup_token(SECRET, token)
    login = first_owner.set_up(database, EMAIL, PASSWORD, "https://Example.com/", "Europe/Berlin", now=NOW)
    assert store.find(database, "example.com").uuid
    owner = logins.signed_in(database, login, now=NOW)
    assert (owner.email, owner.role) == (EMAIL, "owner")
    assert [(site.domain, site.timezone) for site in store.all_sites(database)] == [("example.com", "Europe/Berlin")]
    with pytest.raises(first_owner.AlreadySetUp):
        first_owner.set_up(database, "eve@example.com", PASSWORD, "example.org", "UTC", now=NOW)
    assert _stored(database, schema.sites) == 1


@pytest.mark.parametrize("token", ["", "x", "é", "\ud800", first_owner.setup_token(b"another")])
def test_another_token_is_not_that_of_the_installation(token):
    assert not first_owner.is_setup_token(SECRET, token)


def test_set_up_takes_over_a_site_that_the_command_line_added(database):
    site = store.add(database, "example.com", timezone="Asia/Tokyo", now=NOW)
    first_owner.set_up(database, EMAIL, PASSWORD, "example.com", "UTC", now=NOW)
    assert store.all_sites(database) == [site]


def test_two_set_ups_at_once_make_one_owner(database):
    start, results = threading.Barrier(2), []

    def race(name):
        start.wait()
        try:
            results.append(first_owner.set_up(database, f"{name}@example.com", PASSWORD, f"{name}.com", "UTC", now=NOW))
        except first_owner.AlreadySetUp:
            results.append(None)

    threads = [threading.Thread(target=race, args=(name,)) for name in ("ada", "eve")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(result is None for result in results) == [False, True]
    assert [_stored(database, table) for table in (schema.people, schema.sites, schema.logins)] == [1, 1, 1]


def test_a_language_stays_chosen_until_it_is_reset(database, ada):
    token = logins.sign_in(database, EMAIL, PASSWORD, now=NOW)
    assert logins.signed_in(database, token, now=NOW).language == ""
    members.set_language(database, ada, "de-DE")
    assert logins.signed_in(database, token, now=NOW).language == "de-DE"
    with pytest.raises(InvalidInput, match="no language that is here"):
        members.set_language(database, ada, "xx-XX")
    assert [person.language for person in accounts.people(database)] == ["de-DE"]
    members.set_language(database, ada, "")
    assert logins.signed_in(database, token, now=NOW).language == ""
