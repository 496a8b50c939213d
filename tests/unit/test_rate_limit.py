"""Attempts in a sliding window."""

from __future__ import annotations

from analytics.base.rate_limit import RateLimit

NOW = 1_800_000_000


def test_the_fourth_of_three_attempts_waits_until_the_first_leaves_the_window():
    tries = RateLimit(limit=3, window_s=60)
    assert [tries.take("a", NOW + second) for second in (0, 10, 20, 30, 59, 60, 61)] == [0, 0, 0, 30, 1, 0, 9]


def test_each_key_has_a_count_of_its_own():
    tries = RateLimit(limit=1, window_s=60)
    assert [tries.take(key, NOW) for key in ("a", "b", "a", "b")] == [0, 0, 60, 60]


def test_an_attempt_that_is_given_back_is_free_again_and_a_cleared_key_starts_at_zero():
    tries = RateLimit(limit=2, window_s=60)
    tries.take("a", NOW)
    tries.take("a", NOW)
    tries.give_back("a")
    assert tries.take("a", NOW) == 0
    assert tries.take("a", NOW) == 60
    tries.clear("a")
    assert tries.take("a", NOW) == 0
    tries.give_back("nobody")


def test_only_the_most_recent_keys_are_remembered():
    tries = RateLimit(limit=1, window_s=60, capacity=2)
    assert [tries.take(key, NOW) for key in ("a", "b", "a", "c", "a", "b")] == [0, 0, 60, 0, 60, 0]


def test_a_clock_that_is_set_back_by_an_hour_does_not_cause_an_hour_of_waiting():
    tries = RateLimit(limit=1, window_s=60)
    tries.take("a", NOW)
    assert tries.take("a", NOW - 3600) == 0
