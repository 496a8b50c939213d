"""Unlisted hosts: included, ignored, and reconsidered."""

from __future__ import annotations

from collections import Counter

import pytest

from analytics.base import errors
from analytics.sites import host as sites_host
from analytics.sites import store, unlisted_hosts
from analytics.sites.host import UnlistedHost
from collector.store import outcome_counters
from collector.store.batch import write_counts
from tests.support.factories import NOW, added_site


@pytest.fixture
def site(database):
    """A site for which three hosts have sent events without being on its list."""
    site = added_site(database)
    counts = Counter()
    for host, events in (("a.test", 1), ("b.test", 3), ("shop.example.net", 2)):
        for _ in range(events):
            outcome_counters.count(counts, site.id, NOW, "filtered", "unlisted_host", host)
    with database.transaction() as connection:
        write_counts(connection, counts)
    return site


def names(database, site) -> list[str]:
    return [one.host for one in unlisted_hosts.unlisted(database, store.find(database, site.domain))]


def test_the_host_with_most_events_comes_first(database, site):
    assert unlisted_hosts.unlisted(database, site) == [
        UnlistedHost("b.test", 3, NOW),
        UnlistedHost("shop.example.net", 2, NOW),
        UnlistedHost("a.test", 1, NOW),
    ]


def test_an_included_host_counts_and_waits_no_longer_until_that_is_taken_back(database, site):
    included = unlisted_hosts.include(database, site.domain, "B.test")
    again = unlisted_hosts.include(database, site.domain, "b.test")
    assert (included.hosts, included.allows_host("b.test"), again) == (("b.test",), True, included)
    assert names(database, site) == ["shop.example.net", "a.test"]
    assert unlisted_hosts.reconsider(database, site.domain, "b.test") == site
    assert names(database, site) == ["b.test", "shop.example.net", "a.test"]


def test_an_ignored_host_is_an_excluded_one_until_that_is_taken_back(database, site):
    ignored = unlisted_hosts.ignore(database, site.domain, "a.test")
    assert (ignored.excluded_hosts, ignored.excludes_host("a.test")) == (("a.test",), True)
    assert names(database, site) == ["b.test", "shop.example.net"]
    assert unlisted_hosts.reconsider(database, site.domain, "a.test") == site


def test_the_last_decision_holds(database, site):
    unlisted_hosts.ignore(database, site.domain, "a.test")
    included = unlisted_hosts.include(database, site.domain, "a.test")
    assert (included.hosts, included.excluded_hosts) == (("a.test",), ())
    ignored = unlisted_hosts.ignore(database, site.domain, "a.test")
    assert (ignored.hosts, ignored.excluded_hosts) == ((), ("a.test",))


def test_a_host_of_an_excluded_domain_can_be_included_alone(database, site):
    unlisted_hosts.ignore(database, site.domain, "example.net")
    included = unlisted_hosts.include(database, site.domain, "shop.example.net")
    assert [included.excludes_host(host) for host in ("shop.example.net", "example.net")] == [False, True]


@pytest.mark.parametrize("host", [sites_host.OTHER, "", "no host", "<b>"])
def test_what_is_no_host_is_refused(database, site, host):
    for decide in (unlisted_hosts.include, unlisted_hosts.ignore, unlisted_hosts.reconsider):
        with pytest.raises(errors.InvalidInput):
            decide(database, site.domain, host)


def test_a_removed_site_leaves_no_hosts(database, site):
    store.remove(database, site.domain)
    assert unlisted_hosts.unlisted(database, site) == []
