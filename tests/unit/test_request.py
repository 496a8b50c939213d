"""Whose request it is: the peer's, or the right-most hop that no trusted proxy wrote."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.base.addresses import network
from collector.http.messages import Request
from collector.http.proxies import Proxies

TRUSTED = tuple(ipaddress.ip_network(text) for text in ("10.0.0.0/8", "127.0.0.1", "2001:db8:1::/48"))


def address(peer: str, hops: str | None = None, trusted=TRUSTED, **headers: str) -> str:
    sent = headers if hops is None else headers | {"x-forwarded-for": hops}
    return Proxies(trusted).client(Request("POST", "/api/collect", "", sent, peer))


def test_without_trusted_proxies_nobody_can_choose_an_address():
    assert address("203.0.113.7", "198.51.100.1", trusted=()) == "203.0.113.7"


def test_a_peer_that_is_not_trusted_speaks_for_itself():
    assert address("203.0.113.7", "198.51.100.1") == "203.0.113.7"


@pytest.mark.parametrize(
    ("forwarded", "seen"),
    [
        ("198.51.100.1", "198.51.100.1"),
        (" 198.51.100.1 ", "198.51.100.1"),
        ("1.1.1.1, 198.51.100.1", "198.51.100.1"),
        ("198.51.100.1, 10.1.2.3", "198.51.100.1"),
        ("1.1.1.1, 198.51.100.1, 10.1.2.3, 10.9.9.9", "198.51.100.1"),
        (", ".join(["1.1.1.1"] * 50), "1.1.1.1"),
        ("10.1.2.3, 10.4.5.6", "10.1.2.3"),
        ("198.51.100.1:4711", "198.51.100.1"),
        ("2001:db8::7", "2001:db8::7"),
        ("[2001:db8::7]:4711", "2001:db8::7"),
        ("2001:DB8:0:0::7", "2001:db8::7"),
        ("::ffff:198.51.100.1", "198.51.100.1"),
        ("::1", "::1"),
        ("::ffff:c633:6401", "198.51.100.1"),
        ("[::ffff:198.51.100.1]:4711", "198.51.100.1"),
        ("0:0:0:0:0:FFFF:198.51.100.1", "198.51.100.1"),
        ("1.1.1.1, ::ffff:10.1.2.3", "1.1.1.1"),
        ("198.51.100.1:4711, 10.1.2.3:80", "198.51.100.1"),
    ],
)
def test_behind_a_trusted_proxy_it_is_the_right_most_hop_that_is_not_ours(forwarded, seen):
    assert address("10.0.0.1", forwarded) == seen


@pytest.mark.parametrize(
    "forwarded", [None, "", ",", "unknown", "_hidden", "198.51.100.1, garbage", "999.1.1.1", "1.1.1"]
)
def test_what_a_proxy_garbles_leaves_its_own_address(forwarded):
    assert address("10.0.0.1", forwarded) == "10.0.0.1"


def test_a_garbled_hop_ends_the_walk_at_the_last_proxy_of_ours():
    assert address("10.0.0.1", "198.51.100.1, garbage, 10.4.5.6") == "10.4.5.6"


def test_a_trusted_proxy_over_ipv6_is_one():
    assert address("2001:db8:1::1", "198.51.100.1") == "198.51.100.1"


def test_an_ipv4_peer_of_a_socket_for_both_families_is_the_same_peer():
    assert address("::ffff:10.0.0.1", "198.51.100.1") == "198.51.100.1"
    assert address("::ffff:203.0.113.7", "198.51.100.1") == "203.0.113.7"
    for peer in ("::ffff:203.0.113.7", "::FFFF:203.0.113.7", "::ffff:cb00:7107", "203.0.113.7:4711"):
        assert address(peer, trusted=()) == "203.0.113.7"


def test_a_trusted_proxy_may_be_given_as_ipv4_in_ipv6_or_in_brackets():
    trusted = tuple(network(text) for text in ("::ffff:10.0.0.0/104", "[2001:db8:1::1]"))
    assert [str(one) for one in trusted] == ["10.0.0.0/8", "2001:db8:1::1/128"]
    for peer in ("10.0.0.1", "::ffff:10.0.0.1", "2001:db8:1::1"):
        assert address(peer, "198.51.100.1", trusted=trusted) == "198.51.100.1"


def test_the_zone_of_a_peer_is_no_part_of_its_address():
    assert address("fe80::1%eth0", "198.51.100.1") == "fe80::1"
    assert address("fe80::1%eth0", "198.51.100.1", trusted=(network("fe80::/10"),)) == "198.51.100.1"


@pytest.mark.parametrize("name", ["x-real-ip", "true-client-ip", "cf-connecting-ip", "forwarded", "client-ip"])
def test_other_headers_are_never_believed(name):
    assert address("10.0.0.1", **{name: "198.51.100.1"}) == "10.0.0.1"


@pytest.mark.parametrize("peer", ["", "unix:", "a:b:c"])
def test_a_peer_without_an_address_of_its_own_is_not_trusted(peer):
    assert address(peer, "198.51.100.1") == peer


@given(st.text(max_size=60) | st.lists(st.ip_addresses().map(str) | st.text(max_size=8), max_size=6).map(", ".join))
def test_whatever_is_sent_it_is_an_address(forwarded):
    ipaddress.ip_address(address("10.0.0.1", forwarded))


def test_the_first_value_of_a_parameter_counts():
    request = Request("GET", "/api/live", "site=a.example&site=b.example&x=%20y", {}, "203.0.113.7")
    assert [request.parameter(name) for name in ("site", "x", "z")] == ["a.example", " y", ""]


@pytest.mark.parametrize("name", ["x-footfall-ip-type", "x-plausible-ip-type"])
@pytest.mark.parametrize(("peer", "believed"), [("10.0.0.1", True), ("::ffff:10.0.0.1", True), ("203.0.113.7", False)])
def test_what_kind_of_address_it_is_only_a_trusted_proxy_may_say(name, peer, believed):
    sent = {"user-agent": "Firefox", name: "dc_ip"}
    headers = Proxies(TRUSTED).trusted_headers(Request("POST", "/api/collect", "", sent, peer))
    assert headers == (sent if believed else {"user-agent": "Firefox"})
    assert Proxies(()).trusted_headers(Request("POST", "/api/collect", "", sent, peer)) == {"user-agent": "Firefox"}
