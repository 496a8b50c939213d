"""A series as a table: a row for each day of a zone, a column for each time of the day. Loads numpy."""

from __future__ import annotations

from datetime import UTC, date, datetime
from itertools import pairwise
from typing import Any, NamedTuple, TypeAlias
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from analytics.calendar.minute_series import DAY_S

Numbers: TypeAlias = npt.NDArray[np.float64]
"""Counts by day and time of the day; NaN where none is known."""
Moments: TypeAlias = npt.NDArray[np.int64]
Flags: TypeAlias = npt.NDArray[np.bool_]


class Offset(NamedTuple):
    """How many seconds the clocks of a zone are ahead of UTC from that moment on (epoch s)."""

    since: int
    seconds: int


def offsets(zone: str, begin: int, end: int) -> list[Offset]:
    """The offset at `begin`, and each change until `end` (epoch s). Two changes within a day that undo each other are
    not seen.
    """
    info = ZoneInfo(zone)
    found = [Offset(begin, _offset(info, begin))]
    for before, after in pairwise([*range(begin, end, DAY_S), end]):
        if _offset(info, after) != found[-1].seconds:
            found.append(_change(info, before, after))
    return found


def _change(info: ZoneInfo, before: int, after: int) -> Offset:
    """The change of the clocks between two moments that have different offsets."""
    first = _offset(info, before)
    while after - before > 1:
        middle = (before + after) // 2
        before, after = (middle, after) if _offset(info, middle) == first else (before, middle)
    return Offset(after, _offset(info, after))


def _offset(info: ZoneInfo, moment: int) -> int:
    shift = datetime.fromtimestamp(moment, info).utcoffset()
    assert shift is not None
    return int(shift.total_seconds())


class Calendar(NamedTuple):
    """The days of a zone, from the one with the number `first` (since 1970-01-01), cut into slots of `width_s`."""

    first: int
    days: int
    width_s: int
    offsets: list[Offset]

    @property
    def slots(self) -> int:
        """How many slots a day has."""
        return DAY_S // self.width_s

    def cells(self, begins: Moments) -> Moments:
        """The cell of each bucket, in the order of rows: by the time that the clocks show when it begins.

        Both buckets of an hour that comes twice have the same cell; an hour that clocks skip leaves its cell empty.
        """
        since, seconds = np.array(self.offsets, dtype=np.int64).T
        local: Moments = begins + seconds[np.searchsorted(since, begins, side="right") - 1]
        return (local - self.first * DAY_S) // self.width_s

    def table(self, begins: Moments, values: Numbers) -> Numbers:
        """The known values by day and slot; the mean where a cell has several."""
        known = ~np.isnan(values)
        cells, size = self.cells(begins[known]), self.days * self.slots
        sums, counts = np.bincount(cells, values[known], size), np.bincount(cells, minlength=size)
        return np.where(counts, sums / np.maximum(counts, 1), np.nan).reshape(self.days, self.slots)

    def clock_changes(self) -> list[date]:
        """The dates on which the clocks change."""
        return [datetime.fromtimestamp(one.since + one.seconds, UTC).date() for one in self.offsets[1:]]


def calendar_of(begins: Moments, width_s: int, zone: str) -> Calendar:
    """The days that these buckets touch in the zone, of which there is at least one."""
    begin, end = int(begins.min()), int(begins.max())
    found = offsets(zone, begin, end)
    first, last = (begin + found[0].seconds) // DAY_S, (end + found[-1].seconds) // DAY_S
    return Calendar(first, last - first + 1, width_s, found)


def earlier(table: Numbers, days: range) -> Numbers:
    """For each cell the values at the same clock time so many days before, along a third axis."""
    found: npt.NDArray[Any] = np.full((*table.shape, len(days)), np.nan)
    for place, distance in enumerate(days):
        if distance < len(table):
            found[distance:, :, place] = table[:-distance]
    return found


def before(rows: Numbers, many: int) -> Numbers:
    """For each row the `many` rows before it, along a last axis; NaN before the first row."""
    padded = np.concatenate([np.full((many, *rows.shape[1:]), np.nan), rows[:-1]])
    return np.lib.stride_tricks.sliding_window_view(padded, many, axis=0)
