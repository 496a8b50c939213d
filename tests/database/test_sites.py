"""Sites, on SQLite and on PostgreSQL."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from uuid import UUID

import pytest

from analytics.base import errors
from analytics.sites import directory as sites_directory
from analytics.sites import store

NOW = 1_800_000_000


def test_an_added_site_is_found_by_what_people_paste(database):
    added = store.add(database, "https://Example.com/", timezone="Europe/Berlin", now=NOW)
    assert (added.domain, added.name, added.timezone) == ("example.com", "example.com", "Europe/Berlin")
    assert store.find(database, "EXAMPLE.com") == added


def test_a_second_site_of_the_same_domain_is_refused(database):
    store.add(database, "example.com", now=NOW)
    with pytest.raises(errors.InvalidInput, match=r"example\.com is there already"):
        store.add(database, "example.com", now=NOW)


@pytest.mark.parametrize("domain", ["", "exa mple.com", "a..b", "-x.com", "x" * 300, "<b>.com"])
def test_what_is_no_domain_is_refused(database, domain):
    with pytest.raises(errors.InvalidInput):
        store.add(database, domain, now=NOW)


def test_an_unknown_zone_is_named(database):
    with pytest.raises(errors.InvalidInput, match="Mars/Olympus"):
        store.add(database, "example.com", timezone="Mars/Olympus", now=NOW)


def test_changes_are_stored_and_checked(database):
    site = store.change(
        database,
        store.add(database, "example.com", now=NOW),
        hosts=["Shop.Example.net"],
        excluded_addresses=["10.1.2.3/8"],
        excluded_paths=["admin/**"],
        excluded_hosts=["Staging.Example.com", "example.net"],
    )
    assert site.hosts == ("shop.example.net",)
    assert site.allows_host("shop.example.net")
    assert not site.allows_host("evil.net")
    assert site.excludes_address("10.9.9.9")
    assert not site.excludes_address("11.9.9.9")
    assert site.excludes_path("/admin/a/b")
    assert not site.excludes_path("/administration")
    assert site.excluded_hosts == ("staging.example.com", "example.net")
    hosts = ("staging.example.com", "a.staging.example.com", "b.example.net", "shop.example.net", "example.com")
    assert [host for host in hosts if site.excludes_host(host)] == list(hosts[:3]), "a listed host is never excluded"
    with pytest.raises(errors.InvalidInput, match="nonsense"):
        store.change(database, site, excluded_addresses=["nonsense"])


def test_every_field_that_is_wrong_is_named_and_nothing_is_changed(database):
    before = store.add(database, "example.com", now=NOW)
    with pytest.raises(errors.InvalidInput) as refused:
        store.change(database, before, name=" ", retention_days="0", week_start="sunday")
    assert refused.value.fields == {
        "name": "a name has 1 to 120 characters",
        "retention_days": "give whole days from 1 to 3,650, or nothing",
    }
    assert store.find(database, "example.com") == before


def test_week_retention_and_excluded_hosts_are_stored(database):
    added = store.add(database, "example.com", now=NOW)
    site = store.change(database, added, week_start="sunday", retention_days=" 30", excluded_hosts=["Test.Example.com"])
    assert (site.week_start, site.retention_days, site.excluded_hosts) == (6, 30, ("test.example.com",))
    assert store.change(database, site, retention_days="").retention_days is None


def test_the_period_of_the_overview_is_a_preset_that_moves_with_the_days(database):
    added = store.add(database, "example.com", now=NOW)
    assert added.overview_period == "30d"
    assert store.change(database, added, overview_period="7d:today").overview_period == "7d:today"
    for wrong in ("30x", "2026-01-01,2026-01-31"):
        with pytest.raises(errors.InvalidInput, match=rf"^period '?{wrong}"):
            store.change(database, added, overview_period=wrong)


def test_a_site_has_a_uuid_which_may_be_that_of_its_pages_and_is_no_other_sites(database):
    first, second = (store.add(database, domain, now=NOW) for domain in ("a.example", "b.example"))
    assert len({str(UUID(first.uuid)), str(UUID(second.uuid))}) == 2
    given = "11111111-1111-4111-8111-11111111111A"
    assert store.change(database, first, uuid=f" {given}").uuid == given.lower()
    assert store.change(database, first, uuid=given).uuid == given.lower()
    with pytest.raises(errors.InvalidInput, match=r"a\.example"):
        store.change(database, second, uuid=given)
    with pytest.raises(errors.InvalidInput, match="is no UUID"):
        store.change(database, second, uuid="11111111")
    directory = sites_directory.Directory(database)
    named = [site.domain if (site := directory.named(name)) else None for name in (given, second.uuid, "b.example", "")]
    assert named == ["a.example", "b.example", "b.example", None]
    assert directory.get(given) is None, "our own wire format names sites by their domain"


def test_a_list_has_an_end(database):
    site = store.add(database, "example.com", now=NOW)
    with pytest.raises(errors.InvalidInput, match="at most 200 entries"):
        store.change(database, site, hosts=[f"h{n}.example" for n in range(201)])


def test_a_removed_site_is_gone_and_its_id_is_never_reused(database):
    first = store.add(database, "example.com", now=NOW)
    store.remove(database, "example.com")
    assert store.all_sites(database) == []
    assert store.add(database, "example.org", now=NOW).id != first.id


def test_a_site_that_was_removed_meanwhile_is_not_changed(database):
    site = store.add(database, "example.com", now=NOW)
    store.remove(database, "example.com")
    with pytest.raises(errors.InvalidInput, match=r"no site example\.com; known: none yet"):
        store.change(database, site, name="Late")


def test_every_field_of_a_new_site_that_is_wrong_is_named(database):
    with pytest.raises(errors.InvalidInput) as refused:
        store.add(database, "no domain", "x" * 121, "Mars", now=NOW)
    assert refused.value.fields == {
        "domain": "'no domain' is no domain; give it with its ending, like example.com",
        "name": "a name has 1 to 120 characters",
        "timezone": "'Mars' is no time zone; give one like Europe/Berlin or UTC",
    }
    assert store.all_sites(database) == []


def test_a_second_site_of_a_domain_is_refused_at_its_field(database):
    store.add(database, "example.com", now=NOW)
    with pytest.raises(errors.InvalidInput) as refused:
        store.add(database, "example.com", now=NOW)
    assert refused.value.fields == {"domain": "the site example.com is there already"}


def test_the_directory_knows_sites_by_domain_and_by_number(database):
    added = [store.add(database, domain, now=NOW) for domain in ("b.example", "a.example")]
    directory = sites_directory.Directory(database)
    assert directory.all() == added[::-1]
    assert (directory.get("B.Example"), directory.numbered(added[1].id)) == (added[0], added[1])
    assert (directory.get("c.example"), directory.numbered(999)) == (None, None)


def test_the_directory_parses_changed_sites_only(database):
    kept, changed, removed = (store.add(database, f"{name}.example", now=NOW) for name in "abc")
    directory = sites_directory.Directory(database)
    before = directory.all()
    assert before == [kept, changed, removed]
    after = store.change(database, changed, name="Another")
    store.remove(database, removed.domain)
    assert directory.all() == before
    directory.refresh()
    assert directory.all() == [kept, after]
    assert directory.get(kept.domain) is before[0]


def test_a_slow_read_of_the_directory_does_not_overwrite_a_newer_one(database):
    site, reached, gate = store.add(database, "example.com", now=NOW), threading.Event(), threading.Event()
    slow = False

    class Slow:
        @contextmanager
        def read(self):
            with database.read() as connection:
                yield connection
            if slow and not reached.is_set():
                reached.set()
                gate.wait(20)

    directory = sites_directory.Directory(Slow())
    slow = True
    earlier, later = threading.Thread(target=directory.refresh), threading.Thread(target=directory.refresh)
    earlier.start()
    assert reached.wait(20)
    store.change(database, site, name="Newer")
    later.start()
    later.join(0.2)  # where it did not wait for its turn, it would be through by now
    gate.set()
    earlier.join()
    later.join()
    assert directory.get(site.domain).name == "Newer"
