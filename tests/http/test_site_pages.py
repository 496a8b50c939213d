"""Adding a site, its filters and its snippet, asked for as browsers ask, on both databases."""

from __future__ import annotations

import json
from collections.abc import Iterator
from ipaddress import ip_network

import pytest
from house import House, open_house

from analytics.sites import unlisted_hosts
from collector.store.batch import write_counts
from collector.store.outcome_counters import OutcomeCounts, count
from tests.support.factories import NOW

SITE = "shop.example"


@pytest.fixture
def house(config) -> Iterator[House]:
    with open_house(config) as house:
        house.add_site(SITE)
        yield house


@pytest.fixture
def owner(house):
    return house.join("owner@example.com", "owner")


def knock(house, host: str, times: int) -> None:
    """Pageviews of a host that is on no list."""
    counts: OutcomeCounts = OutcomeCounts()
    for _ in range(times):
        count(counts, house.service.sites.get(SITE).id, NOW, "filtered", "unlisted_host", host)
    with house.service.database.transaction() as connection:
        write_counts(connection, counts)


# ── adding one ───────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_new_site_is_known_at_once_and_leads_to_its_snippet(house, owner):
    given = {"domain": "https://Blog.Example/", "name": "", "timezone": "asia/calcutta"}
    answer = house.send(owner, "add-site", "", **given)
    assert answer == {"go": "/settings/blog.example/snippet", "message": "Added"}
    added = house.service.sites.get("blog.example")
    assert (added.name, added.timezone) == ("blog.example", "Asia/Kolkata")
    assert 'data-site=\\"blog.example\\"' in json.dumps(json.loads(house.drawn(owner, answer["go"])))


def test_what_is_wrong_with_a_new_site_is_told_by_field(house, owner):
    assert house.send(owner, "add-site", "", domain="", name="x" * 121, timezone="Mars")["wrong"] == {
        "domain": "'' is no domain; give it with its ending, like example.com",
        "name": "a name has 1 to 120 characters",
        "timezone": "'Mars' is no time zone; give one like Europe/Berlin or UTC",
    }
    wrong = house.send(owner, "add-site", "", domain=SITE, name="", timezone="UTC")["wrong"]
    assert wrong == {"domain": f"the site {SITE} is there already"}
    assert [site.domain for site in house.service.sites.all()] == [SITE]


# ── filters ──────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_each_card_of_filters_saves_its_own_lists(house, owner):
    assert house.send(owner, "filter-hosts", SITE, hosts="a.example\n\n B.example ", excluded_hosts="c.example") == {}
    assert house.send(owner, "filter-addresses", SITE, excluded_addresses="203.0.113.7\n10.1.2.3/8") == {}
    assert house.send(owner, "filter-paths", SITE, excluded_paths="admin/**\n/x") == {}
    site = house.service.sites.get(SITE)
    assert (site.hosts, site.excluded_hosts) == (("a.example", "b.example"), ("c.example",))
    assert site.excluded_addresses == (ip_network("203.0.113.7"), ip_network("10.0.0.0/8"))
    assert site.excluded_paths == ("/admin/**", "/x")


def test_a_wrong_entry_is_told_beside_its_list_and_nothing_is_saved(house, owner):
    answer = house.send(owner, "filter-hosts", SITE, hosts="fine.example", excluded_hosts="no host")
    assert answer["wrong"] == {"excluded_hosts": "'no host' is no domain; give it with its ending, like example.com"}
    assert house.service.sites.get(SITE).hosts == ()


@pytest.mark.parametrize(("value", "lists"), [("include", (("x.example",), ())), ("ignore", ((), ("x.example",)))])
def test_an_unlisted_host_is_let_in_or_left_out_for_good(house, owner, value, lists):
    knock(house, "x.example", 3)
    pages = [f"/settings/{SITE}/filters", f"/traffic/{SITE}"]
    assert ["Include x.example" in house.drawn(owner, page) for page in pages] == [True, True]
    allowed, excluded = ("\n".join(one) for one in lists)
    answer = house.send(owner, "host", SITE, key="x.example", value=value)
    assert answer == {
        "message": f"{value.capitalize()}d",
        "fill": {"filter-hosts-hosts": allowed, "filter-hosts-excluded_hosts": excluded},
    }
    site = house.service.sites.get(SITE)
    assert (site.hosts, site.excluded_hosts) == lists
    assert unlisted_hosts.unlisted(house.service.database, site) == []
    assert "Unlisted hosts" not in house.drawn(owner, f"/settings/{SITE}/filters")
    assert house.send(owner, "host", SITE, key="x.example", value="reconsider")["message"] == "Unlisted again"
    site = house.service.sites.get(SITE)
    assert (site.hosts, site.excluded_hosts) == ((), ())
    assert [one.host for one in unlisted_hosts.unlisted(house.service.database, site)] == ["x.example"]


@pytest.mark.parametrize("fields", [{}, {"key": "x.example"}, {"key": "no host", "value": "include"}])
def test_a_decision_that_is_none_changes_nothing(house, owner, fields):
    assert house.send(owner, "host", SITE, **fields)["message"]
    assert house.service.sites.get(SITE).hosts == ()


@pytest.mark.parametrize(
    ("address", "offered"), [("203.0.113.7", "203.0.113.7"), ("2001:db8:1:2:3::4", "2001:db8:1:2::/64")]
)
def test_the_own_address_is_offered_of_ipv6_its_network(house, owner, address, offered):
    owner.environ_base["REMOTE_ADDR"] = address
    assert f'"data-add": "{offered}"' in json.dumps(json.loads(house.drawn(owner, f"/settings/{SITE}/filters")))


# ── the snippet ──────────────────────────────────────────────────────────────────────────────────────────────────────


def line(house, owner, *switches: object) -> str:
    """The line that the button copies, with the options as their switches are."""
    body = house.body(house.served["snippet-line.children"], **{"data-site": SITE})
    for given, is_on in zip(body["inputs"], switches, strict=True):
        given["value"] = is_on
    answer = owner.post("/_dash-update-component", json=body)
    assert answer.status_code == 200, answer.text
    _, copy = answer.json["response"]["snippet-line"]["children"]["props"]["children"]
    return copy["props"]["data-copy"]


@pytest.mark.parametrize(
    ("switches", "added"),
    [
        ((False, False, None), ""),
        ((True, False, None), ' data-user="ID"'),
        ((True, True, True), ' data-user="ID" data-hash data-404'),
        (("1", {}, 1), ""),
    ],
)
def test_the_options_that_are_on_stand_in_the_line(house, owner, switches, added):
    said = f'<script defer src="http://localhost/js/footfall.js" data-site="{SITE}"{added}></script>'
    assert line(house, owner, *switches) == said


def test_the_check_names_hosts_that_wait_and_the_own_address_where_it_is_left_out(house, owner):
    knock(house, "x.example", 1)
    house.send(owner, "filter-addresses", SITE, excluded_addresses="127.0.0.1")
    page = house.drawn(owner, f"/settings/{SITE}/snippet")
    assert "x.example" in page
    assert "Your own address is excluded" in page


def test_a_viewer_waits_for_the_first_visit_without_links_that_are_not_theirs(house):
    viewer = house.join("viewer@example.com", "viewer")
    page = json.dumps(json.loads(house.drawn(viewer, f"/live/{SITE}")))
    assert '"id": "first-visit"' in page
    assert f"/settings/{SITE}" not in page
    assert f"/traffic/{SITE}" not in page
