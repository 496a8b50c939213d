"""Ranges that hold a stated share of the readings, by the errors of earlier forecasts. Loads numpy."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import NormalDist
from typing import NamedTuple

import numpy as np

from analytics.health.day_table import Flags, Numbers, before
from analytics.health.expected import Backtest
from analytics.health.seasonal import HOURS, median

ERROR_DAYS, MIN_ERROR_DAYS = 28, 7
TO_SIGMA = 1.4826  # of a median absolute deviation to a standard deviation


class Prediction(NamedTuple):
    """By day and slot: the expected value (NaN: nothing), half the width of its range, whether it is seasonal naive."""

    value: Numbers
    half: Numbers
    is_naive: Flags


def predict(table: Numbers, candidates: Sequence[Numbers], naive: Numbers, spread: Numbers, share: float) -> Prediction:
    """The first candidate that knows a cell; seasonal naive where that had been better in the 28 days before, or where
    no candidate knows it. The ranges hold this share.
    """
    naive_half = _half(table, naive, spread, share)
    value, half, is_naive = naive, naive_half, ~np.isnan(naive)
    for one in reversed(candidates):
        known = ~np.isnan(one)
        worse = known & ~np.isnan(naive) & _is_better(table, naive, one)[:, None]
        value = np.where(worse, naive, np.where(known, one, value))
        half = np.where(worse, naive_half, np.where(known, _half(table, one, spread, share), half))
        is_naive = worse | (is_naive & ~known)
    return Prediction(value, half, is_naive)


def _is_better(table: Numbers, one: Numbers, other: Numbers) -> Flags:
    """For each day, whether the one forecast had the smaller error in the 28 days before, of at least 7."""
    difference = np.abs(table - one) - np.abs(table - other)
    known = ~np.isnan(difference)
    sums = np.where(known.any(1), np.where(known, difference, 0.0).sum(1), np.nan)
    rows = before(sums, ERROR_DAYS)
    found: Flags = ((~np.isnan(rows)).sum(-1) >= MIN_ERROR_DAYS) & (np.nansum(rows, axis=-1) < 0)
    return found


def spread_of(table: Numbers, expected: Numbers) -> Numbers:
    """How far readings lie from what is expected, as a share of it: 1.4826 times the median of the 28 days before, of
    this hour of the day, the one before and the one after; 0 where nothing is known.
    """
    days, slots = table.shape
    errors = np.abs(table - expected) / np.maximum(expected, 1.0)
    by_hour = errors.reshape(days, HOURS, -1)
    pooled = np.concatenate([np.roll(by_hour, shift, axis=1) for shift in (-1, 0, 1)], axis=2)
    spread = TO_SIGMA * median(before(pooled, ERROR_DAYS).reshape(days, HOURS, -1))
    return np.repeat(np.nan_to_num(spread), slots // HOURS, axis=1)


def _half(table: Numbers, expected: Numbers, spread: Numbers, share: float) -> Numbers:
    """Half the width of the range. A count varies by its square root at least; the multiple of that, or of the spread,
    is the one that would have held this share in the 28 days before.
    """
    size = np.maximum(expected, 1.0)
    unit = np.maximum(spread * size, np.sqrt(size))
    return unit * _multiples(np.abs(table - expected) / unit, share)[:, None]


def _multiples(errors: Numbers, share: float) -> Numbers:
    """For each day the error that this share of those of the 28 days before did not exceed (split conformal).

    While fewer than 7 days are known: the one of a normal distribution.
    """
    days = (~np.isnan(errors)).any(1).astype(float)
    rows = np.sort(before(errors, ERROR_DAYS).reshape(len(errors), -1), axis=-1)
    many = (~np.isnan(rows)).sum(-1)
    rank = np.clip(np.ceil(share * (many + 1)).astype(int), 1, np.maximum(many, 1))
    found = np.take_along_axis(rows, rank[:, None] - 1, -1)[:, 0]
    is_known = np.nansum(before(days, ERROR_DAYS), axis=-1) >= MIN_ERROR_DAYS
    return np.where(is_known, found, NormalDist().inv_cdf((1 + share) / 2))


def backtest(table: Numbers, prediction: Prediction, naive: Numbers, first_day: int) -> Backtest:
    """How well the cells from that row on were foreseen; those for which there was seasonal naive too."""
    error, naive_error = np.abs(table - prediction.value), np.abs(table - naive)
    tested = ~np.isnan(error) & ~np.isnan(naive_error)
    tested[:first_day] = False
    if not (many := int(tested.sum())):
        return Backtest(0)
    within = error <= prediction.half * (1 + 1e-9)
    means = (float(one[tested].mean()) for one in (error, naive_error, within, prediction.is_naive))
    return Backtest(many, *means)
