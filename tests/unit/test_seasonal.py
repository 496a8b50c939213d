"""Medians, what is usual at a weekday and hour, and the level of the last days."""

from __future__ import annotations

from math import isnan, nan
from statistics import median as plain_median

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as some

from analytics.health import seasonal

VALUES = some.one_of(some.just(nan), some.integers(0, 50).map(float))
WEEK = np.arange(7 * 24.0).reshape(7, 24) + 100


def weeks(many: int) -> np.ndarray:
    """The same week so many times, as rows of days."""
    return np.tile(WEEK, (many, 1))


@given(some.lists(VALUES, min_size=1, max_size=9))
def test_the_median_is_that_of_the_known_values(values):
    known = [value for value in values if not isnan(value)]
    found = seasonal.median(np.array(values))
    assert found == pytest.approx(plain_median(known) if known else nan, nan_ok=True)
    equal = seasonal.weighted_median(np.array(values), np.ones(len(values)))
    assert equal == pytest.approx(found, nan_ok=True)


@given(some.lists(some.tuples(VALUES, some.integers(0, 5)), min_size=1, max_size=9))
def test_at_most_half_of_the_weight_is_below_a_weighted_median_and_at_most_half_above(pairs):
    known = [(value, weight) for value, weight in pairs if weight and not isnan(value)]
    values, weights = np.array(pairs, dtype=float).T
    found = float(seasonal.weighted_median(values, weights))
    if not known:
        assert isnan(found)
        return
    half = sum(weight for _, weight in known) / 2
    assert sum(weight for value, weight in known if value < found) <= half + max(weight for _, weight in known) / 2
    assert sum(weight for value, weight in known if value > found) <= half + max(weight for _, weight in known) / 2
    assert min(known)[0] <= found <= max(known)[0]


def test_a_weighted_median_lies_between_two_values_by_their_weights():
    assert seasonal.weighted_median(np.array([10.0, 20.0]), np.array([1.0, 1.0])) == 15
    assert seasonal.weighted_median(np.array([10.0, 20.0]), np.array([3.0, 1.0])) == 12.5
    assert seasonal.weighted_median(np.array([10.0, 20.0, 1e9]), np.array([1.0, 1.0, 1.0])) == 20


def test_the_usual_value_is_that_of_the_same_weekday_and_hour():
    usual = seasonal.weekly(weeks(9))
    assert np.isnan(usual[:21]).all()
    np.testing.assert_allclose(usual[21:], weeks(6), rtol=0.05)
    np.testing.assert_allclose(usual[21:, 1:-1], weeks(6)[:, 1:-1], rtol=1e-9)


def test_three_of_the_last_eight_weeks_suffice_and_older_ones_do_not_count():
    table = weeks(12)
    table[: 7 * 3] *= 1000
    table[7 * 4 : 7 * 9] = nan
    usual = seasonal.weekly(table)[-7:]
    np.testing.assert_allclose(usual, WEEK, rtol=0.05)
    table[7 * 3 : 7 * 4] = nan
    assert np.isnan(seasonal.weekly(table)[-7:]).all()


def test_recent_weeks_count_more():
    table = weeks(8)
    table[: 7 * 4] *= 2
    assert (seasonal.weekly(np.vstack([table, WEEK * nan]))[-7:] < 1.5 * WEEK).all()


def test_neighbours_of_half_an_hour_calm_a_value_by_half_its_square_root_at_most():
    hours = np.full((35, 24), 100.0)
    hours[:, 12] = 400.0
    hours[:, 20] = 104.0
    usual = seasonal.weekly(hours)[-1]
    assert usual[12] == 400 - 0.5 * 20
    assert usual[11] == usual[13] == 100 + 0.5 * 10
    assert (usual[19], usual[20], usual[21]) == (101, 102, 101)


def test_the_time_of_the_day_is_the_median_of_seven_days_of_which_two_are_known():
    table = np.arange(1.0, 10.0)[:, None] * np.ones(24)
    found = seasonal.daily(table)[:, 0]
    assert found[2:].tolist() == [1.5, 2, 2.5, 3, 3.5, 4, 5]
    assert np.isnan(found[:2]).all()


def test_seasonal_naive_is_a_week_before_else_a_day_before():
    table = np.arange(1.0, 10.0)[:, None] * np.ones(24)
    table[0] = nan
    found = seasonal.naive(table)[:, 0]
    assert found[2:].tolist() == [2, 3, 4, 5, 6, 7, 2]
    assert np.isnan(found[:2]).all()


def level(counted: np.ndarray, usual: float = 100.0) -> float:
    """The level at the end of these hours of which so much is usual."""
    hours = np.append(counted, np.full(-len(counted) % 24 or 24, nan))
    table = hours.reshape(-1, 24)
    return float(seasonal.levels(table, np.full(table.shape, usual))[len(counted)])


def test_the_level_is_how_high_the_last_72_hours_were():
    assert level(np.full(96, 100.0)) == pytest.approx(1)
    assert level(np.append(np.zeros(24), np.full(72, 130.0))) == pytest.approx(1.3, abs=0.01)
    assert level(np.append(np.full(48, 100.0), np.full(24, 900.0))) == pytest.approx(1)
    assert level(np.append(np.full(48, 100.0), np.full(37, 200.0))) == pytest.approx(2, abs=0.01)


def test_the_level_is_from_a_third_to_three():
    assert level(np.full(72, 900.0)) == 3
    assert level(np.zeros(72)) == pytest.approx(1 / 3)


def test_fewer_than_12_known_hours_or_few_counts_leave_the_level():
    assert level(np.append(np.full(61, nan), np.full(11, 200.0))) == 1
    assert level(np.append(np.full(60, nan), np.full(12, 200.0))) == pytest.approx(2, abs=0.03)
    assert level(np.full(72, 0.1), usual=0.01) < 1.3
    assert level(np.full(72, 0.0), usual=0.0) == 1


def test_a_level_is_of_the_hours_before_alone():
    table, usual = np.full((4, 24), 100.0), np.full((4, 24), 100.0)
    table[3, 12] = 1e6
    changed = seasonal.levels(table, usual)
    table[3, 12] = 0
    np.testing.assert_array_equal(seasonal.levels(table, usual)[: 3 * 24 + 13], changed[: 3 * 24 + 13])
