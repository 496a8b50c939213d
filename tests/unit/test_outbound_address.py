"""Where a channel may send to: what leads into the network of the installation is refused, whatever its name."""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping

import pytest

from analytics.base.errors import InvalidInput
from analytics.base.name_lookup import Resolve, addresses_of
from analytics.base.public_address import BlockedAddress, UnknownHost, is_public
from analytics.notify.outbound.address import Target, check_address

PUBLIC, PUBLIC_6 = "93.184.216.34", "2606:2800:220:1:248:1893:25c8:1946"
NAMES = {
    "hooks.example.com": [PUBLIC, PUBLIC_6],
    "xn--mller-kva.example": [PUBLIC],
    "mixed.example.com": [PUBLIC, "::1"],
    "inside.example.com": ["10.1.2.3"],
    "mapped.example.com": ["::ffff:127.0.0.1"],
    "nat64.example.com": [f"64:ff9b::{ipaddress.ip_address(PUBLIC)}"],
    "nat64-inside.example.com": ["64:ff9b::10.1.2.3"],
    "localhost": ["127.0.0.1", "::1"],
    "empty.example.com": [],
}


def resolver(names: Mapping[str, list[str]] = NAMES) -> Resolve:
    """Knows these names, as the system's resolver knows the world's."""

    def resolve(host: str, _port: int) -> list[str]:
        if host not in names:
            raise OSError("Name or service not known")
        return names[host]

    return resolve


def check(url: str, *allowed: str) -> Target:
    return check_address(url, [ipaddress.ip_network(one) for one in allowed], resolver())


@pytest.mark.parametrize(
    ("url", "target"),
    [
        ("https://hooks.example.com/a?b=c", Target("https", "hooks.example.com", 443, "/a?b=c", (PUBLIC, PUBLIC_6))),
        ("HTTP://HOOKS.example.com", Target("http", "hooks.example.com", 80, "/", (PUBLIC, PUBLIC_6))),
        ("https://hooks.example.com:8443/", Target("https", "hooks.example.com", 8443, "/", (PUBLIC, PUBLIC_6))),
        ("https://müller.example/größe", Target("https", "xn--mller-kva.example", 443, "/gr%C3%B6%C3%9Fe", (PUBLIC,))),
        (f"http://{PUBLIC}/x", Target("http", PUBLIC, 80, "/x", (PUBLIC,))),
        (f"http://[{PUBLIC_6}]:81/x", Target("http", PUBLIC_6, 81, "/x", (PUBLIC_6,))),
        ("https://nat64.example.com", Target("https", "nat64.example.com", 443, "/", ("64:ff9b::5db8:d822",))),
    ],
)
def test_a_public_address_is_a_target(url, target):
    assert check(url) == target


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:5432",
        "http://127.8.9.1/",
        "http://[::1]/",
        "http://[::]/",
        "http://0.0.0.0/",
        "http://169.254.169.254/latest/meta-data/",
        "http://10.0.0.1/",
        "http://172.31.255.255/",
        "http://192.168.1.1/",
        "http://100.64.0.1/",
        "http://[::ffff:127.0.0.1]/",
        "http://[::ffff:7f00:1]/",
        "http://[::127.0.0.1]/",
        "http://[fe80::1]/",
        "http://[fc00::1]/",
        "http://[ff02::1]/",
        "http://[2002:7f00:1::]/",
        "http://[2001:0:7f00:1::]/",
        "http://224.0.0.1/",
        "http://255.255.255.255/",
        "http://198.18.0.1/",
        "http://①②⑦.0.0.1/",
        "http://1２7.0.0.1/",
        "http://localhost/",
        "http://mixed.example.com/",
        "http://inside.example.com/",
        "http://mapped.example.com/",
        "http://nat64-inside.example.com/",
    ],
)
def test_an_address_that_is_not_public_is_blocked(url):
    with pytest.raises(BlockedAddress, match="leads to an address that is not public; FOOTFALL_ALLOWED_TARGETS"):
        check(url)


@pytest.mark.parametrize(
    "url",
    [
        *("", "hooks.example.com", "//hooks.example.com", "https://", "https:///path", "https:hooks.example.com"),
        *("file:///etc/passwd", "gopher://hooks.example.com", "ftp://hooks.example.com", "javascript:alert(1)"),
        *("https://ann@hooks.example.com", "https://ann:pw@hooks.example.com", "https://127.0.0.1@hooks.example.com"),
        *("https://hooks.example.com@127.0.0.1", "https://hooks.example.com#@127.0.0.1", "https://@hooks.example.com"),
        *("http://2130706433/", "http://0x7f.1/", "http://0x7f000001/", "http://127.1/", "http://0177.0.0.1/"),
        *("http://127.0.0.1.", "http://localhost./", "http://hooks.example.com./", "http://hooks..example.com/"),
        *("http://hooks.example.com\\@127.0.0.1/", "http://hooks.example.com\t/", "http://hooks.example.com/a b"),
        *("http://hooks.example.com\r\nHost: x/", "http://hooks.example.com/\u202e", "http://hooks.example.com:0/"),
        *("http://hooks.example.com:65536/", "http://hooks.example.com:x/", "http://[fe80::1%25eth0]/", "http://[::1/"),
        *(f"https://hooks.example.com/{'a' * 2_000}", "http://a%2eb/"),
    ],
)
def test_what_is_no_plain_http_address_is_refused(url):
    with pytest.raises(InvalidInput) as caught:
        check(url)
    assert type(caught.value) is InvalidInput
    assert "give one like https://hooks.example.com/path" in str(caught.value)


def test_a_host_without_an_address_is_unknown():
    for host in ("nowhere.example.com", "empty.example.com"):
        with pytest.raises(UnknownHost, match=f"^there is no host {host}$"):
            check(f"https://{host}/")


def test_an_allowed_network_may_be_reached_and_no_other():
    assert check("http://inside.example.com/x", "10.1.0.0/16").addresses == ("10.1.2.3",)
    assert check("http://mapped.example.com/", "127.0.0.0/8").addresses == ("127.0.0.1",)
    assert check("http://mixed.example.com/", "::1").addresses == (PUBLIC, "::1")
    for url in ("http://10.2.0.1/", "http://mapped.example.com/", "http://localhost/"):
        with pytest.raises(BlockedAddress):
            check(url, "10.1.0.0/16", "127.0.0.2")


def test_the_resolver_of_the_system_is_asked():
    assert set(addresses_of("localhost", 80)) <= {"127.0.0.1", "::1"}
    with pytest.raises(BlockedAddress):
        check_address("http://localhost/", ())
    with pytest.raises(UnknownHost):
        check_address(f"http://{'a' * 63}.invalid/", ())


def test_public_addresses_are_those_of_the_python_library_but_for_what_only_we_refuse():
    """Our list is compared with that of this Python, at both ends of each network that either knows."""
    ours_only = ("192.0.0.0/24", "192.88.99.0/24", "224.0.0.0/4", "2001::/23", "2002::/16", "3fff::/20")
    samples = [ipaddress.ip_address(n << 24 | 0x010203) for n in range(256)]
    samples += [ipaddress.ip_address(n << 112 | 1) for n in range(0x2000, 0x4000, 7)]
    differ = [one for one in samples if is_public(one) != one.is_global]
    assert [one for one in differ if not any(one in ipaddress.ip_network(net) for net in ours_only)] == []
    assert any(map(is_public, samples))
