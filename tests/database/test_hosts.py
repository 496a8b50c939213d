"""Hosts that are not on the list: included, ignored, and both taken back."""

from __future__ import annotations

from collections import Counter

import pytest

from analytics import hosts, sites
from analytics.hosts import UnlistedHost
from collector import tally as tallies
from collector.store import write_tally
from tests.factories import NOW, added_site


@pytest.fixture
def site(database):
    """A site for which three hosts have sent events without being on its list."""
    site = added_site(database)
    tally = Counter()
    for host, events in (("a.test", 1), ("b.test", 3), ("shop.example.net", 2)):
        for _ in range(events):
            tallies.count(tally, site.id, NOW, "filtered", "unlisted_host", host)
    with database.transaction() as connection:
        write_tally(connection, tally)
    return site


def names(database, site) -> list[str]:
    return [one.host for one in hosts.unlisted(database, sites.find(database, site.domain))]


def test_the_host_with_most_events_comes_first(database, site):
    assert hosts.unlisted(database, site) == [
        UnlistedHost("b.test", 3, NOW),
        UnlistedHost("shop.example.net", 2, NOW),
        UnlistedHost("a.test", 1, NOW),
    ]


def test_an_included_host_counts_and_waits_no_longer_until_that_is_taken_back(database, site):
    included = hosts.include(database, site.domain, "B.test")
    again = hosts.include(database, site.domain, "b.test")
    assert (included.hosts, included.allows_host("b.test"), again) == (("b.test",), True, included)
    assert names(database, site) == ["shop.example.net", "a.test"]
    assert hosts.reconsider(database, site.domain, "b.test") == site
    assert names(database, site) == ["b.test", "shop.example.net", "a.test"]


def test_an_ignored_host_is_an_excluded_one_until_that_is_taken_back(database, site):
    ignored = hosts.ignore(database, site.domain, "a.test")
    assert (ignored.excluded_hosts, ignored.excludes_host("a.test")) == (("a.test",), True)
    assert names(database, site) == ["b.test", "shop.example.net"]
    assert hosts.reconsider(database, site.domain, "a.test") == site


def test_the_last_decision_holds(database, site):
    hosts.ignore(database, site.domain, "a.test")
    included = hosts.include(database, site.domain, "a.test")
    assert (included.hosts, included.excluded_hosts) == (("a.test",), ())
    ignored = hosts.ignore(database, site.domain, "a.test")
    assert (ignored.hosts, ignored.excluded_hosts) == ((), ("a.test",))


def test_a_host_of_an_excluded_domain_can_be_included_alone(database, site):
    hosts.ignore(database, site.domain, "example.net")
    included = hosts.include(database, site.domain, "shop.example.net")
    assert [included.excludes_host(host) for host in ("shop.example.net", "example.net")] == [False, True]


@pytest.mark.parametrize("host", [hosts.OTHER, "", "no host", "<b>"])
def test_what_is_no_host_is_refused(database, site, host):
    for decide in (hosts.include, hosts.ignore, hosts.reconsider):
        with pytest.raises(sites.WrongInput):
            decide(database, site.domain, host)


def test_a_removed_site_leaves_no_hosts(database, site):
    sites.remove(database, site.domain)
    assert hosts.unlisted(database, site) == []
