"""How much one address may send to one site."""

from __future__ import annotations

import pytest

from collector.ingest.rate import MAX_ADDRESSES, Rate

MINUTE = 600.0  # the first second of a minute of the monotonic clock


def waits(rate: Rate, times: int, address: str = "203.0.113.7", site_id: int = 1, now: float = MINUTE) -> list[int]:
    return [rate.wait(site_id, address, now) for _ in range(times)]


def test_the_limit_is_exact_and_the_wait_ends_with_the_minute():
    assert waits(Rate(3), 5) == [0, 0, 0, 60, 60]


@pytest.mark.parametrize(("second", "wait"), [(0, 60), (0.9, 60), (1, 59), (59, 1), (59.9, 1)])
def test_the_wait_is_from_1_to_60_seconds(second, wait):
    assert waits(Rate(1), 2, now=MINUTE + second) == [0, wait]


def test_the_next_minute_starts_anew():
    rate = Rate(2)
    assert waits(rate, 3) == [0, 0, 60]
    assert waits(rate, 3, now=MINUTE + 60) == [0, 0, 60]


def test_refused_events_do_not_prolong_the_wait():
    rate = Rate(2)
    waits(rate, 1000)
    assert waits(rate, 1, now=MINUTE + 60) == [0]


def test_another_address_and_another_site_have_their_own_limit():
    rate = Rate(1)
    assert waits(rate, 2) == [0, 60]
    assert waits(rate, 2, address="203.0.113.8") == [0, 60]
    assert waits(rate, 2, site_id=2) == [0, 60]


def test_zero_is_off():
    assert waits(Rate(0), 10_000) == [0] * 10_000


def test_memory_is_bounded_and_a_flood_of_addresses_errs_towards_letting_in():
    rate = Rate(1)
    assert waits(rate, 2) == [0, 60]
    networks = [f"2001:db8:{number >> 16:x}:{number & 0xFFFF:x}::1" for number in range(MAX_ADDRESSES)]
    assert not any(rate.wait(1, address, MINUTE) for address in networks)
    assert waits(rate, 1) == [0]
    assert waits(rate, 1, address=networks[-1]) == [60]


def test_a_subscriber_of_ipv6_has_one_limit_for_the_whole_network():
    rate = Rate(1)
    assert rate.wait(1, "2001:db8:1:2::a", MINUTE) == 0
    assert rate.wait(1, "2001:db8:1:2:ffff::b", MINUTE) > 0
    assert rate.wait(1, "2001:db8:1:3::a", MINUTE) == 0
