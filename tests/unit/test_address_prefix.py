"""Address prefixes."""

from __future__ import annotations

import pytest

from analytics.base.address_prefix import address_prefix


@pytest.mark.parametrize(
    ("address", "whose"),
    [
        ("203.0.113.7", "203.0.113.7"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:DB8:1:2::", "2001:db8:1:2::/64"),
        ("2001:db8::1", "2001:db8::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("::1", "::/64"),
        ("", ""),
        ("unix:", "unix:"),
        ("2001:db8:::1", "2001:db8:::1"),
    ],
)
def test_the_prefix_is_the_address_or_the_network_of_its_subscriber(address, whose):
    assert address_prefix(address) == whose
