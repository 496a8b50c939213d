"""Ranges as wide as earlier forecasts were wrong, by hand; and which of two forecasts is used."""

from __future__ import annotations

from math import nan, sqrt
from statistics import NormalDist

import numpy as np
import pytest

from analytics.health import ranges
from analytics.health.expected import Backtest

USUAL = 1e6  # its square root is a thousand


def days(many: int, value: float = USUAL) -> np.ndarray:
    """So many days of 24 hours."""
    return np.full((many, 24), value)


def predicted(table: np.ndarray, expected: np.ndarray, share: float = 0.9, naive: np.ndarray | None = None):
    """The prediction with the ranges of a forecast; there is no seasonal naive unless it is given."""
    spread = ranges.spread_of(table, expected)
    return ranges.predict(table, [expected], expected * nan if naive is None else naive, spread, share)


def test_the_spread_is_the_median_of_an_hour_and_its_neighbours_over_28_days():
    expected, table = days(30, 200.0), days(30, 200.0)
    table[1:29, 11], table[1:29, 12], table[1:29, 13] = 180, 260, 240  # off by 0.1, 0.3 and 0.2
    table[0] = 1e9  # before the 28 days
    spread = ranges.spread_of(table, expected)
    assert spread[29, 12] == pytest.approx(1.4826 * 0.2)
    assert spread[29, 11] == pytest.approx(1.4826 * 0.1)
    assert spread[29, 10] == spread[29, 0] == 0
    assert (spread[0] == 0).all()


def test_the_spread_knows_nothing_of_its_own_day():
    table = days(3)
    table[2] = 0
    assert (ranges.spread_of(table, days(3)) == 0).all()


def test_fine_buckets_share_the_spread_of_their_hour():
    expected, table = np.full((8, 96), 100.0), np.full((8, 96), 100.0)
    table[:, 40:52] = 150.0  # from 10:00 to 13:00
    spread = ranges.spread_of(table, expected)[7]
    assert spread[44:48].tolist() == pytest.approx([1.4826 * 0.5] * 4)
    assert spread[56:60].tolist() == [0] * 4


def test_a_range_is_as_wide_as_the_error_that_the_share_did_not_exceed():
    table = days(29)
    table[:28] += np.random.default_rng(1).permutation(28 * 24).reshape(28, 24) + 1  # off by 1 to 672
    half = predicted(table, days(29)).half[28]
    assert half == pytest.approx(np.full(24, 606))  # the 606th of 672: nine tenths of 673, rounded up
    assert predicted(table, days(29), share=0.5).half[28] == pytest.approx(np.full(24, 337))
    assert predicted(table, days(29), share=0.9999).half[28] == pytest.approx(np.full(24, 672))


def test_errors_of_less_than_seven_days_are_not_enough_and_a_normal_distribution_is_assumed():
    table = days(9) + 500.0
    half = predicted(table, days(9)).half[:, 0]
    assert half[:7] == pytest.approx(np.full(7, 1000 * NormalDist().inv_cdf(0.95)))
    assert half[7:] == pytest.approx(np.full(2, 500))


def test_a_busy_hour_that_varies_by_its_share_has_a_wider_range_than_one_that_varies_by_its_square_root():
    expected, table = days(29, 10_000.0), days(29, 10_000.0)
    table[:, :12] += np.where(np.arange(29) % 2, 2_000.0, -2_000.0)[:, None]
    table[:, 12:] += np.where(np.arange(29) % 2, 100.0, -100.0)[:, None]
    half = predicted(table, expected).half[28]
    assert half[5] > 10 * half[18]
    assert half[18] >= 100


def test_counts_of_less_than_one_vary_by_one():
    assert predicted(days(1, 0.0), days(1, 0.01)).half[0, 0] == pytest.approx(NormalDist().inv_cdf(0.95))
    assert predicted(days(1, 0.0), days(1, 4.0)).half[0, 0] == pytest.approx(sqrt(4) * NormalDist().inv_cdf(0.95))


def test_the_better_forecast_of_the_last_28_days_is_used_when_there_are_7_days_of_both():
    table, seasonal, naive = days(40), days(40) + 10.0, days(40) + 9.0
    found = predicted(table, seasonal, naive=naive)
    assert found.is_naive.any(axis=1).tolist() == [False] * 7 + [True] * 33
    assert found.value[6, 0] == seasonal[6, 0]
    assert found.value[7, 0] == naive[7, 0]
    assert found.half[39, 0] == pytest.approx(9), "with the range of its own errors"
    assert not predicted(table, naive, naive=seasonal).is_naive.any()
    assert not predicted(table, seasonal, naive=seasonal).is_naive.any(), "of equal ones the seasonal one"


def test_where_one_of_them_knows_nothing_it_is_the_other():
    table, seasonal, naive = days(40), days(40) + 10.0, days(40) + 9.0
    naive[39, 5] = nan
    seasonal[3, 8] = nan
    found = predicted(table, seasonal, naive=naive)
    assert (found.value[39, 5], found.is_naive[39, 5]) == (seasonal[39, 5], False)
    assert (found.value[3, 8], found.is_naive[3, 8]) == (naive[3, 8], True)


def test_the_first_candidate_that_knows_a_cell_is_used():
    table, first, second, naive = days(2), days(2), days(2) + 1.0, days(2) + 2.0
    first[1], second[1, 12:] = nan, nan
    found = ranges.predict(table, [first, second], naive, days(2, 0.0), 0.9)
    assert (found.value[0] == first[0]).all()
    assert found.value[1].tolist() == [second[1, 0]] * 12 + [naive[1, 12]] * 12
    assert found.is_naive.sum() == 12


def test_a_back_test_counts_the_readings_of_which_both_forecasts_knew_something():
    table, expected, naive = days(3, 100.0), days(3, 110.0), days(3, 120.0)
    table[2, 0], expected[2, 1], naive[2, 2] = nan, nan, nan
    half = np.where(np.arange(24) < 15, 10.0, 9.0) * np.ones((3, 1))
    is_naive = np.zeros((3, 24), dtype=bool)
    is_naive[2, 21:] = True
    found = ranges.backtest(table, ranges.Prediction(expected, half, is_naive), naive, 2)
    assert found == Backtest(21, error=10, naive_error=20, within=12 / 21, naive_share=3 / 21)
    assert found.mase == 0.5
