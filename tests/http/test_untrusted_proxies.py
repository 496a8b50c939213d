"""Two proxies of which one is trusted: all visitors are one, and Traffic and the log say so."""

from __future__ import annotations

from ipaddress import ip_network

import pytest
from house import open_house

from analytics.base.config import Config
from collector.http.messages import Request
from collector.http.proxies import Proxies
from collector.http.untrusted_proxies import Suspect
from tests.support.serving import AGENT, SITE, eventually, pageview, serving

WORDS = "100 of 100 events came from 172.18.0.1, an address of your own network"


def test_it_is_in_the_log_once_and_names_the_setting(tmp_path):
    with serving(Config(data_dir=tmp_path), FOOTFALL_TRUSTED_PROXIES="127.0.0.1", FOOTFALL_COLLECT_RATE="0") as server:
        server.tell("site add", domain=SITE, name="", timezone="UTC")
        for hundred in range(2):
            batch = [pageview(f"page-{hundred}-{n}") for n in range(100)]
            server.collect(batch, {"X-Forwarded-For": f"203.0.113.{hundred}, 172.18.0.1"})
            eventually(lambda: any("172.18.0.1" in line for line in server.errors))
        [said] = [line for line in server.errors if "172.18.0.1" in line]
        assert f"FOOTFALL_TRUSTED_PROXIES: {WORDS}; if it is a proxy, add it" in said
        assert not [line for line in server.errors if "203.0.113." in line]


def test_traffic_shows_it_to_who_may_change_it(tmp_path):
    with open_house(Config(data_dir=tmp_path)) as house:
        number = house.add_site(SITE)
        owner, admin = house.join("owner@example.com", "owner"), house.join("admin@example.com", "admin", [number])
        headers = {"X-Forwarded-For": "203.0.113.7, 172.18.0.1", "User-Agent": AGENT}
        batch = [pageview(f"page-{n:03}") for n in range(100)]
        assert "own network" not in house.drawn(owner, f"/traffic/{SITE}")
        answer = house.app.server.test_client().post("/api/collect", json=batch, headers=headers)
        assert answer.status_code == 202
        shown = house.drawn(owner, f"/traffic/{SITE}")
        assert "100 of 100 events came from 127.0.0.1, an address of your own network" in shown
        assert "FOOTFALL_TRUSTED_PROXIES" in shown
        assert "own network" not in house.drawn(admin, f"/traffic/{SITE}")


def suspect(trusted, *requests):
    """What is found after these requests: peer, X-Forwarded-For, how many times."""
    proxies = Proxies(trusted)
    for peer, hops, many in requests:
        for _ in range(many):
            request = Request("POST", "/api/collect", "", {} if hops is None else {"x-forwarded-for": hops}, peer)
            proxies.watch(request, proxies.client(request), 1)
    return proxies.untrusted.suspect()


def networks(*texts):
    return tuple(map(ip_network, texts))


LOCAL = networks("127.0.0.1/32")
TWO = "127.0.0.1", "203.0.113.7, 172.18.0.1"  # two proxies, of which the second is trusted
ONE = "127.0.0.1", "203.0.113.7"


@pytest.mark.parametrize(
    ("trusted", "requests", "found"),
    [
        (LOCAL, [("127.0.0.1", "203.0.113.7, 172.18.0.1", 100)], Suspect("172.18.0.1", 100, 100)),
        (LOCAL, [("127.0.0.1", "203.0.113.7,172.18.0.1", 12)], Suspect("172.18.0.1", 12, 12)),
        (LOCAL, [("127.0.0.1", "2001:db8::7, fd00::1", 20)], Suspect("fd00::1", 20, 20)),
        (LOCAL, [("127.0.0.1", "203.0.113.7, 10.0.0.9, 172.18.0.1", 20)], Suspect("172.18.0.1", 20, 20)),
        ((), [("127.0.0.1", "203.0.113.7", 20)], Suspect("127.0.0.1", 20, 20)),
        ((), [("::ffff:172.18.0.1", "203.0.113.7", 20)], Suspect("172.18.0.1", 20, 20)),
        (
            LOCAL,
            [("127.0.0.1", "203.0.113.7, 172.18.0.1", 60), ("127.0.0.1", "203.0.113.7", 40)],
            Suspect("172.18.0.1", 60, 100),
        ),
        (LOCAL, [("127.0.0.1", "203.0.113.7, 172.18.0.1", 40), ("127.0.0.1", "203.0.113.7", 60)], None),
        (LOCAL, [("127.0.0.1", "203.0.113.7, 172.18.0.1", 100), ("127.0.0.1", "203.0.113.7", 51)], None),  # repaired
        (LOCAL, [("127.0.0.1", "203.0.113.7, 172.18.0.1", 9)], None),  # too few to tell
        (LOCAL, [("127.0.0.1", "192.168.1.77", 100)], None),  # a visitor of the own network
        (LOCAL, [("127.0.0.1", "203.0.113.7", 100)], None),
        (LOCAL, [("127.0.0.1", "203.0.113.7, 198.51.100.1", 100)], None),  # not of the own network: a CDN's, or made up
        (LOCAL, [("127.0.0.1", None, 100)], None),  # the machine itself
        (LOCAL, [("127.0.0.1", "", 100)], None),
        (LOCAL, [("127.0.0.1", "garbage", 100)], None),
        ((), [("127.0.0.1", None, 100)], None),
        ((), [("192.168.1.77", None, 100)], None),
        (networks("127.0.0.1", "172.16.0.0/12"), [("127.0.0.1", "203.0.113.7, 172.18.0.1", 100)], None),
        (networks("127.0.0.1", "172.16.0.0/12"), [("127.0.0.1", "172.18.0.9, 172.18.0.1", 100)], None),  # all trusted
    ],
)
def test_a_proxy_is_told_from_a_visitor(trusted, requests, found):
    assert suspect(trusted, *requests) == found


def test_it_takes_the_same_memory_however_many_there_are():
    proxies = Proxies(LOCAL)
    for n in range(3_000):
        request = Request("POST", "/", "", {"x-forwarded-for": f"203.0.113.7, 10.0.{n % 250}.{n % 7}"}, "127.0.0.1")
        proxies.watch(request, proxies.client(request), 100)
    assert len(proxies.untrusted.recent) == 100
