"""What a series has at each weekday and hour, and how high its level is now: all from earlier rows. Loads numpy."""

from __future__ import annotations

import numpy as np

from analytics.health.day_table import Numbers, before, earlier

WEEKS, MIN_WEEKS = 8, 3  # of the same weekday and time
WEEKLY_WEIGHT = 0.9  # of a week, as a multiple of the next one
DAYS, MIN_DAYS = 7, 2  # of the same time on any day, while there are too few weeks
HOURS = 24
LEVEL_HOURS, MIN_LEVEL_HOURS = 72, 12
MAX_LEVEL = 3.0  # and a third
UNCERTAIN = 30.0  # a count as high as this moves the level half as far as it seems to be
BY_CHANCE = 0.5  # of its square root: about how far the median of eight counts lies from their mean


def weighted_median(values: Numbers, weights: Numbers) -> Numbers:
    """The weighted median along the last axis, between two values where half of the weight lies between them.

    A value that is NaN or has no weight does not count; NaN where none counts.
    """
    weights = np.where(np.isnan(values), 0.0, weights)
    values = np.where(weights > 0, values, np.nan)
    order = np.argsort(values, axis=-1)
    values, weights = np.take_along_axis(values, order, -1), np.take_along_axis(weights, order, -1)
    middles, half = np.cumsum(weights, axis=-1) - weights / 2, weights.sum(-1, keepdims=True) / 2
    above = np.minimum((middles < half).sum(-1, keepdims=True), values.shape[-1] - 1)
    below = np.maximum(above - 1, 0)
    first, last = np.take_along_axis(middles, below, -1), np.take_along_axis(middles, above, -1)
    share = np.clip((half - first) / np.where(last > first, last - first, 1.0), 0.0, 1.0)
    low, high = np.take_along_axis(values, below, -1), np.take_along_axis(values, above, -1)
    found: Numbers = (low + (high - low) * share)[..., 0]
    return found


def median(values: Numbers) -> Numbers:
    """The median of the known values along the last axis; NaN where none is known."""
    values = np.sort(values, axis=-1)
    many = (~np.isnan(values)).sum(-1, keepdims=True)
    low = np.take_along_axis(values, np.maximum(many - 1, 0) // 2, -1)
    found: Numbers = ((low + np.take_along_axis(values, np.minimum(many // 2, values.shape[-1] - 1), -1)) / 2)[..., 0]
    return found


def weekly(table: Numbers) -> Numbers:
    """The weighted median of the same weekday and time in the 8 weeks before; NaN where fewer than 3 are known."""
    same = earlier(table, range(7, 7 * WEEKS + 1, 7))
    found = weighted_median(same, WEEKLY_WEIGHT ** np.arange(WEEKS, dtype=np.float64))
    return _smooth(np.where((~np.isnan(same)).sum(-1) < MIN_WEEKS, np.nan, found))


def _smooth(table: Numbers) -> Numbers:
    """The table with each value moved towards those within half an hour, but no further than a median of counts may be
    off by chance. So an hour that stands out keeps its height.
    """
    reach = max(1, table.shape[1] // HOURS // 2)
    kernel = np.bartlett(2 * reach + 3)[1:-1]
    flat = table.ravel()
    known = ~np.isnan(flat)
    sums = np.convolve(np.where(known, flat, 0.0), kernel, "same")
    weights = np.convolve(known.astype(float), kernel, "same")
    means = np.divide(sums, weights, out=np.full(len(flat), np.nan), where=known)
    by_chance = BY_CHANCE * np.sqrt(np.maximum(flat, 1.0))
    found: Numbers = np.clip(means, flat - by_chance, flat + by_chance)
    return found.reshape(table.shape)


def daily(table: Numbers) -> Numbers:
    """The median of the same time on the 7 days before; NaN where fewer than 2 are known."""
    same = earlier(table, range(1, DAYS + 1))
    return np.where((~np.isnan(same)).sum(-1) < MIN_DAYS, np.nan, median(same))


def naive(table: Numbers) -> Numbers:
    """Seasonal naive: the value a week before, or a day before where that is unknown."""
    same = earlier(table, range(7, 0, -6))
    a_week, a_day = same[..., 0], same[..., 1]
    return np.where(np.isnan(a_week), a_day, a_week)


def levels(table: Numbers, usual: Numbers) -> Numbers:
    """For each hour, how high the 72 hours before it were as a multiple of what is usual for them.

    It is the factor with the least absolute error, from a third to 3. Few counts move it less, and with fewer than 12
    known hours it is 1.
    """
    both = ~np.isnan(table) & ~np.isnan(usual)
    counted, expected = (_by_hour(np.where(both, one, 0.0)) for one in (table, usual))
    seen = _by_hour(both.astype(float)) > 0
    ratios = np.divide(counted, expected, out=np.full(len(counted), np.nan), where=seen & (expected > 0))
    ratio_rows, weight_rows = before(ratios, LEVEL_HOURS), before(expected, LEVEL_HOURS)
    weight_rows = np.where(np.isnan(ratio_rows), 0.0, weight_rows)
    found = weighted_median(ratio_rows, weight_rows)
    many = np.nansum(before(seen.astype(float), LEVEL_HOURS), axis=-1)
    found = np.where((many < MIN_LEVEL_HOURS) | np.isnan(found), 1.0, found)
    total = weight_rows.sum(-1)
    level: Numbers = np.clip(1 + (found - 1) * total / (total + UNCERTAIN), 1 / MAX_LEVEL, MAX_LEVEL)
    return level


def _by_hour(table: Numbers) -> Numbers:
    """The sums of each hour, of all days in a row."""
    sums: Numbers = table.reshape(len(table) * HOURS, -1).sum(-1)
    return sums
