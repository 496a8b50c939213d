"""API keys, on SQLite and on PostgreSQL."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import select

from analytics.access import api_keys
from analytics.base.errors import InvalidInput
from analytics.sites import store
from analytics.storage import schema

NOW = 1_800_000_000


def test_a_key_is_shown_once_and_found_by_what_was_shown(database):
    site = store.add(database, "example.com", now=NOW)
    plain = api_keys.add(database, " shop ", "stats", site.id, now=NOW)
    ring = api_keys.KeyRing(database)
    assert re.fullmatch(r"ff_[A-Za-z0-9_-]{32}", plain)
    found = ring.find(plain)
    assert (found.name, found.scope, found.site_id) == ("shop", "stats", site.id)
    with database.read() as connection:
        assert plain not in str(connection.execute(select(schema.keys)).all())


@pytest.mark.parametrize("other", ["", "ff_", "ff_" + "A" * 32, "fe_" + "A" * 32, "é", "ff_\ud800"])
def test_an_unknown_key_opens_nothing(database, other):
    plain = api_keys.add(database, "shop", "admin", None, now=NOW)
    ring = api_keys.KeyRing(database)
    assert ring.find(other) is None
    assert ring.find(plain[:-1] + ("A" if plain[-1] != "A" else "B")) is None


@pytest.mark.parametrize(
    ("name", "scope"),
    [("shop", "root"), ("", "stats"), (" ", "stats"), ("a\nb", "stats"), ("x" * 121, "stats")],
)
def test_a_wrong_scope_or_name_is_refused(database, name, scope):
    with pytest.raises(InvalidInput):
        api_keys.add(database, name, scope, None, now=NOW)


@pytest.mark.parametrize(
    ("scope", "site_id", "opens"),
    [
        ("stats", 1, {("stats", 1)}),
        ("stats", None, {("stats", 1), ("stats", 2), ("stats", None)}),
        ("ingest", 1, {("ingest", 1)}),
        ("admin", 1, {("stats", 1), ("ingest", 1)}),
    ],
)
def test_a_key_opens_its_scope_on_its_site(scope, site_id, opens):
    key = api_keys.Key(1, "shop", scope, site_id)
    asked = [(wanted, site) for wanted in ("stats", "ingest") for site in (1, 2, None)]
    assert {question for question in asked if key.opens(*question)} == opens


def test_the_ring_reads_the_database_only_when_it_is_refreshed(database):
    ring = api_keys.KeyRing(database)
    assert ring.find("ff_" + "A" * 32) is None
    plain = api_keys.add(database, "shop", "stats", None, now=NOW)
    assert ring.find(plain) is None
    ring.refresh()
    assert ring.find(plain) is not None


def test_keys_are_listed_without_themselves_and_removed_by_their_number(database):
    site = store.add(database, "example.com", now=NOW)
    of_site, of_all = (
        api_keys.add(database, "shop", "stats", site.id, now=NOW),
        api_keys.add(database, "all", "admin", None, now=NOW),
    )
    first, second = api_keys.all_keys(database)
    assert first == api_keys.Key(first.id, "shop", "stats", site.id, NOW)
    assert second == api_keys.Key(second.id, "all", "admin", None, NOW)
    assert api_keys.remove_number(database, first.id) == first
    ring = api_keys.KeyRing(database)
    assert (ring.find(of_site), ring.find(of_all)) == (None, second)
    with pytest.raises(InvalidInput, match=f"there is no key {first.id}"):
        api_keys.remove_number(database, first.id)


def test_each_wrong_field_of_a_key_is_named(database):
    with pytest.raises(InvalidInput) as refused:
        api_keys.add(database, "", "root", None, now=NOW)
    assert refused.value.fields.keys() == {"name", "scope"}
