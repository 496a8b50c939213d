"""The one plain form of every spelling of an address, and networks."""

from __future__ import annotations

import ipaddress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from analytics.base.addresses import is_own_network, network, plain_address


@pytest.mark.parametrize(
    ("written", "plain"),
    [
        ("203.0.113.7", "203.0.113.7"),
        (" 203.0.113.7\n", "203.0.113.7"),
        ("203.0.113.7:4711", "203.0.113.7"),
        ("[203.0.113.7]:4711", "203.0.113.7"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("::FFFF:203.0.113.7", "203.0.113.7"),
        ("::ffff:cb00:7107", "203.0.113.7"),
        ("0:0:0:0:0:ffff:203.0.113.7", "203.0.113.7"),
        ("[::ffff:203.0.113.7]", "203.0.113.7"),
        ("[::ffff:203.0.113.7]:65535", "203.0.113.7"),
        ("::ffff:203.0.113.7%eth0", "203.0.113.7"),
        ("2001:DB8:0:0::7", "2001:db8::7"),
        ("[2001:db8::7]", "2001:db8::7"),
        ("[2001:db8::7]:443", "2001:db8::7"),
        ("[fe80::1%eth0]:443", "fe80::1"),
        ("fe80::1%25eth0", "fe80::1"),
        ("[::1]:80", "::1"),
    ],
)
def test_an_address_has_one_plain_form(written, plain):
    assert plain_address(written) == plain


@pytest.mark.parametrize(
    "written",
    [
        *("", " ", "unknown", "1.2.3", "999.1.1.1", "1.2.3.4.5", "1.2.3.4:http", "1.2.3.4:1234567", "[::1]80"),
        *("[::1]:x", "[::1", "::1]", "1.2.3.4%eth0", "1.2.3.4/24", "::ffff:999.1.1.1", "1::2::3", "1.2.3.4, 5.6.7.8"),
        *("\x00", "\u0661.1.1.1"),
    ],
)
def test_what_is_no_address_is_nothing(written):
    assert plain_address(written) == ""


@given(st.ip_addresses().map(str) | st.text(max_size=40))
def test_a_plain_form_is_an_address_and_its_own_plain_form(text):
    if plain := plain_address(text):
        assert ipaddress.ip_address(plain)
        assert plain_address(plain) == plain


@pytest.mark.parametrize(
    ("written", "found"),
    [
        ("203.0.113.7", "203.0.113.7/32"),
        ("10.1.2.3/8", "10.0.0.0/8"),
        ("10.0.0.0/255.0.0.0", "10.0.0.0/8"),
        ("203.0.113.7:443", "203.0.113.7/32"),
        ("::ffff:203.0.113.7", "203.0.113.7/32"),
        ("::ffff:203.0.113.0/120", "203.0.113.0/24"),
        ("::ffff:0:0/96", "0.0.0.0/0"),
        ("::ffff:0:0/90", "::ffc0:0:0/90"),
        ("2001:db8::7/32", "2001:db8::/32"),
        ("[2001:db8::7]:443", "2001:db8::7/128"),
        ("fe80::1%eth0", "fe80::1/128"),
    ],
)
def test_a_network_of_ipv4_in_ipv6_is_that_of_ipv4(written, found):
    assert str(network(written)) == found


WRONG = ("", "nonsense", "10.0.0.0/33", "::ffff:10.0.0.0/129", "10.0.0.0/", "::/x", "/8", "1/2/3")


@pytest.mark.parametrize("written", WRONG)
def test_what_is_no_network_is_refused(written):
    with pytest.raises(ValueError, match=r"."):
        network(written)


@pytest.mark.parametrize(
    ("address", "own"),
    [
        ("10.1.2.3", True),
        ("172.16.0.1", True),
        ("172.32.0.1", False),
        ("100.64.0.1", True),
        ("169.254.7.7", True),
        ("0.0.0.0", True),
        ("::1", True),
        ("fd00::7", True),
        ("fe80::7", True),
        ("2001:db8::7", False),
        ("203.0.113.7", False),
        ("", False),
        ("unix:", False),
    ],
)
def test_addresses_of_private_networks_are_recognised(address, own):
    assert is_own_network(address) is own
