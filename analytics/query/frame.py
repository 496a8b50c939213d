"""Answers as pandas DataFrames, for notebooks, reports and forecasts. Loads pandas, so import it where it is needed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd

from analytics.query.dimensions import Dimension
from analytics.query.metrics import Metric
from analytics.query.query import Query

COUNTS, MEASURES, LABELS = "Int64", "Float64", "str"


def frame_of(query: Query, rows: Sequence[tuple[Sequence[str | int], Sequence[Any]]]) -> pd.DataFrame:
    """The rows of an answer in their order, each a pair of dimensions and metrics.

    The dimensions are the index: for one an `Index` of its name, for several a `MultiIndex`, for none one row with the
    number 0. A bucket of time is the timestamp at which it begins, in the zone of the site; a label is text, with the
    names that pages use for an empty one, like "Direct / None". The metrics are the columns: counts `Int64`, all
    others `Float64`, and `NA` where a number is not known. Without rows all this is the same, and empty.

    `attrs["units"]` has the unit of each column, as in `Metric`: shares are 0 to 1, durations seconds, scroll depth
    percent. `attrs["zone"]` is the zone.
    """
    numbers = {
        one.id: pd.array([row[1][place] for row in rows], dtype=_type_of(one))
        for place, one in enumerate(query.resolved_metrics)
    }
    frame = pd.DataFrame(numbers, index=_index(query, [row[0] for row in rows]))
    frame.attrs = {"units": {one.id: one.unit for one in query.resolved_metrics}, "zone": query.clock.zone}
    return frame


def _type_of(one: Metric) -> Any:
    return COUNTS if one.unit == "count" else MEASURES


def _index(query: Query, values: Sequence[Sequence[str | int]]) -> pd.Index[Any]:
    if not query.split:
        return pd.RangeIndex(len(values))
    levels = [_level(one, [row[place] for row in values], query.clock.zone) for place, one in enumerate(query.split)]
    return levels[0] if len(levels) == 1 else pd.MultiIndex.from_arrays(levels)


def _level(one: Dimension, values: Sequence[str | int], zone: str) -> pd.Index[Any]:
    if one.of == "time":
        seconds = pd.to_datetime(pd.Series(values, dtype="int64"), unit="s", utc=True)
        return pd.DatetimeIndex(seconds, name=one.id).tz_convert(ZoneInfo(zone))
    return pd.Index([value or one.none for value in values], dtype=LABELS, name=one.id)
